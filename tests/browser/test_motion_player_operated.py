"""`<motion-player>` in a real browser: how it is operated, how it looks, what it says when something fails."""
from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.player_page import DURATION, FRAME_RATE, squat_document
from tests.browser.player_tab import events, seek, settle, wait_for_event

FRAME = 1 / FRAME_RATE


KEYS = [
    (".", "currentTime", 0.5 + FRAME), (",", "currentTime", 0.5 - FRAME),
    ("ArrowRight", "currentTime", 0.75), ("ArrowLeft", "currentTime", 0.25),
    ("Home", "currentTime", 0.0), ("End", "currentTime", DURATION),
    ("ArrowUp", "playbackRate", 1.25), ("ArrowDown", "playbackRate", 0.75),
    ("1", "camera", "front"), ("2", "camera", "side"), ("3", "camera", "back"), ("4", "camera", "top"),
    ("5", "camera", "knee"), ("Shift+ArrowLeft", "camera", "free"), ("Shift+ArrowUp", "camera", "free"),
    ("+", "camera", "free"), ("-", "camera", "free"),
    ("m", "mirrored", True), ("l", "loop", True), (" ", "paused", False), ("k", "paused", False),
]


def test_keyboard(open_player):
    page = open_player()
    page.locator(".stage").focus()
    for key, name, expected in KEYS:
        page.evaluate("""() => { player.pause(); player.currentTime = 0.5; player.playbackRate = 1;
                                 player.camera = "back"; player.mirrored = player.loop = false; }""")
        if key == "3":
            page.evaluate("() => { player.camera = 'front'; }")
        page.keyboard.press(key)
        value = page.evaluate("name => player[name]", name)
        assert value == (pytest.approx(expected, abs=1e-6) if isinstance(expected, float) else expected), key


def test_keys_leave_the_page_and_other_fields_alone(open_player):
    page = open_player()
    page.keyboard.press(" ")                                   # focus is on the page, not in the player
    assert page.evaluate("() => player.paused")
    page.get_by_role("combobox", name="Speed").focus()
    page.keyboard.press("m")
    assert not page.evaluate("() => player.mirrored")


def test_each_view_shows_the_whole_motion_from_its_own_side(open_player):
    page = open_player()
    places = {}
    for name in ("Front", "Side", "Back", "Top"):
        page.get_by_role("button", name=name, exact=True).click()
        settle(page)
        camera = page.evaluate("() => player.inspect().camera")
        assert camera["preset"] == name.lower()
        places[name] = np.array(camera["position"])
        frame = camera["inFrame"]
        assert max(map(abs, frame.values())) < 1, f"{name} cuts the person: {frame}"
        assert max(map(abs, frame.values())) > 0.7, f"{name} shows the person too small: {frame}"
    assert places["Front"][0] > 2 and places["Back"][0] < -2 and places["Side"][2] > 2 and places["Top"][1] > 2
    page.get_by_role("button", name="Knee", exact=True).click()
    settle(page)
    knee = page.evaluate("() => player.inspect().camera")
    assert np.linalg.norm(knee["position"]) < np.linalg.norm(places["Front"])


def test_dragging_and_buttons_turn_the_view(open_player):
    page = open_player()
    start = page.evaluate("() => player.inspect().camera.position")
    page.get_by_role("button", name="Turn the view right").click()
    settle(page)
    turned = page.evaluate("() => player.inspect().camera.position")
    assert np.linalg.norm(np.subtract(turned, start)) > 0.3
    box = page.locator(".stage").bounding_box()
    page.mouse.move(box["x"] + 300, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 400, box["y"] + 200, steps=4)
    page.mouse.up()
    settle(page)
    assert np.linalg.norm(np.subtract(page.evaluate("() => player.inspect().camera.position"), turned)) > 0.3
    assert page.evaluate("() => player.camera") == "free"
    page.get_by_role("button", name="Front", exact=True).click()
    settle(page)
    np.testing.assert_allclose(page.evaluate("() => player.inspect().camera.position"), start, atol=1e-6)


@pytest.mark.parametrize("source, sentence", [
    ("/nowhere.json", "does not exist"), ("/page", "not a playback document"),
    ("/old.json", "version 0"), ("/short.json", '"com"'),
])
def test_a_motion_that_cannot_be_shown_is_explained(open_player, server, source, sentence):
    server.add_motion("/old.json", squat_document() | {"version": 0})
    server.add_motion("/short.json", squat_document() | {"com": "AAAAAA=="})
    page = open_player(src=source, wait_for="error", allow=["404"])
    assert sentence in events(page, "error")[0]["detail"]["message"]
    expect(page.locator(".message")).to_contain_text(sentence)
    page.evaluate("() => player.play()")
    assert page.evaluate("() => player.paused")


def test_retry_loads_the_motion_when_it_is_there_again(open_player, server):
    page = open_player(src="/late.json", wait_for="error", allow=["404"])
    server.add_motion("/late.json", squat_document())
    page.get_by_role("button", name="Try again").click()
    wait_for_event(page, "ready")
    expect(page.locator(".veil")).to_be_hidden()


def test_missing_bones_leave_a_simple_figure_and_say_so(open_player):
    page = open_player(bones="/nowhere.glb", allow=["404"])
    assert events(page, "ready")[0]["detail"] == {"bones": False}
    expect(page.locator(".note")).to_contain_text("simple figure")


def test_missing_webgl_is_explained(browser, server):
    page = browser.new_page()
    page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null;")
    page.goto(f"{server.url}/page?src=/motion.json")
    expect(page.locator(".message")).to_contain_text("WebGL")
    page.close()


def test_lost_context_comes_back(open_player):
    page = open_player()
    page.evaluate("""() => {
      const context = player.shadowRoot.querySelector("canvas").getContext("webgl2");
      window.lost = context.getExtension("WEBGL_lose_context");
      window.lost.loseContext();
    }""")
    expect(page.locator(".message")).to_contain_text("interrupted")
    page.evaluate("() => window.lost.restoreContext()")
    expect(page.locator(".veil")).to_be_hidden()
    before = page.evaluate("() => player.inspect().renderedFrames")
    seek(page, 0.6)
    assert page.evaluate("() => player.inspect().renderedFrames") > before


def test_leaving_and_coming_back(open_player):
    page = open_player()
    page.evaluate("() => { log.length = 0; player.remove(); }")
    assert page.evaluate("() => player.inspect()") is None
    page.evaluate("() => document.body.append(player)")
    wait_for_event(page, "ready")
    assert page.locator("canvas").count() == 1


def test_follows_light_and_dark(open_player):
    page = open_player()
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        settle(page)
        assert page.evaluate("() => player.inspect().dark") is (scheme == "dark")


def test_says_the_phase_on_demand(open_player):
    page = open_player()
    live = page.locator(".live")
    seek(page, 0.5)
    expect(live).to_have_text("")
    page.locator(".stage").focus()
    page.keyboard.press("p")
    expect(live).to_contain_text("Going down, repetition 1")


@pytest.mark.parametrize("kind", ["full", "simple"])
def test_controls_fit_and_can_be_hit(open_player, kind):
    page = open_player(controls=kind)
    for width in (320, 390, 1280):
        page.set_viewport_size({"width": width, "height": 844})
        settle(page)
        assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
        targets = page.locator("motion-player button, motion-player select").all()
        boxes = [box for box in (target.bounding_box() for target in targets) if box]
        least = 44 if width < 600 else 24
        assert len(boxes) >= 8
        for box in boxes:
            assert box["width"] >= least - 0.5 and box["height"] >= least - 0.5, (width, box)
            assert box["x"] >= 0 and box["x"] + box["width"] <= width, (width, box)
        for i, a in enumerate(boxes):
            for b in boxes[:i]:
                beside = a["x"] + a["width"] <= b["x"] + 1 or b["x"] + b["width"] <= a["x"] + 1
                above = a["y"] + a["height"] <= b["y"] + 1 or b["y"] + b["height"] <= a["y"] + 1
                assert beside or above, (width, a, b)


def test_every_button_has_a_name_and_focus_can_be_seen(open_player):
    page = open_player()
    for button in page.locator("motion-player button:visible").all():
        assert (button.get_attribute("aria-label") or button.inner_text()).strip()
    page.keyboard.press("Tab")
    assert page.evaluate("() => getComputedStyle(player.shadowRoot.activeElement).outlineStyle") == "solid"
