"""All addresses: the accounts, the pages, the API."""
from __future__ import annotations

from allauth.account import views as account
from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView

from clinic import apis, views
from clinic.errors import api_not_found

# Of allauth only what is used: nobody signs up, and the clinic decides on addresses.
accounts = [
    path("login/", account.login, name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("password/change/", account.password_change, name="account_change_password"),
    path("password/set/", account.password_set, name="account_set_password"),
    path("password/reset/", account.password_reset, name="account_reset_password"),
    path("password/reset/done/", account.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$", account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path(
        "password/reset/key/done/", account.password_reset_from_key_done, name="account_reset_password_from_key_done"
    ),
]

api = [
    path("me/", apis.MeAPI.as_view(), name="me"),
    path("users/", apis.UserListAPI.as_view(), name="user_list"),
    path("", include("patients.api_urls")),
    path("", include("generation.api_urls")),
    path("", include("prescriptions.api_urls")),
    path("", include("fall_risk.api_urls")),
    path("", include("exercise.api_urls")),
    path("schema/", SpectacularAPIView.as_view(permission_classes=[], authentication_classes=[]), name="schema"),
    re_path(r"^.*$", api_not_found, name="not_found"),
]

urlpatterns = [
    path("", views.home, name="home"),
    path("account/", include(accounts)),
    path("clinic/people/", views.people, name="people"),
    path("clinic/people/new/", views.person_new, name="person_new"),
    path("", include("patients.urls")),
    path("", include("generation.urls")),
    path("", include("prescriptions.urls")),
    path("", include("fall_risk.urls")),
    path("", include("exercise.urls")),
    path("api/v1/", include((api, "api"))),
]
