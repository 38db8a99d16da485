"""The record: presets become editable limits, collisions are seen, every change is kept with its reason."""
from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.errors import ServiceError
from generation.engine.profile import STRENGTH_GROUPS, ProfileError, parse_profile
from generation.services import generation_request_create
from patients import rules, selectors, services
from patients.models import MovementLimitEvent, MuscleGroup
from tests.world import Side, World, make_patient


def test_a_condition_brings_its_preset_with_source_and_status(side: Side):
    limit = side.record.limit
    assert (limit.variable, limit.side, limit.maximum, limit.unit, limit.status) == (
        "knee_flexion", "left", 60.0, "deg", "V")
    assert limit.source and limit.preset_maximum == 60.0 and not limit.is_changed


def test_tightening_is_free_and_loosening_needs_a_reason(side: Side):
    limit, actor = side.record.limit, side.clinician
    services.movement_limit_change(actor=actor, limit=limit, minimum=0, maximum=45)
    with pytest.raises(ServiceError) as error:
        services.movement_limit_change(actor=actor, limit=limit, minimum=0, maximum=80)
    assert error.value.errors[0].field == "reason"
    with pytest.raises(ServiceError):
        services.movement_limit_change(actor=actor, limit=limit, minimum=None, maximum=None)
    changed = services.movement_limit_change(
        actor=actor, limit=limit, minimum=0, maximum=80, reason="Surgeon allows 80."
    )
    assert changed.is_changed and changed.preset_maximum == 60
    event = MovementLimitEvent.objects.filter(pgh_obj_id=limit.pk).latest("pgh_id")
    assert event.pgh_context.metadata["reason"] == "Surgeon allows 80."
    asked = parse_profile(selectors.patient_profile(side.record.patient))
    (constraint,) = [c for c in asked.constraints if c.variable == "knee_flexion"]
    assert constraint.max == 80 and constraint.status == "" and "Surgeon allows 80." in constraint.source
    assert "60" in constraint.source        # what the protocol said goes along


def test_a_protocol_limit_leaves_only_with_a_reason_and_stays_visible(side: Side):
    with pytest.raises(ServiceError):
        services.movement_limit_remove(actor=side.clinician, limit=side.record.limit)
    services.movement_limit_remove(actor=side.clinician, limit=side.record.limit, reason="Brace allows it.")
    patient = side.record.patient
    assert side.record.limit not in selectors.movement_limits_kept(patient)
    assert side.record.limit in selectors.movement_limits_removed(patient)
    with pytest.raises(ServiceError) as error:
        services.movement_limit_change(actor=side.clinician, limit=side.record.limit, minimum=None, maximum=10)
    assert error.value.status == 409


def test_a_new_phase_replaces_the_limits_of_the_old(side: Side):
    condition = side.record.condition
    services.condition_update(
        actor=side.clinician, condition=condition, phase="wk 2-4", side="left", onset_on=condition.onset_on
    )
    (limit,) = [x for x in selectors.movement_limits_kept(side.record.patient) if x.variable == "knee_flexion"]
    assert limit.maximum == 30 and limit.pk != side.record.limit.pk
    services.condition_resolve(actor=side.clinician, condition=condition)
    assert selectors.movement_limits_kept(side.record.patient) == []
    with pytest.raises(ServiceError):
        services.condition_resolve(actor=side.clinician, condition=condition)


def test_a_phase_without_squats_refuses_to_generate(side: Side):
    services.condition_update(
        actor=side.clinician, condition=side.record.condition, phase="wk 0-2", side="left", onset_on=None
    )
    with pytest.raises(ProfileError, match="[Nn]o squat"):
        selectors.profile_checked(side.record.patient)
    with pytest.raises(ServiceError):
        generation_request_create(actor=side.clinician, patient=side.record.patient, seed=0, candidate_count=2)


def test_collisions_name_the_two_rows_and_queue_nothing(side: Side):
    patient = side.record.patient
    wanted = services.movement_limit_add(
        actor=side.clinician, patient=patient, variable="knee_flexion_peak", side="left", minimum=90, maximum=None
    )
    overview = selectors.patient_overview(user=side.clinician, patient=patient)
    assert set(overview.collision.rows) == {wanted, side.record.limit}
    before = patient.generation_requests.count()
    with pytest.raises(ServiceError) as error:
        generation_request_create(actor=side.clinician, patient=patient, seed=0, candidate_count=2)
    message = str(error.value)
    assert "Depth: greatest knee bend, left: at least 90°" in message and "cannot both hold" in message
    assert "knee_flexion" not in message, "the clinician reads the names of the pages"
    assert patient.generation_requests.count() == before
    browser = Client()
    browser.force_login(side.clinician)
    assert "contradict each other" in browser.get(f"/patients/{patient.pk}/").content.decode()
    refused = browser.post(f"/patients/{patient.pk}/generate/", {"seed": 5, "candidate_count": 7})
    assert refused.status_code == 422 and 'value="7"' in refused.content.decode()


def test_measured_ranges_become_limits_and_the_newest_side_counts(side: Side):
    today = timezone.localdate()
    common = {"actor": side.clinician, "patient": side.record.patient, "movement": "ankle_dorsiflexion"}
    services.range_of_motion_record(
        **common, side="both", minimum_deg=None, maximum_deg=20, measured_on=today - timedelta(days=9)
    )
    services.range_of_motion_record(**common, side="left", minimum_deg=None, maximum_deg=12, measured_on=today)
    asked = selectors.patient_profile(side.record.patient)["range_of_motion_deg"]
    assert asked["ankle_dorsiflexion_left"]["max"] == 12 and asked["ankle_dorsiflexion_right"]["max"] == 20


@pytest.mark.parametrize(("field", "values"), [
    ("height_m", {"height_m": 3.0, "mass_kg": 70}),
    ("mass_kg", {"height_m": 1.7, "mass_kg": 5}),
    ("height_m", {"height_m": float("nan"), "mass_kg": 70}),
    ("mass_kg", {"height_m": 1.7, "mass_kg": float("inf")}),
])
def test_impossible_bodies_are_refused(side: Side, field: str, values: dict):
    with pytest.raises(ValidationError) as error:
        services.body_measurement_record(
            actor=side.clinician, patient=side.record.patient, measured_on=timezone.localdate(), **values
        )
    assert field in error.value.message_dict


def test_dates_must_make_sense(side: Side):
    tomorrow = timezone.localdate() + timedelta(days=1)
    with pytest.raises(ServiceError, match="future"):
        services.body_measurement_record(
            actor=side.clinician, patient=side.record.patient, height_m=1.7, mass_kg=70, measured_on=tomorrow
        )
    with pytest.raises(ServiceError, match="years old"):
        services.patient_create(
            actor=side.clinician, given_name="A", family_name="B", birth_date=date(1890, 1, 1), sex="male"
        )


def test_the_list_asks_no_more_queries_for_more_patients(side: Side):
    browser = Client()
    browser.force_login(side.clinician)

    def queries() -> int:
        with CaptureQueriesContext(connection, ) as found:
            assert browser.get("/patients/").status_code == 200
        return len(found)

    few = queries()
    for number in range(8):
        make_patient(side.clinician, f"Patient {number}")
    assert queries() == few


def test_search_finds_by_name_and_survives_anything(side: Side):
    browser = Client()
    browser.force_login(side.clinician)
    assert "Hofmann" in browser.get("/patients/", {"q": "hof len"}).content.decode()
    for strange in ("zzz", "\x00", "%", "' or 1=1", "a" * 5000, "\ud800".encode("utf-8", "replace").decode()):
        assert browser.get("/patients/", {"q": strange}).status_code == 200
    assert browser.get("/patients/", {"page": "9" * 30}).status_code == 200


def test_the_condition_form_shows_what_a_choice_brings(side: Side):
    browser = Client()
    browser.force_login(side.clinician)
    address = f"/patients/{side.record.patient.pk}/conditions/new/"
    text = browser.get(address, {"name": "PCLR", "phase": "wk 4-8", "side": "right"}).content.decode()
    assert "0 to 45°" in text and "Seen in source" in text
    wrong = browser.post(address, {"name": "PCLR", "phase": "wk 4-8", "side": ""})
    assert wrong.status_code == 422 and "This field is required" in wrong.content.decode()
    made = browser.post(address, {"name": "PCLR", "phase": "wk 4-8", "side": "right", "onset_on": ""})
    assert made.status_code == 302


@pytest.mark.parametrize("phase, words", [
    ("wk 6-16", "Weeks 6 to 16"), ("wk 8+", "From week 8"), ("wk 6+ strengthening", "From week 6, strengthening"),
    ("wk 10", "Week 10"), ("wk 2-4 (from wk 4)", "Weeks 2 to 4 (from week 4)"), ("early", "Early"),
])
def test_phases_are_read_in_words(phase: str, words: str):
    assert rules.phase_words(phase) == words


def test_the_limit_form_follows_the_variable(side: Side):
    browser = Client()
    browser.force_login(side.clinician)
    address = f"/patients/{side.record.patient.pk}/limits/new/"
    sided = browser.get(address, {"variable": "knee_flexion_peak"}).content.decode()
    assert '<option value="both" selected>' in sided and "0 to 170°" in sided
    assert "The greatest “Knee bend” of the motion." in sided
    assert "No side" in browser.get(address, {"variable": "pelvis_drop"}).content.decode()


def test_a_patient_is_given_a_sign_in(world: World):
    side = world.own
    browser = Client()
    browser.force_login(side.clinician)
    newcomer = make_patient(side.clinician, "Nora")
    address = f"/patients/{newcomer.pk}/account/"
    for email, message in (
        (side.patient.email, "belongs to another patient"), (side.outsider.email, "No patient of your clinic"),
        (world.foreign.patient.email, "No patient of your clinic"), ("no address", "valid email"),
    ):
        refused = browser.post(address, {"email": email})
        assert refused.status_code == 422 and message in refused.content.decode()
        assert email in refused.content.decode(), "what was typed is kept"
    taken = browser.post(f"/patients/{side.record.patient.pk}/account/", {"email": ""})
    assert taken.status_code == 302
    assert browser.post(address, {"email": side.patient.email.upper()}).status_code == 302
    newcomer.refresh_from_db()
    assert newcomer.account == side.patient


def test_all_ten_groups_in_newton_metres_or_percent_reach_the_engine(side: Side):
    patient, day = side.record.patient, timezone.localdate()

    def measure(group: str, of: str, **found) -> None:
        services.strength_record(
            actor=side.clinician, patient=patient, muscle_group=group, side=of, measured_on=day, **found
        )

    for group in MuscleGroup.values:
        measure(group, "left", percent=80)
    measure("knee_extension", "right", torque_nm=95, at_deg=60)
    measure("knee_extension", "left", torque_nm=70, at_deg=60)      # newer than the percent: it counts
    measure("hip_flexion", "right", torque_nm=60)
    strength = parse_profile(selectors.patient_profile(patient)).strength
    assert len(strength) == len(STRENGTH_GROUPS) + 1        # hip flexion: percent on the left, Nm on the right
    assert strength["knee_extension_nm"].model_dump() == {"right": 95, "left": 70, "at_deg": 60}
    assert "knee_extension_percent" not in strength
    assert {m.unit for m in parse_profile(selectors.patient_profile(patient)).strength_measures()} == {"nm", "percent"}
    measure("knee_extension", "left", torque_nm=72, at_deg=90)
    with pytest.raises(ProfileError, match="same angle"):
        selectors.patient_profile(patient)


@pytest.mark.parametrize(("found", "field"), [
    ({}, "torque_nm"), ({"torque_nm": 50, "percent": 80}, "torque_nm"), ({"percent": 80, "at_deg": 60}, "at_deg"),
])
def test_strength_is_either_newton_metres_or_percent(side: Side, found: dict, field: str):
    with pytest.raises(ServiceError) as error:
        services.strength_record(
            actor=side.clinician, patient=side.record.patient, muscle_group="knee_flexion", side="left",
            measured_on=timezone.localdate(), **found,
        )
    assert error.value.errors[0].field == field


def test_measured_lengths_reach_the_engine_newest_first(side: Side):
    patient, day = side.record.patient, timezone.localdate()
    for segment, of, metres, when in (("thigh", "both", 0.42, day - timedelta(days=9)), ("thigh", "left", 0.41, day),
                                      ("trunk", "", 0.45, day)):
        services.segment_length_record(
            actor=side.clinician, patient=patient, segment=segment, side=of, length_m=metres, measured_on=when
        )
    lengths = parse_profile(selectors.patient_profile(patient)).lengths()
    assert lengths == {"thigh": {"left": 0.41, "right": 0.42}, "trunk": 0.45}
    for segment, of in (("thigh", ""), ("trunk", "left")):
        with pytest.raises(ServiceError) as error:
            services.segment_length_record(
                actor=side.clinician, patient=patient, segment=segment, side=of, length_m=0.4, measured_on=day
            )
        assert error.value.errors[0].field == "side"
    with pytest.raises(ValidationError, match="between 0.10 and 1.00"):
        services.segment_length_record(
            actor=side.clinician, patient=patient, segment="trunk", side="", length_m=45, measured_on=day
        )
