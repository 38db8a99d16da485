"""The path of the World Falls Guidelines: the whole truth table, missing answers, variants."""
from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings

from fall_risk.scores import compute
from tests.fall_risk.scores.strategies import ANSWERS

CALM = {"fall_injury": False, "fall_long_lie": False, "fall_consciousness": False, "frailty": False}
ORDER = ["low", "intermediate", "high"]
OLD = {"age_years": 75}


def category(answers, key="world_guidelines"):
    found = compute(key, answers, OLD)
    return found.category if found.applies else None


@pytest.mark.parametrize(("count", "severe", "tug"), list(itertools.product((0, 1, 2), (None, *CALM), (12, 15, 15.1))))
def test_every_path(count, severe, tug):
    answers = {"falls_12m": count, **CALM, "tug_s": tug}
    if severe:
        answers[severe] = True
    fell = count > 0 or severe in ("fall_injury", "fall_long_lie", "fall_consciousness")
    expected = "low" if not fell else "high" if count >= 2 or severe else "intermediate" if tug > 15 else "low"
    assert category(answers) == expected


@pytest.mark.parametrize(("mobility", "expected"), [
    ({"gait_speed_m_s": 0.8}, "intermediate"), ({"gait_speed_m_s": 0.81}, "low"), ({"tug_s": 15}, "low"),
    ({"tug_s": 15.01}, "intermediate"), ({"tug_s": "unable"}, "intermediate"),
    ({"tug_s": 14, "gait_speed_m_s": 0.7}, "intermediate"), ({}, None), ({"tug_s": "declined"}, None)])
def test_mobility_by_either_test(mobility, expected):
    assert category({"falls_12m": 1, **CALM, **mobility}) == expected


def test_no_is_only_taken_from_an_answer():
    assert category({}) is None
    assert category({"falls_12m": "not_done"}) is None
    assert category({"tq_fallen_6m": False}) is None           # says nothing about months 7 to 12
    assert category({"falls_12m": 0}) == "low"
    assert category({"kq_fallen": False}) == "low"
    assert category({"falls_12m": 1, "frailty": True}) == "high"                # one severity factor is enough
    found = compute("world_guidelines", {"falls_12m": 1, "tug_s": 20}, OLD)
    assert not found.applies and "intermediate risk or high risk" in found.why_not
    assert found.missing == ["fall_injury", "fall_long_lie", "fall_consciousness", "frailty"]
    assert category({"kq_fallen": True, **CALM, "tug_s": 20}) is None           # perhaps two falls
    assert category({"falls_12m": 0, "kq_fallen": True, **CALM, "tug_s": 20}) is None
    assert any("disagree" in line for line in compute("world_guidelines", {"falls_12m": 0, "si_fallen": True},
                                                      OLD).limits)


def test_the_path_is_told():
    found = compute("world_guidelines", {"falls_12m": 1, **CALM, "tug_s": 16}, OLD)
    assert [line.rsplit(" ", 1)[1] for line in found.path] == ["yes.", "no.", "yes."]
    assert not any("65" in line for line in found.limits)
    assert any("65" in line for line in compute("world_guidelines", {"falls_12m": 0}, {"age_years": 50}).limits)


def test_entry_by_three_key_questions_is_wider():
    unsteady = {"falls_12m": 0, "kq_unsteady": True, "kq_worried": False, "frailty": False, "tug_s": 16}
    assert category(unsteady) == "low"
    assert category(unsteady, "world_guidelines_3kq") == "intermediate"
    assert category({**unsteady, "frailty": True}, "world_guidelines_3kq") == "high"
    assert category({"falls_12m": 0, "kq_unsteady": False}, "world_guidelines_3kq") is None
    assert category({"falls_12m": 0, "kq_unsteady": False, "kq_worried": False}, "world_guidelines_3kq") == "low"


@pytest.mark.parametrize(("tug", "expected"), [(10, "low"), (10.1, "intermediate"), ("unable", "intermediate"), (None,
    None)])
def test_australian_proposal(tug, expected):
    assert category({"falls_12m": 0, "tug_s": tug}, "world_guidelines_australia") == expected


def test_australian_proposal_keeps_high():
    assert category({"falls_12m": 2}, "world_guidelines_australia") == "high"
    assert "not the guideline" in compute("world_guidelines_australia", {"falls_12m": 2}, OLD).limits[-1]


@settings(max_examples=30, deadline=None)
@given(ANSWERS)
def test_a_yes_never_lowers_the_category(answers):
    for key in ("world_guidelines", "world_guidelines_3kq", "world_guidelines_australia"):
        before = category(answers, key)
        for field in ("fall_injury", "frailty", "fall_consciousness", "fall_long_lie", "kq_fallen"):
            after = category({**answers, field: True}, key)
            if before and after:
                assert ORDER.index(after) >= ORDER.index(before), (key, field)
