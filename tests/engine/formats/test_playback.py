"""The playback document against the body it shows."""

import base64
import json

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from generation.engine.body import BODIES, COORDINATES, TorchBody, scale_body
from generation.engine.formats import Motion, playback_document
from generation.engine.formats.packed import pack, unpack
from generation.engine.formats.playback import series


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
    assert (document["version"], document["frames"], document["frame_rate"]) == (2, frames, 60)
    assert document["duration_s"] == pytest.approx(39 / 60) and document["phases"] == phases
    assert document["bodies"] == list(BODIES)
    assert document["scales"][BODIES.index("torso")] == list(body.scale.factors["torso"])
    np.testing.assert_allclose(series(document, "positions"), placed.translations, atol=1e-4)
    quaternions = series(document, "quaternions")
    rotations = Rotation.from_quat(quaternions.reshape(-1, 4)).as_matrix().reshape(frames, count, 3, 3)
    np.testing.assert_allclose(rotations, placed.rotations, atol=1e-4)
    assert ((quaternions[1:] * quaternions[:-1]).sum(-1) > 0.9).all()  # no sign jumps over a whole turn
    np.testing.assert_allclose(series(document, "com"), placed.com, atol=1e-4)
    centres = document["joint_centres"]
    shown = series(document, "joint_centres")
    for i, name in enumerate(centres["names"]):
        np.testing.assert_allclose(shown[:, i], body.joint_centres(placed)[name], atol=1e-4, err_msg=name)
    degrees = series(document, "degrees")
    assert degrees[-1, COORDINATES.index("knee_angle_r")] == pytest.approx(np.degrees(2), abs=0.002)
    assert degrees[-1, COORDINATES.index("pelvis_ty")] == pytest.approx(float(body.neutral()[4]), abs=1e-4)


def test_the_soles_of_the_document_are_the_bodys(body):
    motion = turning(body)
    document = playback_document(body, motion)
    placed = body(torch.tensor(motion.values))
    offsets, on = np.array(document["soles"]["offsets"]), document["soles"]["bodies"]
    rotations = Rotation.from_quat(series(document, "quaternions")[20][on]).as_matrix()
    points = np.einsum("nij,nj->ni", rotations, offsets) + series(document, "positions")[20][on]
    np.testing.assert_allclose(points, body.foot_contacts(placed)[20].reshape(-1, 3), atol=2e-4)
    assert sum(document["masses"]) == pytest.approx(70, abs=0.05)


def test_reads_the_documents_of_version_1(body):
    new = playback_document(body, turning(body))
    encode = lambda field: base64.b64encode(series(new, field).astype("<f4").tobytes()).decode()  # noqa: E731
    old = new | {"version": 1, "com": encode("com"), "positions": encode("positions")}
    for field in ("com", "positions"):
        np.testing.assert_array_equal(series(old, field), series(new, field))


def test_packed_values_come_back_within_half_a_step():
    rng = np.random.default_rng(0)
    array = np.column_stack([rng.normal(size=50), 1000 * rng.normal(size=50), np.zeros(50)])
    entry = json.loads(json.dumps(pack(array, 0.001)))
    assert entry["step"][0] < entry["step"][1]                      # the large column has a larger step
    error = np.abs(unpack(entry) - array).max(axis=0)
    assert error[0] <= 0.00051 and error[1] <= np.abs(array[:, 1]).max() / 65000 and error[2] == 0
    assert unpack(pack(array[:1], 0.001)).shape == (1, 3)
    np.testing.assert_allclose(unpack(pack(array[:, 0].reshape(25, 2, 1), 0.001)).ravel(), array[:, 0], atol=0.00051)


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
