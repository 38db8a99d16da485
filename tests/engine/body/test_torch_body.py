"""The torch body against OpenSim on the same scaled model, and its own consistency."""

import numpy as np
import pytest
import torch

from generation.engine.body import (
    BODIES,
    COORDINATES,
    FOOT_CHAIN,
    BodyScale,
    TorchBody,
    generic_scale,
    scale_body,
    write_osim,
)
from generation.engine.body.scaled import scaled_arrays
from generation.engine.body.tree import JointTree
from tests.engine.body.opensim_model import OpenSimModel, random_poses

JOINTS = {  # our joint centre -> OpenSim's joint
    "hip_r": "hip_r", "knee_l": "walker_knee_l", "ankle_r": "ankle_r", "subtalar_l": "subtalar_l", "mtp_r": "mtp_r",
    "lumbar": "back", "shoulder_l": "acromial_l", "elbow_r": "elbow_r", "wrist_l": "radius_hand_l",
}


def uneven_scale() -> BodyScale:
    rng = np.random.default_rng(7)
    return BodyScale({body: tuple(rng.uniform(0.8, 1.25, 3)) for body in BODIES}, 58.0, 1.6, "test")


SCALES = {
    "generic": generic_scale(),
    "woman": scale_body("female", 71, 1.52, 81),
    "man": scale_body("male", 24, 1.96, 90),
    "uneven": uneven_scale(),
}


@pytest.mark.parametrize("name", SCALES)
def test_bodies_are_where_opensim_puts_them(name, tmp_path):
    reference = OpenSimModel(write_osim(SCALES[name], tmp_path / "scaled.osim"))
    body = TorchBody(SCALES[name], dtype=torch.float64)
    single = TorchBody(SCALES[name])
    poses = random_poses(6, body.lower, body.upper)
    placed, rough = body(torch.tensor(poses)), single(torch.tensor(poses, dtype=torch.float32))
    contacts, centres = body.foot_contacts(placed), body.joint_centres(placed)
    for i, pose in enumerate(poses):
        reference.place(pose)
        np.testing.assert_allclose(placed.translations[i], reference.origins(), atol=1e-9)
        np.testing.assert_allclose(placed.rotations[i], reference.rotations(), atol=1e-9)
        np.testing.assert_allclose(placed.com[i], reference.com(), atol=1e-9)
        np.testing.assert_allclose(contacts[i], reference.contacts(), atol=1e-9)
        for ours, theirs in JOINTS.items():
            np.testing.assert_allclose(centres[ours][i], reference.joint_centre(theirs), atol=1e-9)
        np.testing.assert_allclose(rough.translations[i], reference.origins(), atol=2e-6)
        np.testing.assert_allclose(rough.com[i], reference.com(), atol=2e-6)


def test_scaled_model_has_the_persons_mass(tmp_path):
    reference = OpenSimModel(write_osim(SCALES["woman"], tmp_path / "scaled.osim"))
    assert reference.model.getTotalMass(reference.state) == pytest.approx(81)
    assert float(TorchBody(SCALES["woman"], dtype=torch.float64).mass.sum()) == pytest.approx(81)


def test_own_column_of_the_patella_is_ignored():
    body = TorchBody(dtype=torch.float64)
    q = torch.tensor(random_poses(1, body.lower, body.upper)[0])
    moved = q.clone()
    moved[[COORDINATES.index(f"knee_angle_{side}_beta") for side in "rl"]] += 0.7
    torch.testing.assert_close(body(q).translations, body(moved).translations)


def test_a_skeleton_whose_joints_neither_slide_nor_bend_by_a_curve():
    packed = scaled_arrays(SCALES["generic"])
    packed["axis_coordinate"] = packed["axis_coordinate"].copy()
    packed["axis_coordinate"][:, 3:] = -1
    packed["axis_slope"] = np.where(packed["axis_coordinate"] >= 0, 1.0, 0.0)
    packed["axis_spline"] = np.full_like(packed["axis_spline"], -1)
    packed["spline"] = packed["spline"][:0]
    q = torch.zeros(len(COORDINATES), 2, dtype=torch.float64, requires_grad=True)
    position, _, com = JointTree(packed, torch.float64, None)(q)
    com.sum().backward()
    assert torch.isfinite(position).all() and torch.isfinite(q.grad).all() and q.grad.abs().max() > 0


def test_any_leading_axes():
    body = TorchBody(dtype=torch.float64)
    q = torch.tensor(random_poses(6, body.lower, body.upper))
    flat, folded = body(q), body(q.reshape(2, 3, -1))
    torch.testing.assert_close(folded.rotations.reshape(6, -1, 3, 3), flat.rotations)
    torch.testing.assert_close(body.foot_contacts(folded).reshape(6, 2, -1, 3), body.foot_contacts(flat))
    torch.testing.assert_close(folded.com[1, 2], body(q[5]).com)


@pytest.mark.parametrize("name", SCALES)
def test_soles_are_on_the_floor_in_the_neutral_pose(name):
    body = TorchBody(SCALES[name], dtype=torch.float64)
    heights = body.foot_contacts(body(body.neutral()))[..., 1]
    assert float(heights.min()) == pytest.approx(0, abs=1e-9)
    if name != "uneven":  # whose feet are of uneven height
        assert float(heights.abs().max()) < 1e-9


def test_points_are_fixed_in_their_body():
    body = TorchBody(dtype=torch.float64)
    placed = body(torch.tensor(random_poses(3, body.lower, body.upper)))
    points = body.points(placed, "torso", [[0.0, 0.0, 0.0], [0.1, 0.2, 0.3]])
    torso = BODIES.index("torso")
    torch.testing.assert_close(points[:, 0], placed.translations[:, torso])
    expected = placed.translations[:, torso] + placed.rotations[:, torso] @ torch.tensor([0.1, 0.2, 0.3]).double()
    torch.testing.assert_close(points[:, 1], expected)


@pytest.mark.parametrize("name", ["generic", "uneven"])
def test_gradient_is_the_slope(name):
    body = TorchBody(SCALES[name], dtype=torch.float64)
    weights = torch.randn(len(BODIES), 12, dtype=torch.float64, generator=torch.Generator().manual_seed(1))

    def measure(q):
        placed = body(q)
        rows = torch.cat([placed.translations, placed.rotations.flatten(-2)], -1)
        return (rows * weights).sum((-1, -2)) + 3 * placed.com.sum(-1)

    poses = torch.tensor(random_poses(4, body.lower, body.upper))
    gradient = torch.autograd.functional.jacobian(lambda q: measure(q).sum(), poses)
    step = 1e-6
    for c in range(len(COORDINATES)):
        shift = torch.zeros(len(COORDINATES), dtype=torch.float64)
        shift[c] = step
        slope = (measure(poses + shift) - measure(poses - shift)) / (2 * step)
        torch.testing.assert_close(gradient[:, c], slope, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("name", ["generic", "uneven"])
def test_foot_jacobian_is_the_gradient(name):
    body = TorchBody(SCALES[name], dtype=torch.float64)
    poses = torch.tensor(random_poses(3, body.lower, body.upper))
    jacobian = body.foot_jacobian(body(poses))
    for s, side in enumerate("rl"):
        foot = BODIES.index(f"calcn_{side}")
        columns = [COORDINATES.index(name) for name in FOOT_CHAIN[side]]
        for n, pose in enumerate(poses):
            rotation = body(pose).rotations[foot]
            linear = torch.autograd.functional.jacobian(lambda q, i=foot: body(q).translations[i], pose)[:, columns]
            turned = torch.autograd.functional.jacobian(lambda q, i=foot: body(q).rotations[i], pose)[..., columns]
            spin = torch.einsum("ijc,kj->cik", turned, rotation)  # d(rotation) rotation' = [angular]x
            angular = torch.stack([spin[:, 2, 1], spin[:, 0, 2], spin[:, 1, 0]])
            torch.testing.assert_close(jacobian[n, s], torch.cat([angular, linear]), atol=1e-9, rtol=0)


def test_twists_move_any_body_they_carry():
    body = TorchBody(dtype=torch.float64)
    pose = torch.tensor(random_poses(1, body.lower, body.upper)[0])
    placed = body(pose)
    angular, linear = body.twists(placed)
    for name, coordinates in (("hand_l", ("pelvis_list", "lumbar_bending", "arm_flex_l", "elbow_flex_l", "pro_sup_l")),
                              ("toes_r", ("pelvis_tx", "hip_rotation_r", "knee_angle_r", "subtalar_angle_r",
                                          "mtp_angle_r")),
                              ("torso", ("pelvis_tilt", "lumbar_extension", "lumbar_rotation"))):
        index, columns = BODIES.index(name), [COORDINATES.index(coordinate) for coordinate in coordinates]
        moved = torch.autograd.functional.jacobian(lambda q, i=index: body(q).translations[i], pose)[:, columns]
        spin, drift = angular[columns], linear[columns]
        expected = drift + torch.linalg.cross(spin, placed.translations[index].expand_as(spin), dim=-1)
        torch.testing.assert_close(expected.T, moved, atol=1e-9, rtol=0)
