"""The sockets' addresses."""
from __future__ import annotations

from django.urls import path

from generation.consumers import GenerationConsumer, OwnMotionConsumer

websocket_urlpatterns = [
    path("ws/generations/<uuid:request_id>/", GenerationConsumer.as_asgi(), name="generation_socket"),
    path("ws/own-motions/<uuid:motion_id>/", OwnMotionConsumer.as_asgi(), name="own_motion_socket"),
]
