"""Addresses of sessions."""
from django.urls import path

from exercise import views

urlpatterns = [
    path("today/<uuid:prescription_id>/session/", views.session_new, name="session_new"),
    path("progress/", views.own_progress, name="own_progress"),
    path("progress/<uuid:session_id>/", views.own_session, name="own_session"),
    path("progress/<uuid:session_id>/correct/", views.session_correct, name="session_correct"),
    path("patients/<uuid:patient_id>/sessions/", views.patient_sessions, name="patient_sessions"),
    path("patients/<uuid:patient_id>/sessions.csv", views.patient_sessions_csv, name="patient_sessions_csv"),
]
