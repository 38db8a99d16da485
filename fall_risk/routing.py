"""The sockets' addresses."""
from __future__ import annotations

from django.urls import path

from fall_risk.consumers import AlertConsumer, ReportConsumer

websocket_urlpatterns = [
    path("ws/alerts/", AlertConsumer.as_asgi(), name="alert_socket"),
    path("ws/fall-report/", ReportConsumer.as_asgi(), name="fall_report_socket"),
]
