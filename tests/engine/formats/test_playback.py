"""The playback document against the body it shows."""

import json

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from generation.engine.body import BODIES, COORDINATES, TorchBody, scale_body
from generation.engine.formats import Motion, playback_document
from generation.engine.formats.playback import decode


@pytest.fixture(scope="module")
def body():
    return TorchBody(scale_body("female", 60, 1.6, 70), dtype=torch.float64)


def turning(body, frames=40) -> Motion:
    """Upright, the pelvis turning once around and the knees bending."""
    values = np.tile(body.neutral().numpy(), (frames, 1))
    values[:, COORDINATES.index("pelvis_rotation")] = np.linspace(0, 2 * np.pi, frames)
    for name in ("knee_angle_r", "knee_angle_l"):
        values[:, COORDINATES.index(name)] = np.linspace(0, 2, frames)
    return Motion(COORDINATES, values, 60.0)


def test_holds_what_the_kinematics_say(body):
    motion = turning(body)
    phases = [{"name": "descent", "start_s": 0.0, "end_s": 0.5}, {"name": "stand", "start_s": 0.5, "end_s": 0.65}]
    document = json.loads(json.dumps(playback_document(body, motion, phases), allow_nan=False))
    placed = body(torch.tensor(motion.values))
    frames, count = 40, len(BODIES)
    assert (document["version"], document["frames"], document["frame_rate"]) == (1, frames, 60)
    assert document["duration_s"] == pytest.approx(39 / 60) and document["phases"] == phases
    assert document["bodies"] == list(BODIES)
    assert document["scales"][BODIES.index("torso")] == list(body.scale.factors["torso"])
    np.testing.assert_allclose(decode(document["positions"], frames, count, 3), placed.translations, atol=1e-6)
    quaternions = decode(document["quaternions"], frames, count, 4)
    rotations = Rotation.from_quat(quaternions.reshape(-1, 4)).as_matrix().reshape(frames, count, 3, 3)
    np.testing.assert_allclose(rotations, placed.rotations, atol=1e-5)
    assert ((quaternions[1:] * quaternions[:-1]).sum(-1) > 0.9).all()  # no sign jumps over a whole turn
    np.testing.assert_allclose(decode(document["com"], frames, 3), placed.com, atol=1e-6)
    centres = document["joint_centres"]
    shown = decode(centres["positions"], frames, len(centres["names"]), 3)[:, centres["names"].index("knee_l")]
    np.testing.assert_allclose(shown, body.joint_centres(placed)["knee_l"], atol=1e-6)
    degrees = decode(document["coordinates"]["degrees"], frames, len(COORDINATES))
    assert degrees[-1, COORDINATES.index("knee_angle_r")] == pytest.approx(np.degrees(2), abs=1e-4)
    assert degrees[-1, COORDINATES.index("pelvis_ty")] == pytest.approx(float(body.neutral()[4]), abs=1e-6)


@pytest.mark.parametrize("phase", [
    {"name": "jump", "start_s": 0, "end_s": 0.1},
    {"name": "descent", "start_s": 0.4, "end_s": 0.1},
    {"name": "descent", "start_s": 0.0, "end_s": 9.0},
])
def test_refuses_a_phase_that_is_none(body, phase):
    with pytest.raises(ValueError, match="phase"):
        playback_document(body, turning(body), [phase])


def test_refuses_a_motion_that_is_not_the_bodys(body):
    motion = turning(body)
    with pytest.raises(ValueError, match="coordinates"):
        playback_document(body, Motion(COORDINATES[:5], motion.values[:, :5], 60.0))
    broken = motion.values.copy()
    broken[3, 3] = np.nan
    with pytest.raises(ValueError, match="finite"):
        playback_document(body, Motion(COORDINATES, broken, 60.0))
