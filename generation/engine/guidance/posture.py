"""The standing pose that a squat begins in, and the arms.

What the recordings do with their arms is no prescription: most hold them overhead. Arm posture is therefore a choice of
its own, made here (all angles ours, E), a smooth function of the squat and small in each posture. Arms count in the
centre of mass, so the posture changes what the rest of the body has to do.
"""
from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from generation.engine.body import BODIES, COORDINATES

_INDEX = {name: i for i, name in enumerate(COORDINATES)}
_RAD = math.pi / 180

STANDING_FORWARD_DEG = 4.5       # the legs, from the ankles: puts the centre of mass over the mid-foot

FORWARD, CROSSED, SIDES, OVERHEAD, SUPPORT = "forward", "crossed", "sides", "overhead", "support"
POSTURES = {                     # posture -> in words
    FORWARD: "raised forward as the knees bend", CROSSED: "crossed in front of the chest", SIDES: "at the sides",
    OVERHEAD: "overhead", SUPPORT: "hands on a support in front",
}
SUPPORT_NOTE = ("The hands rest on the support and do not push on it: it is not counted as base of support, and no "
                "force on it is counted in the loads. The squat is balanced without it.")
ARMS_UP_AT_KNEE_DEG = 95.0       # the arms have moved all the way
ELBOW_DEG, FOREARM_DEG = 14.0, 60.0              # bent a little; pronation: palms facing each other and down
FORWARD_RAISE_DEG = 82.0         # of the arm from hanging
HANGING_ABDUCTION_DEG = 9.0
SIDES_LEAN_SHARE = 0.5           # arms at the sides follow half of the trunk's lean: between hanging and its line
SIDES_ABDUCTION_DEG = (12.0, 8.0)                # standing, and more at depth: past the thighs
OVERHEAD_FLEXION_DEG = (160.0, 14.0)             # standing, and more as the trunk leans: the arms seek the vertical
OVERHEAD_ABDUCTION_DEG = 14.0
CROSSED_ROTATION_DEG, SUPPORT_ROTATION_DEG = 76.0, 25.0       # internal, of the upper arm: where the elbows point
# Where crossed hands rest: forward, up and outwards of the other shoulder's centre, m; the right forearm lies above.
CROSSED_HAND_M = {"r": (0.10, -0.06, -0.02), "l": (0.075, -0.11, -0.02)}
# The support: a rail before the person, as high as this part of the standing shoulder's height, and so far ahead that
# the standing arm is stretched to this part of its length.
SUPPORT_HEIGHT, SUPPORT_STRETCH = 0.72, 0.95
GRIP_M = 0.07                    # from the wrist to the middle of the hand
_STRETCHED = 0.999               # of the arm's length: an arm never quite straightens

_ARM = ("arm_flex", "arm_add", "arm_rot", "elbow_flex", "pro_sup")
_ARM_COLUMNS = [_INDEX[f"{name}_{side}"] for side in "rl" for name in _ARM]
_TORSO = BODIES.index("torso")


def standing(body, width: Tensor, toe_out: Tensor, knee_bend: Tensor) -> Tensor:
    """Standing pose (..., coordinate): feet ``width`` (...,) m apart, turned out by ``toe_out`` (..., 2) rad, knees
    bent by ``knee_bend`` (...,) rad. Approximate: planting closes the chain. Differentiable in all three."""
    neutral = body.neutral()
    centres = body.joint_centres(body(neutral))
    hips = centres["hip_r"] - centres["hip_l"]
    thigh = (centres["hip_r"] - centres["knee_r"]).norm()
    shin = (centres["knee_r"] - centres["ankle_r"]).norm()
    spread = torch.atan2((width - hips[2]) / 2, thigh + shin)
    # thigh and shin lean against each other so that the hip stays over the ankle, then the whole leg leans forward
    ankle = torch.atan2(thigh * knee_bend.sin(), shin + thigh * knee_bend.cos()) + STANDING_FORWARD_DEG * _RAD
    hip = knee_bend - ankle
    pose = neutral.expand(*width.shape, -1)
    shorter = (thigh + shin) * (1 - spread.cos() * (hip.cos() + ankle.cos()) / 2)
    forward = (thigh + shin) * math.sin(STANDING_FORWARD_DEG * _RAD)
    values = {"pelvis_ty": neutral[_INDEX["pelvis_ty"]] - shorter,
              "pelvis_tx": neutral[_INDEX["pelvis_tx"]] + forward.expand(width.shape)}
    for i, side in enumerate("rl"):
        values |= {f"hip_flexion_{side}": hip, f"knee_angle_{side}": knee_bend, f"ankle_angle_{side}": ankle,
                   f"hip_adduction_{side}": -spread, f"hip_rotation_{side}": -toe_out[..., i]}
    columns = list(pose.unbind(-1))
    for name, value in values.items():
        columns[_INDEX[name]] = value
    return torch.stack(columns, -1)


def raised(q: Tensor) -> Tensor:
    """(...,) how far the arms have moved with the squat, 0 standing to 1 deep; q (..., coordinate)."""
    knee = (q[..., _INDEX["knee_angle_r"]] + q[..., _INDEX["knee_angle_l"]]) / 2
    x = (knee / (ARMS_UP_AT_KNEE_DEG * _RAD)).clamp(0, 1)
    return x**3 * (10 - 15 * x + 6 * x * x)


def trunk_lean(q: Tensor) -> Tensor:
    """(...,) rad, forward lean of the trunk as far as pelvis and low back make it."""
    return -(q[..., _INDEX["pelvis_tilt"]] + q[..., _INDEX["lumbar_extension"]])


class Arms:
    """Places the arms of motions of one body in one posture.

    A support is a place for the hands, nothing else: neither the base of support nor the loads count a force on it.
    """

    def __init__(self, body, posture: str = FORWARD) -> None:
        if posture not in POSTURES:
            raise ValueError(f"unknown arm posture {posture!r}; use one of {', '.join(POSTURES)}")
        self.body, self.posture = body, posture
        self._reach = {side: _Reach.of(body, side) for side in "rl"} if posture in (CROSSED, SUPPORT) else {}

    def __call__(self, q: Tensor) -> Tensor:
        """The same motion (..., time, coordinate), which begins standing, with the arms placed. Differentiable."""
        arms = getattr(self, f"_{self.posture}")(q)
        return q.index_copy(-1, torch.tensor(_ARM_COLUMNS, device=q.device), torch.stack(arms, -1))

    def _forward(self, q: Tensor) -> list[Tensor]:
        up = raised(q)
        abduction = -HANGING_ABDUCTION_DEG * _RAD * (1 - 0.7 * up)
        return self._both(trunk_lean(q) + up * FORWARD_RAISE_DEG * _RAD, abduction, ELBOW_DEG, FOREARM_DEG)

    def _sides(self, q: Tensor) -> list[Tensor]:
        standing_, more = SIDES_ABDUCTION_DEG
        return self._both(SIDES_LEAN_SHARE * trunk_lean(q), -(standing_ + more * raised(q)) * _RAD, ELBOW_DEG,
                          FOREARM_DEG)

    def _overhead(self, q: Tensor) -> list[Tensor]:
        standing_, more = (angle * _RAD for angle in OVERHEAD_FLEXION_DEG)
        flexion = standing_ + more * torch.tanh(trunk_lean(q) / (2 * more))
        return self._both(flexion, flexion.new_full((), -OVERHEAD_ABDUCTION_DEG * _RAD), ELBOW_DEG, 90.0)

    def _both(self, flexion: Tensor, adduction: Tensor, elbow_deg: float, forearm_deg: float) -> list[Tensor]:
        one = torch.ones_like(flexion)
        return [flexion, adduction * one, 0 * one, elbow_deg * _RAD * one, forearm_deg * _RAD * one] * 2

    def _crossed(self, q: Tensor) -> list[Tensor]:
        up, arms = raised(q), []
        for side, other in ("rl", "lr"):
            reach, sign = self._reach[side], 1.0 if side == "r" else -1.0
            ahead, above, outwards = CROSSED_HAND_M[side]
            # across the chest to the other shoulder; with the squat the hands slide down a little
            target = self._reach[other].shoulder - reach.shoulder
            target = target + target.new_tensor([ahead, above, -sign * outwards])
            lower = target.new_tensor([0.0, -0.015, 0.0])
            arms += reach(target + up[..., None] * lower, CROSSED_ROTATION_DEG)
        return arms

    def _support(self, q: Tensor) -> list[Tensor]:
        placed, arms = self.body(q), []
        turn, place = placed.rotations[..., _TORSO, :, :], placed.translations[..., _TORSO, :]
        for reach in self._reach.values():
            shoulder = place + turn @ reach.shoulder
            first = shoulder[..., :1, :]
            reached = SUPPORT_STRETCH * (reach.upper.norm() + reach.forearm.norm()).to(first)
            below = (1 - SUPPORT_HEIGHT) * first[..., 1]
            ahead = (reached.square() - below.square()).clamp_min(0.04).sqrt()
            rail = torch.stack([first[..., 0] + ahead, first[..., 1] - below, first[..., 2]], -1)
            arms += reach((turn.transpose(-1, -2) @ (rail - shoulder).unsqueeze(-1)).squeeze(-1), SUPPORT_ROTATION_DEG)
        return arms


@dataclass(frozen=True)
class _Reach:
    """One arm of one body, its left mirrored to a right one: the angles that bring the hand to a place.

    The arm of the model is a shoulder that turns by flexion about z, adduction about x and rotation about y, and an
    elbow that turns about ``hinge``. Vectors (3,) m: ``shoulder`` in the trunk; ``upper`` from shoulder to elbow and
    ``forearm`` from the straight elbow to the hand, in the upper arm.
    """

    side: str
    shoulder: Tensor
    upper: Tensor
    forearm: Tensor
    hinge: Tensor

    @classmethod
    @torch.no_grad()
    def of(cls, body, side: str) -> _Reach:
        poses = body.neutral().expand(3, -1).clone()
        poses[:, _INDEX[f"pro_sup_{side}"]] = FOREARM_DEG * _RAD
        poses[:, _INDEX[f"elbow_flex_{side}"]] = torch.tensor([0.0, 0.7, 1.4]).to(poses)
        placed = body(poses)
        centres = body.joint_centres(placed)
        elbow = centres[f"elbow_{side}"]
        arm = placed.rotations[0, BODIES.index(f"humerus_{side}")]
        trunk = placed.rotations[0, _TORSO]
        below = (centres[f"wrist_{side}"] - elbow) @ arm                       # (3, 3) in the upper arm
        mirror = below.new_tensor([1.0, 1.0, 1.0 if side == "r" else -1.0])
        below = below * mirror
        hinge = torch.linalg.cross(below[1] - below[0], below[2] - below[1])
        forearm = below[0] * (1 + GRIP_M / below[0].norm())
        upper = (elbow[0] - centres[f"shoulder_{side}"][0]) @ arm * mirror
        shoulder = (centres[f"shoulder_{side}"][0] - placed.translations[0, _TORSO]) @ trunk
        return cls(side, shoulder, upper, forearm, hinge / hinge.norm())

    def __call__(self, target: Tensor, rotation_deg: float) -> list[Tensor]:
        """Angles (...) of the five coordinates of the arm, rad, for a ``target`` (..., 3) of the hand, m from the
        shoulder, in the trunk. What is out of reach is reached for as far as the arm goes."""
        if self.side == "l":
            target = target * target.new_tensor([1.0, 1.0, -1.0])
        u, w, n = self.upper.to(target), self.forearm.to(target), self.hinge.to(target)
        # |u + turned w| = distance: u . (w turned by e about n) = A cos e + B sin e + C
        along = (n @ w) * (n @ u)
        a, b = u @ w - along, u @ torch.linalg.cross(n, w)
        size, start = torch.hypot(a, b), torch.atan2(b, a)
        furthest = (u.square().sum() + w.square().sum() + 2 * (size + along)).sqrt()
        far = target.norm(dim=-1).clamp_min(1e-3)
        target = target * (far.clamp_max(_STRETCHED * furthest) / far).unsqueeze(-1)
        wanted = (target.square().sum(-1) - u.square().sum() - w.square().sum()) / 2 - along
        elbow = (start + torch.acos((wanted / size).clamp(-0.9999, 0.9999))).clamp(0.0, 145 * _RAD)
        cos, sin = elbow.cos().unsqueeze(-1), elbow.sin().unsqueeze(-1)
        hand = u + w * cos + torch.linalg.cross(n, w) * sin + n * (n @ w) * (1 - cos)
        turn = rotation_deg * _RAD
        x = math.cos(turn) * hand[..., 0] + math.sin(turn) * hand[..., 2]
        y, z = hand[..., 1], -math.sin(turn) * hand[..., 0] + math.cos(turn) * hand[..., 2]
        adduction = torch.atan2(z, -y) - torch.asin((target[..., 2] / torch.hypot(y, z)).clamp(-0.9999, 0.9999))
        lifted = y * adduction.cos() - z * adduction.sin()
        flexion = torch.atan2(target[..., 1], target[..., 0]) - torch.atan2(lifted, x)
        flexion = torch.remainder(flexion + math.pi, 2 * math.pi) - math.pi
        one = torch.ones_like(flexion)
        return [flexion, adduction, turn * one, elbow, FOREARM_DEG * _RAD * one]
