"""What a video shows and when, without drawing it."""
from __future__ import annotations

import pytest

from prescriptions.rendering.content import content_key
from prescriptions.rendering.film import (
    FRAME_RATE,
    Cue,
    Layout,
    Options,
    Words,
    moments,
    motion_cues,
    phase_seconds,
    reading_cues,
    reading_seconds,
    segments,
    web_vtt,
)
from prescriptions.rendering.pictures import key_moments

WORDS = Words("Your squat", "One set.", ("Down.",), "Valid.", "Stop.", "Research.")


def document(repetitions: int = 1, each_s: float = 2.0) -> dict:
    phases = []
    for number in range(repetitions):
        start = number * each_s
        parts = [("descent", 0, 0.4), ("bottom", 0.4, 0.6), ("ascent", 0.6, 1)]
        phases += [{"name": n, "start_s": start + a * each_s, "end_s": start + b * each_s} for n, a, b in parts]
    return {"phases": phases, "duration_s": repetitions * each_s}


def test_a_motion_of_one_repetition_is_shown_as_often_as_asked():
    pictures = moments(document(), 3)
    assert len(pictures) == 3 * 2 * FRAME_RATE
    assert [p.repetition for p in pictures[:: 2 * FRAME_RATE]] == [1, 2, 3]
    assert {p.seconds for p in pictures} == {n / FRAME_RATE for n in range(2 * FRAME_RATE)}     # each drawn once


def test_a_motion_that_holds_several_counts_them_and_stops_at_the_last_asked():
    assert [p.repetition for p in moments(document(3), 3)[:: 2 * FRAME_RATE]] == [1, 2, 3]
    pictures = moments(document(3), 4)
    assert pictures[-1].repetition == 4 and len(pictures) == 4 * 2 * FRAME_RATE


def test_phases_in_words_and_as_parts_of_the_line():
    assert [phase_seconds(document(), at) for at in (0, 0.85, 1.5)] == ["1 s", "0.4 s", "1 s"]
    assert phase_seconds({"phases": [{"name": "bottom", "start_s": 0, "end_s": 0.1}]}, 0) == ""
    parts = segments(document())
    assert [(p["name"], round(p["from"], 3), round(p["to"], 3)) for p in parts] == [
        ("descent", 0, 0.4), ("bottom", 0.4, 0.6), ("ascent", 0.6, 1)]


def test_captions_follow_phase_and_count_without_holes():
    cues = motion_cues(moments(document(), 2), 5.0, 2)
    assert [cue.text for cue in cues] == [f"Repetition {n} of 2. {w}" for n in (1, 2) for w in ("Down", "Hold", "Up")]
    assert cues[0].start == 5 and cues[-1].end == pytest.approx(9)
    assert all(a.end == pytest.approx(b.start) for a, b in zip(cues, cues[1:], strict=False))


def test_a_card_is_read_line_by_line():
    lines = ["a" * 30, "b" * 60]
    assert reading_seconds(*lines) == pytest.approx(6)
    assert (reading_seconds("x"), reading_seconds("x" * 999)) == (4, 12)
    assert reading_cues(lines, 1, 7) == [Cue(1, 3, lines[0]), Cue(3, 7, lines[1])]


def test_vtt_keeps_to_its_syntax():
    text = web_vtt([Cue(0, 61.5, "Bend < 60 --> & hold\n\nthen"), Cue(61.5, 3700, "Up")])
    assert text.startswith("WEBVTT\n\n00:00:00.000 --> 00:01:01.500\n")
    assert "Bend &lt; 60 -> &amp; hold\nthen\n\n00:01:01.500 --> 01:01:40.000\nUp" in text


@pytest.mark.parametrize("wrong", [{"height": 480}, {"view": "top"}, {"repetitions": 0}, {"repetitions": 51}])
def test_options_that_cannot_be_made_say_which(wrong: dict):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Options(**wrong)


def test_the_parts_of_a_picture_fill_it():
    for height, width in ((720, 1280), (1080, 1920)):
        layout = Layout(height)
        assert layout.width == width
        assert layout.stage[0] + layout.panel[0] == width and layout.stage[1] + layout.bar[1] == height
        assert all(size % 2 == 0 for size in (*layout.stage, *layout.panel, *layout.bar))


def test_the_key_moments_are_those_of_the_first_repetition():
    assert list(key_moments(document(3)).values()) == pytest.approx([0, 0.4, 1.0, 1.6, 2.0])
    assert key_moments({"phases": [], "duration_s": 2.0})["bottom"] == 1.0


def test_the_same_content_has_the_same_name_and_any_change_another():
    name = content_key("a", WORDS, Options())
    assert content_key("a", WORDS, Options()) == name
    others = [content_key("b", WORDS, Options()), content_key("a", WORDS, Options(height=1080)),
              content_key("a", Words("Your squat", "Two sets.", ("Down.",), "Valid.", "Stop.", "Research."), Options())]
    assert len({name, *others}) == 4
