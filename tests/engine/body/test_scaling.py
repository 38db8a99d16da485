"""A person's predicted body."""

import json

import numpy as np
import pytest
import torch

from generation.engine.body import BODIES, TorchBody, generic_scale, scale_body
from generation.engine.body.scaling import MAPPING, anthropometry, predict_measures, standing_height


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
