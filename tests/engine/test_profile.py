"""PROFILE.json: what is accepted, and that everything else is refused by name and nothing crashes."""
from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.engine.limits import LimitConflict, intersect
from generation.engine.presets import CONDITIONS
from generation.engine.profile import Profile, ProfileError, load_profile, parse_profile
from generation.engine.variables import ALIASES, VARIABLES

PERSON = {"sex": "female", "age_years": 54, "height_m": 1.65, "mass_kg": 68}
DOCS = Path(__file__).parents[2] / "docs" / "profile.md"

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
    | st.sampled_from([*VARIABLES, "deg"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["variable", "min", "max", "unit", "side", "name", "phase", "right", "left", "knee_flexion"])
        | st.text(max_size=8), inner, max_size=5),
    max_leaves=12,
)
FIELDS = st.sampled_from(list(Profile.model_fields))
CONSTRAINT = st.fixed_dictionaries(
    {"variable": st.sampled_from([*VARIABLES, *ALIASES, "speed"]),
     "unit": st.sampled_from(["deg", "rad", "cm", "mm", "s"])},
    optional={"min": st.floats(-200, 200), "max": st.floats(-200, 200),
              "side": st.sampled_from(["right", "left", "both"]), "weight": st.floats(-1, 12),
              "phase": st.sampled_from(["", "descent", "bottom", "ascent", "stand"])})


def error_of(**fields) -> ProfileError:
    with pytest.raises(ProfileError) as caught:
        parse_profile({**PERSON, **fields})
    return caught.value


@given(JSON)
@settings(max_examples=50, deadline=None)
def test_anything_but_a_profile_is_a_profile_error(data):
    with pytest.raises(ProfileError):
        parse_profile(data)


@given(st.dictionaries(FIELDS, JSON, min_size=1, max_size=3))
@settings(max_examples=80, deadline=None)
def test_a_profile_with_any_fields_gives_a_profile_or_names_the_field(fields):
    try:
        parse_profile({**PERSON, **fields})
    except ProfileError as error:
        assert error.field.split(".")[0].split("[")[0] in Profile.model_fields


@given(st.lists(CONSTRAINT, max_size=6))
@settings(max_examples=80, deadline=None)
def test_any_constraints_give_limits_a_named_field_or_a_named_conflict(constraints):
    try:
        limits = intersect(parse_profile({**PERSON, "constraints": constraints}).limits())
    except ProfileError as error:
        assert error.field.startswith("constraints[")
    except LimitConflict as conflict:
        assert conflict.first.variable in str(conflict) and conflict.second.variable in str(conflict)
    else:
        assert all(math.isfinite(value) for limit in limits for value in (limit.min, limit.max) if value is not None)


@pytest.mark.parametrize(("fields", "path"), [
    ({"mass_kg": math.nan}, "mass_kg"),
    ({"height_m": math.inf}, "height_m"),
    ({"height_m": 165}, "height_m"),
    ({"age_years": True}, "age_years"),
    ({"age_years": 10**400}, "age_years"),
    ({"weight": 3}, "weight"),
    ({"exercise": "lunge"}, "exercise"),
    ({"tempo": {"descent_s": 0}}, "tempo.descent_s"),
    ({"tempo": {"hold_s": 1}}, "tempo.hold_s"),
    ({"strength": {"knee_extension_nm": {"right": -1}}}, "strength.knee_extension_nm.right"),
    ({"strength": {"knee_extension_nm": {}}}, "strength.knee_extension_nm"),
    ({"strength": {"knee_extension_nm": {"right": 90, "at_deg": 300}}}, "strength.knee_extension_nm.at_deg"),
    ({"strength": {"knee_extension_nm": 90, "knee_extension_percent": {"left": 70}}},
     "strength.knee_extension_percent.left"),
    ({"strength": {"grip_nm": 40}}, "strength.grip_nm"),
    ({"strength": {"knee_extension_kg": 40}}, "strength.knee_extension_kg"),
    ({"segment_lengths_m": {"thigh": 43}}, "segment_lengths_m.thigh"),
    ({"segment_lengths_m": {"neck": 0.1}}, "segment_lengths_m.neck"),
    ({"segment_lengths_m": {"trunk": {"left": 0.5}}}, "segment_lengths_m.trunk"),
    ({"model_osim": ""}, "model_osim"),
    ({"constraints": [{"variable": "knee_flexion", "max": 60}]}, "constraints[0].unit"),
    ({"constraints": [{"variable": "knee_flexion", "max": 60, "unit": "cm"}]}, "constraints[0].unit"),
    ({"constraints": [{"variable": "knee_flexion", "max": 60, "unit": "rad"}]}, "constraints[0].max"),
    ({"constraints": [{"variable": "knee_flexion", "unit": "deg"}]}, "constraints[0]"),
    ({"constraints": [{"variable": "knee", "max": 60, "unit": "deg"}]}, "constraints[0].variable"),
    ({"constraints": [{"variable": "pelvis_drop", "max": 60, "unit": "cm", "side": "left"}]}, "constraints[0].side"),
    ({"constraints": [{"variable": "knee_flexion", "min": 70, "max": 60, "unit": "deg"}]}, "constraints[0].min"),
    ({"constraints": [{"variable": "knee_flexion", "max": 60, "unit": "deg", "phase": "stand"}]},
     "constraints[0].phase"),
    ({"constraints": [{"variable": "descent_s", "max": 2, "unit": "s", "phase": "descent"}]}, "constraints[0].phase"),
    ({"constraints": [{"variable": "knee_flexion", "max": 60, "unit": "deg", "weight": 0}]}, "constraints[0].weight"),
    ({"repetitions": 0}, "repetitions"),
    ({"repetitions": 13}, "repetitions"),
    ({"arms": "folded"}, "arms"),
    ({"conditions": [{"name": "TKA", "weeks_since_surgery": 5}]}, "conditions[0].phase"),
    ({"conditions": [{"name": "meniscus_repair", "weeks_since_surgery": 5}]}, "conditions[0].phase"),
    ({"conditions": [{"name": "TKA", "phase": "wk 2-4", "weeks_since_surgery": 9}]},
     "conditions[0].weeks_since_surgery"),
    ({"conditions": [{"name": "PFP", "weeks_since_surgery": 9}]}, "conditions[0].weeks_since_surgery"),
    ({"range_of_motion_deg": {"knee_flexion": [0]}}, "range_of_motion_deg.knee_flexion"),
    ({"range_of_motion_deg": {"pelvis_drop": [0, 10]}}, "range_of_motion_deg.pelvis_drop"),
    ({"conditions": [{"name": "flu"}]}, "conditions[0].name"),
    ({"conditions": [{"name": "TKA"}]}, "conditions[0].phase"),
    ({"conditions": [{"name": "TKA", "phase": "wk 99"}]}, "conditions[0].phase"),
    ({"conditions": [{"name": "LBP", "side": "left"}]}, "conditions[0].side"),
])
def test_the_field_is_named(fields, path):
    assert error_of(**fields).field == path


def test_units_are_converted():
    profile = parse_profile({**PERSON, "constraints": [
        {"variable": "knee_flexion", "max": 1.0, "unit": "rad", "side": "left"},
        {"variable": "heel_height", "max": 5, "unit": "mm"},
        {"variable": "pelvis_drop", "min": 0.2, "unit": "m"}]})
    knee, heel, drop = (limit for limit in profile.limits() if limit.origin == "clinician")
    assert (knee.max, knee.side) == (pytest.approx(math.degrees(1.0)), "left")
    assert (heel.max, heel.side) == (pytest.approx(0.5), "both")
    assert (drop.min, drop.side) == (pytest.approx(20.0), None)


def test_a_phase_without_squats_is_refused_with_its_source():
    error = error_of(conditions=[{"name": "ACLR_isolated", "phase": "wk 0-2", "side": "left"}])
    assert error.field == "conditions[0].phase" and "no squat" in error.message and "Penrose" in error.message


def test_presets_apply_to_the_side_and_can_be_left_to_the_clinician():
    condition = {"name": "TKA", "phase": "wk 2-4", "side": "right"}
    limits = [limit for limit in parse_profile({**PERSON, "conditions": [condition]}).limits() if limit.side == "right"]
    assert [(limit.variable, limit.max, limit.status, limit.origin) for limit in limits] == [
        ("knee_flexion", 90.0, "V", "preset")]
    without = parse_profile({**PERSON, "conditions": [{**condition, "use_preset": False}]}).limits()
    assert all(limit.variable != "knee_flexion" for limit in without)


def test_phase_weight_and_muscles_reach_the_limits():
    profile = parse_profile({**PERSON, "constraints": [
        {"variable": "vasmed_r_activation_peak", "min": 20, "max": 40, "unit": "%", "phase": "ascent"},
        {"variable": "knee_angle_l", "max": 70, "unit": "deg", "phase": "bottom", "weight": 3}]})
    muscle, knee = (limit for limit in profile.limits() if limit.origin == "clinician")
    assert (muscle.variable, muscle.side) == ("vasmed_activation_peak", "right")
    assert muscle.phase == "ascent" and muscle.hard
    assert (knee.variable, knee.side, knee.phase, knee.weight) == ("knee_flexion", "left", "bottom", 3)


def test_the_weeks_since_surgery_bring_the_phase_s_limits():
    condition = {"name": "TKA", "weeks_since_surgery": 3, "side": "right"}
    limits = [limit for limit in parse_profile({**PERSON, "conditions": [condition]}).limits() if limit.side == "right"]
    assert [(limit.variable, limit.max) for limit in limits] == [("knee_flexion", 90.0)]
    error = error_of(conditions=[{"name": "TKA", "weeks_since_surgery": 5}])
    assert "week 5 is in no phase" in error.message and "wk 6+ strengthening" in error.message


def test_the_arms_follow_the_protocol_and_the_clinician():
    assert parse_profile(PERSON).arm_posture() == "forward"
    frail = {**PERSON, "conditions": [{"name": "frail_elderly"}]}
    assert parse_profile(frail).arm_posture() == "support"
    assert parse_profile({**frail, "arms": "crossed"}).arm_posture() == "crossed"


def test_provenance_of_a_constraint_is_handed_through():
    constraint = {"variable": "hip_flexion", "max": 70, "unit": "deg", "side": "left", "source": "surgeon's letter",
                  "status": "V", "origin": "preset"}
    limit = parse_profile({**PERSON, "constraints": [constraint]}).limits()[-1]
    assert (limit.source, limit.status, limit.origin) == ("surgeon's letter", "V", "preset")


def test_strength_is_read_by_group_and_side():
    profile = parse_profile({**PERSON, "strength": {
        "knee_extension_nm": {"right": 90, "left": 80, "at_deg": 70}, "ankle_plantarflexion_percent": 70}})
    assert [(m.path, m.group, m.side, m.unit, m.value, m.at_deg) for m in profile.strength_measures()] == [
        ("strength.knee_extension_nm.right", "knee_extension", "right", "nm", 90, 70),
        ("strength.knee_extension_nm.left", "knee_extension", "left", "nm", 80, 70),
        ("strength.ankle_plantarflexion_percent", "ankle_plantarflexion", "right", "percent", 70, None),
        ("strength.ankle_plantarflexion_percent", "ankle_plantarflexion", "left", "percent", 70, None)]
    assert profile.unused() == []


def test_measured_lengths_are_read_and_said_where_a_model_replaces_them():
    lengths = {"thigh": {"right": 0.41}, "trunk": 0.5}
    assert parse_profile({**PERSON, "segment_lengths_m": lengths}).lengths() == lengths
    own = parse_profile({**PERSON, "segment_lengths_m": lengths, "model_osim": "a.osim"})
    assert [entry["field"] for entry in own.unused()] == ["segment_lengths_m"]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]", b'{"sex": NaN}', b"[" * 100_000])
def test_a_file_that_is_no_profile(tmp_path, content):
    path = tmp_path / "profile.json"
    path.write_bytes(content)
    with pytest.raises(ProfileError):
        load_profile(path)


def test_the_reference_motion_is_found_beside_the_profile(tmp_path):
    path = tmp_path / "profile.json"
    path.write_text(json.dumps({**PERSON, "reference_motion": "own.mot"}))
    with pytest.raises(ProfileError) as caught:
        load_profile(path)
    assert caught.value.field == "reference_motion"
    (tmp_path / "own.mot").write_text("x")
    assert load_profile(path).reference_motion == str(tmp_path / "own.mot")


def test_the_document_names_every_field_variable_and_condition():
    text = DOCS.read_text()
    for name in [*Profile.model_fields, *VARIABLES, *CONDITIONS]:
        assert f"`{name}`" in text, name
    for condition in CONDITIONS.values():
        for phase in condition.phases:
            assert f"`{phase}`" in text, (condition.name, phase)


def test_the_document_s_example_is_a_profile():
    example = DOCS.read_text().split("```json")[1].split("```")[0]
    assert intersect(parse_profile(json.loads(example)).limits())
