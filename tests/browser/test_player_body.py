"""How `<motion-player>` shows the body: muscles, forces, angles, balance, skin, and what comes in place of WebGL."""
from __future__ import annotations

import json

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.browser.engine_motion import FRAMES, engine_squat
from tests.browser.player_page import FRAME_RATE, ROOT, squat_document
from tests.browser.player_tab import seek, settle

GLB = "model/gltf-binary"


@pytest.fixture
def squat(open_player, server):
    """squat(**attributes) -> Page with the engine's squat on the shipped bones."""
    real = engine_squat()
    server.add_motion("/engine.json", real.playback)
    server.add_motion("/muscles.json", real.muscles)
    server.files["/shipped.glb"] = (GLB, (ROOT / "models" / "body" / "bones.glb").read_bytes())

    def open_it(**attributes) -> Page:
        page = open_player(**{"src": "/engine.json", "bones": "/shipped.glb"} | attributes)
        page.evaluate("() => localStorage.clear()")
        return page
    return open_it


@pytest.fixture
def muscled(squat):
    """The same with its muscles drawn."""
    def open_it(**attributes) -> Page:
        page = squat(**{"muscles": "/muscles.json", "muscle_activity": ""} | attributes)
        page.wait_for_function("() => player.inspect().muscles")
        return page
    return open_it


def labels(page: Page) -> list[tuple[str, str]]:
    """(text, tone) of every label in the picture."""
    settle(page)
    found = page.evaluate("""() => [...player.shadowRoot.querySelectorAll(".label")]
        .map((label) => [label.textContent, label.className.replace("label", "").trim()])""")
    return [tuple(one) for one in found]


def test_joints_are_within_a_millimetre_of_the_engine_in_every_frame(squat):
    page, truth = squat(joints=""), engine_squat().joint_centres
    seen = page.evaluate("""([frames, rate]) => Array.from({ length: frames }, (_, frame) => {
        player.drawFrame(frame / rate);
        return player.inspect().joints;
    })""", [FRAMES, FRAME_RATE])
    for name, places in truth.items():
        drawn = np.array([frame[name] for frame in seen])
        assert np.linalg.norm(drawn - places, axis=-1).max() < 0.001, name


def test_muscles_begin_and_end_where_the_engine_says_between_frames_too(muscled):
    page, truth = muscled(), engine_squat().ends
    for time in (0.0, 17 / FRAME_RATE, 30.5 / FRAME_RATE, 0.97):
        page.evaluate("time => player.drawFrame(time)", time)
        for muscle in page.evaluate("() => player.inspect().muscles"):
            rings = np.array(muscle["rings"])
            at = time * FRAME_RATE
            low = int(np.floor(at))
            ends = truth[muscle["name"]]
            expected = ends[low] + (at - low) * (ends[min(low + 1, FRAMES - 1)] - ends[low])
            assert np.linalg.norm(rings[[0, -1], :3] - expected, axis=-1).max() < 0.001, (muscle["name"], time)


def test_a_belly_keeps_its_volume_as_it_lengthens(muscled):
    page = muscled()

    def volume() -> tuple[float, float]:
        muscle = next(m for m in page.evaluate("() => player.inspect().muscles") if m["name"] == "vasint_r")
        rings = np.array(muscle["rings"])
        length = np.linalg.norm(np.diff(rings[:, :3], axis=0), axis=-1)
        belly = rings[:, 3] > 0.0029
        return float((np.pi * rings[1:, 3] ** 2 * length * belly[1:]).sum()), float(length.sum())

    seek(page, 0)
    standing, short = volume()
    seek(page, 0.5)
    deep, long = volume()
    assert long > short + 0.05                      # else there would be nothing to keep
    assert deep == pytest.approx(standing, rel=0.12)


def test_one_group_is_shown(muscled):
    page = muscled()
    page.get_by_label("Muscles shown").select_option("calf")
    settle(page)
    drawn = {muscle["name"] for muscle in page.evaluate("() => player.inspect().muscles") if muscle["rings"][10][3] > 0}
    assert drawn == {f"{name}_{side}" for name in ("gaslat", "gasmed", "soleus") for side in "rl"}
    page.get_by_label("Muscles shown").select_option("")
    settle(page)
    assert all(muscle["rings"][10][3] > 0 for muscle in page.evaluate("() => player.inspect().muscles"))


def test_pointing_at_a_muscle_says_its_activation_and_peak(muscled):
    page = muscled(muscle_group="quadriceps")
    seek(page, 0.5)
    legend = page.locator(".of-muscles")
    expect(legend).to_contain_text("Computed by OpenSim")
    expect(legend).to_contain_text("100 %")
    expect(legend).to_contain_text("Point at a muscle")
    box = page.locator(".stage").bounding_box()
    found = None
    for x, y in [(x, y) for y in np.linspace(0.5, 0.8, 10) for x in np.linspace(0.4, 0.5, 8)]:  # until a thigh is hit
        page.mouse.move(box["x"] + box["width"] * x, box["y"] + box["height"] * y)
        found = page.evaluate("() => player.inspect().picked")
        if found >= 0:
            break
    assert found is not None and found >= 0
    name = engine_squat().muscles["muscles"][found]["label"]
    expect(legend).to_contain_text(f"{name}: {found} % now, at most {found} % at 0.5 s")
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    settle(page)
    expect(legend).to_contain_text("Point at a muscle")


def test_muscles_without_activations_say_so(muscled, server):
    document = {key: value for key, value in engine_squat().muscles.items() if key not in ("activation", "ground")}
    server.add_motion("/plain.json", document)
    page = muscled(muscles="/plain.json")
    expect(page.locator(".of-muscles")).to_contain_text("Activations are not known")
    expect(page.locator(".scale")).to_be_hidden()


@pytest.mark.parametrize("address, change, sentence", [
    ("/nowhere.json", None, "not computed yet"),
    ("/other.json", {"version": 9}, "version 9"),
    ("/body.json", {"bodies": ["tail"] * 22}, "another body"),
    ("/broken.json", {"moving": {"shape": [2, 1], "step": [1], "data": "AAAA"}}, "cannot be read"),
])
def test_muscles_that_cannot_be_shown_are_explained(squat, server, open_player, address, change, sentence):
    if change:
        server.add_motion(address, engine_squat().muscles | change)
    page = open_player(src="/engine.json", bones="/shipped.glb", muscles=address, muscle_activity="", allow=["404"])
    expect(page.locator(".of-muscles")).to_contain_text(sentence)
    assert page.evaluate("() => player.inspect().muscles") is None


def test_forces_of_the_floor_are_named_estimated(muscled):
    page = muscled(ground_reaction="")
    assert {text for text, tone in labels(page) if tone == "force"} == {"R 50 % BW", "L 50 % BW"}
    expect(page.locator(".of-forces")).to_contain_text("Estimated from the motion, not measured")


def test_angles_turn_at_their_limits(squat, server):
    rows = [{"variable": "knee_flexion", "side": "right", "min": None, "max": 60.0},
            {"variable": "knee_flexion", "side": "left", "min": None, "max": 60.0, "phase": "ascent"},
            {"variable": "floor_penetration", "side": None, "min": None, "max": 5.0}]
    server.files["/limits.json"] = ("application/json", json.dumps(rows).encode())
    page, knee = squat(joint_angles="", limits="/limits.json"), engine_squat().knee
    page.wait_for_function("() => player.shadowRoot.querySelector('.label')")
    for tone, degrees in (("within", 30.0), ("near", 57.3), ("past", 70.0)):
        seek(page, float(np.interp(degrees, knee[:31], np.arange(31))) / FRAME_RATE)
        found = dict(labels(page))
        right = next(text for text in found if text.startswith("Knee R"))
        assert found[right] == tone and f" {round(degrees)}°" in right and "60°" in right
        assert ("past max" in right) == (tone == "past")
        left = next(text for text in found if text.startswith("Knee L"))
        assert found[left] == "within"              # its limit holds on the way up only
    assert len(found) == 2                          # what is no angle has no arc
    seek(page, 0.6)
    assert {tone for _, tone in labels(page)} == {"past"}
    expect(page.locator(".of-angles")).to_be_visible()


def test_angles_without_limits_are_drawn_too(squat):
    page = squat(joint_angles="")
    page.wait_for_function("() => player.shadowRoot.querySelectorAll('.label').length === 6")
    assert {tone for _, tone in labels(page)} == {"within"}


def test_the_margin_of_stability_is_the_engines(squat):
    page, truth = squat(centre_of_mass=""), engine_squat().margin
    for frame in range(2, FRAMES - 2, 4):
        page.evaluate("time => player.drawFrame(time)", frame / FRAME_RATE)
        assert page.evaluate("() => player.inspect().margin") == pytest.approx(truth[frame], abs=0.004), frame
    assert [text for text, _ in labels(page) if text.startswith("Margin")]
    assert np.ptp(truth) > 0.02                     # else a constant would pass


def test_a_person_instead_of_bones_is_remembered(squat):
    page = squat()
    assert page.evaluate("() => player.inspect().appearance") == "bones"
    page.get_by_role("button", name="Sportswear").click()
    settle(page)
    seen = page.evaluate("() => player.inspect()")
    assert (seen["appearance"], seen["skin"], seen["bonesVisible"]) == ("outfit", True, False)
    page.reload()
    page.wait_for_function("() => window.log?.some((entry) => entry.name === 'ready')")
    assert page.evaluate("() => player.inspect().appearance") == "outfit"
    page.get_by_role("button", name="Skin").click()
    settle(page)
    seen = page.evaluate("() => player.inspect()")
    assert (seen["appearance"], seen["skin"], seen["bonesVisible"]) == ("skin", True, True)
    page.evaluate("() => localStorage.clear()")


def test_any_joint_shows_its_path(squat):
    page = squat()
    before = page.evaluate("() => player.inspect().memory.geometries")
    page.get_by_label("Path of joints").select_option("knee_r knee_l")
    settle(page)
    assert page.get_attribute("motion-player", "paths") == "knee_r knee_l"
    assert page.evaluate("() => player.inspect().memory.geometries") > before


def test_many_loads_leave_nothing_behind(muscled, server):
    server.add_motion("/again.json", engine_squat().playback)
    page = muscled(ground_reaction="", joint_angles="", centre_of_mass="", appearance="outfit", hip_path="")
    page.evaluate("""async () => {
      window.sizes = [];
      for (let i = 0; i < 12; i += 1) {
        await new Promise((done) => {
          player.addEventListener("ready", done, { once: true });
          player.src = i % 2 ? "/engine.json" : "/again.json";
        });
        while (!player.inspect().muscles) await new Promise(requestAnimationFrame);
        player.drawFrame(0.3);
        window.sizes.push(player.inspect().memory);
      }
    }""")
    sizes = page.evaluate("() => window.sizes")
    assert sizes[3] == sizes[-1]


def test_options_fit_a_narrow_page(muscled):
    page = muscled(ground_reaction="", joint_angles="")
    page.set_viewport_size({"width": 320, "height": 800})
    settle(page)
    assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
    frame = page.locator(".stage").bounding_box()
    boxes = [label.bounding_box() for label in page.locator(".label").all()]
    assert len(boxes) >= 6
    for i, a in enumerate(boxes):
        assert a["x"] >= frame["x"] and a["x"] + a["width"] <= frame["x"] + frame["width"] + 0.5
        for b in boxes[:i]:
            beside = a["x"] + a["width"] <= b["x"] + 1 or b["x"] + b["width"] <= a["x"] + 1
            above = a["y"] + a["height"] <= b["y"] + 1 or b["y"] + b["height"] <= a["y"] + 1
            assert beside or above, (a, b)


def test_without_webgl_the_video_is_shown(browser, server):
    page = browser.new_page()
    page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null;")
    page.goto(f"{server.url}/page?src=/motion.json&video=/motion.mp4&poster=/motion.png")
    expect(page.locator(".message")).to_contain_text("WebGL")
    expect(page.locator("video.fallback")).to_be_visible()
    assert page.get_attribute("video.fallback", "src") == "/motion.mp4"
    page.goto(f"{server.url}/page?src=/motion.json&poster=/motion.png&label=Squat")
    expect(page.locator("img.fallback")).to_have_attribute("alt", "Squat")
    page.close()


def test_a_lost_context_shows_the_video_until_it_is_back(open_player):
    page = open_player(video="/motion.mp4", allow=["motion.mp4", "404", "media"])
    page.evaluate("""() => {
      window.lost = player.shadowRoot.querySelector("canvas").getContext("webgl2").getExtension("WEBGL_lose_context");
      window.lost.loseContext();
    }""")
    expect(page.locator("video.fallback")).to_be_visible()
    page.evaluate("() => window.lost.restoreContext()")
    expect(page.locator("video.fallback")).to_have_count(0)
    seek(page, 0.4)
    assert page.evaluate("() => player.currentTime") == pytest.approx(0.4)


def test_a_document_of_version_1_has_its_balance_from_what_is_drawn(open_player):
    assert squat_document()["version"] == 1
    page = open_player(centre_of_mass="")
    assert np.isfinite(page.evaluate("() => player.inspect().margin"))
