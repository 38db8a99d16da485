"""When to look again, and what could be changed."""
from __future__ import annotations

from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings

from fall_risk.scores import modifiable_factors, reassessment
from tests.fall_risk.scores.strategies import ALL_ANSWERS, PERSONS

DAY = date(2026, 11, 20)
WOMAN = {"age_years": 72, "sex": "female", "height_m": 1.60, "mass_kg": 60}


def test_the_higher_the_sooner_and_every_rule_has_a_status():
    dates = [reassessment(category, DAY) for category in ("low", "intermediate", "high", "")]
    assert [again.due_on for again in dates] == sorted((again.due_on for again in dates), reverse=True)
    assert [(again.days, again.status) for again in dates] == [(365, "R"), (182, "E"), (90, "R"), (30, "E")]
    assert reassessment("low", DAY).due_on == date(2027, 11, 20)
    with pytest.raises(KeyError):
        reassessment("enormous", DAY)


@pytest.mark.parametrize(("answers", "key"), [
    ({"med_opioid": True}, "medication"), ({"med_count": 5}, "medication"), ({"cst_count": 9}, "strength"),
    ({"fcs_s": 12}, "strength"), ({"tug_s": 12}, "balance"), ({"fsb_tandem_s": 9}, "balance"),
    ({"bp_start": "supine", "bp_rest_systolic": 140, "bp_1min_systolic": 120}, "blood_pressure"),
    ({"dizziness": True}, "dizziness"), ({"vision_checked": False}, "vision"), ({"footwear_unsafe": True}, "feet"),
    ({"home_hazards": True}, "home"), ({"si_toilet": True}, "continence"), ({"fes_total": 20}, "concern"),
    ({"si_sad": True}, "mood"), ({"cognition": True}, "cognition"), ({"inactive": True}, "activity"),
    ({"alcohol": True}, "alcohol"), ({"fall_consciousness": True}, "fainting")])
def test_each_factor_is_listed_with_what_triggered_it(answers, key):
    found = modifiable_factors(answers, WOMAN)
    assert [factor.key for factor in found] == [key]
    assert found[0].triggers and found[0].action and found[0].status in {"V", "R", "E"}


@pytest.mark.parametrize("answers", [
    {}, {"med_opioid": False, "med_count": 4}, {"cst_count": 10}, {"fcs_s": 11.9}, {"tug_s": 11.9},
    {"vision_checked": True},
    {"vision_checked": "not_done"}, {"dizziness": "declined"}, {"fes_total": 19}])
def test_nothing_is_listed_without_a_reason(answers):
    assert modifiable_factors(answers, WOMAN) == []


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large,
                                                                HealthCheck.filter_too_much])
@given(ALL_ANSWERS, PERSONS)
def test_one_more_yes_never_takes_a_factor_away(answers, person):
    before = {factor.key for factor in modifiable_factors(answers, person)}
    after = {factor.key for factor in modifiable_factors({**answers, "dizziness": True, "med_opioid": True}, person)}
    assert before <= after and {"dizziness", "medication"} <= after
