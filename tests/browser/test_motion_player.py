"""`<motion-player>` in a real browser: what it plays and when."""
from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import expect

from generation.engine.body import COORDINATES, TorchBody, scale_body
from generation.engine.formats.motion import Motion
from generation.engine.formats.playback import playback_document
from tests.browser.player_page import DURATION, FRAME_RATE, ROOT, joint_centres, squat_document
from tests.browser.player_tab import current_time, events, seek, settle, wait_for_event

FRAME = 1 / FRAME_RATE


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


def test_draws_only_when_something_changed(open_player):
    page = open_player(hip_path="", centre_of_mass="")
    settle(page)
    page.wait_for_timeout(150)                                 # late resize and visibility reports
    before = page.evaluate("() => player.inspect().renderedFrames")
    page.wait_for_timeout(500)
    assert page.evaluate("() => player.inspect().renderedFrames") == before
    seek(page, 0.7)
    assert page.evaluate("() => player.inspect().renderedFrames") == before + 1


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
