"""Every cut-off from both sides, and the worked examples."""
from __future__ import annotations

import math

import pytest

from fall_risk.scores import compute
from fall_risk.scores.chair_stands import BELOW_AVERAGE
from fall_risk.scores.power import power_w
from fall_risk.scores.steadi import POINTS

WOMAN_72 = {"age_years": 72, "sex": "female", "height_m": 1.60, "mass_kg": 60}


def category(key, answers, person=None):
    found = compute(key, answers, person or {})
    return found.category if found.applies else None


@pytest.mark.parametrize(("seconds", "expected"), [(11.99, "usual"), (12, "slow"), (15, "slow"), (15.01, "very_slow"),
                                                   ("unable", "unable"), ("declined", None)])
def test_timed_up_and_go(seconds, expected):
    assert category("tug", {"tug_s": seconds}) == expected


@pytest.mark.parametrize(("seconds", "over"), [
    (11.99, [False, False, False]), (12, [True, False, False]), (13.49, [True, False, False]), (13.5, [True, True,
        False]),
    (15, [True, True, False]), (15.01, [True, True, True])])
def test_each_cut_off_of_the_timed_up_and_go(seconds, over):
    assert [line.value for line in compute("tug", {"tug_s": seconds}, {}).parts] == over


@pytest.mark.parametrize(("seconds", "over"), [
    (9.99, [False, False, False, False]), (10, [False, False, False, True]), (12, [True, False, False, True]),
    (13.6, [True, False, False, True]), (13.61, [True, False, True, True]), (15, [True, False, True, True]),
    (15.01, [True, True, True, True])])
def test_each_cut_off_of_five_times_sit_to_stand(seconds, over):
    assert [line.value for line in compute("five_chair_stands", {"fcs_s": seconds}, {}).parts] == over


@pytest.mark.parametrize(("speed", "expected"), [(0.8, "slow"), (0.81, "usual"), ("unable", "unable")])
def test_gait_speed(speed, expected):
    assert category("gait_speed", {"gait_speed_m_s": speed}) == expected


@pytest.mark.parametrize("sex", ["male", "female"])
@pytest.mark.parametrize("age", BELOW_AVERAGE)
def test_chair_stand_below_average_of_every_band(age, sex):
    limit = BELOW_AVERAGE[age][sex == "female"]
    for years in (age, age + 4.99):
        person = {"age_years": years, "sex": sex}
        assert category("chair_stand_30s", {"cst_count": limit}, person) == "average"
        assert category("chair_stand_30s", {"cst_count": limit - 1}, person) == "below_average"


def test_chair_stand_table_as_published():
    assert BELOW_AVERAGE == {60: (14, 12), 65: (12, 11), 70: (12, 10), 75: (11, 10), 80: (10, 9), 85: (8, 8), 90: (7,
        4)}


def test_chair_stand_rules():
    assert compute("chair_stand_30s", {"cst_count": 14, "cst_used_arms": True}, WOMAN_72).value == 0
    assert compute("chair_stand_30s", {"cst_count": "unable"}, WOMAN_72).value == 0
    assert compute("chair_stand_30s", {"cst_count": 0}, WOMAN_72).category == "below_average"
    assert not compute("chair_stand_30s", {"cst_count": "not_done"}, WOMAN_72).applies
    for age in (59.9, 95):
        found = compute("chair_stand_30s", {"cst_count": 9}, {"age_years": age, "sex": "male"})
        assert found.value == 9 and found.category == ""
    assert compute("chair_stand_30s", {"cst_count": 9}, {"age_years": 70}).missing == ["person.sex"]
    quartiles = compute("chair_stand_30s", {"cst_count": 12}, {"age_years": 66, "sex": "female"}).parts[1]
    assert quartiles.value == "11 to 16"


@pytest.mark.parametrize(("seconds", "expected", "points"), [
    (11.1, "usual", 4), (11.19, "usual", 4), (11.2, "usual", 3), (11.99, "usual", 3), (12, "slow", 3), (13.6, "slow",
        3),
    (13.7, "slow", 2), (15, "slow", 2), (15.01, "very_slow", 2), (16.6, "very_slow", 2), (16.7, "very_slow", 1),
    (60, "very_slow", 1), (60.1, "very_slow", 0), ("unable", "unable", 0)])
def test_five_times_sit_to_stand_and_sppb(seconds, expected, points):
    assert category("five_chair_stands", {"fcs_s": seconds}) == expected
    assert compute("sppb_chair", {"fcs_s": seconds}, {}).value == points


@pytest.mark.parametrize(("age", "norm"), [(60, 11.4), (69.9, 11.4), (70, 12.6), (80, 14.8), (89.9, 14.8)])
def test_bohannons_norms(age, norm):
    for seconds, worse in ((norm, False), (norm + 0.01, True)):
        parts = compute("five_chair_stands", {"fcs_s": seconds}, {"age_years": age}).parts
        assert parts[-1].value is worse and f"{norm:g} s" in parts[-1].label


def test_five_times_with_the_arms_counts_as_not_possible():
    assert category("five_chair_stands", {"fcs_s": 9, "fcs_used_arms": True}) == "unable"


@pytest.mark.parametrize(("answers", "expected", "level"), [
    ({"fsb_tandem_s": 10}, "not_at_risk", 3), ({"fsb_tandem_s": 9.99}, "at_risk", 0),
    ({"fsb_tandem_s": "unable", "fsb_semi_s": 10}, "at_risk", 2), ({"fsb_semi_s": 4}, "at_risk", 0),
    ({"fsb_semi_s": 10}, None, None), ({"fsb_tandem_s": 10, "fsb_one_leg_s": 10}, "not_at_risk", 4)])
def test_four_stage_balance(answers, expected, level):
    assert category("four_stage_balance", answers) == expected
    assert compute("four_stage_balance", answers, {}).value == level


@pytest.mark.parametrize(("total", "expected"), [(16, "low"), (19, "low"), (20, "moderate"), (27, "moderate"), (28,
    "high"),
                                                 (64, "high")])
def test_fes_i(total, expected):
    assert category("fes_i", {"fes_total": total}) == expected
    items = {f"fes_{n}": (total - 16) // 16 + (1 if n <= (total - 16) % 16 else 0) + 1 for n in range(1, 17)}
    assert compute("fes_i", items, {}).value == total
    assert compute("fes_i", dict(list(items.items())[:15]), {}).missing == ["fes_16"]


@pytest.mark.parametrize(("start", "systolic", "diastolic"), [("supine", 20, 10), ("seated", 15, 7)])
def test_orthostatic_hypotension(start, systolic, diastolic):
    def found(systolic_drop, diastolic_drop, when="3min"):
        answers = {"bp_start": start, "bp_rest_systolic": 140, "bp_rest_diastolic": 80}
        for each in ("1min", "3min"):
            answers |= {f"bp_{each}_systolic": 140.0, f"bp_{each}_diastolic": 80.0}
        answers |= {f"bp_{when}_systolic": 140 - systolic_drop, f"bp_{when}_diastolic": 80 - diastolic_drop}
        return category("orthostatic_hypotension", answers)

    for when in ("1min", "3min"):
        assert found(systolic, 0, when) == found(0, diastolic, when) == "present"
    assert found(systolic - 0.5, diastolic - 0.5) == "absent"
    assert found(-20, -10) == "absent"
    half = {"bp_start": start, "bp_rest_systolic": 140, "bp_1min_systolic": 139}
    assert category("orthostatic_hypotension", half) is None                     # no drop yet, but not all readings
    assert category("orthostatic_hypotension", {**half, "bp_1min_systolic": 140 - systolic}) == "present"


def test_power_worked_by_hand():
    # 80 kg, 1.70 m, seat 0.43 m, 15 stands in 30 s: 0.9 x 80 x 9.81 x 0.42 m / 1 s
    assert power_w(80, 1.70, 0.43, 15, 30) == pytest.approx(296.6544)
    assert power_w(80, 1.70, 0.43, 5, 10) == pytest.approx(296.6544)             # the same pace, five times
    person = {"sex": "male", "height_m": 1.70, "mass_kg": 80}
    found = compute("power_30s", {"cst_count": 15, "cst_seat_m": 0.43}, person)
    assert found.value == pytest.approx(296.6544 / 80, abs=1e-4) and found.category == "not_low"
    assert compute("power_30s", {"cst_count": 0, "cst_seat_m": 0.43}, person).value == 0


@pytest.mark.parametrize(("key", "sex", "limit"), [("power_30s", "female", 2.01), ("power_30s", "male", 2.53),
                                                   ("power_5", "female", 2.1), ("power_5", "male", 2.6)])
def test_low_power_from_both_sides(key, sex, limit):
    person = {"sex": sex, "mass_kg": 70}
    answers = {"cst_count": 12, "cst_seat_m": 0.43, "fcs_s": 12.5, "fcs_seat_m": 0.43}   # both: 1.25 s a rise
    rise = limit * 1.25 / (0.9 * 9.81)
    for extra, expected in ((1e-4, "not_low"), (-1e-4, "low")):
        assert category(key, answers, {**person, "height_m": 2 * (0.43 + rise + extra)}) == expected


def test_power_says_what_it_lacks():
    assert compute("power_5", {"fcs_s": 12}, {"sex": "male"}).missing == ["fcs_seat_m", "person.height_m",
        "person.mass_kg"]
    flat = compute("power_5", {"fcs_s": 12, "fcs_seat_m": 0.6}, {"height_m": 1.2, "mass_kg": 50})
    assert not flat.applies and "no rise" in flat.why_not
    assert not compute("power_5", {"fcs_s": 12, "fcs_used_arms": True, "fcs_seat_m": 0.4}, WOMAN_72).applies


def test_stay_independent():
    none = dict.fromkeys(POINTS, False)
    assert sum(POINTS.values()) == 14 and POINTS["si_fallen"] == POINTS["si_aid"] == 2
    assert compute("stay_independent", dict.fromkeys(POINTS, True), {}).value == 14
    assert category("stay_independent", {**none, "si_fallen": True, "si_sad": True}) == "not_at_risk"         # 3
    assert category("stay_independent", {**none, "si_fallen": True, "si_aid": True}) == "at_risk"             # 4
    early = compute("stay_independent", {"si_fallen": True, "si_aid": True}, {})
    assert early.category == "at_risk" and early.value is None                    # decided, but no total yet
    assert not compute("stay_independent", {"si_fallen": False}, {}).applies
    assert category("stay_independent", {key: False for key in list(POINTS)[:9]}) == "not_at_risk"    # 3 could follow


def test_steadi_path():
    no = {"kq_fallen": False, "kq_unsteady": False, "kq_worried": False}
    assert category("steadi", {}) is None
    assert category("steadi", {"kq_fallen": False}) is None
    assert category("steadi", no, WOMAN_72) == "not_at_risk"
    yes = {**no, "kq_worried": True}
    assert category("steadi", yes, WOMAN_72) == "at_risk_tests_open"
    well = {**yes, "tug_s": 11.9, "cst_count": 10, "fsb_tandem_s": 10}
    assert category("steadi", well, WOMAN_72) == "at_risk_unimpaired"
    for worse in ({"tug_s": 12}, {"cst_count": 9}, {"fsb_tandem_s": 9.9}, {"cst_used_arms": True}, {"tug_s": "unable"}):
        assert category("steadi", {**well, **worse}, WOMAN_72) == "at_risk_impaired", worse
    assert category("steadi", {**dict.fromkeys(POINTS, False), "si_fallen": True,
                               "si_aid": True}) == "at_risk_tests_open"


def test_post_test_probability_of_one_test():
    old = {"age_years": 70}
    assert compute("post_test_probability", {"fcs_s": 12}, old).value == pytest.approx(0.41)
    assert compute("post_test_probability", {"fcs_s": 11.9}, old).value == pytest.approx(0.20)
    odds = 0.3 / 0.7 * 0.31 / 0.26
    assert compute("post_test_probability", {"tug_s": 13.5}, old).value == pytest.approx(odds / (1 + odds), abs=1e-5)
    # both tests there: one is used, the best documented
    assert compute("post_test_probability", {"fcs_s": 12, "tug_s": 20}, old).value == pytest.approx(0.41)
    # Berg as recalled: 59 % and 23 %
    assert compute("post_test_probability", {"berg_total": 50}, old).value == pytest.approx(0.59, abs=0.005)
    assert compute("post_test_probability", {"berg_total": 51}, old).value == pytest.approx(0.23, abs=0.005)
    assert not compute("post_test_probability", {"fcs_s": 12}, {"age_years": 64.9}).applies
    assert not compute("post_test_probability", {}, old).applies


def test_medication():
    asked = dict.fromkeys(("med_antidepressant", "med_benzodiazepine", "med_antipsychotic", "med_opioid",
                           "med_antiepileptic"), False)
    assert not compute("medication", {"med_opioid": False}, {}).applies
    assert compute("medication", asked, {}).category == "none"
    found = compute("medication", {**asked, "med_antidepressant": True, "med_antidepressant_kind": "ssri",
                                   "med_count": 5}, {})
    assert found.value == 1 and [line.contribution for line in found.parts] == [1.57, 2.02, 1.75]
    assert len(compute("medication", {**asked, "med_count": 4}, {}).parts) == 0
    unproven = compute("medication", {**asked, "med_nsaid": True}, {})
    assert unproven.category == "none" and "not counted" in unproven.parts[0].label


@pytest.mark.parametrize(("total", "expected"), [(18, "high"), (19, "moderate"), (24, "moderate"), (25, "low")])
def test_poma(total, expected):
    assert category("poma", {"poma_total": total}) == expected


def test_morse_is_for_inpatients():
    items = {"morse_history": "0", "morse_diagnosis": "0", "morse_aid": "0", "morse_infusion": "0", "morse_gait": "0",
             "morse_mental": "0"}
    inside = {**items, "morse_inpatient": True}
    assert not compute("morse", items, {}).applies
    assert not compute("morse", {**items, "morse_inpatient": False}, {}).applies
    assert category("morse", {**inside, "morse_infusion": "20"}) == "low"
    assert category("morse", {**inside, "morse_history": "25"}) == "moderate"
    assert category("morse", {**inside, "morse_history": "25", "morse_infusion": "20"}) == "moderate"      # 45
    assert category("morse", {**inside, "morse_history": "25", "morse_infusion": "20", "morse_gait": "10"}) == "high"


def test_berg_has_no_category():
    found = compute("berg", {"berg_total": 45}, {})
    assert found.applies and found.category == "" and found.value == 45 and math.isfinite(found.value)
