"""The standing pose a repetition starts from, and the arms, which nobody's data decides here.

Training motions hold their arms overhead or free; ours are a choice (E): near the sides when upright, raised forward to
about the horizontal as the knees bend, a usual counterbalance in rehabilitation. They count in the centre of mass.
"""
from __future__ import annotations

import math

import torch
from torch import Tensor

from generation.engine.body import COORDINATES

_INDEX = {name: i for i, name in enumerate(COORDINATES)}
_RAD = math.pi / 180

STANDING_FORWARD_DEG = 4.5       # the legs, from the ankles: puts the centre of mass over the mid-foot
ARM_RAISE_DEG = 82.0             # above hanging, at and beyond ARMS_UP_AT_KNEE_DEG
ARMS_UP_AT_KNEE_DEG = 95.0
ARM_ABDUCTION_DEG = 9.0          # hanging beside the body
ELBOW_DEG = 14.0
FOREARM_DEG = 60.0               # pronation: palms facing each other and down
_ARM_COLUMNS = [_INDEX[f"{name}_{side}"] for side in "rl"
                for name in ("arm_flex", "arm_add", "arm_rot", "elbow_flex", "pro_sup")]


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


def with_arms(q: Tensor) -> Tensor:
    """The same motion (..., coordinate) with the arms placed; a smooth function of knee bend and trunk lean."""
    knee = (q[..., _INDEX["knee_angle_r"]] + q[..., _INDEX["knee_angle_l"]]) / 2
    x = (knee / (ARMS_UP_AT_KNEE_DEG * _RAD)).clamp(0, 1)
    raised = x**3 * (10 - 15 * x + 6 * x * x)
    lean = -(q[..., _INDEX["pelvis_tilt"]] + q[..., _INDEX["lumbar_extension"]])
    flexion = lean + raised * ARM_RAISE_DEG * _RAD          # the arm's angle from the vertical is what is chosen
    abduction = -(ARM_ABDUCTION_DEG * _RAD) * (1 - 0.7 * raised)
    constant = torch.ones_like(flexion)
    one_arm = [flexion, abduction, 0 * constant, ELBOW_DEG * _RAD * constant, FOREARM_DEG * _RAD * constant]
    arms = torch.stack(one_arm * 2, -1)
    return q.index_copy(-1, torch.tensor(_ARM_COLUMNS, device=q.device), arms)
