"""The sockets' addresses."""
from __future__ import annotations

from django.urls import path

from fall_risk.consumers import AlertConsumer, PatientConsumer, ReportConsumer

websocket_urlpatterns = [
    path("ws/alerts/", AlertConsumer.as_asgi(), name="alert_socket"),
    path("ws/patients/<uuid:patient_id>/fall-risk/", PatientConsumer.as_asgi(), name="fall_risk_socket"),
    path("ws/fall-report/", ReportConsumer.as_asgi(), name="fall_report_socket"),
]
