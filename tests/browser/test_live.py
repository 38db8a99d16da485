"""Pages that renew their parts at a hint: none is lost, however it falls between request, answer and settling."""
from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.player_page import ROOT

PATIENCE_MS = 60_000
ADDRESS = "http://live.test"        # answered by the test itself
PART = ('<section id="part" {watch} hx-get="/part" hx-select="#part" hx-swap="outerHTML" hx-trigger="refresh">'
        '<p>{words}</p></section>')
PAGE = ('<!doctype html><html lang="en"><head><title>Live</title><link rel="icon" href="data:,">'
        '<script type="module" src="/app.js"></script></head><body>{part}</body></html>')
# Sockets that the test speaks through.
SOCKETS = """window.sockets = [];
window.WebSocket = class extends EventTarget {
  constructor() {
    super();
    window.sockets.push(this);
    setTimeout(() => this.dispatchEvent(new Event("open")));
  }
  close() {}
};
window.hint = (data) => window.sockets[0].dispatchEvent(new MessageEvent("message", { data: JSON.stringify(data) }));
"""
KINDS = {"worker": ('data-socket="/ws/x/"', {"event": "changed"}),
         "fall risk": ('data-live-socket="/ws/x/"', {"event": "changed"})}


class Site:
    """One page and its part; what the part says is decided by the test, answer by answer."""

    def __init__(self, page: Page, watch: str) -> None:
        self.page, self.watch = page, watch
        self.waiting: list[Route] = []
        self.asked = 0
        page.add_init_script(SOCKETS)
        page.route(f"{ADDRESS}/app.js", lambda route: route.fulfill(
            body=(ROOT / "static/build/app.js").read_bytes(), content_type="text/javascript"))
        page.route(f"{ADDRESS}/part", self._take)
        page.route(f"{ADDRESS}/page", lambda route: route.fulfill(
            body=PAGE.format(part=self.part("first")), content_type="text/html"))

    def part(self, words: str) -> str:
        return PART.format(watch=self.watch, words=words)

    def _take(self, route: Route) -> None:
        self.asked += 1
        self.waiting.append(route)

    def open(self) -> None:
        self.page.goto(f"{ADDRESS}/page")
        self.until("window.sockets.length === 1")

    def until(self, expression: str) -> None:
        self.page.wait_for_function(expression, timeout=PATIENCE_MS)

    def hint(self, data: dict) -> None:
        self.page.evaluate("data => window.hint(data)", data)

    def request(self) -> Route:
        """The request that the page has sent, or sends now."""
        for _ in range(PATIENCE_MS // 20):
            if self.waiting:
                return self.waiting.pop(0)
            self.page.wait_for_timeout(20)
        raise AssertionError("the page asked nothing")

    def answer(self, words: str) -> None:
        self.request().fulfill(body=self.part(words), content_type="text/html")


@pytest.fixture(params=list(KINDS))
def site(request, page):
    watch, hint = KINDS[request.param]
    site = Site(page, watch)
    site.news = hint
    site.open()
    if request.param == "fall risk":
        site.hint({"event": "connected"})       # the page is as new as its first connection: nothing is asked
    return site


def test_a_hint_during_a_request_is_not_lost(site):
    site.hint(site.news)
    first = site.request()
    site.hint(site.news)
    site.hint(site.news)
    first.fulfill(body=site.part("second"), content_type="text/html")
    site.answer("third")
    expect(site.page.locator("#part p")).to_have_text("third")
    assert site.asked == 2, "any number of hints during a request is one more request"


def test_a_hint_between_swap_and_settling_is_not_lost(site):
    site.page.evaluate("""news => {
        document.addEventListener("htmx:afterSwap", () => window.hint(news), { once: true });
    }""", site.news)
    site.hint(site.news)
    site.answer("second")
    site.answer("third")
    expect(site.page.locator("#part p")).to_have_text("third")


def test_a_failed_answer_does_not_end_it(site):
    site.hint(site.news)
    site.request().abort()
    site.hint(site.news)
    site.answer("second")
    expect(site.page.locator("#part p")).to_have_text("second")


def test_a_waiting_page_looks_by_itself_although_its_socket_is_open(page):
    page.clock.install()
    site = Site(page, KINDS["worker"][0])
    site.open()
    page.clock.fast_forward(15_000)
    assert site.asked == 0
    page.clock.fast_forward(10_000)
    site.answer("second")
    expect(page.locator("#part p")).to_have_text("second")
