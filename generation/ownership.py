"""What a worker holds while it works on a row: the right to write to it, and the duty to ask whether it still has it.

The rows (`GenerationRequest`, `CandidateCheck`, `OwnMotion`, `MotionRecording`) have `status`, `attempt`, `stage`,
`fraction` and `detail`. A worker owns a row while it says `running` with the attempt that this worker started; one
given up for dead owns nothing more. `Watch` says when long work that nobody waits for has to stop and make room.
"""
from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.db import DatabaseError, close_old_connections, connection
from django.db.models import Q
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from clinic.errors import ServiceError

logger = logging.getLogger(__name__)

PROGRESS_SECONDS = 0.4          # between two writes of progress, and between two looks for a cancellation
RUNNING = "running"             # of every status of work
BEFORE_GENERATIONS = 10         # priority of a check that somebody waits for; a generation has 0
MOST_ASIDE = 3                  # so often work makes room; then it is finished first
LOOK_S = 1.0                    # between two looks for what others wait for


class Interrupted(Exception):
    """The row is no longer this worker's: cancelled, or taken over."""


class SteppedAside(Exception):
    """Something that people wait for needs this worker."""


class Owner:
    """What the work may ask and tell while it goes on. `changed(row)` tells those who watch."""

    def __init__(self, row, changed: Callable) -> None:
        self.row = row
        self._changed = changed
        self._rows = type(row).objects.filter(pk=row.pk, status=RUNNING, attempt=row.attempt)
        self._next_report = self._next_look = 0.0
        self._lost = False

    def report(self, stage: str, fraction: float, detail: str = "", at_once: bool = False) -> None:
        now = time.monotonic()
        new_stage = stage != self.row.stage
        if now < self._next_report and not new_stage and not at_once:
            return
        self._next_report = now + PROGRESS_SECONDS
        self.row.stage = stage
        try:
            self._lost = not self._rows.update(
                stage=stage[:80], fraction=min(max(float(fraction), 0.0), 1.0), detail=detail[:200]
            )
        except DatabaseError:       # progress is a courtesy; the result will say whether the database is back
            logger.warning("Progress of %s was not stored.", self.row)
            drop_lost_connection()
            return
        self._changed(self.row)

    def lost(self) -> bool:
        now = time.monotonic()
        if not self._lost and now >= self._next_look:
            self._next_look = now + PROGRESS_SECONDS
            try:
                self._lost = not self._rows.exists()
            except DatabaseError:
                drop_lost_connection()
        return self._lost

    def locked(self):
        """The row as it is now, locked in the caller's transaction. Raises Interrupted when it is no longer ours."""
        current = type(self.row).objects.select_for_update().filter(pk=self.row.pk).first()
        if current is None or current.status != RUNNING or current.attempt != self.row.attempt:
            raise Interrupted
        return current


class Watch:
    """Why work in its middle has to stop: taken away, out of time, or something that people wait for."""

    def __init__(self, owner: Owner, *, aside: int, limit_s: float, too_long: str, urgent: bool = False) -> None:
        """aside: how often this work has made room already; too_long: the sentence for work that passes `limit_s`."""
        self._owner = owner
        self._patient = urgent or aside >= MOST_ASIDE
        self._too_long = too_long
        self._end = time.monotonic() + limit_s
        self._next_look = time.monotonic() + LOOK_S
        self._seen_waiting = self._make_room = False
        self._reason: Exception | None = None

    def must_stop(self) -> bool:
        return self.why() is not None

    def why(self) -> Exception | None:
        """Once there is a reason it stays: the work has stopped by the time that it is asked for."""
        if self._reason is None:
            if self._owner.lost():
                self._reason = Interrupted()
            elif time.monotonic() > self._end:
                self._reason = ServiceError.of(self._too_long)
            elif self._others_wait():
                self._reason = SteppedAside()
        return self._reason

    def _others_wait(self) -> bool:
        """At two looks in a row: what another worker takes at once is none of our business."""
        if self._patient:
            return False
        if time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + LOOK_S
            waits = others_wait()
            self._make_room, self._seen_waiting = waits and self._seen_waiting, waits
        return self._make_room


def others_wait() -> bool:
    """Is there a generation, or a check that somebody waits for, that a free worker would take now?"""
    due = Q(scheduled_at=None) | Q(scheduled_at__lte=timezone.now())
    first = Q(queue_name="generation") | Q(queue_name="checks", priority__gte=BEFORE_GENERATIONS)
    return ProcrastinateJob.objects.filter(due & first, status="todo").exists()


def drop_lost_connection() -> None:
    """After an error the next query shall get a connection that works."""
    if not connection.in_atomic_block:
        close_old_connections()
