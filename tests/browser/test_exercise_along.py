"""`<motion-player>` beyond plain playing: a chosen part, words, one clock for several, exercising along."""
from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.browser.player_page import DURATION, PHASES

EVENTS = ["phase", "repetition", "set", "finished", "refreshed"]


@pytest.fixture
def player(open_player):
    """player(**attributes) -> Page; further events are kept in `log` too."""
    def open_it(**attributes) -> Page:
        page = open_player(**attributes)
        page.evaluate("""names => { for (const name of names)
            player.addEventListener(name, (event) => log.push({ name, detail: event.detail })); }""", EVENTS)
        return page
    return open_it


def log(page: Page, name: str) -> list:
    return page.evaluate("name => log.filter((entry) => entry.name === name).map(({ detail }) => detail)", name)


def test_a_part_is_chosen_by_dragging_by_keys_and_by_numbers(player):
    page = player()
    box = page.locator(".bands").bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.25 * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.75 * box["width"], y, steps=5)
    page.mouse.up()
    assert page.evaluate("() => player.loopInterval") == pytest.approx([0.25 * DURATION, 0.75 * DURATION], abs=0.02)
    start, end = page.get_by_label("From, seconds"), page.get_by_label("To, seconds")
    expect(start).to_have_value("0.50")
    end.fill("1.2")
    end.press("Enter")
    assert page.evaluate("() => player.loopInterval[1]") == pytest.approx(1.2)
    end.fill("0.1")
    end.press("Enter")
    expect(end).to_have_value("1.20")                   # an end before the beginning is no part: what holds stays
    page.evaluate("() => { log.length = 0; player.play(); }")
    page.wait_for_function("() => player.clock.loops >= 2")
    times = page.evaluate("() => log.filter((e) => e.name === 'timeupdate').map((e) => e.detail.currentTime)")
    assert min(times) >= 0.5 and max(times) <= 1.2
    page.get_by_label("Repeat a part: whole motion again").click()
    assert page.evaluate("() => player.loopInterval") is None
    expect(start).to_be_hidden()
    page.locator(".stage").focus()
    page.evaluate("() => { player.pause(); player.currentTime = 0.4; }")
    page.keyboard.press("[")
    page.evaluate("() => { player.currentTime = 1; }")
    page.keyboard.press("]")
    assert page.evaluate("() => player.loopInterval") == pytest.approx([0.4, 1])
    page.mouse.click(box["x"] + 0.5 * box["width"], y)  # a press without dragging goes there
    assert page.evaluate("() => player.currentTime") == pytest.approx(0.5 * DURATION, abs=0.02)


def test_the_motion_in_words(player):
    page = player()
    page.get_by_text("The motion in words").click()
    words = page.locator(".words p")
    expect(words).to_contain_text("down in 0.7 s, a hold of 0.2 s at the bottom, up in 0.7 s")
    expect(words).to_contain_text("The hips go down by 45 cm")


def test_the_voice_says_phases_only_when_switched_on(player):
    page = player()
    page.evaluate("() => { window.said = []; speechSynthesis.speak = (words) => said.push(words.text); }")
    page.evaluate("() => { player.playbackRate = 0.25; player.play(); }")        # on a slow machine pictures are rare
    page.wait_for_function("() => log.filter((entry) => entry.name === 'phase').length >= 2")
    assert page.evaluate("() => said") == []
    page.evaluate("() => { player.pause(); player.currentTime = 0; }")
    page.get_by_role("button", name="Voice").click()
    assert "down in 0.7 s" in page.evaluate("() => said[0]")
    page.evaluate("() => player.play()")
    page.wait_for_function("() => said.includes('Hold')")
    assert page.evaluate("() => said.indexOf('Hold') > said.indexOf('Down') && said.indexOf('Down') > 0")


@pytest.mark.parametrize("repetitions, sets", [(3, 2)])
def test_exercising_along_counts_repetitions_and_sets(player, repetitions, sets):
    page = player(controls="simple", exercise="", repetitions=repetitions, sets=sets, rest=60)
    page.get_by_role("button", name="Exercise along").click()
    expect(page.locator(".guide")).to_contain_text("Get ready")
    expect(page.locator(".guide")).to_contain_text(f"Repetition 2 of {repetitions}")
    page.get_by_role("button", name="Pause").click()
    held = page.evaluate("() => player.exercise.count")
    page.get_by_role("button", name="Go on").click()
    assert page.evaluate("() => player.exercise.count") == held
    expect(page.locator(".guide")).to_contain_text("Set 2 of 2 is next")
    page.get_by_role("button", name="Skip rest").click()
    page.wait_for_function("() => log.some((entry) => entry.name === 'finished')")
    counted = log(page, "repetition")
    assert [(one["set"], one["count"]) for one in counted] == [(s + 1, r + 1) for s in range(sets)
                                                               for r in range(repetitions)]
    assert [one["set"] for one in log(page, "set")] == [1, 2]
    assert log(page, "finished")[0]["repetitions"] == repetitions
    assert page.evaluate("() => player.paused")
    expect(page.locator(".guide")).to_contain_text("Well done")


def test_seeking_while_exercising_neither_adds_nor_loses_repetitions(player):
    page = player(controls="simple", exercise="", repetitions=3)
    page.get_by_role("button", name="Exercise along").click()
    page.wait_for_function("() => player.exercise.count === 1")
    page.evaluate("() => { player.currentTime = 0.1; }")
    page.wait_for_function("() => log.some((entry) => entry.name === 'finished')")
    assert [one["count"] for one in log(page, "repetition")] == [1, 2, 3]


def test_exercising_goes_on_without_the_network(player):
    page = player(controls="simple", exercise="", repetitions=1, sets=2, rest=1)
    page.context.set_offline(True)
    try:
        page.get_by_role("button", name="Exercise along").click()
        page.wait_for_function("() => log.some((entry) => entry.name === 'finished')")
    finally:
        page.context.set_offline(False)
    assert [one["set"] for one in log(page, "repetition")] == [1, 2]


def test_picture_in_picture_opens_with_the_canvas_and_closes(player):
    """The window itself is the browser's: it is stood in for, the stream is real."""
    page = player()
    page.evaluate("""() => {
        HTMLVideoElement.prototype.requestPictureInPicture = async function () { window.floating = this; };
        const left = () => floating.dispatchEvent(new Event("leavepictureinpicture"));
        Document.prototype.exitPictureInPicture = async () => left();
    }""")
    button = page.get_by_role("button", name="Picture in picture")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    page.wait_for_function("() => window.floating && floating.videoWidth > 0 && !floating.paused")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")
    assert page.evaluate("() => floating.srcObject.getTracks().every((track) => track.readyState === 'ended')")


def test_metronome_and_vibration_are_off_until_chosen_and_remembered(player):
    page = player(controls="simple", exercise="")
    metronome = page.get_by_role("button", name="Metronome")
    expect(metronome).to_have_attribute("aria-pressed", "false")
    metronome.click()
    expect(metronome).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(page.get_by_role("button", name="Metronome")).to_have_attribute("aria-pressed", "true")
    page.evaluate("() => localStorage.clear()")


def test_two_players_on_one_clock_show_the_same_phase(player, server):
    slow = server.files["/motion.json"][1].replace(b'"start_s": 0.2, "end_s": 0.9', b'"start_s": 0.2, "end_s": 0.6')
    slow = slow.replace(b'"start_s": 0.9, "end_s": 1.1', b'"start_s": 0.6, "end_s": 1.1')
    assert slow != server.files["/motion.json"][1]
    server.files["/slow.json"] = ("application/json", slow)
    page = player()
    page.evaluate("""async () => {
        window.other = document.createElement("motion-player");
        other.setAttribute("controls", "none");
        other.setAttribute("src", "/slow.json");
        document.body.append(other);
        await new Promise((go) => other.addEventListener("ready", go, { once: true }));
        other.clock = player.clock;
        other.follow(player.motion, "phase");
    }""")
    for name, start, end in PHASES:
        for part in (0.1, 0.5, 0.9):
            page.evaluate("time => { player.currentTime = time; }", start + part * (end - start))
            assert page.evaluate("() => [player.phase, other.phase]") == [name, name]
    page.evaluate("() => { player.loop = true; other.play(); }")
    page.wait_for_function("() => player.currentTime > 0.3 && !player.paused")
    page.evaluate("() => player.pause()")
    times = page.evaluate("() => [player.currentTime, other.currentTime, other.paused]")
    assert times[0] == times[1] and times[2]
    page.evaluate("() => { other.follow(player.motion, 'time'); player.currentTime = 0.7; }")
    assert page.evaluate("() => [player.phase, other.phase]") == ["descent", "bottom"]
    page.evaluate("() => other.remove()")
    assert page.evaluate("() => player.duration") == pytest.approx(DURATION)


def test_callouts_stay_at_their_joints(player):
    page = player(controls="none")
    page.evaluate("""() => { player.callouts = [{ joint: "knee_r", text: "+12°", tone: "more" },
        { joint: "knee_l", text: "3°" }, { joint: "nowhere", text: "?" }]; player.drawFrame(1.0); }""")
    boxes = page.evaluate("""() => [...player.shadowRoot.querySelectorAll(".callout")].map((one) => {
        const { x, y } = one.getBoundingClientRect(); return [x, y]; })""")
    assert len(boxes) == 2                                              # a joint that the motion lacks gets no words
    page.evaluate("() => player.drawFrame(0)")
    higher = page.locator(".callout").first.bounding_box()["y"]
    assert higher < boxes[0][1]                                         # the knees are higher while standing
    page.evaluate("() => { player.mirrored = true; player.drawFrame(1.0); }")
    mirrored = page.locator(".callout").first.bounding_box()["x"]
    middle = np.mean([box[0] for box in boxes])
    assert (boxes[0][0] - middle) * (mirrored - middle) < 0


def test_a_motion_that_improves_is_replaced_behind_the_picture(player, server):
    server.files["/live.json"] = server.files["/motion.json"]
    page = player(src="/live.json")
    page.evaluate("() => { player.currentTime = 0.7; }")
    server.files["/live.json"] = ("application/json", server.files["/motion.json"][1].replace(
        b'"name": "bottom"', b'"name": "hold"'))
    page.evaluate("() => player.refresh()")
    assert page.evaluate("() => player.motion.phases.some((phase) => phase.name === 'hold')")
    assert page.evaluate("() => player.currentTime") == pytest.approx(0.7)
    server.files["/live.json"] = ("text/plain", b"no motion yet")
    page.evaluate("() => player.refresh()")
    assert page.evaluate("() => player.motion.phases.some((phase) => phase.name === 'hold')")
    expect(page.locator(".veil")).to_be_hidden()
