"""Repetitions in a row: no seam, as different as people's are, every hard limit kept on the whole file."""
from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.engine.body import COORDINATES
from generation.engine.generate import generate
from generation.engine.guidance.repeating import (
    ASCENT_VARIES,
    DEPTH_VARIES,
    DESCENT_VARIES,
    Repeated,
    human_variation,
)
from generation.engine.guidance.tempo import Timing, plan_tempo, usual_height
from generation.engine.metrics import measure_phases, measure_repetitions
from generation.engine.motion_data import load_repetitions
from generation.engine.profile import parse_profile

HEIGHT = COORDINATES.index("pelvis_ty")
PERSON = {"sex": "male", "age_years": 61, "height_m": 1.76, "mass_kg": 84}


def test_the_variation_is_that_of_the_recorded_people():
    people = defaultdict(list)
    for one in load_repetitions():
        if one.correct:
            height = one.values[:, HEIGHT]
            seen = measure_phases(height, np.arange(len(height)) / one.frame_rate)
            people[one.subject.name].append((height[0] - height.min(), seen.descent_s, seen.ascent_s))
    assert len(people) == 12 and min(len(repetitions) for repetitions in people.values()) >= 5
    assert human_variation(people) == pytest.approx((DEPTH_VARIES, DESCENT_VARIES, ASCENT_VARIES), abs=0.001)


def test_the_variation_of_known_repetitions():
    people = {"a": [(1, 2, 3), (np.e, 2, 3)], "b": [(1, 2, 3), (np.e, 2 * np.e, 3)], "c": [(1, 2, 3), (1, 2, 3)]}
    assert human_variation(people) == pytest.approx((np.sqrt(0.5), 0, 0))


@given(st.lists(st.tuples(st.floats(0.5, 4), st.floats(0.5, 4), st.floats(0.2, 0.5), st.floats(0.9, 1.1)), min_size=2,
                max_size=5))
@settings(max_examples=20, deadline=None)
def test_no_seam_between_repetitions(rows):
    plan = Repeated(tuple(Timing(down, 0.3, up, hold_s=hold) for down, up, hold, _ in rows),
                    tuple(size for *_, size in rows))
    times = np.linspace(0, plan.duration_s, 60_001)
    moved = plan.size(times) * usual_height(plan.phase(times))
    speed = np.gradient(moved, times)
    acceleration = np.gradient(speed, times)[2:-2]
    assert np.abs(np.diff(speed)).max() < 5e-3 * np.abs(speed).max()
    assert np.abs(np.diff(acceleration)).max() < 0.05 * np.abs(acceleration).max()
    joins = np.cumsum([timing.duration_s for timing in plan.timings])[:-1]
    # at a join everybody stands: the phase stands still and only the size changes
    assert np.interp(joins, times, usual_height(plan.phase(times))) == pytest.approx(0.5, abs=1e-6)
    assert plan.size(np.array([0.0, plan.duration_s])) == pytest.approx([plan.sizes[0], plan.sizes[-1]])


def test_one_repetition_repeated_is_itself():
    timing = plan_tempo(usual_height, 2, 1, 2)
    plan = Repeated((timing, timing), (1.0, 1.0))
    times = timing.frames()[:-1]
    assert plan.phase(times) == pytest.approx(timing.phase(times))
    assert plan.phase(times + timing.duration_s) == pytest.approx(timing.phase(times), abs=1e-9)
    assert (plan.size(times) == 1).all() and len(plan.frames()) == int(np.ceil(2 * timing.duration_s * 60)) + 1
    assert replace(plan, sizes=(1.0, 0.9)).size(np.array([2 * timing.duration_s])) == pytest.approx(0.9)


@pytest.fixture(scope="module")
def several():
    return generate(parse_profile({
        **PERSON, "repetitions": 3, "arms": "crossed", "tempo": {"descent_s": 1.5, "pause_s": 0.4, "ascent_s": 1.2},
        "constraints": [{"variable": "knee_flexion", "max": 75, "unit": "deg"},
                        {"variable": "knee_flexion_peak", "min": 60, "unit": "deg"}]}),
        candidates=2, seed=4, device="cpu", steps=50)


def test_the_file_holds_the_repetitions_and_keeps_the_limits(several):
    accepted = [candidate for candidate in several.candidates if candidate.accepted]
    assert accepted
    assert several.report["execution"]["repetitions"] == 3 and several.report["execution"]["arms"] == "crossed"
    for candidate in accepted:
        values = candidate.motion.values
        seen = measure_repetitions(values[:, HEIGHT], np.arange(len(values)) / 60)
        assert len(seen.repetitions) == 3
        assert [one.descent_s for one in seen.repetitions] == pytest.approx([1.5] * 3, abs=0.15)
        knee = np.degrees(values[:, [COORDINATES.index(f"knee_angle_{side}") for side in "rl"]])
        assert knee.max() <= 75.01
        for one in seen.repetitions:
            assert knee[int(one.descent_start * 60): int(one.ascent_end * 60)].max(0).min() >= 59.99
        assert values[0] == pytest.approx(values[-1], abs=1e-6)
        assert sum(part["name"] == "descent" for part in candidate.playback["phases"]) == 3


def test_repetitions_differ_and_join_without_a_jump(several):
    values = next(candidate for candidate in several.candidates if candidate.accepted).motion.values
    seen = measure_repetitions(values[:, HEIGHT], np.arange(len(values)) / 60)
    durations = [one.descent_s + one.ascent_s for one in seen.repetitions]
    assert max(durations) - min(durations) > 0.01
    speed = np.diff(values, axis=0) * 60
    for before, after in zip(seen.repetitions, seen.repetitions[1:], strict=False):
        middle = int((before.ascent_end + after.descent_start) / 2 * 60)
        assert np.abs(speed[middle]).max() < 0.02
