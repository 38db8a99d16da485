"""A person's predicted body."""

import json

import numpy as np
import pytest
import torch

from generation.engine.body import BODIES, TorchBody, generic_scale, scale_body
from generation.engine.body.scaled import scaled_inertia
from generation.engine.body.scaling import MAPPING, anthropometry, predict_measures, standing_height
from generation.engine.body.segment_masses import has_typical_masses


def test_the_generic_man_is_the_generic_model():
    generic = anthropometry()["generic"]
    scale = scale_body("male", 40, generic["height_m"], generic["mass_kg"])
    np.testing.assert_allclose([scale.factors[body] for body in BODIES], 1, atol=1e-4)
    assert standing_height(generic_scale().factors) == pytest.approx(generic["height_m"], abs=1e-4)


@pytest.mark.parametrize("sex", ["female", "male", "other"])
@pytest.mark.parametrize(("height", "mass"), [(1.45, 45), (1.45, 110), (1.7, 70), (2.05, 70), (2.05, 160)])
def test_stands_as_tall_as_the_person(sex, height, mass):
    scale = scale_body(sex, 50, height, mass)
    assert standing_height(scale.factors) == pytest.approx(height, abs=1e-9)
    # the same height from the kinematics: head top in the torso's frame over the soles
    body = TorchBody(scale, dtype=torch.float64)
    head = anthropometry()["generic"]["head_top_in_torso_m"] * scale.factors["torso"][1]
    placed = body(body.neutral())
    assert float(body.points(placed, "torso", [[0.0, head, 0.0]])[0, 1]) == pytest.approx(height, abs=1e-6)
    assert all(0.6 < factor < 1.6 for factors in scale.factors.values() for factor in factors)


def test_sides_are_alike_and_feet_are_level():
    factors = scale_body("female", 30, 1.6, 60).factors
    assert all(factors[body] == factors[body.removesuffix("_r") + "_l"] for body in BODIES if body.endswith("_r"))
    assert factors["calcn_r"][1] == factors["toes_r"][1]


def test_proportions_differ_between_the_sexes():
    woman, man = (scale_body(sex, 30, 1.7, 68).factors for sex in ("female", "male"))
    assert woman["torso"][2] < 0.97 * man["torso"][2]  # shoulders
    assert woman["pelvis"][2] > man["pelvis"][2]
    mean = predict_measures("other", 1.7, 68)
    both = [predict_measures(sex, 1.7, 68) for sex in ("female", "male")]
    assert all(mean[name] == pytest.approx((both[0][name] + both[1][name]) / 2) for name in mean)


def test_fat_does_not_widen_the_skeleton():
    heavy, heavier = (scale_body("female", 50, 1.6, mass).factors for mass in (75, 140))
    assert heavy == heavier


@pytest.mark.parametrize(("field", "arguments"), [
    ("sex", ("woman", 30, 1.7, 70)),
    ("age_years", ("male", -1, 1.7, 70)),
    ("age_years", ("male", "30", 1.7, 70)),
    ("height_m", ("male", 30, 170, 70)),
    ("height_m", ("male", 30, float("nan"), 70)),
    ("mass_kg", ("male", 30, 1.7, 700)),
    ("mass_kg", ("male", 30, 1.7, True)),
    ("mass_kg", ("male", 30, 2.1, 35)),
])
def test_bad_input_names_its_field(field, arguments):
    with pytest.raises(ValueError, match=f"^{field} "):
        scale_body(*arguments)


def test_every_mapped_measure_is_fitted():
    used = {measure for measures in MAPPING.values() for measure in measures}
    for survey in anthropometry()["sexes"].values():
        assert used == set(survey["measures"])
        assert all(0 < fit["r2"] < 1 and fit["residual_sd_m"] > 0 for fit in survey["measures"].values())
    json.dumps(anthropometry())


@pytest.mark.parametrize("lengths", [
    {"thigh": 0.40, "shank": {"right": 0.37, "left": 0.385}, "trunk": 0.38, "pelvis_width": 0.17},
    {"thigh": {"left": 0.38}, "foot": {"right": 0.26}},
])
def test_measured_lengths_are_kept_and_the_height_too(lengths):
    scale = scale_body("female", 50, 1.65, 65, lengths)
    assert standing_height(scale.factors) == pytest.approx(1.65, abs=1e-9)
    body = TorchBody(scale, dtype=torch.float64)
    at = body.joint_centres(body(body.neutral()))

    def measured(name, side):
        value = lengths.get(name)
        return value.get(side) if isinstance(value, dict) else value

    for side in ("right", "left"):
        for name, ends in (("thigh", ("hip", "knee")), ("shank", ("knee", "ankle"))):
            if metres := measured(name, side):
                apart = at[f"{ends[0]}_{side[0]}"] - at[f"{ends[1]}_{side[0]}"]
                assert float(apart.norm()) == pytest.approx(metres, abs=1e-5)
    if "trunk" in lengths:
        middle = (at["shoulder_r"] + at["shoulder_l"]) / 2
        assert float((middle - at["lumbar"]).norm()) == pytest.approx(lengths["trunk"], abs=1e-9)
        assert float((at["hip_r"] - at["hip_l"]).norm()) == pytest.approx(lengths["pelvis_width"], abs=1e-9)
    if "foot" in lengths:
        usual = scale_body("female", 50, 1.65, 65)
        ratio = scale.factors["calcn_r"][0] / usual.factors["calcn_r"][0]
        assert ratio == pytest.approx(0.26 / predict_measures("female", 1.65, 65)["foot_length"])
        assert scale.factors["calcn_l"][0] == usual.factors["calcn_l"][0]


def test_masses_follow_the_sex_and_make_the_person():
    woman, man, other = (scale_body(sex, 30, 1.7, 70).masses for sex in ("female", "male", "other"))
    for masses in (woman, man, other):
        assert sum(masses.values()) == pytest.approx(70)
    # de Leva 1996: percent of body mass
    assert woman["femur_r"] + woman["patella_r"] == pytest.approx(0.1478 * 70, rel=1e-3)
    assert man["tibia_l"] == pytest.approx(0.0433 * 70, rel=1e-3)
    assert woman["torso"] < other["torso"] < man["torso"]


def test_mass_centres_follow_the_sex():
    for sex, share in (("female", 0.3612), ("male", 0.4095)):
        scale = scale_body(sex, 30, 1.7, 70)
        body = TorchBody(scale, dtype=torch.float64)
        femur = BODIES.index("femur_r")
        np.testing.assert_allclose(body.packed["mass_centre"][femur], scale.mass_centres["femur_r"])
        at = body.joint_centres(body(body.neutral()))
        thigh = float((at["hip_r"] - at["knee_r"])[1])
        assert -scale.mass_centres["femur_r"][1] / thigh == pytest.approx(share, abs=0.01)
        assert has_typical_masses(body.packed)
    assert not has_typical_masses(TorchBody(generic_scale()).packed)


def test_inertia_is_that_of_the_stretched_body():
    """A cloud of particles whose inertia is known, stretched: the rule gives the stretched cloud's inertia."""
    rng = np.random.default_rng(0)
    points, masses = rng.normal(size=(50, 3)), rng.uniform(0.1, 1, 50)
    points -= (points * masses[:, None]).sum(0) / masses.sum()
    factors = np.array([0.8, 1.3, 1.1])

    def inertia(at):
        return sum(m * (p @ p * np.eye(3) - np.outer(p, p)) for m, p in zip(masses, at, strict=True))

    scaled = scaled_inertia(inertia(points)[None], factors[None], np.array([1.7]))[0]
    np.testing.assert_allclose(scaled, 1.7 * inertia(points * factors))
