"""Help for tests with real processes."""
from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from django.db import connection

ROOT = Path(__file__).parents[1]


def database_url(name: str | None = None) -> str:
    """The URL of a database on the server of this run; without a name, of the test database."""
    parts = urlsplit(os.environ["DATABASE_URL"])
    return urlunsplit(parts._replace(path=f"/{name or connection.settings_dict['NAME']}"))


def wait_until(condition: Callable[[], object], seconds: float = 10, what: str = "") -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain {what}"
        time.sleep(0.02)


class LiveSite:
    """`manage.py run` on a database and a folder of its own."""

    def __init__(self, folder: Path, url: str, **settings: str) -> None:
        self.folder = folder
        self.log = folder / "site.log"
        self.address = ""
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("GENUFLEX_")},
            "DJANGO_SETTINGS_MODULE": "clinic.settings", "DATABASE_URL": url,
            "GENUFLEX_LOCAL_DIR": str(folder / "local"), "GENUFLEX_PORT": "0", "GENUFLEX_DEMO": "1", **settings,
        }
        self.process: subprocess.Popen | None = None

    def start(self, seconds: float = 900) -> None:
        """Start it and wait until it says that it is ready."""
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "run"], cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT,
            )
        wait_until(lambda: self.process.poll() is not None or "Genuflex is ready" in self.said(), seconds, self.said())
        assert self.process.poll() is None, f"the site ended:\n{self.said()}"
        # E-mails that the demonstration prints hold addresses too, and may come first.
        self.address = re.search(r"Genuflex is ready.*?(http://\S+)", self.said()).group(1).rstrip("/")

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def manage(self, *arguments: str) -> str:
        """Run a management command on the site's database; returns what it says."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments], cwd=ROOT, env=self.environment, check=True, text=True,
            stdout=subprocess.PIPE,
        ).stdout

    def stop(self) -> int | None:
        """Stop it as Ctrl-C does; returns the exit status (None when it was never started)."""
        if self.process is None:
            return None
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)
