"""Expected and measured muscle strength."""

import numpy as np
import pytest

from generation.engine.body import MODEL_FILE
from generation.engine.body.osim import scaled_model
from generation.engine.body.osim_file import open_osim
from generation.engine.body.scaling import anthropometry, scale_body
from generation.engine.body.strength import (
    FACTORS,
    GROUPS,
    age_factor,
    expected_factor,
    group_moment,
    set_expected,
    set_measured,
)
from generation.engine.profile import STRENGTH_GROUPS, ProfileError, StrengthMeasure

GENERIC = anthropometry()["generic"]


def forces(model) -> dict[str, float]:
    muscles = [model.getMuscles().get(i) for i in range(model.getMuscles().getSize())]
    return {muscle.getName(): muscle.get_max_isometric_force() for muscle in muscles}


@pytest.fixture
def model():
    return open_osim(MODEL_FILE.read_bytes())


def measure(group, side, value, unit="nm", at_deg=None):
    return StrengthMeasure(f"strength.{group}_{unit}.{side}", group, side, unit, value, at_deg)


def test_the_profile_knows_the_groups_and_the_model_their_muscles(model):
    assert set(GROUPS) == set(STRENGTH_GROUPS)
    known = set(forces(model))
    assert {f"{name}_{side}" for group in GROUPS.values() for name in group.muscles for side in "rl"} <= known


def test_the_generic_man_when_young_has_the_generic_models_strength():
    young = expected_factor("male", 25, GENERIC["height_m"], GENERIC["mass_kg"], GENERIC)
    assert young == pytest.approx(1)
    assert expected_factor("female", 25, GENERIC["height_m"], GENERIC["mass_kg"], GENERIC) == pytest.approx(0.86)


def test_strength_falls_with_age_as_in_the_source():
    assert age_factor(18) == age_factor(25) == 1
    assert age_factor(52) == pytest.approx(1 - 27 * 0.0015)
    assert age_factor(52) - age_factor(62) == pytest.approx(0.13)
    ages = [age_factor(age) for age in range(12, 111)]
    assert all(a >= b for a, b in zip(ages, ages[1:], strict=False)) and min(ages) > 0


def test_fat_adds_no_muscle():
    obese, more = (expected_factor("male", 40, 1.7, mass, GENERIC) for mass in (90, 140))
    assert obese == more > expected_factor("male", 40, 1.7, 70, GENERIC)


def test_longer_fibres_of_the_same_volume_are_weaker(model):
    scale = scale_body("male", 25, GENERIC["height_m"] * 1.1, GENERIC["mass_kg"])
    tall = scaled_model(scale)
    set_expected(tall, model, 1.0)
    before, after = forces(model), forces(tall)
    for name in ("soleus_r", "vaslat_l", "glmax1_r"):
        stretch = (tall.getMuscles().get(name).get_optimal_fiber_length()
                   / model.getMuscles().get(name).get_optimal_fiber_length())
        assert stretch > 1 and after[name] * stretch == pytest.approx(before[name])


@pytest.mark.parametrize("group", GROUPS)
def test_a_measured_moment_is_the_models_moment(model, group):
    usual = group_moment(model, group, "left")
    assert usual > 10
    before = forces(model)
    set_measured(model, [measure(group, "left", 0.6 * usual)])
    assert group_moment(model, group, "left") == pytest.approx(0.6 * usual, rel=1e-3)
    changed = {name for name, force in forces(model).items() if force != pytest.approx(before[name])}
    assert changed and changed <= {f"{name}_l" for name in GROUPS[group].muscles}


def test_left_knee_extension_at_70_percent(model):
    before = forces(model)
    note, = set_measured(model, [measure("knee_extension", "left", 70, "percent")])
    after = forces(model)
    ratios = {name: after[name] / before[name] for name in before}
    quadriceps = {"recfem_l", "vasint_l", "vaslat_l", "vasmed_l"}
    assert all(ratios[name] == pytest.approx(0.7 if name in quadriceps else 1.0, rel=1e-4) for name in ratios)
    assert "70 %" in note and "left" in note


def test_groups_that_share_muscles_are_met_together(model):
    asked = {("knee_flexion", "right"): 90.0, ("hip_extension", "right"): 180.0, ("knee_extension", "right"): 150.0,
             ("hip_flexion", "right"): 100.0, ("ankle_plantarflexion", "right"): 120.0, ("knee_flexion", "left"): 60.0}
    set_measured(model, [measure(group, side, value) for (group, side), value in asked.items()])
    for (group, side), value in asked.items():
        assert group_moment(model, group, side) == pytest.approx(value, rel=2e-3)


def test_an_angle_that_is_stated_is_the_angle_that_is_used(model):
    set_measured(model, [measure("knee_extension", "right", 120.0, at_deg=30)])
    assert group_moment(model, "knee_extension", "right", 30) == pytest.approx(120, rel=1e-3)
    assert group_moment(model, "knee_extension", "right", 60) != pytest.approx(120, rel=0.02)


def test_what_cannot_be_met_together_is_said(model):
    weak = [measure("hip_external_rotation", "right", 1.0), measure("hip_extension", "right", 400.0),
            measure("hip_abduction", "right", 150.0)]
    notes = set_measured(model, weak)
    assert any("the model reaches" in note for note in notes)


def test_no_strength_at_all_leaves_a_model_that_opensim_can_open(model):
    usual = group_moment(model, "ankle_dorsiflexion", "right")
    set_measured(model, [measure("ankle_dorsiflexion", "right", 0.0)])
    assert 0 < group_moment(model, "ankle_dorsiflexion", "right") < 2 * FACTORS[0] * usual


@pytest.mark.parametrize(("bad", "field"), [
    (measure("knee_extension", "right", 5000.0), "strength.knee_extension_nm.right"),
    (measure("knee_extension", "right", 900.0, "percent"), "strength.knee_extension_percent.right"),
    (measure("knee_flexion", "left", 60.0, at_deg=-60), "strength.knee_flexion_nm.left.at_deg"),
])
def test_what_is_impossible_names_its_field(model, bad, field):
    with pytest.raises(ProfileError) as caught:
        set_measured(model, [bad])
    assert caught.value.field == field


def test_the_moment_is_that_of_opensims_own_arms_and_curves(model):
    """Soleus alone: the moment that OpenSim itself gives at the test's angle with a rigid tendon."""
    muscle = model.getMuscles().get("soleus_r")
    muscle.set_ignore_tendon_compliance(True)
    state = model.initSystem()
    for i in range(model.getCoordinateSet().getSize()):
        model.getCoordinateSet().get(i).setValue(state, 0.0, False)
    model.realizeVelocity(state)
    muscle.setActivation(state, 1.0)
    model.realizeDynamics(state)
    arm = muscle.getGeometryPath().computeMomentArm(state, model.getCoordinateSet().get("ankle_angle_r"))
    expected = -arm * muscle.getActiveFiberForceAlongTendon(state)
    others = [name for name in GROUPS["ankle_plantarflexion"].muscles if name != "soleus"]
    for name in others:
        model.getMuscles().get(f"{name}_r").set_max_isometric_force(1e-6)
    assert group_moment(model, "ankle_plantarflexion", "right") == pytest.approx(expected, rel=5e-3)
    assert np.isfinite(expected) and expected > 20
