"""A profile becomes one `.osim` file, and everything else says the same as that file."""

import json

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generation.engine.body import MODEL_FILE, TorchBody, body_scale, personal_body, scale_body, write_osim
from generation.engine.body.matched import scale_error
from generation.engine.body.segments import SIDES, length
from generation.engine.formats.motion import Motion
from generation.engine.profile import ProfileError, load_profile, parse_profile
from generation.engine.validation.kinematics import compare_with_opensim
from tests.engine.body.opensim_model import OpenSimModel

PERSON = {"sex": "female", "age_years": 54, "height_m": 1.65, "mass_kg": 68}


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


def force(body, muscle):
    return body.muscles["maximum_isometric_force"][body.muscles["muscle_names"].tolist().index(muscle)]


@st.composite
def people(draw):
    height = draw(st.floats(1.4, 2.05))
    mass = draw(st.floats(17.0, 40.0)) * height**2
    lengths = {}
    if draw(st.booleans()):
        expected = scale_body("male", 40, height, mass)
        for name in draw(st.sets(st.sampled_from(["thigh", "shank"]), max_size=2)):
            lengths[name] = {side: length(name, side, expected.factors) * draw(st.floats(0.95, 1.05))
                             for side in SIDES}
    return {"sex": draw(st.sampled_from(["female", "male", "other"])), "age_years": draw(st.floats(14, 95)),
            "height_m": height, "mass_kg": mass, "segment_lengths_m": lengths}


@given(people())
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_file_the_arrays_and_the_generators_body_are_one(person):
    profile = parse_profile(person)
    scale = body_scale(profile)
    body = personal_body(profile, "/dev/null/none")
    assert body.mass_kg == pytest.approx(profile.mass_kg) and body.height_m == profile.height_m
    rng = np.random.default_rng(0)
    q = rng.uniform(np.maximum(body.packed["lower"], -1.5), np.minimum(body.packed["upper"], 1.5), (3, 39))
    compared = compare_with_opensim(body, Motion(body.coordinates, q, 60.0), torch.float64)
    assert compared.joint_centre_m < 1e-9 and compared.com_m < 1e-9 and compared.mass_kg < 1e-9
    ours, theirs = TorchBody(scale, dtype=torch.float64), TorchBody(body, dtype=torch.float64)
    a, b = ours(torch.tensor(q)), theirs(torch.tensor(q))
    torch.testing.assert_close(a.translations, b.translations, atol=1e-6, rtol=0)
    torch.testing.assert_close(a.com, b.com, atol=1e-6, rtol=0)
    np.testing.assert_allclose(ours.packed["inertia"], body.packed["inertia"], atol=1e-8)
    np.testing.assert_allclose(ours.packed["mass"], body.packed["mass"], atol=1e-8)
    for name, sides in person["segment_lengths_m"].items():
        centres = theirs.joint_centres(theirs(theirs.neutral()))
        first, second = {"thigh": ("hip", "knee"), "shank": ("knee", "ankle")}[name]
        for side, metres in sides.items():
            apart = centres[f"{first}_{side[0]}"] - centres[f"{second}_{side[0]}"]
            assert float(apart.norm()) == pytest.approx(metres, abs=1e-5)


def test_masses_inertias_and_forces_stand_in_the_file(tmp_path, cache):
    body = personal_body(parse_profile({**PERSON, "strength": {"knee_extension_percent": {"left": 70}}}), cache)
    (tmp_path / "person.osim").write_bytes(body.osim)
    reference = OpenSimModel(tmp_path / "person.osim")
    bodies = reference.model.getBodySet()
    for name, mass, inertia in zip(body.bodies, body.packed["mass"], body.packed["inertia"], strict=True):
        assert bodies.get(name).getMass() == pytest.approx(mass)
        moments = bodies.get(name).getInertia().getMoments()
        np.testing.assert_allclose([moments[i] for i in range(3)], np.diag(inertia))
    assert force(body, "vaslat_l") == pytest.approx(0.7 * force(body, "vaslat_r"), rel=1e-3)
    assert reference.model.getMuscles().get("vaslat_l").get_max_isometric_force() == pytest.approx(
        force(body, "vaslat_l"))


def test_older_and_smaller_is_weaker(cache):
    young, old = (personal_body(parse_profile({**PERSON, "age_years": age}), cache) for age in (30, 80))
    assert force(old, "soleus_r") < 0.7 * force(young, "soleus_r")
    assert any("Muscle volume" in note for note in old.notes)


def test_measured_ranges_reach_the_right_side_of_the_model(cache):
    body = personal_body(parse_profile({**PERSON, "range_of_motion_deg": {
        "knee_flexion_right": [5, 110], "lumbar_flexion": [-10, 35], "hip_flexion": {"max": 200}} | {
        "hip_flexion": {"max": 120}}}), cache)
    ends = {name: np.degrees([low, high]) for name, low, high in
            zip(body.coordinates, body.packed["lower"], body.packed["upper"], strict=True)}
    np.testing.assert_allclose(ends["knee_angle_r"], [5, 110])
    np.testing.assert_allclose(ends["knee_angle_l"], [0, 160], atol=1e-4)
    np.testing.assert_allclose(ends["lumbar_extension"], [-35, 10])
    np.testing.assert_allclose([ends[f"hip_flexion_{side}"][1] for side in "rl"], 120)


def test_a_model_of_ones_own_is_taken_and_the_generator_matched(tmp_path, cache):
    given_scale = scale_body("male", 33, 1.84, 92, {"thigh": {"right": 0.46, "left": 0.45}})
    write_osim(given_scale, tmp_path / "own.osim")
    (tmp_path / "profile.json").write_text(json.dumps({**PERSON, "model_osim": "own.osim"}))
    profile = load_profile(tmp_path / "profile.json")
    body, scale = personal_body(profile, cache), body_scale(profile, cache)
    assert body.osim == (tmp_path / "own.osim").read_bytes()
    assert scale.mass_kg == pytest.approx(92) and scale.height_m == pytest.approx(1.84, abs=1e-3)
    assert max(scale_error(body, scale).values()) < 1e-9
    q = TorchBody(scale, dtype=torch.float64).neutral()
    ours, theirs = (TorchBody(one, dtype=torch.float64)(q) for one in (scale, body))
    torch.testing.assert_close(ours.translations, theirs.translations, atol=1e-4, rtol=0)
    torch.testing.assert_close(ours.com, theirs.com, atol=1e-4, rtol=0)
    assert any("kg" in note for note in body.notes) and any("tall" in note for note in body.notes)
    weak = profile.model_copy(update={"strength": parse_profile(
        {**PERSON, "strength": {"knee_flexion_percent": {"right": 50}}}).strength})
    assert force(personal_body(weak, cache), "bfsh_r") == pytest.approx(0.5 * force(body, "bfsh_r"), rel=1e-3)


def test_a_model_that_is_no_body_names_the_field(tmp_path, cache):
    (tmp_path / "own.osim").write_text(MODEL_FILE.read_text()[:5000])
    profile = parse_profile({**PERSON, "model_osim": str(tmp_path / "own.osim")})
    for call in (personal_body, body_scale):
        with pytest.raises(ProfileError) as caught:
            call(profile, cache)
        assert caught.value.field == "model_osim"
    with pytest.raises(ProfileError, match="no file"):
        (tmp_path / "profile.json").write_text(json.dumps({**PERSON, "model_osim": "none.osim"}))
        load_profile(tmp_path / "profile.json")


def test_another_profile_is_another_body_and_the_same_the_same(cache):
    one, same = (personal_body(parse_profile(PERSON), cache) for _ in range(2))
    other = personal_body(parse_profile({**PERSON, "mass_kg": 69}), cache)
    assert one.key == same.key != other.key
    with pytest.raises(ValueError):
        one.packed["mass"][0] = 1.0


@pytest.mark.parametrize(("fields", "field"), [
    ({"mass_kg": 32, "height_m": 2.0}, "mass_kg"),
    ({"segment_lengths_m": {"thigh": 0.8}}, "segment_lengths_m.thigh"),
    ({"segment_lengths_m": {"shank": {"left": 0.2}}}, "segment_lengths_m.shank.left"),
    ({"segment_lengths_m": {"foot": 0.41}}, "segment_lengths_m.foot"),
    ({"segment_lengths_m": {"thigh": 0.52, "shank": 0.50, "trunk": 0.48}}, "segment_lengths_m"),
    ({"strength": {"knee_extension_nm": {"left": 4000}}}, "strength.knee_extension_nm.left"),
])
def test_an_impossible_person_names_the_field(fields, field, cache):
    with pytest.raises(ProfileError) as caught:
        personal_body(parse_profile({**PERSON, **fields}), cache)
    assert caught.value.field == field
