"""Intersection laws, collisions by name, presets."""
from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.engine.limits import MODEL_LIMITS, Limit, LimitConflict, intersect
from generation.engine.presets import CONDITIONS, everybody_limits, preset_limits
from generation.engine.variables import SIDES, VARIABLES

PRESETS = Path(__file__).parents[2] / "generation" / "engine" / "presets.csv"


@st.composite
def limits(draw):
    known = VARIABLES[draw(st.sampled_from(["knee_flexion", "hip_flexion", "knee_flexion_peak", "pelvis_drop",
                                            "trunk_forward_lean", "descent_s"]))]
    low = draw(st.none() | st.integers(0, 10))
    high = draw(st.integers(11, 20) | st.none() if low is not None else st.integers(11, 20))
    side = draw(st.sampled_from(["right", "left", "both"])) if known.sided else None
    return Limit(known.name, side, low, high, draw(st.sampled_from(["", "a", "b"])), draw(st.sampled_from(["V", "E"])))


def outcome(many):
    try:
        return intersect(many)
    except LimitConflict as conflict:
        return type(conflict)


@given(st.lists(limits(), max_size=8), st.randoms())
@settings(max_examples=80, deadline=None)
def test_intersection_is_commutative_idempotent_and_tightest(many, random):
    result = outcome(many)
    shuffled = list(many)
    random.shuffle(shuffled)
    assert outcome(shuffled) == result
    assert outcome(many + many) == result
    if result is not LimitConflict:
        assert intersect(result) == result
        for limit in many:
            for side in limit.sides():
                same = [kept for kept in result if kept.variable == limit.variable and side in kept.sides()]
                assert limit.min is None or max(k.min for k in same if k.min is not None) >= limit.min
                assert limit.max is None or min(k.max for k in same if k.max is not None) <= limit.max


@pytest.mark.parametrize(("first", "second"), [
    (Limit("knee_flexion", None, None, 60), Limit("knee_flexion_peak", None, 90)),
    (Limit("knee_flexion", "left", 30), Limit("knee_flexion", None, None, 20)),
    (Limit("knee_flexion", "right", 30), Limit("knee_flexion_peak", None, None, 25)),
    (Limit("trunk_forward_lean", None, None, 15), Limit("trunk_forward_lean_peak", None, 20)),
    (Limit("thigh_inclination_peak", "right", 80), Limit("knee_flexion", "right", None, 60)),
    (Limit("repetition_s", None, 6), Limit("descent_s", None, None, 1)),
])
def test_a_collision_names_both_limits(first, second):
    more = [Limit("ascent_s", None, None, 1), Limit("pause_s", None, None, 1), *MODEL_LIMITS]
    with pytest.raises(LimitConflict) as caught:
        intersect([second, *more, first])
    assert {caught.value.first.variable, caught.value.second.variable} == {first.variable, second.variable}
    for limit in (first, second):
        assert limit.variable in str(caught.value)
        assert f"{limit.min if limit.min is not None else limit.max:g}" in str(caught.value)


def test_a_slow_knee_cannot_go_far_in_a_short_time():
    with pytest.raises(LimitConflict, match="needs at least 47 deg/s"):
        intersect([Limit("knee_flexion_speed_peak", None, None, 30), Limit("knee_flexion_peak", None, 100),
                   Limit("descent_s", None, 1.4, 1.54)])


@pytest.mark.parametrize(("first", "second"), [
    (Limit("foot_load_share_mean", "right", 60), Limit("foot_load_share_mean", "left", 45)),
    (Limit("foot_load_share", "right", None, 40), Limit("foot_load_share", "left", None, 55)),
    (Limit("foot_load_share", "left", 60), Limit("foot_load_share_mean", "left", None, 55)),
])
def test_two_feet_carry_all_the_load(first, second):
    with pytest.raises(LimitConflict) as caught:
        intersect([first, second])
    assert {caught.value.first, caught.value.second} == {first, second}


def test_sides_do_not_collide_with_each_other():
    kept = intersect([Limit("knee_flexion", "right", None, 60), Limit("knee_flexion_peak", "left", 90)])
    assert {(limit.variable, limit.side) for limit in kept} == {
        ("knee_flexion", "right"), ("knee_flexion_peak", "left")}


def test_equal_sides_are_one_limit_again():
    kept = intersect([Limit("hip_flexion", "right", None, 90), Limit("hip_flexion", "left", None, 90)])
    assert [(limit.side, limit.max) for limit in kept] == [("both", 90)]


@pytest.mark.parametrize("arguments", [
    ("nothing",), ("knee_flexion",), ("pelvis_drop", "left", 1), ("knee_flexion", "up", 1)])
def test_a_limit_must_make_sense(arguments):
    with pytest.raises(ValueError):
        Limit(*arguments)


def test_every_preset_row_is_used_or_handed_back():
    with PRESETS.open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert {row["condition"] for row in rows} == {*CONDITIONS, "ALL"}
    assert {row["use"] for row in rows} == {"limit", "reminder", "refuse", "support"}
    for row in rows:
        assert row["status"] in "VRE" and row["source"]
        everybody = row["condition"] == "ALL"
        preset = everybody_limits() if everybody else preset_limits(row["condition"], row["phase"], None)
        assert row in preset.rows
        assert preset.limits or preset.reminders or preset.refused


@pytest.mark.parametrize("name", CONDITIONS)
def test_no_condition_contradicts_itself(name):
    for phase in (*CONDITIONS[name].phases, "all"):
        preset = preset_limits(name, phase, "right" if CONDITIONS[name].sided else None)
        kept = intersect([*preset.limits, *everybody_limits().limits, *MODEL_LIMITS])
        assert all(limit.side in (None, "both", *SIDES) for limit in kept)
