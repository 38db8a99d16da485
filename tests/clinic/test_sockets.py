"""Sockets live no longer than their session."""
from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from clinic.models import User
from generation import push
from tests.sockets import Socket
from tests.world import PASSWORD, Side


@pytest.fixture
def client(side: Side, sockets_in_process) -> Client:
    client = Client()
    assert client.login(email=side.clinician.email, password=PASSWORD)
    return client


def watch(side: Side, client: Client, happen) -> dict:
    """Open a socket, let `happen` happen, and return what the socket says next."""

    async def run() -> dict:
        socket = Socket(f"/ws/generations/{side.record.request.pk}/", client)
        assert (await socket.open())["type"] == "websocket.send"
        await happen()
        said = await socket.receive_output(timeout=10)
        await socket.leave()
        return said

    return async_to_sync(run)()


async def hint(side: Side) -> None:
    request = side.record.request
    await push.get_channel_layer().group_send(
        request.channel_group, {"type": "generation.changed", "status": request.status}
    )


def test_a_hint_arrives(side: Side, client: Client):
    said = watch(side, client, lambda: hint(side))
    assert said["type"] == "websocket.send" and "changed" in said["text"]


def test_it_closes_on_logout(side: Side, client: Client):
    said = watch(side, client, sync_to_async(lambda: client.post("/account/logout/")))
    assert (said["type"], said["code"]) == ("websocket.close", 4401)


@pytest.mark.parametrize("end", ["account closed", "session gone", "left the care team", "password changed"])
def test_nothing_is_pushed_once_the_right_is_gone(side: Side, client: Client, end: str):
    def withdraw() -> None:
        if end == "account closed":
            User.objects.filter(pk=side.clinician.pk).update(is_active=False)
        elif end == "session gone":
            Session.objects.all().delete()
        elif end == "left the care team":
            side.record.patient.care_team.clear()
        else:
            side.clinician.set_password("another-long-password")
            side.clinician.save()

    async def happen() -> None:
        await sync_to_async(withdraw)()
        await hint(side)

    said = watch(side, client, happen)
    assert said["type"] == "websocket.close"
    assert said["code"] == (4404 if end == "left the care team" else 4401)


def test_it_closes_when_the_session_expires(side: Side, client: Client):
    Session.objects.update(expire_date=timezone.now() + timedelta(seconds=2))
    said = watch(side, client, lambda: asyncio.sleep(0))
    assert (said["type"], said["code"]) == ("websocket.close", 4401)


def test_what_a_browser_sends_is_ignored(side: Side, client: Client):
    async def chatter() -> dict:
        socket = Socket(f"/ws/generations/{side.record.request.pk}/", client)
        await socket.open()
        for message in ({"text": "{"}, {"text": "x" * 100_000}, {"bytes": b"\xff"}):
            await socket.send_input({"type": "websocket.receive", **message})
        await hint(side)
        said = await socket.receive_output(timeout=10)
        await socket.leave()
        return said

    assert async_to_sync(chatter)()["type"] == "websocket.send"
