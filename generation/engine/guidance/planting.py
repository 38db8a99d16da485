"""Feet planted by construction: every frame is projected onto "both soles exactly here, flat on the floor".

A foot is fixed by the pose of its calcaneus: 6 equations a foot, 12 in all. The unknowns are the pelvis (6) and hip
(3), knee, ankle and subtalar angle of each leg: 18. Of all corrections that close the chain the smallest is taken,
measured in the weights below (ours, E), by damped Gauss-Newton. Toes stay flat: mtp = 0.
"""
from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from generation.engine.body import BODIES, COORDINATES, FOOT_CHAIN

# the pelvis, the right leg, the left leg: FOOT_CHAIN gives the pelvis and one leg
UNKNOWNS = tuple(COORDINATES.index(name) for name in dict.fromkeys(FOOT_CHAIN["r"] + FOOT_CHAIN["l"]))
_TOES = [COORDINATES.index(f"mtp_angle_{side}") for side in "rl"]
_BETA = [COORDINATES.index(f"knee_angle_{side}_beta") for side in "rl"]
_KNEE = [COORDINATES.index(f"knee_angle_{side}") for side in "rl"]
CALCN = [BODIES.index(f"calcn_{side}") for side in "rl"]

# How far each unknown may be moved at the same price: pelvis turns (rad), pelvis shifts (m), leg angles (rad).
_FREEDOM = (0.05, 0.05, 0.05, 0.03, 0.03, 0.03) + 2 * (0.12, 0.08, 0.08, 0.12, 0.12, 0.08)
_DAMPING, _DAMPING_SINGLE = 1e-9, 1e-6       # of the mean diagonal: what double and single precision need
_BACKWARDS_RAD = 0.1             # bent backwards by more, a knee took the wrong way; less is left to the range check
_LARGEST_STEP = 0.35             # rad or m in one iteration
_SMALLEST_BY = 4                 # iterations that look for the smallest correction; the others close the chain
_NEAR_ENOUGH = 0.02              # rad or m off before the last step of a differentiable planting


@dataclass
class Stance:
    """Where both feet stand; every field (...,) in metres and radians."""

    width: Tensor          # between the ankles' calcaneus origins, z
    toe_out: Tensor        # (..., 2) right, left; + is outwards
    stagger: Tensor        # right foot ahead of the left, x
    centre_x: Tensor
    centre_z: Tensor

    def positions(self, height: Tensor) -> Tensor:
        """(..., 2, 3) positions of the calcaneus origins; ``height`` (2,) above the floor when flat."""
        x = torch.stack([self.centre_x + self.stagger / 2, self.centre_x - self.stagger / 2], -1)
        z = torch.stack([self.centre_z + self.width / 2, self.centre_z - self.width / 2], -1)
        return torch.stack([x, height.expand_as(x), z], -1)

    def rotations(self) -> Tensor:
        """(..., 2, 3, 3) yaw of the calcaneus."""
        yaw = self.toe_out * self.toe_out.new_tensor([-1.0, 1.0])
        c, s, zero, one = yaw.cos(), yaw.sin(), torch.zeros_like(yaw), torch.ones_like(yaw)
        rows = [torch.stack(row, -1) for row in ((c, zero, s), (zero, one, zero), (-s, zero, c))]
        return torch.stack(rows, -2)

    def detach(self) -> Stance:
        return Stance(*(getattr(self, name).detach() for name in self.__dataclass_fields__))

    def to(self, *args) -> Stance:
        return Stance(*(getattr(self, name).to(*args) for name in self.__dataclass_fields__))


def resting_x(body) -> float:
    """x of the calcaneus origins under the neutral pose: where feet stand if the pelvis is at x = 0."""
    with torch.no_grad():
        return float(body(body.neutral()).translations[CALCN, 0].mean())


def flat_height(body) -> Tensor:
    """(2,) height of the calcaneus origins above their own sole when the foot is flat."""
    kinematics = body(body.neutral())
    contacts = body.foot_contacts(kinematics)[:, :4, 1]              # the points on the calcaneus, not on the toes
    return kinematics.translations[CALCN, 1] - contacts.amin(-1)


def tidy(q: Tensor) -> Tensor:
    """Toes flat and the patella's coordinates copied from the knees; differentiable."""
    columns = list(q.unbind(-1))
    for toe, beta, knee in zip(_TOES, _BETA, _KNEE, strict=True):
        columns[toe] = torch.zeros_like(columns[toe])
        columns[beta] = columns[knee]
    return torch.stack(columns, -1)


@torch.no_grad()
def plant(body, q: Tensor, stance: Stance, height: Tensor, iterations: int = 12,
          tolerance: float = 2e-6) -> tuple[Tensor, Tensor]:
    """Projected q (..., time, coordinate) and the residual left (..., time), the larger of metres and radians."""
    position, rotation = _targets(stance, height)
    free = torch.tensor(UNKNOWNS, device=q.device)
    first = q = tidy(q)
    for iteration in range(iterations + 1):
        kinematics = body(q)
        error = _error(kinematics, position, rotation)               # (..., time, 12)
        residual = error.abs().amax(-1)
        if iteration == iterations or float(residual.max()) < tolerance:
            break
        step, _, _ = _solve(body, kinematics, error, (q - first)[..., free] if iteration < _SMALLEST_BY else None)
        q = _stepped(q, step, free)
    return q, residual


def plant_differentiable(body, q: Tensor, stance: Stance, height: Tensor, start: Tensor | None = None,
                         iterations: int = 6) -> tuple[Tensor, Tensor]:
    """As :func:`plant`, with gradients to ``q`` and ``stance``; exact to about 0.1 mm where ``start`` is near.

    The projection is run without gradients; its derivative at the solution is the projector I - J+ J on the unknowns
    and J+ on the feet, exact to first order. ``start`` (..., time, 18) is the correction found for a nearby q: a warm
    start, after which one step is nearly always enough. Returns q planted and the correction.
    """
    free = torch.tensor(UNKNOWNS, device=q.device)
    q = tidy(q)
    position, rotation = _targets(stance, height)
    with torch.no_grad():
        solved = q.detach() if start is None else q.detach().index_add(-1, free, start)
        for _ in range(iterations):
            kinematics = body(solved)
            error = _error(kinematics, position, rotation)
            step, jacobian, inverse = _solve(body, kinematics, error, (solved - q)[..., free])
            solved = _stepped(solved, step, free)
            if float(error.abs().max()) < _NEAR_ENOUGH:          # the step just taken squares what was left
                break
        delta = solved[..., free] - q[..., free]
    change = q[..., free] - q[..., free].detach()
    change = change - (inverse @ (jacobian @ change.unsqueeze(-1))).squeeze(-1)
    moved = _error(kinematics, position, rotation)
    change = change + (inverse @ (moved - moved.detach()).unsqueeze(-1)).squeeze(-1)
    planted = solved + (q - q.detach())
    return tidy(planted.index_copy(-1, free, solved[..., free] + change)), delta


def _stepped(q: Tensor, step: Tensor, free: Tensor) -> Tensor:
    step = step * (_LARGEST_STEP / step.abs().amax(-1, keepdim=True).clamp_min(_LARGEST_STEP))
    q = q.index_add(-1, free, step)
    q[..., _KNEE] = torch.where(q[..., _KNEE] < -_BACKWARDS_RAD, q[..., _KNEE].abs(), q[..., _KNEE])
    q[..., _BETA] = q[..., _KNEE]
    return q


def _targets(stance: Stance, height: Tensor) -> tuple[Tensor, Tensor]:
    return stance.positions(height).unsqueeze(-3), stance.rotations().unsqueeze(-4)      # (..., 1, 2, 3[, 3])


def _error(kinematics, position: Tensor, rotation: Tensor) -> Tensor:
    """(..., time, 12): for each foot the turn (rad) and the shift (m) that would bring it to its place."""
    shift = position - kinematics.translations[..., CALCN, :]
    turn = rotation @ kinematics.rotations[..., CALCN, :, :].transpose(-1, -2)
    skew = torch.stack([turn[..., 2, 1] - turn[..., 1, 2], turn[..., 0, 2] - turn[..., 2, 0],
                        turn[..., 1, 0] - turn[..., 0, 1]], -1) / 2
    trace = turn.diagonal(dim1=-2, dim2=-1).sum(-1, keepdim=True)
    skew = skew / ((1 + trace) / 4).clamp_min(0.1).sqrt()            # 2 sin(angle / 2): monotone up to half a turn
    return torch.cat([skew, shift], -1).flatten(-2)


def _solve(body, kinematics, error: Tensor, moved: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """Step (..., 18) that closes the chain, Jacobian (..., 12, 18) and its weighted inverse (..., 18, 12).

    The step is the smallest; with ``moved`` (..., 18), the correction so far, it makes the whole correction the
    smallest, so that the result does not depend on the way there.
    """
    feet = body.foot_jacobian(kinematics)                            # (..., 2, 6, 12): pelvis, then the foot's own leg
    jacobian = feet.new_zeros(*feet.shape[:-3], 12, len(UNKNOWNS))   # the other leg does not move a foot
    for foot in range(2):
        rows, leg = slice(6 * foot, 6 * foot + 6), slice(6 + 6 * foot, 12 + 6 * foot)
        jacobian[..., rows, :6] = feet[..., foot, :, :6]
        jacobian[..., rows, leg] = feet[..., foot, :, 6:]
    weight = jacobian.new_tensor(_FREEDOM) ** 2
    weighted = jacobian * weight                                     # J W
    normal = weighted @ jacobian.transpose(-1, -2)
    scale = normal.diagonal(dim1=-2, dim2=-1).mean(-1)[..., None, None]
    damping = _DAMPING if jacobian.dtype == torch.float64 else _DAMPING_SINGLE
    normal = normal + damping * scale * torch.eye(12, dtype=jacobian.dtype, device=jacobian.device)
    inverse = torch.linalg.solve(normal, weighted).transpose(-1, -2)
    if moved is None:
        return (inverse @ error.unsqueeze(-1)).squeeze(-1), jacobian, inverse
    whole = inverse @ (error.unsqueeze(-1) + jacobian @ moved.unsqueeze(-1))
    return whole.squeeze(-1) - moved, jacobian, inverse

