"""Addresses of sessions in the API."""
from django.urls import path

from exercise import apis

urlpatterns = [
    path("patients/<uuid:patient_id>/sessions/", apis.SessionListAPI.as_view(), name="session_list"),
    path("sessions/<uuid:session_id>/", apis.SessionAPI.as_view(), name="session"),
    path("own-sessions/", apis.OwnSessionListAPI.as_view(), name="own_session_list"),
    path("own-sessions/<uuid:session_id>/", apis.OwnSessionAPI.as_view(), name="own_session"),
]
