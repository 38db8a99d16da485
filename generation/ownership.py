"""What a worker holds while it works on a row: the right to write to it, and the duty to ask whether it still has it.

The rows (`GenerationRequest`, `CandidateCheck`) have `status`, `attempt`, `stage`, `fraction` and `detail`. A worker
owns a row while it says `running` with the attempt that this worker started; one given up for dead owns nothing more.
"""
from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.db import DatabaseError, close_old_connections, connection

logger = logging.getLogger(__name__)

PROGRESS_SECONDS = 0.4          # between two writes of progress, and between two looks for a cancellation
RUNNING = "running"             # of every status of work


class Interrupted(Exception):
    """The row is no longer this worker's: cancelled, or taken over."""


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
        current = type(self.row).objects.select_for_update().get(pk=self.row.pk)
        if current.status != RUNNING or current.attempt != self.row.attempt:
            raise Interrupted
        return current


def drop_lost_connection() -> None:
    """After an error the next query shall get a connection that works."""
    if not connection.in_atomic_block:
        close_old_connections()
