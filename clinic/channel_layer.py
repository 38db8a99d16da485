"""A channel layer on PostgreSQL's NOTIFY: short messages between the site's processes without another server.

Every process with listeners holds one connection that LISTENs, and keeps its groups in memory; a message goes to all
processes and each hands it to its own members. It is publish and subscribe: a message for a group without members is
gone, and so is one sent while a process reconnects. So the database row is the truth and a message only a hint to look;
consumers should also look by themselves now and then.

Messages are JSON under 8,000 bytes, PostgreSQL's limit: send identifiers and progress, never motions.
"""
from __future__ import annotations

import asyncio
import atexit
import json
import logging
import os
import secrets
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress

import psycopg
from channels.layers import BaseChannelLayer
from django.db import connections

log = logging.getLogger(__name__)

TOPIC = "genuflex_channels"
LARGEST_PAYLOAD = 7999         # bytes; PostgreSQL: "must be shorter than 8000 bytes in the default configuration"
CONNECT_SECONDS = 10           # how long group_add waits for the subscription before it fails
POLL_SECONDS = 1.0             # how often the listener looks whether it should stop
RETRY_SECONDS = (0.1, 5.0)     # first and longest pause between attempts to reconnect


class MessageTooLarge(ValueError):
    """The message does not fit in one notification."""


class PostgresChannelLayer(BaseChannelLayer):
    """The layer of CHANNEL_LAYERS. `capacity` messages wait for each channel; then the oldest is dropped."""

    extensions = ["groups", "flush"]

    def __init__(self, expiry=60, capacity=100, channel_capacity=None, group_expiry=86400, database="default") -> None:
        super().__init__(expiry=expiry, capacity=capacity, channel_capacity=channel_capacity)
        self.channel_capacity = self.compile_capacities(self.channel_capacity)
        self.group_expiry = group_expiry
        self._process = secrets.token_hex(6)
        self._lock = threading.Lock()
        self._inboxes: dict[str, _Inbox] = {}
        self._groups: dict[str, dict[str, float]] = defaultdict(dict)     # group -> channel -> time of joining
        self._sender = _Sender(database)
        self._listener = _Listener(database, self._deliver)
        atexit.register(self._stop)

    # -- channels -------------------------------------------------------------------------------------------------

    async def new_channel(self, prefix: str = "specific") -> str:
        """A new channel of this process, able to receive as soon as this returns."""
        channel = f"{prefix}.{self._process}!{secrets.token_hex(8)}"
        self._inbox(channel)
        await self._listener.ready()
        return channel

    async def send(self, channel: str, message: dict) -> None:
        self.require_valid_channel_name(channel)
        await self._publish({"channel": channel}, message)

    async def receive(self, channel: str) -> dict:
        self.require_valid_channel_name(channel)
        inbox = self._inbox(channel)
        await self._listener.ready()
        try:
            return await inbox.queue.get()
        except asyncio.CancelledError:
            # Channels cancels the waiting consumer when its socket has ended: nobody will read this channel again.
            self._forget(channel)
            raise

    # -- groups ---------------------------------------------------------------------------------------------------

    async def group_add(self, group: str, channel: str) -> None:
        """From the moment this returns, every message sent to the group reaches the channel."""
        self.require_valid_group_name(group)
        self.require_valid_channel_name(channel)
        self._inbox(channel)
        with self._lock:
            self._groups[group][channel] = time.monotonic()
            self._drop_expired_members()
        await self._listener.ready()

    async def group_discard(self, group: str, channel: str) -> None:
        self.require_valid_group_name(group)
        self.require_valid_channel_name(channel)
        with self._lock:
            self._leave(group, channel)

    async def group_send(self, group: str, message: dict) -> None:
        self.require_valid_group_name(group)
        await self._publish({"group": group}, message)

    async def flush(self) -> None:
        with self._lock:
            self._inboxes.clear()
            self._groups.clear()

    async def close(self) -> None:
        """Close this process's connections; the layer can be used again afterwards."""
        await asyncio.to_thread(self._stop)

    def _stop(self) -> None:
        self._listener.stop()
        self._sender.close()

    # -- inside ---------------------------------------------------------------------------------------------------

    async def _publish(self, address: dict[str, str], message: dict) -> None:
        if not isinstance(message, dict):
            raise TypeError(f"A channel message is a dict, not {type(message).__name__}.")
        document = {**address, "message": message}
        payload = json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        size = len(payload.encode())
        if size > LARGEST_PAYLOAD:
            raise MessageTooLarge(
                f"The message to {next(iter(address.values()))} takes {size} bytes, PostgreSQL carries "
                f"{LARGEST_PAYLOAD}: send the row's id and let the receiver read the row."
            )
        await asyncio.to_thread(self._sender.notify, payload)

    def _deliver(self, payload: str) -> None:
        """Hand one notification to the members in this process. Runs in the listener's thread."""
        try:
            document = json.loads(payload)
            message = document["message"]
            with self._lock:
                names = list(self._groups.get(document["group"], ())) if "group" in document else [document["channel"]]
                inboxes = [self._inboxes[name] for name in names if name in self._inboxes]
        except (ValueError, KeyError, TypeError):
            log.warning("Ignored a notification on %s that this layer did not write.", TOPIC)
            return
        for inbox in inboxes:
            # Each member gets a copy of its own: a consumer may change what it receives.
            inbox.put_from_thread(message if len(inboxes) == 1 else json.loads(payload)["message"])

    def _inbox(self, channel: str) -> _Inbox:
        loop = asyncio.get_running_loop()
        with self._lock:
            inbox = self._inboxes.get(channel)
            if inbox is None or inbox.loop is not loop:
                inbox = self._inboxes[channel] = _Inbox(loop, self.get_capacity(channel))
            return inbox

    def _forget(self, channel: str) -> None:
        with self._lock:
            self._inboxes.pop(channel, None)
            for group in [name for name, members in self._groups.items() if channel in members]:
                self._leave(group, channel)

    def _leave(self, group: str, channel: str) -> None:
        members = self._groups.get(group, {})
        members.pop(channel, None)
        if not members:
            self._groups.pop(group, None)

    def _drop_expired_members(self) -> None:
        oldest = time.monotonic() - self.group_expiry
        for group, members in list(self._groups.items()):
            for channel in [name for name, joined in members.items() if joined < oldest]:
                self._leave(group, channel)


class _Inbox:
    """The messages that wait for one channel, in the event loop of its reader."""

    def __init__(self, loop: asyncio.AbstractEventLoop, capacity: int) -> None:
        self.loop = loop
        self.queue: asyncio.Queue[dict] = asyncio.Queue(capacity)

    def put_from_thread(self, message: dict) -> None:
        # A RuntimeError says that the loop has ended, and its readers with it.
        with suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self._put, message)

    def _put(self, message: dict) -> None:
        if self.queue.full():
            self.queue.get_nowait()
        self.queue.put_nowait(message)


class _Sender:
    """One connection that sends, opened when first needed. Threads take turns."""

    def __init__(self, database: str) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._connection: psycopg.Connection | None = None

    def notify(self, payload: str) -> None:
        with self._lock:
            fresh = self._connection is None
            try:
                self._send(payload)
            except psycopg.OperationalError:
                self._close()
                if fresh:
                    raise
                self._send(payload)     # the connection had died since the last message: once more on a new one

    def _send(self, payload: str) -> None:
        if self._connection is None:
            self._connection = connect(self._database)
        self._connection.execute("SELECT pg_notify(%s, %s)", [TOPIC, payload])

    def close(self) -> None:
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class _Listener:
    """A thread with the connection that listens. It starts when first needed and reconnects until it is stopped."""

    def __init__(self, database: str, deliver: Callable[[str], None]) -> None:
        self._database = database
        self._deliver = deliver
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._connection: psycopg.Connection | None = None
        self._stopping = threading.Event()
        self._subscribed = threading.Event()

    async def ready(self) -> None:
        """Return once the subscription stands; ConnectionError when the database stays away."""
        if not self._subscribed.is_set():
            await asyncio.to_thread(self._start_and_wait)

    def _start_and_wait(self) -> None:
        with self._lock:
            if self._thread is None:
                self._stopping.clear()
                self._thread = threading.Thread(target=self._run, name="channel-layer", daemon=True)
                self._thread.start()
        if not self._subscribed.wait(CONNECT_SECONDS):
            raise ConnectionError("The database does not answer: live messages are not available.")

    def stop(self) -> None:
        with self._lock:
            thread, self._thread = self._thread, None
            self._stopping.set()
            connection = self._connection
        if connection is not None:
            # Wakes the thread, which waits for the next notification; a connection that is closed already has woken it.
            with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as waiting:
                waiting.shutdown(socket.SHUT_RDWR)
        if thread is not None:
            thread.join(timeout=2 * POLL_SECONDS)

    def _run(self) -> None:
        pause = RETRY_SECONDS[0]
        while not self._stopping.is_set():
            try:
                with connect(self._database) as self._connection:
                    self._connection.execute(f"LISTEN {TOPIC}")
                    self._subscribed.set()
                    pause = RETRY_SECONDS[0]
                    while not self._stopping.is_set():
                        for notification in self._connection.notifies(timeout=POLL_SECONDS):
                            self._deliver(notification.payload)
            except psycopg.OperationalError as error:
                self._subscribed.clear()
                if not self._stopping.is_set():
                    log.warning("Live messages are interrupted, trying again in %.1f s: %s", pause, error)
                self._stopping.wait(pause)
                pause = min(2 * pause, RETRY_SECONDS[1])
            finally:
                self._subscribed.clear()
                self._connection = None


def connect(database: str) -> psycopg.Connection:
    """A connection of our own to Django's database, outside its transactions: messages go out at once."""
    settings = connections[database].settings_dict
    options = {name: value for name, value in settings["OPTIONS"].items() if name.startswith("ssl")}
    return psycopg.connect(
        dbname=settings["NAME"], user=settings["USER"], password=settings["PASSWORD"], host=settings["HOST"],
        port=settings["PORT"], autocommit=True, application_name="genuflex messages", connect_timeout=5,
        # A server that vanished without a word is noticed within half a minute.
        keepalives_idle=10, keepalives_interval=5, keepalives_count=3, **options,
    )
