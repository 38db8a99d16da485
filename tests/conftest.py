"""Fixtures for every room: the database server, the live site with its real processes, the browser."""
from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator

import psutil
import psycopg
import pytest
from psycopg import sql

from scripts import bootstrap
from tests import settings as test_settings
from tests.processes import LiveSite, database_url

CHROMIUM_ARGUMENTS = [
    "--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist", "--disable-background-networking", "--disable-component-update",
    "--disable-dev-shm-usage", "--no-first-run",
]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests last: Playwright keeps an event loop in the main thread, in which Django's ORM and `asyncio.run`
    refuse to work."""
    items.sort(key=lambda item: "browser" in item.path.parts)


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


@pytest.fixture(scope="session")
def live_site_processes(postgres_server: str, tmp_path_factory) -> Iterator[LiveSite]:
    """The whole site as `make run` starts it, demo clinic included: own database, free port, web server and worker."""
    bootstrap.build_assets()
    name = f"live_genuflex_{os.getpid()}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    site = LiveSite(tmp_path_factory.mktemp("live-site"), database_url(name))
    try:
        site.start()
        yield site
    finally:
        site.stop()
        with psycopg.connect(postgres_server, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def live_site(live_site_processes: LiveSite) -> str:
    """The address of the live site, without a slash at the end."""
    return live_site_processes.address


@pytest.fixture(scope="session")
def browser():
    """A Chromium, with 3D drawn by software."""
    from playwright.sync_api import sync_playwright

    program = bootstrap.find_chromium()
    if program is None:
        pytest.fail("The browser tests need Chromium: `make test` installs one, or name it with GENUFLEX_CHROMIUM.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser):
    """A fresh page, signed in nowhere. The test fails when a script of the page does, or breaks the page's policy."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(15_000)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: "Content Security Policy" in message.text and faults.append(message.text))
    yield page
    context.close()
    assert not faults, faults
