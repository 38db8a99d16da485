"""How a force on the floor is divided between two feet: by least effort, inside the soles and the friction cones.

The motion gives the sum of both feet's wrenches, six numbers, and nothing else. The other six are chosen as the ones
that ask least of the legs: squares of the joint moments over what the joints are used to, and of how far a foot departs
from how people stand (pressure on the foot's long axis, no twist, an outward press). That is one linear problem of six
unknowns a frame. Soles and cones are added as stiff one-sided springs, whose active set is found by a few Newton steps;
the last step carries the gradient, which is exact wherever the active set does not change.
All is made dimensionless with body weight and metres, and solved in float64.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

DIRECTIONS = 8  # sides of the friction pyramid and of the outline around a sole
STIFF = 3e3  # per body weight (cone) and per body weight x m (sole); E: leaves less than 0.1 mm and 0.1 N
LIFTED = 1e5  # stiffer than the soles: a foot in the air carries nothing, whatever that asks of the other
STEPS = 8  # Newton steps for the active set; E: none to 4 are needed in squats
SOLE_MARGIN_M = 0.003  # E: the springs begin this far inside, so that what they give way stays inside


@dataclass(frozen=True)
class Habits:
    """How a person divides the load when standing on two feet.

    E, all of them: chosen on the force plates of one healthy woman's squats and sit-to-stands (`validate_body` prints
    how they do on what they were not chosen on).
    """

    # moments in body weights x m that cost alike; hip flexion, adduction, rotation, knee, ankle, subtalar
    hip_flexion_m: float = 0.10
    hip_adduction_m: float = 0.10
    hip_rotation_m: float = 0.10
    knee_m: float = 0.10
    ankle_m: float = 0.10
    subtalar_m: float = 0.10
    # feet press outward: sideways over vertical force = press x half the distance of the feet x (hip height / standing
    # hip height) ** press_fade
    press_per_m: float = 0.78
    press_fade: float = 1.0
    press_weight: float = 0.01  # body weights of departure that cost as much as the moments above
    lateral_m: float = 0.0  # the pressure's usual place beside the foot's long axis, outward positive
    lateral_weight_m: float = 0.006  # departure of it, body weights x m
    twist_weight_m: float = 0.017  # free moment, body weights x m
    friction: float = 0.6  # rubber soles on a clinic's floor; E


JOINTS = {"hip_flexion": "hip_flexion_m", "hip_adduction": "hip_adduction_m", "hip_rotation": "hip_rotation_m",
          "knee_angle": "knee_m", "ankle_angle": "ankle_m", "subtalar_angle": "subtalar_m"}


def leg_joints(body) -> list[str]:
    """The coordinates of `JOINTS`, without their side, that both legs of a body have."""
    return [name for name in JOINTS if f"{name}_r" in body.coordinates and f"{name}_l" in body.coordinates]


def capacities(body, habits: Habits) -> Tensor:
    """(J,) the moments that cost alike, in the order of `leg_joints`."""
    values = [torch.as_tensor(getattr(habits, JOINTS[name]), dtype=torch.float64) for name in leg_joints(body)]
    return torch.stack(values).to(body.lower.device)


@dataclass(frozen=True)
class Feet:
    """What the division needs to know of N frames; all float64, lengths about `origin`, forces over body weight."""

    force: Tensor  # (N, 3) the sum of both feet
    moment: Tensor  # (N, 3) about origin
    angular: Tensor  # (N, 2, J, 3) the leg joints' screws on the foot, about origin
    linear: Tensor  # (N, 2, J, 3)
    unloaded: Tensor  # (N, 2, J) joint moments without any force under the foot
    axis: Tensor  # (N, 2, 3) the foot's long axis along the floor, unit
    heel: Tensor  # (N, 2, 3) a point of that axis on the floor
    soles: Tensor  # (N, 2, n, 3) contact points
    lift: Tensor  # (N, 2) 0 on the floor ... 1 clear of it
    hips: Tensor  # (N,) hip height over standing hip height


def split(feet: Feet, habits: Habits, joint_capacities: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Divide. joint_capacities (J,): of `capacities`, in the order of `Feet.angular`.

    Returns the feet's force (N, 2, 3), moment about origin (N, 2, 3), both dimensionless, and how far inside its sole
    each centre of pressure lies (N, 2) m (negative: outside).
    """
    total = torch.cat([feet.force, feet.moment], -1)  # (N, 6)
    rows, wanted = _costs(feet, habits, joint_capacities)
    normals, reach = _outline(feet)
    bounds = _bounds(normals, reach, habits)  # (N, 2, K, 6): bounds @ wrench >= 0
    # the left wrench is the total less the right one, so its rows change sign
    press, pressed = _press(feet, habits)
    matrix = torch.cat([rows[:, 0], -rows[:, 1], press], 1)
    right = torch.cat([wanted[:, 0], wanted[:, 1] - _times(rows[:, 1], total), pressed], 1)
    limits = torch.cat([bounds[:, 0], -bounds[:, 1]], 1)
    slack = torch.cat([torch.zeros_like(bounds[:, 0, :, 0]), _times(bounds[:, 1], total)], 1)  # limits @ w + slack >= 0
    normal = matrix.transpose(-1, -2) @ matrix
    pull = _times(matrix.transpose(-1, -2), right)

    w = torch.linalg.solve(normal, pull)
    with torch.no_grad():
        beyond = torch.nonzero((_times(limits, w) + slack < 0).any(-1))[:, 0]  # the frames that come to an edge
    if len(beyond):
        held = _hold(*(part.index_select(0, beyond) for part in (normal, pull, limits, slack, w)))
        w = w.index_copy(0, beyond, held)
    both = torch.stack([w, total - w], 1)
    force, moment = both[..., :3], both[..., 3:]
    return force, moment, _inside(normals, reach, force, moment)


def _hold(normal: Tensor, pull: Tensor, limits: Tensor, slack: Tensor, w: Tensor) -> Tensor:
    """The best w (n, 6) with a stiff spring wherever limits @ w + slack is negative."""

    def solve(active):
        stiff = active[..., None] * limits
        return torch.linalg.solve(normal + stiff.transpose(-1, -2) @ stiff,
                                  pull - _times(stiff.transpose(-1, -2), active * slack))

    with torch.no_grad():
        active = STIFF * (_times(limits, w) + slack < 0).to(w)
        for _ in range(STEPS):
            now = STIFF * (_times(limits, solve(active)) + slack < 0).to(w)
            if torch.equal(now, active):
                break
            active = now
    return solve(active)


def _costs(feet: Feet, habits: Habits, joint_capacities: Tensor) -> tuple[Tensor, Tensor]:
    """Rows (N, 2, K, 6) and what they should come to (N, 2, K), each side for its own foot's wrench."""
    ease = 1 / joint_capacities[:, None]
    joints = torch.cat([feet.linear, feet.angular], -1) * ease
    zero = torch.zeros_like(feet.axis)
    out = torch.tensor([1.0, -1.0], dtype=feet.force.dtype, device=feet.force.device)[:, None]  # right is +z
    across = torch.stack([-feet.axis[..., 2], zero[..., 0], feet.axis[..., 0]], -1)
    line = feet.heel + habits.lateral_m * out * across
    # moment about the foot's long axis: axis . (M - line x F)
    lateral = torch.cat([torch.linalg.cross(line, feet.axis, dim=-1), feet.axis], -1)
    up = zero + zero.new_tensor([0.0, 1.0, 0.0])
    twist = torch.cat([torch.linalg.cross(line, up, dim=-1), up], -1)
    usual = torch.stack([lateral / habits.lateral_weight_m, twist / habits.twist_weight_m], -2)
    # ties that matter only where nothing else decides, and what keeps a lifted foot free of force
    eye = torch.eye(6, dtype=zero.dtype, device=zero.device)
    tie = (1e-3 + feet.lift * LIFTED)[..., None, None] * eye
    centre = torch.cat([feet.force, feet.moment], -1)[:, None] / 2 * (1 - feet.lift[..., None]) * 1e-3
    rows = torch.cat([joints, usual, tie], -2)
    wanted = torch.cat([feet.unloaded * ease[:, 0], torch.zeros_like(usual[..., 0]), centre], -1)
    return rows, wanted


def _press(feet: Feet, habits: Habits) -> tuple[Tensor, Tensor]:
    """The row (N, 1, 6) of the right foot's wrench, and what it should come to (N, 1), that presses the feet outward:
    half the difference of their sideways forces. Their sum is left to the motion."""
    apart = feet.heel[:, 0] - feet.heel[:, 1]
    width = apart.square().sum(-1, keepdim=True).clamp_min(1e-8).sqrt()
    slope = habits.press_per_m * width[:, 0] / 2 * feet.hips.clamp_min(1e-3) ** habits.press_fade
    row = torch.cat([apart / width, torch.zeros_like(apart)], -1)
    force = feet.force
    wanted = ((apart / width * force).sum(-1) - slope * force[:, 1] * (1 - feet.lift.amax(-1))) / 2
    return row[:, None] / habits.press_weight, wanted[:, None] / habits.press_weight


def _directions(like: Tensor) -> Tensor:
    turn = torch.arange(DIRECTIONS, dtype=like.dtype, device=like.device) * (2 * torch.pi / DIRECTIONS)
    return torch.stack([torch.cos(turn), torch.zeros_like(turn), torch.sin(turn)], -1)


def _outline(feet: Feet) -> tuple[Tensor, Tensor]:
    """Directions (N, 2, 8, 3) that turn with the foot and the sole's reach along them (N, 2, 8) m, about origin."""
    flat = _directions(feet.axis)
    across = torch.stack([-feet.axis[..., 2], torch.zeros_like(feet.axis[..., 0]), feet.axis[..., 0]], -1)
    normal = flat[:, :1] * feet.axis[..., None, :] + flat[:, 2:] * across[..., None, :]
    return normal, (normal @ feet.soles.transpose(-1, -2)).amax(-1)


def _bounds(normal: Tensor, reach: Tensor, habits: Habits) -> Tensor:
    zero = torch.zeros_like(normal[..., 0])
    # a centre of pressure (x, z) on the floor has x Fy = Mz and z Fy = -Mx
    sole = torch.stack([zero, reach - SOLE_MARGIN_M, zero, normal[..., 2], zero, -normal[..., 0]], -1)
    cone = torch.stack([-normal[..., 0], zero + habits.friction, -normal[..., 2], zero, zero, zero], -1)
    return torch.cat([sole, cone], -2)


def _inside(normal: Tensor, reach: Tensor, force: Tensor, moment: Tensor) -> Tensor:
    vertical = force[..., 1].clamp_min(1e-6)
    place = torch.stack([moment[..., 2], torch.zeros_like(vertical), -moment[..., 0]], -1) / vertical[..., None]
    return (reach - (normal @ place[..., None])[..., 0]).amin(-1)


def _times(matrix: Tensor, vector: Tensor) -> Tensor:
    return (matrix @ vector[..., None])[..., 0]
