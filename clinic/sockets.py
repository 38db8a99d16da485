"""Sockets that live no longer than the session they were opened with.

A socket is authorised when it opens, and again before everything that is sent: the session must still be there, the
user active, the object still permitted. A logout or an expiring session closes the sockets of that session.
"""
from __future__ import annotations

import asyncio
import hashlib
import logging

from asgiref.sync import async_to_sync
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from channels.layers import get_channel_layer
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.signals import user_logged_out
from django.contrib.sessions.backends.db import SessionStore
from django.core.exceptions import ValidationError
from django.dispatch import receiver
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from clinic.models import User

logger = logging.getLogger(__name__)

NOT_SIGNED_IN, NOT_FOUND = 4401, 4404


def session_group(session_key: str) -> str:
    return f"session.{hashlib.sha256(session_key.encode()).hexdigest()[:40]}"


class SessionSocket(AsyncJsonWebsocketConsumer):
    """Base of the project's sockets; a subclass says in `permitted_group` which group the user may join."""

    def permitted_group(self, user: User) -> str | None:
        """The group of what this socket watches, or None when it does not exist for this user. Runs in a thread."""
        raise NotImplementedError

    async def connect(self) -> None:
        self._joined: list[str] = []
        self._expiry: asyncio.Task | None = None
        await self.accept()         # first accept: a browser learns the close code of an accepted socket only
        self._session_key = getattr(self.scope.get("session"), "session_key", None)
        user, group, seconds = await self._standing()
        if user is None or group is None:
            await self.close(NOT_SIGNED_IN if user is None else NOT_FOUND)
            return
        for name in (session_group(self._session_key), group):
            await self.channel_layer.group_add(name, self.channel_name)
            self._joined.append(name)
        self._expiry = asyncio.create_task(self._close_on_expiry(seconds))
        await self.send_json({"event": "connected"})

    async def disconnect(self, code: int) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
        for name in self._joined:
            await self.channel_layer.group_discard(name, self.channel_name)

    async def receive(self, text_data=None, bytes_data=None, **kwargs) -> None:
        """Nothing is taken from the browser: it asks by HTTP."""

    async def push(self, content: dict) -> None:
        """Send, if session and permission still hold; close otherwise."""
        user, group, _ = await self._standing()
        if user is None or group is None:
            await self.close(NOT_SIGNED_IN if user is None else NOT_FOUND)
            return
        await self.send_json(content)

    async def session_ended(self, event: dict) -> None:
        await self.close(NOT_SIGNED_IN)

    async def _close_on_expiry(self, seconds: float) -> None:
        """Using the site prolongs a session, so look again when it would have ended."""
        while seconds > 0:
            await asyncio.sleep(seconds)
            user, _, seconds = await self._standing()
            if user is None:
                break
        await self.close(NOT_SIGNED_IN)

    @database_sync_to_async
    def _standing(self) -> tuple[User | None, str | None, float]:
        """(user, group, seconds until the session ends), all as the database says now."""
        user, seconds = session_user(self._session_key)
        return user, self.permitted_group(user) if user else None, seconds


def session_user(session_key: str | None) -> tuple[User | None, float]:
    """Who a session belongs to at this moment, and for how many seconds yet; (None, 0) when it is over."""
    store = SessionStore(session_key)
    data = store.load() if session_key else {}
    if SESSION_KEY not in data or BACKEND_SESSION_KEY not in data:
        return None, 0.0
    try:
        user = User.objects.filter(pk=data[SESSION_KEY], is_active=True).first()
    except ValidationError:
        return None, 0.0
    if user is None or not constant_time_compare(data.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash()):
        return None, 0.0
    row = store.model.objects.filter(session_key=session_key).first()
    return (user, (row.expire_date - timezone.now()).total_seconds()) if row else (None, 0.0)


@receiver(user_logged_out, dispatch_uid="close_sockets_on_logout")
def close_sockets_on_logout(sender, request, user, **kwargs) -> None:
    key = getattr(getattr(request, "session", None), "session_key", None)
    if not key:
        return
    try:
        async_to_sync(get_channel_layer().group_send)(session_group(key), {"type": "session.ended"})
    except Exception:       # logging out must not fail; the socket's next look finds the session gone
        logger.warning("Sockets of an ended session could not be told.", exc_info=True)
