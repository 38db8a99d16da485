"""Telling how it went, on a phone without a connection: kept, sent again, stored once."""
from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import test_journeys
from tests.browser.test_journeys import PHONE, fits, visitor  # noqa: F401 - a fixture

COUNTED = """() => {
    const player = document.querySelector("motion-player");
    const tell = (name, detail) => player.dispatchEvent(new CustomEvent(name, { detail }));
    for (const set of [1, 2]) {
        for (let count = 1; count <= 7; count += 1) tell("repetition", { count, of: 8, set });
        if (set === 1) tell("set", { set, of: 3, repetitions: 8 });
    }
}"""


@pytest.fixture(autouse=True)
def no_connection_is_no_fault(monkeypatch) -> None:
    """Chromium writes requests without a connection to the console, which `visitor` takes for errors."""
    pattern = f"{test_journeys.EXPECTED.pattern}|ERR_INTERNET_DISCONNECTED"
    monkeypatch.setattr(test_journeys, "EXPECTED", re.compile(pattern))


def rate(page: Page, question: str, answer: int) -> None:
    page.get_by_role("group", name=question).get_by_role("radio", name=str(answer), exact=True).check()


def kept(page: Page) -> list[dict]:
    """What the browser still has to send."""
    return page.evaluate("""() => Object.entries(localStorage).filter(([key]) => /^genuflex[.]diary[.][^.]+$/.test(key))
        .flatMap(([, entries]) => JSON.parse(entries))""")


def sessions(page: Page) -> int:
    return page.evaluate("async () => (await (await fetch('/api/v1/own-sessions/')).json()).count")


def test_a_session_without_a_connection_arrives_once(visitor):  # noqa: F811 - the fixture
    page = visitor("lena@demo.example", PHONE)
    fits(page, "Your squat")
    before = sessions(page)
    expect(page.get_by_label("Repetitions in all")).to_have_value("24")  # as prescribed, until it is counted
    page.evaluate(COUNTED)
    expect(page.get_by_label("Repetitions in all")).to_have_value("15")
    expect(page.get_by_label("Sets", exact=True)).to_have_value("2")
    page.get_by_label("Anything to tell").fill("On the train.")
    page.reload()                                                               # what was counted and typed is not lost
    expect(page.get_by_label("Anything to tell")).to_have_value("On the train.")
    expect(page.get_by_label("Repetitions in all")).to_have_value("15")
    rate(page, "Worst pain", 2)
    rate(page, "Pain now", 1)

    page.context.set_offline(True)
    page.get_by_role("button", name="Tell my clinician").click()
    expect(page.get_by_role("heading", name="Not sent yet")).to_be_visible()
    expect(page.get_by_text("Written down. Well done.")).to_be_visible()
    assert [one["entry"]["repetitions"] for one in kept(page)] == [15]
    entry = kept(page)[0]["entry"]
    page.context.set_offline(False)
    expect(page.get_by_role("heading", name="Not sent yet")).to_be_hidden(timeout=30_000)
    assert kept(page) == [] and sessions(page) == before + 1

    # The confirmation was lost on its way: the browser sends it again.
    page.evaluate("""entry => localStorage.setItem(document.querySelector("[data-diary]").dataset.diary
        .replace(/^/, "genuflex.diary."), JSON.stringify([{ entry }]))""", entry)
    page.get_by_role("link", name="My progress").click()
    fits(page, "My progress")
    expect(page.get_by_text("On the train.")).to_have_count(1)
    expect(page.get_by_role("heading", name="Not sent yet")).to_be_hidden()
    assert kept(page) == [] and sessions(page) == before + 1


def test_who_is_in_pain_is_told_at_once_to_stop_also_without_a_connection(visitor):  # noqa: F811 - the fixture
    page = visitor("lena@demo.example", PHONE)
    rate(page, "Worst pain", 9)
    rate(page, "Pain now", 8)
    page.context.set_offline(True)
    page.get_by_role("button", name="Tell my clinician").click()
    expect(page.get_by_role("heading", name="Stop, and rest")).to_be_visible()
    expect(page.get_by_text("Call your local emergency number now")).to_be_visible()
    page.evaluate("localStorage.clear()")       # never sent: the demo's squat is not put on hold for the other tests


def test_the_clinician_sees_how_it_goes(visitor):  # noqa: F811 - the fixture
    page = visitor("maria@demo.example", {"width": 320, "height": 800})
    page.get_by_role("link", name="Hofmann, Lena").click()
    card = page.locator("section", has=page.get_by_role("heading", name="How it goes"))
    expect(card.locator("svg polyline").first).to_be_visible()
    expect(card).to_contain_text("Last session")
    card.get_by_role("link", name="Sessions").click()
    fits(page, "Sessions")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert re.fullmatch(r"sessions-[0-9a-f-]{36}\.csv", download.value.suggested_filename)
