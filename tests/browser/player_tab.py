"""Fixtures and helpers of the tests of `<motion-player>`."""
from __future__ import annotations

from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from tests.browser.player_page import PlayerServer

PATIENCE_MS = 60_000       # software rendering beside other busy processes
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def server():
    server = PlayerServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def tab(browser):
    """One tab for all tests: a new one for each would cost more than the tests themselves."""
    page = browser.new_page()
    page.set_default_timeout(PATIENCE_MS)
    yield page
    page.close()


@pytest.fixture
def open_player(tab, server):
    """open_player(**attributes) -> Page with the player ready or failed. Console errors outside `allow` fail a test."""
    problems, allowed = [], []

    def on_console(message) -> None:
        if message.type == "error":
            problems.append(message.text)

    def on_page_error(error) -> None:
        problems.append(str(error))

    def open_it(*, wait_for="ready", allow=(), **attributes) -> Page:
        attributes = {"src": "/motion.json", "bones": "/bones.glb"} | attributes
        query = urlencode({name.replace("_", "-"): value for name, value in attributes.items() if value is not None})
        allowed.extend(allow)
        tab.goto(f"{server.url}/page?{query}")
        tab.wait_for_function("name => window.log?.some((entry) => entry.name === name)", arg=wait_for)
        return tab

    tab.set_viewport_size({"width": 700, "height": 640})
    tab.emulate_media(color_scheme="light", reduced_motion="no-preference")
    tab.on("console", on_console)
    tab.on("pageerror", on_page_error)
    yield open_it
    tab.remove_listener("console", on_console)
    tab.remove_listener("pageerror", on_page_error)
    unexpected = [problem for problem in problems if not any(text in problem for text in allowed)]
    assert not unexpected, unexpected


def settle(page: Page) -> None:
    """Waits until the pictures asked for so far are drawn."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def events(page: Page, name: str) -> list[dict]:
    return page.evaluate("name => window.log.filter((entry) => entry.name === name)", name)


def seek(page: Page, time: float) -> None:
    page.evaluate("time => { player.currentTime = time; }", time)
    settle(page)


def current_time(page: Page) -> float:
    return page.evaluate("() => player.currentTime")


def wait_for_event(page: Page, name: str, count: int = 1) -> None:
    page.wait_for_function("([name, count]) => window.log.filter((entry) => entry.name === name).length >= count",
                           arg=[name, count])
