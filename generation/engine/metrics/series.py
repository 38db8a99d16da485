"""Every variable of the registry as a function of a motion: the same code serves guidance (gradients, batches) and the
checks of what is delivered.

Shapes: a motion is q (..., time, coordinate) in radians and metres with times (time,) in seconds, which need not be
equidistant. A series is (..., time), or (..., 2, time) for sided variables, right before left. A single number is (...)
or (..., 2). Units are those of the registry.
"""
from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from generation.engine.body import BODIES, COORDINATES, ROTATIONAL
from generation.engine.metrics.support import support_margin
from generation.engine.variables import VARIABLES

GRAVITY = 9.80665          # m/s2, standard acceleration of free fall
DEG = 180.0 / math.pi
HEEL = slice(0, 2)         # the heel's points among the contact points of a sole

_INDEX = {name: i for i, name in enumerate(COORDINATES)}
_BODY = {name: i for i, name in enumerate(BODIES)}
_SIDED = {"knee_flexion": "knee_angle", "hip_flexion": "hip_flexion", "hip_adduction": "hip_adduction",
          "hip_internal_rotation": "hip_rotation", "ankle_dorsiflexion": "ankle_angle",
          "foot_inversion": "subtalar_angle", "shoulder_flexion": "arm_flex", "shoulder_adduction": "arm_add",
          "shoulder_internal_rotation": "arm_rot", "elbow_flexion": "elbow_flex"}
_CENTRAL = {"pelvis_tilt": ("pelvis_tilt", 1.0), "pelvis_list": ("pelvis_list", 1.0),
            "lumbar_flexion": ("lumbar_extension", -1.0),
            "lumbar_bending": ("lumbar_bending", 1.0), "lumbar_rotation": ("lumbar_rotation", 1.0)}
SEAT_BELOW_HIP = 0.11      # of the leg length: the sitting bones below the hip centre (E)

# The pelvis's ranges bound nothing anatomical, the patella follows the knee, and the wrists are locked.
_RANGED = [i for i, name in enumerate(COORDINATES) if ROTATIONAL[i] and not name.startswith(("pelvis", "wrist"))
           and not name.endswith("_beta")]


@dataclass
class Measured:
    """What a motion measures, by variable: ``series`` of what holds at every instant, ``single`` numbers of the whole
    motion, and ``behind``, the series that a single number is the greatest, least or mean value of."""

    series: dict[str, Tensor]
    single: dict[str, Tensor]
    behind: dict[str, Tensor]
    com: Tensor                 # (..., time, 3) whole-body centre of mass, m
    com_velocity: Tensor        # (..., time, 3) m/s
    leg_length: Tensor          # (...,) m


def measure_series(body, q: Tensor, times: Tensor, feet_still: bool = False) -> Measured:
    """All variables except the durations (those need the phases: see ``metrics.phases``).

    ``feet_still`` takes the base of support from the first frame: cheaper, and right where the feet are planted.
    """
    kinematics = body(q)
    centres = body.joint_centres(kinematics)
    contacts = body.foot_contacts(kinematics)                       # (..., time, 2, n, 3)
    series = _joint_series(q)
    forward = heading(kinematics)                                   # (..., 1, 3)
    turned = q[..., _INDEX["pelvis_rotation"]] * DEG - _facing_degrees(forward)
    series["pelvis_rotation"] = torch.remainder(turned + 180.0, 360.0) - 180.0
    series["joint_range_margin"] = _range_margin(body, q)
    series |= _trunk_series(kinematics, forward)
    series |= _knee_series(kinematics, centres)
    series["heel_height"] = _sides_first(contacts[..., HEEL, 1].amin(-1)) * 100
    com, velocity = kinematics.com, derivative(kinematics.com, times)
    ankle = (centres["ankle_r"] + centres["ankle_l"]) / 2
    series |= _balance_series(com, velocity, ankle, contacts[..., :1, :, :, :] if feet_still else contacts)
    leg_length = _leg_length(centres)
    behind = _behind_single_numbers(q, times, series, centres, contacts, velocity, leg_length)
    single = {name: reduced(name, values) for name, values in behind.items()}
    return Measured(series, single, behind, com, velocity, leg_length)


def reduced(variable: str, values: Tensor) -> Tensor:
    """The one number (...) that a series (..., time) gives."""
    kind = VARIABLES[variable].kind
    return values.amax(-1) if kind == "peak" else values.amin(-1) if kind == "lowest" else values.mean(-1)


def derivative(values: Tensor, times: Tensor) -> Tensor:
    """Second-order time derivative of (..., time, k) on times that need not be equidistant."""
    return torch.gradient(values, spacing=(times,), dim=-2, edge_order=2 if values.shape[-2] > 2 else 1)[0]


def heading(kinematics) -> Tensor:
    """Horizontal unit vector (..., 1, 3) that the person faces: the mean direction of the feet in the first frame."""
    feet = sum(kinematics.rotations[..., :1, _BODY[f"calcn_{side}"], :, 0] for side in "rl")
    flat = feet * feet.new_tensor([1.0, 0.0, 1.0])
    return flat / flat.norm(dim=-1, keepdim=True)


def _facing_degrees(forward: Tensor) -> Tensor:
    return torch.atan2(-forward[..., 2], forward[..., 0]) * DEG      # (..., 1): pelvis_rotation turns about +y


def _sides_first(values: Tensor) -> Tensor:
    return values.transpose(-1, -2)          # (..., time, 2) -> (..., 2, time)


def _joint_series(q: Tensor) -> dict[str, Tensor]:
    series = {}
    for name, coordinate in _SIDED.items():
        series[name] = torch.stack([q[..., _INDEX[f"{coordinate}_{side}"]] for side in "rl"], dim=-2) * DEG
    for name, (coordinate, sign) in _CENTRAL.items():
        series[name] = q[..., _INDEX[coordinate]] * (sign * DEG)
    return series


def _range_margin(body, q: Tensor) -> Tensor:
    angles = q[..., _RANGED]
    inside = torch.minimum(angles - body.lower[_RANGED], body.upper[_RANGED] - angles)
    return inside.amin(-1) * DEG


def _trunk_series(kinematics, forward: Tensor) -> dict[str, Tensor]:
    up = kinematics.rotations[..., _BODY["torso"], :, 1]            # (..., time, 3) the torso's long axis
    right = torch.stack([-forward[..., 2], torch.zeros_like(forward[..., 0]), forward[..., 0]], dim=-1)
    ahead, aside = (up * forward).sum(-1), (up * right).sum(-1)
    return {"trunk_forward_lean": torch.atan2(ahead, up[..., 1]) * DEG,
            "trunk_lateral_lean": torch.atan2(aside, up[..., 1]).abs() * DEG}


def _knee_series(kinematics, centres: dict[str, Tensor]) -> dict[str, Tensor]:
    inwards = []
    for side, sign in (("r", -1.0), ("l", 1.0)):
        foot = kinematics.rotations[..., _BODY[f"calcn_{side}"], :, 0]
        x, z = foot[..., 0], foot[..., 2]
        offset = centres[f"knee_{side}"] - centres[f"ankle_{side}"]
        to_the_right = (-z * offset[..., 0] + x * offset[..., 2]) / torch.hypot(x, z)
        inwards.append(sign * to_the_right * 100)
    return {"knee_medial_displacement": torch.stack(inwards, dim=-2)}


def _balance_series(com: Tensor, velocity: Tensor, ankle: Tensor, contacts: Tensor) -> dict[str, Tensor]:
    # Hof et al. 2005: XcoM = x + v / omega0, omega0 = sqrt(g / l), l the length of the pendulum (here its height now).
    length = (com[..., 1] - ankle[..., 1]).clamp_min(0.1)
    extrapolated = com + velocity * (length / GRAVITY).sqrt().unsqueeze(-1)
    outline = contacts.flatten(-3, -2)[..., (0, 2)]                 # (..., time, points, 2)
    ground = torch.stack([com[..., (0, 2)], extrapolated[..., (0, 2)]], dim=-2)      # (..., time, 2, 2)
    margin = support_margin(outline, ground) * 100
    return {"static_balance_margin": margin[..., 0], "margin_of_stability": margin[..., 1]}


def _leg_length(centres: dict[str, Tensor]) -> Tensor:
    legs = [(centres[f"hip_{s}"] - centres[f"knee_{s}"])[..., 0, :].norm(dim=-1)
            + (centres[f"knee_{s}"] - centres[f"ankle_{s}"])[..., 0, :].norm(dim=-1) for s in "rl"]
    return (legs[0] + legs[1]) / 2


def _behind_single_numbers(q, times, series, centres, contacts, com_velocity, leg_length) -> dict[str, Tensor]:
    thighs = [centres[f"knee_{s}"] - centres[f"hip_{s}"] for s in "rl"]
    inclination = torch.stack([torch.atan2(torch.hypot(t[..., 0], t[..., 2]), -t[..., 1]) for t in thighs], dim=-2)
    height = q[..., _INDEX["pelvis_ty"]]
    drop = (height[..., :1] - height) * 100
    hips = torch.minimum(centres["hip_r"][..., 1], centres["hip_l"][..., 1])
    slide = contacts[..., (0, 2)] - contacts[..., :1, :, :, :][..., (0, 2)]
    lean = series["trunk_forward_lean"]
    behind = {
        "knee_flexion_peak": series["knee_flexion"],
        "thigh_inclination_peak": inclination * DEG,
        "seat_height": (hips - SEAT_BELOW_HIP * leg_length.unsqueeze(-1)) * 100,
        "trunk_forward_lean_peak": lean,
        "lumbar_flexion_change": series["lumbar_flexion"] - series["lumbar_flexion"][..., :1],
        "pelvis_drop": drop,
        "pelvis_drop_percent": drop / leg_length.unsqueeze(-1),
        "foot_slide": _sides_first(slide.square().sum(-1).clamp_min(1e-16).sqrt().amax(-1)) * 1000,
        "floor_penetration": _sides_first((-contacts[..., 1]).clamp_min(0).amax(-1)) * 1000,
        "com_speed_peak": com_velocity.square().sum(-1).clamp_min(1e-16).sqrt(),
        "trunk_forward_lean_speed_peak": derivative(lean.unsqueeze(-1), times).squeeze(-1).abs(),
    }
    for name in ("knee_flexion", "hip_flexion", "ankle_dorsiflexion"):
        values = series[name]
        behind[f"{name}_speed_peak"] = derivative(values.transpose(-1, -2), times).abs().transpose(-1, -2)
        behind[f"{name}_asymmetry"] = (values[..., 0, :] - values[..., 1, :]).abs()
    return behind
