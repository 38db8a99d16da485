"""The channel layer on PostgreSQL: between real processes, through lost connections, within its limits."""
from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from asgiref.sync import async_to_sync

from clinic.channel_layer import LARGEST_PAYLOAD, MessageTooLarge, PostgresChannelLayer
from tests.processes import database_url

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.usefixtures("django_db_setup")      # the database must exist; no row is read or written


@pytest.fixture
def layer():
    layer = PostgresChannelLayer(capacity=5)
    yield layer
    async_to_sync(layer.close)()


@pytest.fixture
def other_process_sends():
    """Start another process that sends `count` messages {type, number} to a group, from synchronous code."""
    program = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "clinic.settings"
import django
django.setup()
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
for number in range(int(sys.argv[2])):
    async_to_sync(get_channel_layer().group_send)(sys.argv[1], {"type": "progress", "number": number})
"""
    def send(group: str, count: int) -> subprocess.Popen:
        environment = {**os.environ, "DATABASE_URL": database_url()}
        environment.pop("REDIS_URL", None)
        return subprocess.Popen([sys.executable, "-c", program, group, str(count)], cwd=ROOT, env=environment)

    return send


async def receive(layer, channel, seconds=10.0):
    return await asyncio.wait_for(layer.receive(channel), seconds)


def test_nothing_is_lost_between_fresh_processes_and_order_holds(other_process_sends):
    async def scenario():
        for _ in range(3):
            layer = PostgresChannelLayer(capacity=1000)
            channel = await layer.new_channel()
            await layer.group_add("request.1", channel)
            sender = other_process_sends("request.1", 200)
            numbers = [(await receive(layer, channel, 20))["number"] for _ in range(200)]
            assert numbers == list(range(200))
            assert await asyncio.to_thread(sender.wait) == 0
            await layer.close()

    asyncio.run(scenario())


def test_a_message_sent_right_after_joining_arrives():
    async def scenario():
        for number in range(30):
            layer = PostgresChannelLayer()      # a fresh one each time: its subscription is new
            channel = await layer.new_channel()
            await layer.group_add("g", channel)
            await layer.group_send("g", {"type": "t", "n": number})
            assert (await receive(layer, channel))["n"] == number
            await layer.close()

    asyncio.run(scenario())


def test_members_only(layer):
    async def scenario():
        inside, outside, left = [await layer.new_channel() for _ in range(3)]
        for channel in (inside, left):
            await layer.group_add("g", channel)
        await layer.group_add("other", outside)
        await layer.group_discard("g", left)
        await layer.group_send("g", {"type": "t", "list": [1]})
        message = await receive(layer, inside)
        assert message == {"type": "t", "list": [1]}
        for channel in (outside, left):
            with pytest.raises(TimeoutError):
                await receive(layer, channel, 0.2)

    asyncio.run(scenario())


def test_members_get_copies_of_their_own(layer):
    async def scenario():
        first, second = await layer.new_channel(), await layer.new_channel()
        await layer.group_add("g", first)
        await layer.group_add("g", second)
        await layer.group_send("g", {"type": "t", "list": []})
        (await receive(layer, first))["list"].append("changed")
        assert (await receive(layer, second))["list"] == []

    asyncio.run(scenario())


def test_a_channel_is_reached_by_name_from_another_layer(layer):
    async def scenario():
        other = PostgresChannelLayer()
        channel = await layer.new_channel()
        await other.send(channel, {"type": "hello"})
        assert await receive(layer, channel) == {"type": "hello"}
        await other.close()

    asyncio.run(scenario())


def test_lost_connections_come_back(layer):
    async def scenario():
        channel = await layer.new_channel()
        await layer.group_add("g", channel)
        await layer.group_send("g", {"type": "t", "n": 0})
        assert (await receive(layer, channel))["n"] == 0

        assert await asyncio.to_thread(cut_all_message_connections) >= 2      # one sends, one listens
        await asyncio.wait_for(until_messages_pass(layer), 10)
        await layer.group_send("g", {"type": "t", "n": 1})
        assert (await receive(layer, channel))["n"] == 1

    asyncio.run(scenario())


async def until_messages_pass(layer):
    """Both connections stand again: the sender's is made by the next message, the listener's by itself."""
    while True:
        channel = await layer.new_channel()
        await layer.send(channel, {"type": "again"})
        with suppress(TimeoutError):
            await receive(layer, channel, 0.1)
            return


def cut_all_message_connections() -> int:
    with psycopg.connect(database_url(), autocommit=True) as cutter:
        return len(
            cutter.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'genuflex messages' AND datname = current_database()"
            ).fetchall()
        )


def test_a_slow_reader_loses_the_oldest(layer):
    async def scenario():
        channel = await layer.new_channel()
        await layer.group_add("g", channel)
        for number in range(8):
            await layer.group_send("g", {"type": "t", "n": number})
        marker = await layer.new_channel()
        await layer.send(marker, {"type": "end"})
        await receive(layer, marker)        # everything sent before has been handed out by now
        assert [(await receive(layer, channel))["n"] for _ in range(5)] == [3, 4, 5, 6, 7]

    asyncio.run(scenario())


def test_a_message_that_does_not_fit_is_refused_with_the_reason(layer):
    async def scenario():
        channel = await layer.new_channel()
        frame = len('{"channel":"","message":{"t":""}}') + len(channel)
        fits = {"t": "é" * ((LARGEST_PAYLOAD - frame) // 2)}
        await layer.send(channel, fits)
        assert await receive(layer, channel) == fits
        with pytest.raises(MessageTooLarge, match="send the row's id"):
            await layer.send(channel, {"t": fits["t"] + "éé"})
        with pytest.raises(TypeError):
            await layer.group_send("g", {"when": object()})
        with pytest.raises(TypeError):
            await layer.group_send("not a name", {})

    asyncio.run(scenario())


def test_an_ended_consumer_leaves_nothing_behind(layer):
    async def scenario():
        channel = await layer.new_channel()
        await layer.group_add("g", channel)
        reader = asyncio.create_task(layer.receive(channel))
        await asyncio.sleep(0.05)
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader
        assert not layer._inboxes and not layer._groups

    asyncio.run(scenario())


def test_foreign_notifications_are_ignored(layer):
    async def scenario():
        channel = await layer.new_channel()
        with psycopg.connect(database_url(), autocommit=True) as stranger:
            for payload in ("not json", "[]", '{"group": "g"}', '{"channel": 3, "message": {}}'):
                stranger.execute("SELECT pg_notify('genuflex_channels', %s)", [payload])
        await layer.send(channel, {"type": "t"})
        assert await receive(layer, channel) == {"type": "t"}

    asyncio.run(scenario())


def test_synchronous_code_can_send_again_and_again(layer):
    """Each call of async_to_sync may bring a new event loop: the connection must not be tied to one."""
    started = time.monotonic()
    for number in range(50):
        async_to_sync(layer.group_send)("g", {"type": "t", "n": number})
    assert time.monotonic() - started < 5


def test_closing_after_the_connections_were_cut_is_quiet(layer):
    async def scenario():
        await layer.group_add("g", await layer.new_channel())
        await layer.group_send("g", {"type": "t"})
        await asyncio.to_thread(cut_all_message_connections)
        await layer.close()
        await layer.close()

    asyncio.run(scenario())
