"""Starts the site's processes, starts a crashed one again, and ends all of them with itself, even when it is killed."""
from __future__ import annotations

import logging
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from clinic.guardian import end_groups
from clinic.local_postgres import LocalPostgres

log = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parent.parent
LONGEST_PAUSE = 30.0        # seconds between two attempts to start a process that keeps crashing
HEALTHY_SECONDS = 20.0      # a process that lived so long was well: its next crash counts as the first
MOST_CRASHES = 5            # so many in a row, each sooner than that, and the supervisor gives up


class GaveUp(RuntimeError):
    """A process keeps crashing; the message names it."""


@dataclass
class Program:
    """One process that should always be there."""

    name: str
    command: list[str]
    descriptors: tuple[int, ...] = ()
    process: subprocess.Popen | None = None
    started_at: float = 0.0
    crashes: int = 0
    start_again_at: float = 0.0


class Supervisor:
    """Use as a context manager: leaving it ends every process it started, the local database last."""

    def __init__(self, database: LocalPostgres | None, lock: int) -> None:
        """`database` is the local server, or None when another one is used; `lock` the descriptor of the run's lock."""
        self.stop_requested = threading.Event()
        self._database = database
        self._lock = lock
        self._database_started = False
        self._programs: list[Program] = []
        self._guardian: subprocess.Popen | None = None

    def __enter__(self) -> Supervisor:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: self.stop_requested.set())
        folder = str(self._database.folder) if self._database else ""
        self._guardian = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "clinic.guardian", folder], cwd=ROOT, stdin=subprocess.PIPE, text=True, bufsize=1,
            start_new_session=True, pass_fds=(self._lock,),
        )
        return self

    def __exit__(self, *error: object) -> None:
        try:
            self._end(self._programs)
            if self._database_started:
                self._database.stop()
            self._tell("done")
        finally:
            with suppress(OSError):
                self._guardian.stdin.close()
            self._guardian.wait()

    def start_database(self) -> None:
        """Start the local server; one that runs already is used and left running at the end."""
        if self._database is not None:
            if not self._database.running():
                self._tell("database")
            self._database_started = self._database.start()

    def start(self, name: str, command: list[str], descriptors: tuple[int, ...] = ()) -> None:
        program = Program(name, command, descriptors)
        self._programs.append(program)
        self._launch(program)

    def run_to_end(self, command: list[str], **options) -> int:
        """Run a command that ends by itself while the others are looked after; returns its exit status."""
        program = Program("command", command)
        self._launch(program, **options)
        try:
            while program.process.poll() is None and not self.stop_requested.wait(0.1):
                self.look_after()
        finally:
            self._end([program])
        return program.process.returncode

    def look_after(self) -> None:
        """Start again what has crashed and waited long enough. GaveUp when that does not help."""
        for program in self._programs:
            if program.process is None:
                if time.monotonic() >= program.start_again_at:
                    self._launch(program)
            elif program.process.poll() is not None:
                self._note_crash(program)

    def _note_crash(self, program: Program) -> None:
        status, process = program.process.returncode, program.process
        end_groups([process.pid])       # what it may have left behind
        self._tell(f"-{process.pid}")
        program.process = None
        healthy = time.monotonic() - program.started_at > HEALTHY_SECONDS
        program.crashes = 1 if healthy else program.crashes + 1
        if program.crashes >= MOST_CRASHES:
            raise GaveUp(f"The {program.name} process ended {program.crashes} times right after its start, see above.")
        pause = min(2.0 ** (program.crashes - 1), LONGEST_PAUSE)
        program.start_again_at = time.monotonic() + pause
        log.error("The %s process ended (status %s); starting it again in %.0f s.", program.name, status, pause)

    def _launch(self, program: Program, **options) -> None:
        program.started_at = time.monotonic()
        program.process = subprocess.Popen(  # noqa: S603
            program.command, cwd=ROOT, stdin=subprocess.DEVNULL, pass_fds=program.descriptors, start_new_session=True,
            **options,
        )
        self._tell(f"+{program.process.pid}")

    def _end(self, programs: list[Program]) -> None:
        processes = [program.process for program in programs if program.process is not None]
        end_groups(process.pid for process in processes)
        for process in processes:
            process.wait()
            self._tell(f"-{process.pid}")

    def _tell(self, word: str) -> None:
        with suppress(OSError, ValueError):     # a guardian that is gone cannot be helped; everything else goes on
            self._guardian.stdin.write(f"{word}\n")


def python(*arguments: str) -> list[str]:
    """The command line of a Python program of this environment."""
    return [sys.executable, *arguments]
