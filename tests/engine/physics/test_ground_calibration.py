"""What a person's recordings teach: made-up people whose mass distribution and habits are known."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from generation.engine.body import TorchBody, load_body, scale_body, write_osim
from generation.engine.body.segment_masses import published_masses
from generation.engine.motion_data import load_repetitions
from generation.engine.physics import differentiate
from generation.engine.physics.calibration import UNBIASED, Calibration, Recording, calibrate
from generation.engine.physics.ground import estimate_ground, total_wrench

RATE = 60.0
WRONG = (0.015, -0.06)  # m, how far the true torso's mass centre lies from the model's


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def model(cache):
    return load_body(write_osim(scale_body("female", 40, 1.65, 71.0), cache / "person.osim"), cache=cache)


@pytest.fixture(scope="module")
def truth(model, cache):
    x, y, z = model.packed["mass_centre"][model.bodies.index("torso")]
    return Calibration(mass_centres_m={"torso": (x + WRONG[0], y + WRONG[1], z)}).apply(model, cache)


@pytest.fixture(scope="module")
def motions():
    return [differentiate(torch.tensor(load_repetitions()[i].values, dtype=torch.float64), RATE) for i in (20, 40)]


def learnt_shift(model, calibration):
    torso = model.bodies.index("torso")
    return np.array(calibration.mass_centres_m["torso"]) - model.packed["mass_centre"][torso]


def measured(truth, motion, calibration=None):
    """What plates under the true body would have measured."""
    return replace(estimate_ground(TorchBody(truth, torch.float64), *motion, calibration), source="plates")


def test_plates_find_the_torso(model, truth, motions, cache):
    plates = [Recording(*motion, RATE, measured(truth, motion)) for motion in motions]
    learnt = calibrate(model, plates=plates, cache=cache)
    np.testing.assert_allclose(learnt_shift(model, learnt)[:2], WRONG, atol=0.004)
    body = TorchBody(learnt.apply(model, cache), torch.float64)
    for ours, true in zip(total_wrench(body, *motions[0]),
                          total_wrench(TorchBody(truth, torch.float64), *motions[0]), strict=True):
        assert (ours - true).abs().max() < 4.0
    assert learnt.apply(model, cache).mass_kg == pytest.approx(model.mass_kg)


def test_plates_find_how_the_feet_press(model, motions, cache):
    habits = replace(Calibration().habits, press_per_m=1.1)
    plates = [Recording(*motion, RATE, measured(model, motion, Calibration(habits=habits))) for motion in motions]
    assert calibrate(model, plates=plates, cache=cache).habits.press_per_m == pytest.approx(1.1, abs=0.1)


def test_quiet_standing_places_the_torso_fore_and_aft(model, cache):
    body = TorchBody(model, torch.float64)
    q = body.neutral()[None]
    still = Recording(q, torch.zeros_like(q), torch.zeros_like(q), RATE)

    def before_ankle(one):
        place = TorchBody(one, torch.float64)
        force, moment = total_wrench(place, still.q, still.u, still.udot)
        centres = place.joint_centres(place(still.q))
        return float(moment[0, 2] / force[0, 1] - (centres["ankle_r"] + centres["ankle_l"])[0, 0] / 2)

    after = calibrate(model, standing=still).apply(model, cache)
    assert abs(before_ankle(after) - 0.05) < 0.5 * abs(before_ankle(model) - 0.05)


def test_a_jumping_centre_of_pressure_betrays_a_wrong_torso(model, cache):
    """Of the torso's places the calmest is chosen, whichever the model begins with."""
    fast = differentiate(torch.tensor(load_repetitions()[20].values, dtype=torch.float64), 1.5 * RATE)
    moving = [Recording(*fast, 1.5 * RATE)]
    torso = model.bodies.index("torso")
    high = Calibration(mass_centres_m={"torso": tuple(model.packed["mass_centre"][torso] + [0, 0.04, 0])})
    heights = []
    for one in (model, high.apply(model, cache)):
        heights.append(calibrate(one, moving=moving, torso=UNBIASED).mass_centres_m["torso"][1])
    assert abs(heights[0] - heights[1]) < 0.01

    def restlessness(body):
        force, moment = total_wrench(TorchBody(body, torch.float64), *fast)
        return float((moment[:, 2] / force[:, 1]).diff().square().mean())

    calm = calibrate(model, moving=moving, torso=UNBIASED).apply(model, cache)
    assert restlessness(calm) < restlessness(model)


def test_the_scale_and_published_masses(model, cache):
    heavier = calibrate(model, mass_kg=80.0, sex="female").apply(model, cache)
    assert heavier.mass_kg == pytest.approx(80.0)
    packed = heavier.packed
    mass = dict(zip(heavier.bodies, packed["mass"], strict=True))
    assert mass["femur_r"] + mass["patella_r"] == pytest.approx(0.1478 * 80.0, rel=0.005)
    assert mass["femur_r"] == pytest.approx(mass["femur_l"])
    before = model.packed["inertia"][model.bodies.index("femur_r")][0, 0]
    grown = packed["inertia"][heavier.bodies.index("femur_r")][0, 0] / before
    assert grown == pytest.approx(mass["femur_r"] / model.packed["mass"][model.bodies.index("femur_r")])
    woman, man, other = (published_masses(model.packed, sex)[0] for sex in ("female", "male", "other"))
    np.testing.assert_allclose(other, (woman + man) / 2)
    assert woman.sum() == pytest.approx(model.mass_kg)


def test_nothing_measured_changes_nothing(model):
    assert calibrate(model).apply(model) is model  # and no file is made
    assert Calibration().apply(model) is model


def test_bad_input_is_refused(model, motions):
    with pytest.raises(ValueError, match="mass_kg"):
        calibrate(model, mass_kg=0.0)
    with pytest.raises(ValueError, match="sex"):
        calibrate(model, sex="unknown")
    with pytest.raises(ValueError, match="measured forces"):
        calibrate(model, plates=[Recording(*motions[0], RATE)])
    with pytest.raises(ValueError, match="tail"):
        Calibration(masses_kg={"tail": 1.0}).apply(model)


def test_an_estimate_says_how_sure_it_is(model, truth, motions):
    """A personal body carries typical masses; a body of other masses is known no better than its file."""
    unknown, known = (estimate_ground(TorchBody(one, torch.float64), *motions[0]).uncertainty for one in (truth, model))
    calibrated = estimate_ground(TorchBody(truth, torch.float64), *motions[0], calibrate(truth, sex="male")).uncertainty
    assert calibrated["known_of_the_person"] == "published masses"
    assert unknown["known_of_the_person"] == "nothing" and known["known_of_the_person"] == "published masses"
    assert known["pressure_fore_aft_cm"] < unknown["pressure_fore_aft_cm"]
    assert "one healthy woman" in known["basis"]
