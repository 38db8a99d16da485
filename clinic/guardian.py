"""What ends the site's processes when their supervisor is killed: `python -m clinic.guardian DATA_FOLDER`.

The supervisor holds the other end of this process's standard input and writes what it starts and ends, one line each:
`+PID` and `-PID` for process groups, `database` when it starts the local server, `done` when it has stopped everything.
The kernel closes the pipe when the supervisor dies, however it dies. The guardian also keeps the lock of the run open,
so that a new run waits until the old one is cleared away.
"""
from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil

STOP_SECONDS = 10


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)       # it must be there to the end, and the end is the closed pipe
    groups: set[int] = set()
    database = False
    for line in sys.stdin:
        word = line.strip()
        if word == "done":
            return
        if word == "database":
            database = True
        elif word.startswith("+"):
            groups.add(int(word))
        elif word.startswith("-"):
            groups.discard(-int(word))
    end_groups(groups)
    if database:
        from clinic.local_postgres import LocalPostgres

        LocalPostgres(Path(sys.argv[1])).stop()


def end_groups(leaders: Iterable[int], seconds: float = STOP_SECONDS) -> None:
    """Ask the processes of the groups to end, wait for the groups' leaders, and kill what is left."""
    leaders = set(leaders)
    signal_groups(leaders, signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while any(process_works(leader) for leader in leaders) and time.monotonic() < deadline:
        time.sleep(0.05)
    signal_groups(leaders, signal.SIGKILL)


def signal_groups(groups: Iterable[int], number: int) -> None:
    for group in groups:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)


def process_works(pid: int) -> bool:
    """Whether a process is there and not merely waiting for somebody to take note of its end."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


if __name__ == "__main__":
    main()
