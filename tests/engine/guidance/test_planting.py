"""Planted feet: residual, smallest change, gradients; and OpenSim agrees on where the soles are."""
from __future__ import annotations

import math

import pytest
import torch

from generation.engine.body import COORDINATES, TorchBody, scale_body
from generation.engine.guidance.planting import (
    CALCN,
    UNKNOWNS,
    Stance,
    flat_height,
    plant,
    plant_differentiable,
    resting_x,
)
from generation.engine.guidance.posture import Arms, standing

INDEX = {name: i for i, name in enumerate(COORDINATES)}


@pytest.fixture(scope="module")
def body() -> TorchBody:
    return TorchBody(scale_body("male", 30, 1.82, 90), dtype=torch.float64)


def stance(body, batch: int = 1, width: float = 0.34, toe_out: float = 0.25, stagger: float = 0.0) -> Stance:
    one = torch.ones(batch, dtype=torch.float64)
    return Stance(one * width, (one * toe_out)[:, None].expand(-1, 2), one * stagger, one * resting_x(body), one * 0)


def rough_squat(body, where: Stance, frames: int = 24, deep: float = 1.7) -> torch.Tensor:
    """(batch, frames, coordinate): angles that bend about right, feet all over the place."""
    bend = 0.07 + deep * torch.sin(torch.linspace(0, math.pi, frames, dtype=torch.float64)) ** 2
    q = standing(body, where.width, where.toe_out, where.width * 0 + 0.07).unsqueeze(-2).repeat(1, frames, 1)
    for side in "rl":
        q[..., INDEX[f"knee_angle_{side}"]] = bend
        q[..., INDEX[f"hip_flexion_{side}"]] = 0.9 * bend
        q[..., INDEX[f"ankle_angle_{side}"]] = 0.3 * bend
    q[..., INDEX["pelvis_tilt"]] = -0.25 * bend
    q[..., INDEX["pelvis_ty"]] -= 0.2 * bend
    q[..., INDEX["pelvis_tx"]] -= 0.05 * bend
    return q


@pytest.mark.parametrize("stagger", [0.0, 0.08])
def test_both_soles_are_exactly_where_they_should_be(body, stagger):
    where, height = stance(body, 2, stagger=stagger), flat_height(body)
    q, residual = plant(body, rough_squat(body, where), where, height, 20, 1e-9)
    assert residual.max() < 1e-9
    contacts = body.foot_contacts(body(q))
    assert contacts[..., 1].abs().max() < 1e-6
    assert (contacts - contacts[:, :1]).norm(dim=-1).max() < 1e-6
    heels = body(q).translations[..., CALCN, :]
    assert torch.allclose(heels[:, 0, 0, 2] - heels[:, 0, 1, 2], where.width)
    assert torch.allclose(heels[:, 0, 0, 0] - heels[:, 0, 1, 0], where.stagger)
    toes = body(q).rotations[0, 0, CALCN, :, 0]
    assert torch.rad2deg(torch.atan2(toes[:, 2], toes[:, 0])).tolist() == pytest.approx(
        [math.degrees(0.25), -math.degrees(0.25)])


def test_a_planted_motion_is_left_alone(body):
    where, height = stance(body), flat_height(body)
    q, _ = plant(body, rough_squat(body, where), where, height, 20, 1e-10)
    again, _ = plant(body, q, where, height, 20, 1e-9)
    assert torch.equal(q, again)


def test_toes_and_other_joints_are_not_used(body):
    where = stance(body)
    before = rough_squat(body, where)
    before[..., INDEX["mtp_angle_r"]] = -0.3
    after, _ = plant(body, before, where, flat_height(body))
    assert (after[..., INDEX["mtp_angle_r"]] == 0).all()
    others = [i for i, name in enumerate(COORDINATES) if i not in UNKNOWNS and not name.startswith(("mtp", "knee"))]
    assert torch.equal(after[..., others], before[..., others])
    assert torch.equal(after[..., INDEX["knee_angle_r_beta"]], after[..., INDEX["knee_angle_r"]])


def test_out_of_reach_leaves_a_residual(body):
    where = stance(body, width=3.0)
    _, residual = plant(body, rough_squat(body, where), where, flat_height(body))
    assert residual.min() > 0.01


def test_the_gradient_is_that_of_the_projection(body):
    where, height = stance(body), flat_height(body)
    start = rough_squat(body, where, 6)
    weights = torch.rand(start.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(3))

    def measure(q, width):
        placed = Stance(where.width * 0 + width, *(getattr(where, name) for name in
                                                   ("toe_out", "stagger", "centre_x", "centre_z")))
        return plant_differentiable(body, q, placed, height, iterations=20)[0]

    base, _ = plant(body, start, where, height, 20, 1e-12)           # the projector is exact on planted motions
    q = base.clone().requires_grad_()
    width = torch.tensor(0.34, dtype=torch.float64, requires_grad=True)
    (measure(q, width) * weights).sum().backward()
    direction = torch.zeros_like(base)
    random = torch.Generator().manual_seed(5)
    direction[..., list(UNKNOWNS)] = torch.rand(len(UNKNOWNS), dtype=torch.float64, generator=random)
    step = 1e-5
    with torch.no_grad():
        change = (measure(base + step * direction, 0.34) - measure(base - step * direction, 0.34)) / (2 * step)
        wider = (measure(base, 0.34 + step) - measure(base, 0.34 - step)) / (2 * step)
    assert float((q.grad * direction).sum()) == pytest.approx(float((change * weights).sum()), rel=1e-3)
    assert float(width.grad) == pytest.approx(float((wider * weights).sum()), rel=1e-3)


def test_a_warm_start_needs_one_step(body):
    where, height = stance(body), flat_height(body)
    q = rough_squat(body, where)
    _, correction = plant_differentiable(body, q, where, height)
    near, _ = plant_differentiable(body, q + 0.01, where, height, correction, 1)
    _, residual = plant(body, near, where, height, 0)
    assert residual.max() < 1e-3


def test_the_correction_is_the_smallest_whatever_it_started_from(body):
    where, height = stance(body), flat_height(body)
    q = rough_squat(body, where)
    free = torch.zeros(*q.shape[:-1], len(UNKNOWNS), dtype=q.dtype)
    straight, _ = plant_differentiable(body, q, where, height, iterations=12)
    for _ in range(12):
        around, free = plant_differentiable(body, q, where, height, free + (0.05 if not free.any() else 0.0), 2)
    exact, _ = plant(body, q, where, height, 20, 1e-12)
    assert around.numpy() == pytest.approx(straight.numpy(), abs=1e-3)
    assert exact.numpy() == pytest.approx(straight.numpy(), abs=2e-3)


def test_standing_is_upright_and_nearly_planted(body):
    where = stance(body)
    q = standing(body, where.width, where.toe_out, where.width * 0 + math.radians(4))
    planted, residual = plant(body, q[:, None], where, flat_height(body))
    assert residual.max() < 1e-6
    assert torch.rad2deg((planted[:, 0] - q)[:, list(UNKNOWNS)]).abs().max() < 10         # a spread leg tilts the ankle
    kinematics = body(planted)
    ankles = (body.joint_centres(kinematics)["ankle_r"] + body.joint_centres(kinematics)["ankle_l"]) / 2
    assert 0.01 < float((kinematics.com - ankles)[0, 0, 0]) < 0.10      # over the mid-foot


def test_arms_hang_when_upright_and_reach_forward_when_low(body):
    q = Arms(body)(rough_squat(body, stance(body)))
    kinematics = body(q)
    centres = body.joint_centres(kinematics)
    arm = (centres["wrist_r"] - centres["shoulder_r"])[0]
    elevation = torch.rad2deg(torch.atan2(arm[:, 0], -arm[:, 1]))
    assert elevation[0] < 20 and 70 < elevation.max() < 105
    assert (q <= body.upper + 1e-9).all() and (q[..., 6:] >= body.lower[6:] - 1e-9).all()
