"""Fixtures for every room: the database server; further down the live site and the browser (`tests/live.py`)."""
from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator

import psutil
import psycopg
import pytest
from psycopg import sql

from tests import settings as test_settings


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of the PostgreSQL server of this run. The local one starts here and stops with its last user."""
    server = test_settings.LOCAL_SERVER
    if server is None:
        yield os.environ["DATABASE_URL"]
        return
    with open(f"{server.folder}.users", "w") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        server.start()
        drop_abandoned_databases(server.url)
        yield server.url
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return      # another run in this checkout still uses it
        server.stop()


def drop_abandoned_databases(url: str) -> None:
    """Databases are named by the process that made them (`test_genuflex_4711`): drop those of runs that were killed."""
    with psycopg.connect(url, autocommit=True) as connection:
        for (name,) in connection.execute("SELECT datname FROM pg_database WHERE datname ~ '_[0-9]+$'").fetchall():
            if not psutil.pid_exists(int(name.rsplit("_", 1)[1])):
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def django_db_modify_db_settings(postgres_server: str) -> None:
    """pytest-django calls this before it makes the test database: the server must run by then."""
