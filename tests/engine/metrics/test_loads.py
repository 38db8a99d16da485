"""Load variables: against the analysis that `analyse_motion` prints, against pencil and paper, and with gradients."""
from __future__ import annotations

import numpy as np
import pytest
import torch

from generation.engine.analysis import analyse
from generation.engine.body import COORDINATES, TorchBody, personal_body
from generation.engine.formats import Motion
from generation.engine.limits import Limit
from generation.engine.metrics import LoadMeter, check_limits, measure
from generation.engine.metrics.loads import GRAVITY
from generation.engine.physics import estimate_ground
from generation.engine.profile import parse_profile
from generation.engine.variables import LOAD_VARIABLES, MUSCLE_GROUPS, VARIABLES

PERSON = {"sex": "female", "age_years": 50, "height_m": 1.66, "mass_kg": 66}
RATE, FRAMES = 60.0, 61


def column(name: str) -> int:
    return COORDINATES.index(name)


def squat(body: TorchBody, depth_deg: float = 70, sideways_m: float = 0.0) -> np.ndarray:
    """Down and up in a second, ankles under the hips, soles near the floor; the pelvis ``sideways_m`` to the right."""
    bend = np.radians(depth_deg) * 0.5 * (1 - np.cos(np.linspace(0, 2 * np.pi, FRAMES)))
    q = body.neutral().repeat(FRAMES, 1).double().numpy()
    for side in "rl":
        q[:, column(f"knee_angle_{side}")] = q[:, column(f"knee_angle_{side}_beta")] = bend
        q[:, column(f"hip_flexion_{side}")] = 0.9 * bend
        q[:, column(f"ankle_angle_{side}")] = 0.4 * bend
    q[:, column("pelvis_tilt")] = -0.5 * bend
    with torch.no_grad():
        lean = np.arcsin(sideways_m / 0.8)      # turn the legs about the hips so that the feet stay where they are
        for side, sign in (("r", 1.0), ("l", -1.0)):
            q[:, column(f"hip_adduction_{side}")] += sign * lean
            q[:, column(f"subtalar_angle_{side}")] -= sign * lean
        soles = body.foot_contacts(body(torch.as_tensor(q)))[..., 1].amin((-1, -2)).numpy()
        q[:, column("pelvis_ty")] -= soles
        feet = body(torch.as_tensor(q)).translations[:, [body.bodies.index(f"calcn_{side}") for side in "rl"]].mean(1)
        q[:, column("pelvis_tx")] -= (feet[:, 0] - feet[0, 0]).numpy()
    return q


@pytest.fixture(scope="module")
def person():
    return personal_body(parse_profile(PERSON))


@pytest.fixture(scope="module")
def meter(person):
    return LoadMeter(person)


@pytest.fixture(scope="module")
def body(person):
    return TorchBody(person, dtype=torch.float64)


@pytest.fixture(scope="module")
def deep(body):
    return squat(body)


@pytest.fixture(scope="module")
def loads(meter, deep):
    return meter.measure([deep], RATE, [None])[0]


def test_every_load_variable_is_measured_in_its_registry_shape(loads):
    assert {*loads.single, *loads.series} == LOAD_VARIABLES
    for name, values in (loads.single | loads.series).items():
        assert values.shape[:1] == ((2,) if VARIABLES[name].sided else ()), name
        assert torch.isfinite(values).all()


def test_the_numbers_are_those_of_the_analysis(loads, deep, person):
    found = analyse(Motion(COORDINATES, deep, RATE), person, route="fast")
    for side, letter in enumerate("rl"):
        peak = {name: float(values[side]) for name, values in loads.single.items() if VARIABLES[name].sided}
        knee = found.column("moments", f"knee_angle_{letter}") + found.column("moments", f"knee_angle_{letter}_beta")
        assert peak["knee_extension_moment_peak"] == pytest.approx(-knee.min() / person.mass_kg, abs=1e-4)
        hip = found.column("moments", f"hip_flexion_{letter}")
        assert peak["hip_flexion_moment_peak"] == pytest.approx(hip.max() / person.mass_kg, abs=1e-4)
        assert peak["knee_extension_demand_peak"] == pytest.approx(
            100 * found.demand[f"knee_angle_{letter}"].max(), abs=0.01)
        for name, load in (("hip", "hip"), ("patellofemoral", "patellofemoral_free_body")):
            assert peak[f"{name}_force_peak"] == pytest.approx(
                found.contact_in_body_weights(f"{load}_{letter}").max(), abs=1e-3)
        soleus = found.activations[:, found.muscles.index(f"soleus_{letter}")]
        assert peak["soleus_activation_peak"] == pytest.approx(100 * soleus.max(), abs=0.01)
    assert loads.trust.trusted == found.trusted.sum() and loads.trust.frames == len(found.time)
    largest = max(share.max() for share in found.reserve_share.values())
    assert loads.trust.largest_reserve_share == pytest.approx(largest, abs=1e-4)


def test_a_group_is_the_mean_by_force_of_its_muscles(loads):
    parts = ("vastus_medialis", "vastus_lateralis", "vastus_intermedius")
    vasti = loads.single["vasti_activation_peak"]
    alone = torch.stack([loads.single[f"{part}_activation_peak"] for part in parts])
    assert (vasti <= alone.amax(0) + 1e-6).all() and (vasti >= alone.amin(0) - 1e-6).all()
    assert set(loads.peak_frames) == set(MUSCLE_GROUPS)


def test_a_motion_does_not_depend_on_its_batch(meter, body, deep, loads):
    shallow = squat(body, 40)
    together = meter.measure([shallow, deep[:50], deep], RATE, [None] * 3)
    for name, values in (loads.single | loads.series).items():
        again = (together[2].single | together[2].series)[name]
        assert torch.allclose(again, values, atol=1e-3), name
    assert (together[0].single["patellofemoral_force_peak"] < loads.single["patellofemoral_force_peak"]).all()


def test_the_foot_towards_which_the_body_moves_carries_more(meter, body):
    even, right = meter.measure([squat(body, 30), squat(body, 30, sideways_m=0.04)], RATE, [None] * 2)
    assert even.single["foot_load_share_mean"].tolist() == pytest.approx([50, 50], abs=0.5)
    assert right.single["foot_load_share_mean"][0] > 60
    assert right.single["foot_load_share_mean"].sum().item() == pytest.approx(100)


def test_the_knee_adduction_moment_is_the_force_times_its_lever(meter, body):
    """Standing still and straight: body weight over two, on the lever by which it passes the knee, plus the shank's."""
    q = body.neutral().repeat(20, 1).double().numpy()
    with torch.no_grad():
        q[:, column("pelvis_ty")] -= float(body.foot_contacts(body(torch.as_tensor(q)))[..., 1].min())
        kinematics = body(torch.as_tensor(q[:1]))
        knee = body.joint_centres(kinematics)["knee_r"][0]
    (found,) = meter.measure([q], RATE, [None])
    own = meter.own(torch.as_tensor(q).to(meter.body.lower))
    still = torch.zeros_like(own)
    with torch.no_grad():
        ground = estimate_ground(meter.body, own, still, still)
    force, point, moment = (part[0, 0].double() for part in (ground.force, ground.point, ground.moment))
    external = torch.linalg.cross(point - knee, force) + moment
    shank = kinematics.rotations[0, body.bodies.index("tibia_r"), :, 0]
    wanted = float(external @ shank) / meter.mass_kg
    below = {f"{name}_r" for name in ("tibia", "talus", "calcn", "toes")}
    weight = sum(float(mass) for name, mass in zip(body.bodies, meter.fast.model.packed["mass"], strict=True)
                 if name in below) * GRAVITY
    room = weight * 0.03 / meter.mass_kg        # standing, the mass centre of shank and foot is beside the knee by less
    assert found.single["knee_adduction_moment_peak"][0].item() == pytest.approx(wanted, abs=room)
    assert wanted > 2 * room                    # and the ground's force passes on the inner side of the knee


def test_checks_say_how_well_a_value_is_known(body, deep, loads):
    seen = measure(body, torch.as_tensor(deep), RATE)
    limits = [Limit("knee_extension_moment_peak", "right", None, 9), Limit("vasti_activation_peak", "both", 2, 99),
              Limit("foot_load_share", "left", 10), Limit("knee_flexion", "both", None, 90)]
    unknown = check_limits(limits, seen.measured, seen.phases, seen.times)
    assert [check.satisfied for check in unknown] == [False, False, False, True]
    assert "cannot be measured" in unknown[0].sentence()
    seen.add_loads(loads, torch.as_tensor(deep))
    moment, vasti, share, angle = seen.check(limits)
    assert all(check.satisfied for check in (moment, vasti, share, angle))
    assert moment.error > 0 and share.error > 0 and vasti.error is None and angle.error is None
    assert vasti.trusted_share == loads.trust.trusted / loads.trust.frames and moment.trusted_share is None
    assert vasti.reserve_share == loads.trust.largest_reserve_share
    (crossed,) = seen.check([Limit("knee_extension_moment_peak", "right", None, 0.1)])
    assert "known to about" in crossed.sentence() and not crossed.satisfied
    assert seen.metrics["knee_extension_moment_nm_kg"] == pytest.approx(
        float(loads.single["knee_extension_moment_peak"].max()))


def test_every_muscle_of_a_group_is_in_the_model(person):
    names = set(person.muscles["muscle_names"].tolist())
    for _, muscles in MUSCLE_GROUPS.values():
        assert {f"{muscle}_{side}" for muscle in muscles for side in "rl"} <= names


def test_gradients_point_downhill(person, deep):
    """Against finite differences, of each kind of load, towards more knee bend on the right."""
    exact = LoadMeter(person, dtype=torch.float64)
    wanted = frozenset({"knee_extension_demand_peak", "vasti_activation_peak", "patellofemoral_force_peak",
                        "foot_load_share", "knee_adduction_moment_peak"})
    q = exact.own(torch.as_tensor(deep[24:38:4]))
    still = torch.zeros_like(q)
    turn = torch.zeros_like(q)
    turn[:, list(person.coordinates).index("knee_angle_r")] = 1.0
    turn[:, list(person.coordinates).index("pelvis_tilt")] = 0.5

    def values(step: float):
        moved = (q + step * turn).requires_grad_()
        series = exact.series(exact.frames(moved, still, still, wanted), wanted)
        return moved, {name: series[name].sum() for name in sorted(wanted)}

    moved, here = values(0.0)
    for name, value in here.items():
        (slope,) = torch.autograd.grad(value, moved, retain_graph=True)
        step = 1e-5
        secant = (values(step)[1][name] - values(-step)[1][name]) / (2 * step)
        assert float((slope * turn).sum()) == pytest.approx(float(secant.detach()), rel=2e-3, abs=1e-3), name
