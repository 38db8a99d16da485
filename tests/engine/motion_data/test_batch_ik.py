"""Synthetic recordings: markers computed from the body model itself, so the right answer is known."""

import numpy as np
import pytest
import torch

from generation.engine.body import BODIES, COORDINATES
from generation.engine.motion_data.batch_ik import solve_together
from generation.engine.motion_data.fit import Person
from generation.engine.motion_data.markers import MARKER_SETS
from generation.engine.motion_data.placing import torch_body
from generation.engine.motion_data.skeleton import SCALE_NAMES, scale_factors

LABELS = tuple(MARKER_SETS["plug-in-gait"])
LEGS = [
    i
    for i, name in enumerate(COORDINATES)
    if name.startswith(("hip_", "knee_angle", "ankle_", "lumbar_", "pelvis_tilt", "pelvis_list"))
]


def column(name):
    return COORDINATES.index(name)


def person() -> Person:
    parameters = dict.fromkeys(SCALE_NAMES, 1.05)
    factors = scale_factors(parameters)
    places = MARKER_SETS["plug-in-gait"]
    offsets = {name: (np.array(places[name].location) * factors[places[name].body]).tolist() for name in LABELS}
    return Person("synthetic", "plug-in-gait", parameters, offsets, dict.fromkeys(COORDINATES, 0.0), 0.0, True)


def markers(who: Person, values: np.ndarray) -> np.ndarray:
    """Positions (frame, marker, 3) of the person's markers in poses (frame, coordinate)."""
    body = torch_body(scale_factors(who.parameters))
    placed = body(torch.as_tensor(values))
    bodies = [BODIES.index(MARKER_SETS["plug-in-gait"][label].body) for label in LABELS]
    local = torch.tensor([who.offsets[label] for label in LABELS], dtype=torch.float64)
    return (placed.translations[:, bodies] + (placed.rotations[:, bodies] @ local[..., None])[..., 0]).numpy()


def step_over(frames: int, arm_deg: float) -> np.ndarray:
    """The right foot is lifted and put down again; arms held at `arm_deg` of flexion."""
    bend = np.sin(np.linspace(0, np.pi, frames)) ** 2
    values = np.zeros((frames, len(COORDINATES)))
    values[:, column("pelvis_ty")] = 1.0
    for side in "rl":
        values[:, column(f"arm_flex_{side}")] = np.deg2rad(arm_deg)
        values[:, column(f"elbow_flex_{side}")] = np.deg2rad(30)
        values[:, column(f"pro_sup_{side}")] = np.deg2rad(60)
    values[:, column("hip_flexion_r")] = np.deg2rad(80) * bend
    values[:, column("knee_angle_r")] = values[:, column("knee_angle_r_beta")] = np.deg2rad(5 + 90 * bend)
    values[:, column("hip_adduction_r")] = np.deg2rad(-10) * bend
    values[:, column("lumbar_bending")] = np.deg2rad(5) * bend
    return values


@pytest.fixture(scope="module")
def solved():
    """Two recordings of different length, one with a marker that is lost for a while."""
    who = person()
    truth = [step_over(50, 20.0), step_over(40, 150.0)]
    recordings = [markers(who, values) for values in truth]
    recordings[1][10:20, LABELS.index("RKNE")] = np.nan
    return who, truth, solve_together(who, LABELS, recordings)


def test_known_angles_are_found(solved):
    _, truth, results = solved
    for values, (found, error) in zip(truth, results, strict=True):
        assert found.shape == values.shape and error.shape == (len(values),)
        assert 1000 * np.median(error) < 2
        assert np.rad2deg(np.abs(found - values)[:, LEGS]).max() < 2


def test_a_recording_does_not_depend_on_the_others(solved):
    who, truth, results = solved
    alone = solve_together(who, LABELS, [markers(who, truth[0])])[0][0]
    np.testing.assert_allclose(alone, results[0][0], atol=1e-6)


def test_angles_stay_inside_the_ranges(solved):
    who, truth, _ = solved
    beyond = truth[0].copy()
    beyond[:, column("knee_angle_l")] = beyond[:, column("knee_angle_l_beta")] = np.deg2rad(-12)  # overstretched
    body = torch_body(scale_factors(who.parameters))
    found, error = solve_together(who, LABELS, [markers(who, beyond)])[0]
    assert (found >= body.lower.numpy() - 1e-9).all() and (found <= body.upper.numpy() + 1e-9).all()
    assert np.rad2deg(found[:, column("knee_angle_l")]).max() < 5
    assert 1000 * np.median(error) < 15


def test_a_standing_sole_is_level_and_a_lifted_one_follows_its_leg(solved):
    who, truth, _ = solved
    rolled = truth[0].copy()
    rolled[:, column("hip_adduction_l")] -= np.deg2rad(12)  # tilts the standing foot
    rolled[:, column("hip_rotation_r")] += np.deg2rad(20)  # tilts the foot in the air, whose hip is bent
    body = torch_body(scale_factors(who.parameters))
    values, _ = solve_together(who, LABELS, [markers(who, rolled)])[0]
    middle = len(values) // 2
    (true_air, true_standing), (air, standing) = (sole_roll(body, v[middle]) for v in (rolled, values))
    assert abs(true_standing) > 10 and abs(standing) < 3
    assert abs(true_air) > 10 and abs(air - true_air) < 3


def sole_roll(body, pose) -> np.ndarray:
    """(foot [right, left],) sideways tilt of the soles in a pose (coordinate,), degrees."""
    points = body.foot_contacts(body(torch.as_tensor(pose))).numpy()
    across = points[:, 1] - points[:, 0]
    return np.rad2deg(np.arcsin(across[:, 1] / np.linalg.norm(across, axis=-1)))
