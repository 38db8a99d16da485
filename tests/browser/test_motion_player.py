"""`<motion-player>` in a real browser: what it plays, how it is operated, what it says when something fails."""
from __future__ import annotations

from urllib.parse import urlencode

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from generation.engine.body import COORDINATES, TorchBody, scale_body
from generation.engine.formats.motion import Motion
from generation.engine.formats.playback import playback_document
from tests.browser.player_page import (
    DURATION,
    FRAME_RATE,
    ROOT,
    PlayerServer,
    joint_centres,
    squat_document,
)

FRAME = 1 / FRAME_RATE
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


def test_loads_the_motion_and_says_so(open_player):
    page = open_player()
    assert events(page, "loadedmetadata")[0]["detail"]["frameRate"] == FRAME_RATE
    assert page.evaluate("() => player.duration") == pytest.approx(DURATION)
    assert page.evaluate("() => [player.paused, player.ended, player.currentTime]") == [True, False, 0]
    assert events(page, "ready")[0]["detail"] == {"bones": True}
    series = page.evaluate("() => Array.from(player.motion.coordinates.series('knee_angle_r'))")
    assert len(series) == round(DURATION * FRAME_RATE) + 1 and max(series) > 60
    expect(page.locator(".veil")).to_be_hidden()
    expect(page.locator(".note")).to_be_hidden()


@pytest.mark.parametrize("bones", ["/bones.glb", None], ids=["bones", "capsules"])
@pytest.mark.parametrize("mirrored", [None, ""], ids=["plain", "mirrored"])
def test_joints_are_drawn_where_the_document_says(open_player, bones, mirrored):
    page = open_player(bones=bones, mirrored=mirrored, joints="")
    expected = joint_centres(squat_document())
    for frame in (0, 40, 61, 97):
        seek(page, frame / FRAME_RATE)
        seen = page.evaluate("() => player.inspect()")
        for name, centre in expected.items():
            np.testing.assert_allclose(seen["joints"][name], centre[frame], atol=1e-3, err_msg=name)
        # The bones themselves, not only the dots: bodies whose origin is that joint.
        for body, joint in (("femur_r", "hip_r"), ("tibia_l", "knee_l"), ("talus_r", "ankle_r")):
            drawn = seen["people"][0]["bodies"][body]
            np.testing.assert_allclose(drawn, expected[joint][frame], atol=1e-3, err_msg=body)


def test_interpolates_between_frames(open_player):
    page = open_player(joints="")
    hip = joint_centres(squat_document())["hip_r"]
    seek(page, 40.5 / FRAME_RATE)
    seen = page.evaluate("() => player.inspect().joints.hip_r")
    np.testing.assert_allclose(seen, (hip[40] + hip[41]) / 2, atol=1e-5)
    assert np.linalg.norm(hip[41] - hip[40]) > 1e-3       # else the two frames could not be told apart


def test_feet_touch_the_floor_at_any_size(open_player, server):
    server.add_motion("/small.json", squat_document(scale=0.8))
    for source in ("/motion.json", "/small.json"):
        page = open_player(src=source)
        for time in (0.0, 1.0):
            seek(page, time)
            assert page.evaluate("() => player.inspect().people[0].lowestSole") == pytest.approx(0, abs=1e-3)


def test_engine_document_with_the_shipped_bones_stands_on_the_floor(open_player, server):
    """The real chain: a scaled body, the engine's playback document, the compressed bones, under the strict policy."""
    body = TorchBody(scale_body("female", 74, 1.56, 58.0))
    standing = np.repeat(body.neutral()[None].numpy(), 2, axis=0)
    document = playback_document(body, Motion(COORDINATES, standing, 60.0))
    server.add_motion("/engine.json", document)
    server.files["/shipped.glb"] = ("model/gltf-binary", (ROOT / "models" / "body" / "bones.glb").read_bytes())
    page = open_player(src="/engine.json", bones="/shipped.glb", joints="")
    assert events(page, "ready")[0]["detail"] == {"bones": True}
    seen = page.evaluate("() => player.inspect()")
    assert seen["people"][0]["lowestSole"] == pytest.approx(0, abs=1e-3)
    for name, centre in joint_centres(document).items():
        np.testing.assert_allclose(seen["joints"][name], centre[0], atol=1e-3, err_msg=name)
    np.testing.assert_allclose(seen["people"][0]["bodies"]["femur_l"], joint_centres(document)["hip_l"][0], atol=1e-3)


def test_time_runs_at_the_chosen_speed(open_player):
    page = open_player(loop="")
    for rate in (0.5, 2.0):
        seek(page, 0)
        page.evaluate("rate => { player.playbackRate = rate; log.length = 0; player.play(); }", rate)
        wait_for_event(page, "timeupdate", 8)
        page.evaluate("() => player.pause()")
        updates = events(page, "timeupdate")[:8]
        clock = np.array([update["at"] for update in updates]) / 1000
        shown = np.unwrap([update["detail"]["currentTime"] for update in updates], period=DURATION)
        # Slope over all pictures: how many were drawn in that time does not matter.
        assert np.polyfit(clock, shown, 1)[0] == pytest.approx(rate, rel=0.05)


def test_clock_neither_drifts_nor_depends_on_the_frame_rate(open_player):
    page = open_player()
    worst = page.evaluate("""async () => {
      const { PlaybackClock } = await import("/clock.js");
      let now = 5, worst = 0;
      const clock = new PlaybackClock(() => now);
      Object.assign(clock, { duration: 2.35, loop: true, rate: 0.7 });
      clock.play();
      for (let i = 1; i < 20000; i += 1) {
        now += 3 + (i * 7919 % 97);                 // pictures at irregular moments
        clock.tick();
        const exact = ((now - 5) / 1000 * 0.7) % 2.35;
        const error = Math.abs(clock.time - exact);
        worst = Math.max(worst, Math.min(error, 2.35 - error));
      }
      return [worst, clock.loops, Math.floor((now - 5) / 1000 * 0.7 / 2.35)];
    }""")
    assert worst[0] < 1e-6
    assert worst[1] == worst[2] > 100


def test_ends_once_and_starts_again(open_player):
    page = open_player()
    seek(page, DURATION - 0.1)
    page.evaluate("() => player.play()")
    wait_for_event(page, "ended")
    assert page.evaluate("() => [player.paused, player.ended]") == [True, True]
    assert current_time(page) == pytest.approx(DURATION)
    assert len(events(page, "ended")) == 1
    page.evaluate("() => { log.length = 0; player.play(); }")
    wait_for_event(page, "timeupdate", 2)
    assert current_time(page) < DURATION / 2


def test_loop_goes_on_and_counts_repetitions(open_player):
    page = open_player(loop="")
    page.evaluate("() => { player.playbackRate = 2; player.play(); }")
    page.wait_for_function("() => player.repetition >= 3")
    assert not page.evaluate("() => player.paused")
    assert not events(page, "ended")
    updates = [update["detail"] for update in events(page, "timeupdate")]
    for before, after in zip(updates, updates[1:], strict=False):
        assert after["repetition"] >= before["repetition"]
        if after["currentTime"] < before["currentTime"]:
            assert after["repetition"] > before["repetition"]


def test_repeats_an_interval(open_player):
    page = open_player()
    seek(page, 0.5)
    page.get_by_role("button", name="Repeat a part: starts here").click()
    seek(page, 0.8)
    page.get_by_role("button", name="Repeat a part: ends here").click()
    assert page.evaluate("() => player.loopInterval") == [pytest.approx(0.5, abs=FRAME), pytest.approx(0.8, abs=FRAME)]
    page.evaluate("() => { log.length = 0; player.play(); }")
    page.wait_for_function("""() => {
      const times = log.filter((entry) => entry.name === "timeupdate").map((entry) => entry.detail.currentTime);
      return times.filter((time, i) => i && time < times[i - 1]).length >= 3;
    }""")
    times = [update["detail"]["currentTime"] for update in events(page, "timeupdate")]
    assert min(times) >= 0.5 - 1e-6 and max(times) <= 0.8 + 1e-6
    page.get_by_role("button", name="Repeat a part: whole motion again").click()
    assert page.evaluate("() => player.loopInterval") is None


def test_scrubbing_moves_skeleton_and_tells_the_page(open_player):
    page = open_player()
    page.evaluate("() => { log.length = 0; }")
    scrub = page.get_by_role("slider", name="Position in the motion")
    box = scrub.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    settle(page)
    assert current_time(page) == pytest.approx(DURATION / 2, abs=2 * FRAME)
    last = events(page, "timeupdate")[-1]["detail"]
    assert last["currentTime"] == pytest.approx(current_time(page))
    assert (last["phase"], last["repetition"]) == ("bottom", 1)
    expect(page.locator(".phase .word")).to_have_text("Hold")
    assert "hold at the bottom" in scrub.get_attribute("aria-valuetext")


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


def test_draws_only_when_something_changed(open_player):
    page = open_player(hip_path="", centre_of_mass="")
    settle(page)
    page.wait_for_timeout(150)                                 # late resize and visibility reports
    before = page.evaluate("() => player.inspect().renderedFrames")
    page.wait_for_timeout(500)
    assert page.evaluate("() => player.inspect().renderedFrames") == before
    seek(page, 0.7)
    assert page.evaluate("() => player.inspect().renderedFrames") == before + 1


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


def test_another_motion_keeps_view_and_speed(open_player, server):
    server.add_motion("/small.json", squat_document(scale=0.8))
    page = open_player(joints="", camera="side")
    page.evaluate("() => { player.playbackRate = 0.5; log.length = 0; player.src = '/small.json'; }")
    wait_for_event(page, "ready")
    settle(page)
    assert page.evaluate("() => [player.camera, player.playbackRate, player.currentTime]") == ["side", 0.5, 0]
    hip = joint_centres(squat_document(scale=0.8))["hip_r"][0]
    np.testing.assert_allclose(page.evaluate("() => player.inspect().joints.hip_r"), hip, atol=1e-3)


def test_compares_motions_on_one_clock(open_player, server):
    server.add_motion("/small.json", squat_document(scale=0.8))
    page = open_player(compare_src="/small.json")
    seek(page, 1.0)
    people = page.evaluate("() => player.inspect().people")
    assert len(people) == 2
    for person, scale in zip(people, (1.0, 0.8), strict=True):
        hip = joint_centres(squat_document(scale=scale))["hip_r"][FRAME_RATE]
        np.testing.assert_allclose(person["bodies"]["femur_r"], hip, atol=1e-3)


def test_autoplay_respects_reduced_motion(open_player):
    page = open_player(autoplay="")
    wait_for_event(page, "play")
    page.emulate_media(reduced_motion="reduce")
    open_player(autoplay="")
    settle(page)
    assert page.evaluate("() => player.paused")


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


def test_draws_a_named_moment_at_once(open_player):
    page = open_player(joints="")
    hip = joint_centres(squat_document())["hip_r"]
    before, after, seen = page.evaluate("""time => {
      const before = player.inspect().renderedFrames;
      player.drawFrame(time);
      const seen = player.inspect();
      return [before, seen.renderedFrames, seen.joints.hip_r];
    }""", 40 / FRAME_RATE)
    assert after == before + 1
    np.testing.assert_allclose(seen, hip[40], atol=1e-5)
