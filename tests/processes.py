"""Help for tests with real processes."""
from __future__ import annotations

import os
import time
from collections.abc import Callable
from urllib.parse import urlsplit, urlunsplit

from django.db import connection


def database_url(name: str | None = None) -> str:
    """The URL of a database on the server of this run; without a name, of the test database."""
    parts = urlsplit(os.environ["DATABASE_URL"])
    return urlunsplit(parts._replace(path=f"/{name or connection.settings_dict['NAME']}"))


def wait_until(condition: Callable[[], object], seconds: float = 10, what: str = "") -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain {what}"
        time.sleep(0.02)
