"""What a clinician may ask beyond a bound: parts of the squat, goals, the arms, repetitions, a phase from the date."""
from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from clinic.errors import ServiceError
from generation.engine.limits import MODEL_LIMITS, intersect
from generation.engine.profile import parse_profile
from generation.engine.variables import VARIABLES
from patients import forms, rules, selectors, services
from patients.models import ArmPosture, ExecutionEvent, MovementLimitEvent
from tests.world import Side


def browser_of(side: Side) -> Client:
    browser = Client()
    browser.force_login(side.clinician)
    return browser


def add(own: Side, **changed):
    asked = {"variable": "trunk_forward_lean", "side": "", "minimum": None, "maximum": 20.0, "phase": "ascent",
             "weight": 3.0}
    return services.movement_limit_add(actor=own.clinician, patient=own.record.patient, **asked | changed)


def test_a_goal_in_one_part_reaches_the_engine_and_the_page(side: Side):
    limit = add(side)
    assert limit.is_goal and not limit.is_preset
    profile = parse_profile(selectors.patient_profile(side.record.patient))
    (asked,) = [one for one in profile.limits() if one.variable == "trunk_forward_lean"]
    assert (asked.phase, asked.weight, asked.max) == ("ascent", 3.0, 20.0)
    text = browser_of(side).get(f"/patients/{side.record.patient.pk}/").content.decode()
    assert "Goal, important" in text and "On the way up" in text


def test_a_goal_collides_with_nothing_and_a_hard_limit_in_one_part_does(side: Side):
    patient = side.record.patient
    goal = add(side, variable="knee_flexion", side="left", minimum=90.0, maximum=None, phase="bottom", weight=1.0)
    assert selectors.patient_overview(user=side.clinician, patient=patient).collision is None
    services.movement_limit_change(actor=side.clinician, limit=goal, minimum=90.0, maximum=None, weight=None)
    collision = selectors.patient_overview(user=side.clinician, patient=patient).collision
    assert set(collision.rows) == {goal, side.record.limit} and "at the bottom" in collision.message


def test_making_a_goal_of_a_protocol_s_limit_needs_a_reason_and_is_kept(side: Side):
    limit = side.record.limit
    common = {"actor": side.clinician, "limit": limit, "minimum": 0, "maximum": 60}
    with pytest.raises(ServiceError) as error:
        services.movement_limit_change(**common, weight=3.0)
    assert error.value.errors[0].field == "reason"
    services.movement_limit_change(**common, weight=3.0, reason="Not in pain any more.")
    limit.refresh_from_db()
    assert limit.is_changed and limit.preset_weight is None
    event = MovementLimitEvent.objects.filter(pgh_obj_id=limit.pk).latest("pgh_id")
    assert event.weight == 3.0 and event.pgh_context.metadata["reason"] == "Not in pain any more."
    (asked,) = [c for c in selectors.patient_profile(side.record.patient)["constraints"]
                if c["variable"] == "knee_flexion"]
    assert asked["weight"] == 3.0 and "Not in pain any more." in asked["source"] and asked["origin"] == "clinician"


@pytest.mark.parametrize(("changed", "field"), [
    ({"phase": "stand"}, "phase"), ({"variable": "pelvis_drop"}, "phase"), ({"weight": 0.0}, "weight"),
    ({"weight": -1.0}, "weight"), ({"weight": 11.0}, "weight"), ({"weight": float("nan")}, "weight"),
    ({"variable": "descent_s", "maximum": 2.0}, "phase"),
])
def test_what_makes_no_sense_is_refused_by_field(side: Side, changed: dict, field: str):
    with pytest.raises(ServiceError) as error:
        add(side, **changed)
    assert error.value.errors[0].field == field


def test_the_form_offers_the_parts_of_the_variable_and_keeps_what_was_typed(side: Side):
    browser, address = browser_of(side), f"/patients/{side.record.patient.pk}/limits/new/"
    assert 'value="bottom"' in browser.get(address, {"variable": "knee_flexion"}).content.decode()
    smooth = browser.get(address, {"variable": "sparc"}).content.decode()
    assert 'value="descent"' in smooth and 'value="bottom"' not in smooth
    assert 'value="descent"' not in browser.get(address, {"variable": "pelvis_drop"}).content.decode()
    typed = {"variable": "vasmed_activation_peak", "side": "left", "phase": "ascent", "minimum": "20", "maximum": "",
             "weight": "0.3", "reason": ""}
    for wrong in ({"phase": "sideways"}, {"weight": "heavy"}, {"minimum": "500"}, {"side": ""}):
        refused = browser.post(address, {**typed, **wrong})
        assert refused.status_code == 422 and "aria-invalid" in refused.content.decode()
    assert browser.post(address, typed).status_code == 302
    row = side.record.patient.movementlimits.get(variable="vasmed_activation_peak")
    assert (row.phase, row.weight, row.minimum) == ("ascent", 0.3, 20.0)
    shown = browser.get(f"/limits/{row.pk}/").content.decode()
    assert "Goal, nice to have" in shown and "on the way up" in shown


def test_every_variable_stands_in_one_group_of_the_list():
    form = forms.LimitForm(variable="knee_flexion")
    offered = [name for _, group in form.fields["variable"].choices[1:] for name, _ in group]
    assert sorted(offered) == sorted(VARIABLES)
    kept = forms.LimitBoundsForm(initial={"weight": 2.0})       # set through the API
    assert ("2", "Goal of weight 2") in kept.fields["weight"].choices


def test_arms_and_repetitions_are_kept_with_their_history_and_reach_the_engine(side: Side):
    browser, patient = browser_of(side), side.record.patient
    address = f"/patients/{patient.pk}/execution/"
    for wrong in ({"arms": "folded", "repetitions": "3"}, {"arms": "sides", "repetitions": "0"},
                  {"arms": "sides", "repetitions": "13"}, {"arms": "sides", "repetitions": "many"}):
        refused = browser.post(address, wrong)
        assert refused.status_code == 422 and "aria-invalid" in refused.content.decode()
    assert browser.post(address, {"arms": "crossed", "repetitions": "4"}).status_code == 302
    profile = parse_profile(selectors.patient_profile(patient))
    assert (profile.arm_posture(), profile.repetitions) == ("crossed", 4)
    assert browser.post(address, {"arms": "", "repetitions": "1"}).status_code == 302
    assert ExecutionEvent.objects.filter(pgh_obj_id=patient.pk).count() >= 2
    assert "arms" not in selectors.patient_profile(patient)
    with pytest.raises(ValidationError):
        services.execution_set(actor=side.clinician, patient=patient, arms="", repetitions=0)


def test_a_protocol_s_support_holds_until_the_clinician_chooses(side: Side):
    patient, actor = side.record.patient, side.clinician
    services.condition_record(actor=actor, patient=patient, name="frail_elderly", phase="", side="", onset_on=None)
    assert parse_profile(selectors.patient_profile(patient)).arm_posture() == "support"
    text = browser_of(side).get(f"/patients/{patient.pk}/").content.decode()
    assert "Hands on a support in front" in text and "A support for Frailty in older age" in text
    services.execution_set(actor=actor, patient=patient, arms=ArmPosture.SIDES, repetitions=2)
    assert parse_profile(selectors.patient_profile(patient)).arm_posture() == "sides"
    asked = parse_profile(selectors.patient_profile(patient)).limits()
    assert any(limit.variable == "seat_height" for limit in intersect([*asked, *MODEL_LIMITS]))
    goals = [limit for limit in asked if not limit.hard]
    assert [(goal.variable, goal.max) for goal in goals] == [("knee_extension_demand_peak", 80.0)]


def test_the_phase_follows_the_date_and_the_page_says_when_it_is_over(side: Side):
    patient, actor, today = side.record.patient, side.clinician, timezone.localdate()

    def record(weeks: int):
        return services.condition_record(actor=actor, patient=patient, name="TKA", phase="", side="right",
                                         onset_on=today - timedelta(weeks=weeks))

    with pytest.raises(ServiceError, match="Week 5 is in no phase") as error:
        record(5)
    assert error.value.errors[0].field == "phase"
    condition = record(3)
    assert condition.phase == "wk 2-4" and not condition.phases_due
    services.condition_update(actor=actor, condition=condition, phase="wk 2-4", side="right",
                              onset_on=today - timedelta(weeks=9))
    assert condition.phases_due == rules.phase_words("wk 6+ strengthening").lower()
    assert "By the date: from week 6" in browser_of(side).get(f"/patients/{patient.pk}/").content.decode()
    address = f"/patients/{patient.pk}/conditions/new/"
    text = browser_of(side).get(address, {
        "name": "meniscus_repair", "side": "left", "onset_on": str(today - timedelta(weeks=5))}).content.decode()
    assert "Week 5 is in weeks 4 to 6 and in weeks 5 to 8" in text
    for strange in ("yesterday", "9999-12-31", "", "0000-00-00"):
        assert browser_of(side).get(address, {"name": "TKA", "onset_on": strange}).status_code == 200


def test_the_api_takes_and_gives_parts_weights_arms_and_weeks(side: Side):
    browser, patient = browser_of(side), side.record.patient
    base, json = f"/api/v1/patients/{patient.pk}/", {"content_type": "application/json"}
    made = browser.post(f"{base}limits/", {"variable": "hip_flexion", "side": "both", "maximum": 80, "phase": "bottom",
                                           "weight": 2}, **json)
    assert made.status_code == 201 and (made.json()["phase"], made.json()["weight"]) == ("bottom", 2.0)
    for wrong, field in (({"phase": "middle"}, "phase"), ({"weight": "much"}, "weight"), ({"weight": 99}, "weight")):
        asked = {"variable": "hip_flexion", "side": "both", "maximum": 80, **wrong}
        refused = browser.post(f"{base}limits/", asked, **json)
        assert refused.status_code in (400, 422) and field in refused.content.decode()
    assert browser.get(f"{base}execution/").json() == {"arms": "", "repetitions": 1}
    assert browser.put(f"{base}execution/", {"arms": "sides", "repetitions": 6}, **json).json()["repetitions"] == 6
    for wrong in ({"arms": "up", "repetitions": 1}, {"arms": "sides", "repetitions": 99}, {"repetitions": None}):
        assert browser.put(f"{base}execution/", wrong, **json).status_code in (400, 422)
    found = browser.get("/api/v1/catalogue/conditions/?page_size=100").json()["results"]
    kinds = {kind["name"]: kind for kind in found}
    assert kinds["TKA"]["weeks"]["wk 6+ strengthening"] == [6, None]
    preset = browser.get("/api/v1/catalogue/presets/frail_elderly/").json()
    assert preset["support"] and {limit["weight"] for limit in preset["limits"]} == {None, 1.0}
