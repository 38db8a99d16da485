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
    phase = draw(st.sampled_from(["", "", *known.phases]))
    weight = draw(st.sampled_from([None, None, 0.5, 2.0]))
    return Limit(known.name, side, low, high, draw(st.sampled_from(["", "a", "b"])), draw(st.sampled_from(["V", "E"])),
                 phase=phase, weight=weight)


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
    if result is LimitConflict:
        return
    assert intersect(result) == result
    hard = [kept for kept in result if kept.hard]
    for limit in (limit for limit in many if limit.hard):
        for side in limit.sides():
            # in its phase, the tightest of what holds there: its own, and the whole repetition's where that implies it
            same = [kept for kept in hard if kept.variable == limit.variable and side in kept.sides()
                    and kept.phase in ("", limit.phase)]
            assert limit.min is None or max(k.min for k in same if k.min is not None) >= limit.min
            assert limit.max is None or min(k.max for k in same if k.max is not None) <= limit.max


@given(st.lists(limits(), max_size=6))
@settings(max_examples=60, deadline=None)
def test_goals_change_no_hard_limit_and_give_way_to_them(many):
    hard = tuple(limit for limit in many if limit.hard)
    result = outcome(many)
    assert result == LimitConflict if outcome(hard) is LimitConflict else \
        tuple(kept for kept in result if kept.hard) == outcome(hard)
    for goal in (kept for kept in (() if result is LimitConflict else result) if not kept.hard):
        for bound in (goal.min, goal.max):
            for limit in (limit for limit in hard if limit.variable == goal.variable and limit.phase == goal.phase):
                if bound is not None and set(limit.sides()) & set(goal.sides()):
                    assert limit.max is None or bound <= limit.max
                    assert limit.min is None or bound >= limit.min


@pytest.mark.parametrize(("first", "second"), [
    (Limit("knee_flexion", "left", 30), Limit("knee_flexion", "left", None, 20, phase="bottom")),
    (Limit("knee_flexion", "left", None, 40), Limit("knee_flexion", "left", 50, phase="bottom")),
    (Limit("knee_flexion", "left", None, 40, phase="descent"), Limit("knee_flexion_peak", "left", 50, phase="descent")),
    (Limit("com_speed_peak", None, None, 0.3), Limit("com_speed_peak", None, 0.4, phase="ascent")),
    (Limit("seat_height", None, 45), Limit("seat_height", None, None, 40, phase="bottom")),
    (Limit("foot_load_share_mean", "right", 60, phase="ascent"), Limit("foot_load_share_mean", "left", 45)),
])
def test_what_the_whole_repetition_implies_collides_with_a_phase(first, second):
    if first.variable == "foot_load_share_mean":          # a mean over the whole says nothing about one phase
        assert len(intersect([first, second])) == 2
        return
    for pair in ([first, second], [second, first]):
        with pytest.raises(LimitConflict) as caught:
            intersect(pair)
        assert {caught.value.first, caught.value.second} == {first, second}
    assert ("in the " in str(caught.value)) or ("at the bottom" in str(caught.value))


def test_phases_do_not_collide_with_each_other_nor_with_a_peak_of_the_whole():
    limits = [Limit("knee_flexion", "both", None, 40, phase="descent"),
              Limit("knee_flexion", "both", 50, phase="bottom"), Limit("trunk_forward_lean_speed_peak", None, 40),
              Limit("trunk_forward_lean_speed_peak", None, None, 30, phase="ascent")]
    assert set(intersect(limits)) == set(limits)


def test_a_phase_bound_that_the_whole_implies_is_left_out():
    kept = intersect([Limit("hip_flexion", None, None, 80), Limit("hip_flexion", None, None, 90, phase="ascent")])
    assert [(limit.phase, limit.max) for limit in kept] == [("", 80)]


def test_a_goal_of_depth_gives_way_to_the_joint_s_range():
    (goal,) = [kept for kept in intersect([Limit("knee_flexion", "right", None, 60),
                                           Limit("knee_flexion_peak", None, 80, weight=1.0)])
               if kept.variable == "knee_flexion_peak" and kept.side == "right"]
    assert (goal.min, goal.weight) == (60, 1.0)


@pytest.mark.parametrize("more", [{"phase": "stand"}, {"weight": 0.0}, {"weight": -1.0}, {"weight": 11.0},
                                  {"weight": float("nan")}])
def test_a_phase_and_a_weight_must_make_sense(more):
    with pytest.raises(ValueError):
        Limit("knee_flexion", None, None, 60, **more)
    with pytest.raises(ValueError, match="has no phase"):
        Limit("pelvis_drop", None, None, 60, phase="descent")


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


@pytest.mark.parametrize(("condition", "week", "phases"), [
    ("ACLR_isolated", 0, ["wk 0-2"]), ("ACLR_isolated", 2, ["wk 2-4"]), ("ACLR_isolated", 15, ["wk 6-16"]),
    ("ACLR_isolated", 16, []), ("TKA", 5, []), ("TKA", 300, ["wk 6+ strengthening"]),
    ("THA_posterior", 3, ["wk 0-4"]), ("THA_posterior", 4, ["wk 0-6..12"]),          # the narrower, then the wider
    ("meniscus_repair", 5, ["wk 4-6", "wk 5-8"]), ("Achilles_repair", 11, ["wk 10"]), ("PFP", 3, []),
])
def test_the_weeks_since_surgery_say_the_phase(condition, week, phases):
    assert list(CONDITIONS[condition].phases_at(week)) == phases


def test_rows_that_used_to_be_read_only_are_asked_for():
    frail = preset_limits("frail_elderly")
    assert frail.support and {limit.variable for limit in frail.limits} == {
        "seat_height", "margin_of_stability", "knee_extension_demand_peak"}
    (share,) = [limit for limit in preset_limits("knee_OA", None, "left").limits
                if limit.variable == "foot_load_share_mean"]
    assert (share.min, share.max, share.weight, share.status) == (45, 55, 1.0, "E")
    (window,) = preset_limits("quad_strengthening", "low activation", "right").limits
    assert (window.variable, window.min, window.max, window.status, window.hard) == (
        "vasmed_activation_peak", 15, 25, "V", True)
