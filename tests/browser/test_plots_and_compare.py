"""Plots, comparing and the live picture in a real browser: the site's own bundle and templates, motions made by hand.

Pages are rendered by Django without a database; the browser gets them and everything else from the test.
"""
from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from django.template.loader import render_to_string
from playwright.sync_api import Page, Route, expect

from generation.alignment import cycle
from generation.playback import Curves
from generation.plots import Allowed, Line, Panel, Plot
from tests.browser.player_page import FRAME_RATE, PHASES, ROOT, box_bones, squat_document

PATIENCE_MS = 60_000
ADDRESS = "http://plots.test"
TYPES = {".js": "text/javascript", ".css": "text/css", ".glb": "model/gltf-binary", ".json": "application/json"}
SHELL = """<!doctype html><html lang="en"><head><title>Page</title><meta charset="utf-8"><link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="stylesheet" href="/css/tokens.css">
<link rel="stylesheet" href="/css/components.css"><link rel="stylesheet" href="/css/motion.css">
<link rel="stylesheet" id="plotly.js-style-global" class="no-inline-styles" href="/css/plot.css">
<script defer src="/build/plotly.min.js"></script><script type="module" src="/build/motion-player.js"></script>
<script type="module" src="/build/app.js"></script></head><body><main class="card">{body}</main></body></html>"""
PLAYER = ('<motion-player {id} src="{src}" bones="/bones.glb" controls="none" loop {more}></motion-player>')
SLOW = [("stand", 0.0, 0.1), ("descent", 0.1, 0.5), ("bottom", 0.5, 1.3), ("ascent", 1.3, 1.9), ("stand", 1.9, 2.0)]


def with_phases(document: dict, phases: list) -> dict:
    return document | {"phases": [{"name": name, "start_s": start, "end_s": end} for name, start, end in phases]}


def plot() -> Plot:
    """The bend of one knee in the document that the player shows."""
    document = squat_document()
    times = np.arange(document["frames"]) / FRAME_RATE
    bend = 60 * np.interp(times, [0, 0.2, 0.9, 1.1, 1.8, 2.0], [0, 0, 1, 1, 0, 0])
    motion = Curves(("knee",), bend[:, None], FRAME_RATE, document["phases"], {})
    panel = Panel("Knee bend", [Line("Right", bend), Line("Left", bend + 2)],
                  [Allowed(0, 70), Allowed(40, None, 0.9, 1.1)],
                  (times, bend - 8, bend + 8))
    return Plot("angles", "Joint angles", "°", times, cycle(motion), [panel], document["phases"], human_words="People")


@pytest.fixture
def open_page(page: Page):
    """open_page(body, **files) -> Page. Whatever reaches the console as an error fails the test."""
    faults: list[str] = []
    page.on("console", lambda message: message.type == "error" and faults.append(message.text))
    files = {
        "/bones.glb": box_bones(), "/motion.json": json.dumps(squat_document()),
        "/slow.json": json.dumps(with_phases(squat_document(), SLOW)),
    }

    def serve(route: Route) -> None:
        path = re.sub(r"[?#].*", "", route.request.url.removeprefix(ADDRESS))
        on_disk = ROOT / "static" / path.lstrip("/")
        if path in files and files[path] is None:
            route.fulfill(status=204)
        elif path in files:
            route.fulfill(body=files[path], content_type=TYPES.get(Path(path).suffix, "text/html"))
        elif on_disk.is_file():
            route.fulfill(body=on_disk.read_bytes(), content_type=TYPES.get(on_disk.suffix, "text/plain"))
        else:
            route.fulfill(status=404)

    def open_it(body: str, query: str = "", **more) -> Page:
        files["/page"] = SHELL.replace("{body}", body)
        files.update({f"/{name}": content for name, content in more.items()})
        page.set_default_timeout(PATIENCE_MS)
        page.goto(f"{ADDRESS}/page{query}")
        return page

    page.route(f"{ADDRESS}/**", serve)
    open_it.files = files
    yield open_it
    assert not faults, faults


def shows_plot(page: Page) -> None:
    page.wait_for_selector(".plot[data-ready]")
    page.wait_for_function("() => document.getElementById('player').motion !== null")


def cursor_x(page: Page) -> float:
    """Where the line stands, as a share of the plot's axis."""
    return page.evaluate("""() => {
        const { _offset, _length } = document.querySelector(".plot")._fullLayout.xaxis;
        const frame = document.querySelector(".plot-frame").getBoundingClientRect().x;
        return (document.querySelector(".plot__cursor").getBoundingClientRect().x - frame - _offset) / _length; }""")


def plot_page() -> str:
    return (PLAYER.format(id='id="player"', src="/motion.json", more="")
            + render_to_string("generation/_plot_axis.html") + render_to_string("generation/_plot.html", {
                "plot": plot().document()}))


def test_scrubbing_in_a_plot_moves_the_body_and_the_other_way_round(open_page):
    page = open_page(plot_page())
    shows_plot(page)
    page.evaluate("() => { player.currentTime = 1.5; }")
    page.wait_for_function("() => document.querySelector('.plot__cursor').getAttribute('aria-valuenow') === '1.50'")
    assert cursor_x(page) == pytest.approx(0.75, abs=0.01)
    box = page.locator(".plot").bounding_box()
    axis = page.evaluate("() => { const { _offset, _length } = document.querySelector('.plot')._fullLayout.xaxis; "
                         "return [_offset, _length]; }")
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + axis[0] + 0.25 * axis[1], y)
    page.mouse.down()
    assert page.evaluate("() => player.currentTime") == pytest.approx(0.5, abs=0.02)
    page.mouse.move(box["x"] + axis[0] + 0.5 * axis[1], y, steps=4)
    page.mouse.up()
    assert page.evaluate("() => player.currentTime") == pytest.approx(1.0, abs=0.02)
    page.wait_for_function("() => player.inspect().time === player.currentTime")
    hips = page.evaluate("() => player.inspect().people[0].bodies.femur_r[1]")
    page.evaluate("() => player.drawFrame(0)")
    assert page.evaluate("() => player.inspect().people[0].bodies.femur_r[1]") > hips + 0.4     # standing is higher
    page.locator(".plot__cursor").focus()
    page.keyboard.press("End")
    assert page.evaluate("() => player.currentTime") == pytest.approx(2.0)
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("() => player.currentTime") == pytest.approx(2.0 - 1 / FRAME_RATE)


def test_percent_of_the_cycle_and_back(open_page):
    page = open_page(plot_page())
    shows_plot(page)
    page.evaluate("() => { player.currentTime = 1.0; }")
    page.get_by_role("button", name="% of squat").click()
    page.wait_for_function("() => document.querySelector('.plot').layout.xaxis.range[0] < -10")
    ends = page.evaluate("() => document.querySelector('.plot').layout.xaxis.range")
    assert ends == pytest.approx([-12.5, 112.5])                # 0.2 s before and after a cycle of 1.6 s
    assert cursor_x(page) == pytest.approx(0.5, abs=0.01)
    assert page.locator(".plot__cursor").get_attribute("aria-valuetext") == "50 % of the squat"
    band = page.evaluate("() => document.querySelector('.plot').layout.shapes.filter((s) => s.type === 'rect')"
                         ".map((s) => [s.x0, s.x1])")
    assert [43.75, 56.25] in [pytest.approx(span) for span in band]     # what is allowed at the bottom only
    page.reload()
    shows_plot(page)
    expect(page.get_by_role("button", name="% of squat")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Seconds").click()
    page.wait_for_function("() => document.querySelector('.plot').layout.xaxis.range[1] === 2")


def test_the_numbers_behind_a_plot_and_a_narrow_page(open_page):
    page = open_page(plot_page())
    shows_plot(page)
    page.get_by_text("Joint angles in numbers").click()
    expect(page.get_by_role("row", name=re.compile(r"^50 % 1\.0 s 60\.0° 62\.0° 40 to 70°$"))).to_be_visible()
    page.set_viewport_size({"width": 320, "height": 700})
    page.wait_for_function("() => document.querySelector('.plot')._fullLayout.width <= 320")
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def compare_page(align: str) -> str:
    callouts = [{"joint": "knee_r", "text": "12°", "tone": "more", "title": "The right knee bends 12° more."}]
    player = PLAYER.format(id='id="player"', src="/motion.json", more="")
    other = PLAYER.format(id='id="other"', src="/slow.json", more='data-follows="player" data-callouts="callouts-B"')
    template = (ROOT / "templates/generation/compare.html").read_text()
    transport = re.search(r'<div class="transport.*?\n  </div>', template, re.S).group()
    figures = "".join(f'<figure><figcaption>One</figcaption>{one}</figure>'
                      for one in (player, other))
    return (f'<div class="compare" data-view="side" data-align="{align}"><a href="/page?view=over" data-keeps-moment>'
            f'Over</a>{figures}{transport}<script type="application/json" id="callouts-B">{json.dumps(callouts)}'
            "</script></div>")


def test_aligned_by_phase_every_motion_shows_the_same_phase(open_page):
    page = open_page(compare_page("phase"))
    page.wait_for_selector(".compare[data-ready]")
    for name, start, end in PHASES:
        for share in (0.1, 0.5, 0.9):
            page.evaluate("time => { player.currentTime = time; }", start + share * (end - start))
            assert page.evaluate("() => [player.phase, other.phase]") == [name, name]
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("() => !player.paused && !other.paused && player.currentTime > 0.3")
    page.get_by_role("button", name="Pause").click()
    assert page.evaluate("() => player.currentTime === other.currentTime")
    page.get_by_role("button", name="Side").click()
    assert page.evaluate("() => [player.camera, other.camera]") == ["side", "side"]
    expect(page.locator("#other .callout")).to_have_text(["12°"])


def test_aligned_by_time_each_keeps_its_own_tempo(open_page):
    page = open_page(compare_page("time"))
    page.wait_for_selector(".compare[data-ready]")
    page.evaluate("() => { player.currentTime = 0.8; }")        # both began to go down at 0.2 s of the first's time
    assert page.evaluate("() => [player.phase, other.phase]") == ["descent", "bottom"]


def test_moment_view_and_speed_stay_in_the_address(open_page):
    page = open_page(compare_page("phase"), "?t=0.9&camera=back&speed=0.5&camera2=x")
    page.wait_for_selector(".compare[data-ready]")
    assert page.evaluate("() => [player.currentTime, player.camera, other.camera, player.playbackRate]") == [
        0.9, "back", "back", 0.5]
    page.get_by_label("Position in the motions").fill("1.2")
    page.get_by_role("button", name="Top").click()
    page.wait_for_function("() => location.search.includes('t=1.20') && location.search.includes('camera=top')")
    link = page.get_by_role("link", name="Over").get_attribute("href")
    assert "view=over" in link and "t=1.20" in link and "camera=top" in link and "speed=0.5" in link
    page = open_page(compare_page("phase"), "?t=nonsense&camera=moon&speed=fast")      # of no harm
    page.wait_for_selector(".compare[data-ready]")
    assert page.evaluate("() => [player.currentTime, player.camera, player.playbackRate]") == [0, "front", 1]


def test_choosing_two_to_four(open_page):
    boxes = "".join(f'<label><input type="checkbox" name="motion" value="{i}" form="f">M{i}</label>' for i in range(5))
    page = open_page(f'{boxes}<form id="f" class="compare-form" data-most="4"><p role="status"></p>'
                     '<button type="submit">Compare</button></form>')
    submit = page.get_by_role("button", name="Compare")
    expect(submit).to_be_disabled()
    for index in range(4):
        page.get_by_label(f"M{index}").check()
        (expect(submit).to_be_enabled if index else expect(submit).to_be_disabled)()
    expect(page.get_by_label("M4")).to_be_disabled()
    page.get_by_label("M0").uncheck()
    expect(page.get_by_label("M4")).to_be_enabled()


def test_the_motion_being_generated_appears_and_improves(open_page, page: Page):
    template = (ROOT / "templates/generation/progress.html").read_text()
    section = re.search(r'<section class="card stack live-preview".*?</section>', template, re.S).group()
    section = re.sub(r"\{% url [^%]*%\}", "/preview.json", section)
    section = section.replace("{% static 'models/body/bones.glb' %}", "/bones.glb")
    page.add_init_script("window.WebSocket = class extends EventTarget { "
                         "constructor() { super(); window.socket = this; } }")
    state = '<div id="generation-state" data-state="{}" data-socket="/ws/x/" hx-get="/state"></div>'
    files = open_page.files
    files["/state"] = files["/preview.json"] = None             # nothing yet
    open_page(state.format("running") + section)
    page.wait_for_function("() => window.socket")
    expect(page.locator(".live-preview")).to_be_hidden()
    hint = """() => window.socket.dispatchEvent(new MessageEvent("message", {
        data: JSON.stringify({ event: "preview", status: "running", number: 1 }) }))"""
    files["/preview.json"] = files["/motion.json"]
    page.evaluate(hint)
    expect(page.get_by_text("Unchecked: the search still changes it")).to_be_visible()
    page.wait_for_function("() => document.querySelector('motion-player')?.motion?.phases[1].end === 0.9")
    files["/preview.json"] = files["/slow.json"]
    page.evaluate(hint)
    page.wait_for_function("() => document.querySelector('motion-player').motion.phases[1].end === 0.5")
    page.evaluate("() => { document.getElementById('generation-state').dataset.state = 'failed'; }")
    page.evaluate(hint)
    expect(page.locator(".live-preview")).to_be_hidden()
