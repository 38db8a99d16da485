"""A browser's side of a socket, in this process."""
from __future__ import annotations

import pytest
from asgiref.testing import ApplicationCommunicator
from django.test import Client


class Socket(ApplicationCommunicator):
    """Opens `address` on the site's ASGI application with the session of `client`."""

    def __init__(self, address: str, client: Client | None = None) -> None:
        from clinic.asgi import application

        cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items()) if client else ""
        super().__init__(application, {
            "type": "websocket", "path": address, "query_string": b"", "subprotocols": [],
            "headers": [(b"cookie", cookies.encode()), (b"origin", b"http://localhost"), (b"host", b"localhost")],
        })

    async def open(self) -> dict:
        """What the site says first: {"type": "websocket.send", ...} when it lets the visitor in, else the close."""
        await self.send_input({"type": "websocket.connect"})
        accepted = await self.receive_output(timeout=10)
        return await self.receive_output(timeout=10) if accepted["type"] == "websocket.accept" else accepted

    async def leave(self) -> None:
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait(timeout=10)


@pytest.fixture
def sockets_in_process(settings, monkeypatch) -> None:
    """Sockets and test share one database connection, which stays open, and a channel layer in memory."""
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    monkeypatch.setattr("channels.db.close_old_connections", lambda: None)
