"""Addresses of prescriptions, and of what the patient does today."""
from django.urls import path

from prescriptions import views

urlpatterns = [
    path("candidates/<uuid:candidate_id>/prescribe/", views.prescribe, name="prescribe"),
    path("prescriptions/<uuid:prescription_id>/", views.prescription_detail, name="prescription_detail"),
    path("prescriptions/<uuid:prescription_id>/edit/", views.prescription_edit, name="prescription_edit"),
    path("prescriptions/<uuid:prescription_id>/sign/", views.prescription_sign, name="prescription_sign"),
    path("prescriptions/<uuid:prescription_id>/withdraw/", views.prescription_withdraw, name="prescription_withdraw"),
    path("prescriptions/<uuid:prescription_id>/hold/", views.prescription_hold, name="prescription_hold"),
    path("prescriptions/<uuid:prescription_id>/release/", views.prescription_release, name="prescription_release"),
    path(
        "prescriptions/<uuid:prescription_id>/new-version/", views.prescription_new_version,
        name="prescription_new_version",
    ),
    path("today/", views.today, name="today"),
    path("today/<uuid:prescription_id>/playback/", views.exercise_playback, name="exercise_playback"),
]
