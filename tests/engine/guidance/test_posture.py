"""The arms: natural in each posture, inside the body's ranges, hands where they belong, and their weight counted."""
from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from generation.engine.body import BODIES, COORDINATES, TorchBody, scale_body
from generation.engine.guidance.posture import GRIP_M, POSTURES, Arms
from generation.engine.motion_data import load_repetitions
from generation.engine.profile import Profile

INDEX = {name: i for i, name in enumerate(COORDINATES)}
ARMS = [i for name, i in INDEX.items() if name.startswith(("arm_", "elbow", "pro_sup"))]


@pytest.fixture(scope="module", params=[("female", 1.52, 50), ("male", 1.92, 95)])
def body(request) -> TorchBody:
    sex, height, mass = request.param
    return TorchBody(scale_body(sex, 60, height, mass), dtype=torch.float64)


@pytest.fixture(scope="module")
def squat(body) -> torch.Tensor:
    """The deepest of the shipped repetitions, every fifth frame, from standing, on this body's legs."""
    knee, height = INDEX["knee_angle_r"], INDEX["pelvis_ty"]
    deepest = max((one for one in load_repetitions() if one.correct), key=lambda one: one.values[:, knee].max())
    q = torch.as_tensor(deepest.values[::5].copy())
    q[:, height] *= body.neutral()[height] / q[0, height]
    return q


def hands(body, q):
    """(side, time, 3) the middle of each hand."""
    centres = body.joint_centres(body(q))
    found = []
    for side in "rl":
        wrist, elbow = centres[f"wrist_{side}"], centres[f"elbow_{side}"]
        found.append(wrist + GRIP_M * (wrist - elbow) / (wrist - elbow).norm(dim=-1, keepdim=True))
    return torch.stack(found)


def test_every_posture_can_be_asked_for():
    asked = Profile.model_fields["arms"].annotation.__args__[0].__args__
    assert set(asked) == set(POSTURES)
    with pytest.raises(ValueError, match="unknown arm posture"):
        Arms(None, "folded")


@pytest.mark.parametrize("posture", POSTURES)
def test_a_posture_moves_the_arms_only_smoothly_and_within_their_ranges(body, squat, posture):
    placed = Arms(body, posture)(squat)
    others = [i for i in range(len(COORDINATES)) if i not in ARMS]
    assert torch.equal(placed[:, others], squat[:, others])
    arms = placed[:, ARMS]
    assert (arms >= body.lower[ARMS] - 1e-9).all() and (arms <= body.upper[ARMS] + 1e-9).all()
    assert arms.diff(dim=0).abs().max() < math.radians(45)             # in a twelfth of a second
    right, left = (placed[:, [INDEX[f"{name}_{side}"] for name in ("arm_flex", "elbow_flex")]] for side in "rl")
    assert (right - left).abs().max() < math.radians(30)
    assert 0 < arms.amax(0).sub(arms.amin(0)).max()                     # alive, not frozen


def test_the_hands_stay_on_the_support(body, squat):
    grip = hands(body, Arms(body, "support")(squat))
    centres = body.joint_centres(body(squat))
    assert (grip - grip[:, :1]).norm(dim=-1).max() < 1e-6
    shoulder = centres["shoulder_r"][0]
    assert 0.3 < float(grip[0, 0, 0] - shoulder[0]) < 0.6 and 0.85 < float(grip[0, 0, 1]) < 1.25


def test_crossed_hands_lie_before_the_other_shoulder(body, squat):
    placed = Arms(body, "crossed")(squat)
    kinematics = body(placed)
    centres, torso = body.joint_centres(kinematics), BODIES.index("torso")
    for hand, other in zip(hands(body, placed), "lr", strict=True):
        offset = hand - centres[f"shoulder_{other}"]
        inside = (kinematics.rotations[:, torso].transpose(-1, -2) @ offset.unsqueeze(-1)).squeeze(-1)
        assert (inside[:, 0] > 0.05).all() and (inside.norm(dim=-1) < 0.2).all()


def test_overhead_hands_are_over_the_head_and_side_hands_low(body, squat):
    centres = body.joint_centres(body(squat))
    overhead, sides = (hands(body, Arms(body, posture)(squat)) for posture in ("overhead", "sides"))
    assert (overhead[..., 1] - centres["shoulder_r"][:, 1] > 0.3).all()
    assert (centres["shoulder_r"][:, 1] - sides[..., 1] > 0.3).all()
    assert (sides[0, :, 2] - centres["shoulder_r"][:, 2] > 0.03).all()         # beside the body, not inside the thighs


def test_the_arms_weigh(body, squat):
    """Raised arms bring the centre of mass forward of hanging ones by the arms' mass times its way over the whole."""
    deepest = int(squat[:, INDEX["pelvis_ty"]].argmin())
    at = {posture: body(Arms(body, posture)(squat)).com[deepest] for posture in POSTURES}
    arm = [i for i, name in enumerate(BODIES) if name.startswith(("humerus", "ulna", "radius", "hand"))]
    share = float(body.mass[arm].sum() / body.mass.sum())
    assert 0.05 < share < 0.15
    moved = float(at["forward"][0] - at["sides"][0])
    assert 0.1 * share < moved < 0.8 * share                                    # 10 to 80 cm of the arms' own way
    assert at["overhead"][1] > at["forward"][1] > at["sides"][1]


def test_gradients_pass(body, squat):
    for posture in POSTURES:
        q = squat[::6].clone().requires_grad_()
        body(Arms(body, posture)(q)).com.sum().backward()
        assert torch.isfinite(q.grad).all() and np.abs(q.grad.numpy()).max() > 0
