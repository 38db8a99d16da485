"""What guidance minimises: limits as hinges with a safety margin, and the goals of a good squat.

All weights and scales are ours (E). A limit counts far more than any goal, so a goal gives way first; the exact check
of the delivered file, not this objective, decides whether a limit is kept.
"""
from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from generation.engine.body import COORDINATES
from generation.engine.limits import Limit
from generation.engine.metrics import Check
from generation.engine.metrics.series import DEG, Measured, reduced
from generation.engine.variables import LOAD_VARIABLES, SIDES, VARIABLES

# unit -> (safety margin kept inside the limit, size of a violation that counts as one)
_UNITS = {"deg": (1.0, 3.0), "cm": (0.3, 1.0), "mm": (0.1, 0.5), "m/s": (0.01, 0.05), "deg/s": (2.0, 10.0),
          "s": (0.02, 0.1), "%": (0.5, 2.0), "m/s2": (0.05, 0.2), "1": (0.02, 0.1), "Nm/kg": (0.03, 0.1),
          "body weights": (0.1, 0.5)}
# The same for muscle activity and demand on strength, which change by tens of percent where a joint changes by degrees.
_LOADED_PERCENT = (1.0, 8.0)
# exact by construction or settled by tempo planning: nothing for the optimiser to do
_SETTLED = {"heel_height", "foot_slide", "floor_penetration", "descent_s", "pause_s", "ascent_s", "repetition_s",
            "sparc", "log_dimensionless_jerk"}

_DEPTH_SCALE = {"deg": 8.0, "cm": 4.0, "%": 5.0}       # a miss that counts as one
LIMIT_WEIGHT = 20.0
GOAL_SHARE = 0.1                 # of that: a limit that is a goal of weight 1
TIGHTEST = 8.0                   # times that a violation of a very narrow window counts (E)
_LEGS = [i for i, name in enumerate(COORDINATES) if name.startswith(("hip_", "knee_angle", "ankle_", "pelvis_tilt"))
         and not name.endswith("_beta")]
_NO_PHASES: Mapping[str, Tensor] = {}
_PELVIS_TY = COORDINATES.index("pelvis_ty")
BALANCE_MARGIN_CM, MOVING_MARGIN_CM = 3.0, 1.5
# What costs nothing: the habits of nearly everybody (5th to 95th percentile) in the shipped repetitions that were
# performed as instructed. Guidance has no taste of its own inside what people do; a clinician's taste is a limit.
STANDING_KNEE_DEG = (0.0, 8.0)
STANDING_LEAN_DEG = (0.0, 12.0)
STANDING_TILT_DEG = (-18.0, 6.0)
EASY_LEAN_DEG = 60.0             # trunk lean
EASY_TUCK_DEG = 5.0              # of the pelvis backwards
# Low-back flexion (deg) by knee flexion (deg): the upper quartile, so that guidance does not round backs further.
_LUMBAR_BY_KNEE = ((0.0, 60.0, 90.0, 120.0, 140.0), (5.0, 10.0, 16.0, 28.0, 42.0))
KNEE_INSIDE_CM, KNEE_OUTSIDE_CM = 4.0, 3.5     # of the foot line
EASY_ASYMMETRY_DEG = 14.0        # mean differences of both legs' three joints, and of the trunk from the middle, summed
LOCKED_KNEE_DEG = 2.5            # a planted leg this straight is at the end of its reach, where joints snap (E)


@dataclass
class Weights:
    """Price of each goal."""

    depth: float = 3.0
    symmetry: float = 0.3
    smoothness: float = 0.3
    detour: float = 0.5           # per cm that the pelvis rises on its way down, or sinks on its way up
    prior: float = 0.3
    upright: float = 0.5
    trunk: float = 1.0
    balance: float = 1.0
    knees: float = 1.0
    locked: float = 1.0           # knees straighter than LOCKED_KNEE_DEG
    likeness: float = 0.0         # to a reference motion


@dataclass
class Goals:
    """What one search aims at. ``depth`` (batch,) is the value of ``depth_variable`` aimed at."""

    limits: tuple[Limit, ...]
    depth: Tensor
    weights: Weights
    depth_variable: str = "knee_flexion_peak"
    reference: Tensor | None = None        # (batch or 1, time, coordinate) the person's own motion


def guided(limits: tuple[Limit, ...]) -> tuple[Limit, ...]:
    return tuple(limit for limit in limits if limit.variable not in _SETTLED)


def split_loads(limits: tuple[Limit, ...]) -> tuple[tuple[Limit, ...], tuple[Limit, ...]]:
    """Limits on how the body moves, and limits on what that asks of it."""
    loaded = tuple(limit for limit in limits if limit.variable in LOAD_VARIABLES)
    return tuple(limit for limit in limits if limit.variable not in LOAD_VARIABLES), loaded


def importance(limits: tuple[Limit, ...], like: Tensor) -> Tensor:
    """(limit, 1): the price of a violation of each against a hard limit's; ``like`` gives dtype and device."""
    return like.new_tensor([1.0 if limit.hard else GOAL_SHARE * limit.weight for limit in limits])[:, None]


def scale_of(limit: Limit | Check) -> tuple[float, float]:
    """Safety margin and size of a violation of a limit."""
    return _LOADED_PERCENT if limit.variable.endswith(("_activation_peak", "_demand_peak")) else _UNITS[limit.unit]


def safety_margin(limit: Limit, limits: tuple[Limit, ...]) -> float:
    """Margin to keep inside ``limit``, less where another bound of the variable leaves little room; none for a goal."""
    return min(scale_of(limit)[0], 0.25 * _window(limit, limits)) if limit.hard else 0.0


def tightness(limit: Limit, limits: tuple[Limit, ...]) -> float:
    """How many times a violation of a limit counts: more where another bound of the variable leaves little room."""
    size = scale_of(limit)[1]
    return size / max(min(_window(limit, limits), size), size / TIGHTEST) if limit.hard else 1.0


def _window(limit: Limit, limits: tuple[Limit, ...]) -> float:
    """What the hard bounds of the variable leave to it where ``limit`` holds, in its unit."""
    window = math.inf
    for other in limits:
        same = other.variable == limit.variable and other.hard and other.phase in ("", limit.phase)
        if same and set(other.sides()) & set(limit.sides()):
            low = limit.min if limit.min is not None else other.min
            high = limit.max if limit.max is not None else other.max
            if low is not None and high is not None:
                window = min(window, max(high - low, 0.0))
    return window


def violations(limits: tuple[Limit, ...], measured: Measured, margins: Tensor,
               when: Mapping[str, Tensor] = _NO_PHASES) -> Tensor:
    """(limit, batch): by how much each limit is crossed, in units of "counts as one"; ``margins`` (limit, batch);
    ``when``: phase -> (time,) bool, the samples that belong to it."""
    rows = []
    for limit, margin in zip(limits, margins, strict=True):
        values = _values(limit, measured, when)
        crossed = torch.zeros_like(values)
        if limit.max is not None:
            crossed = crossed + (values - limit.max + margin[:, None]).clamp_min(0)
        if limit.min is not None:
            crossed = crossed + (limit.min + margin[:, None] - values).clamp_min(0)
        size = crossed / scale_of(limit)[1]
        # quadratic near the limit, linear far from it: a far start must not drown the goals in the optimiser's memory
        rows.append(_bounded(size).mean(-1) + _bounded(size.amax(-1)))
    return torch.stack(rows) if rows else margins.new_zeros(0, margins.shape[-1])


def rooms(limits: tuple[Limit, ...], measured: Measured, when: Mapping[str, Tensor] = _NO_PHASES) -> Tensor:
    """(limit, batch): the smallest distance to each limit's bounds, in its unit; negative outside."""
    rows = []
    for limit in limits:
        values = _values(limit, measured, when)
        room = torch.full_like(values, torch.inf)
        if limit.max is not None:
            room = room.minimum(limit.max - values)
        if limit.min is not None:
            room = room.minimum(values - limit.min)
        rows.append(room.amin(-1))
    return torch.stack(rows)


def sizes(limits: tuple[Limit, ...], like: Tensor) -> Tensor:
    """(limit, 1): how much of each limit's unit counts as one."""
    return like.new_tensor([scale_of(limit)[1] for limit in limits])[:, None]


def _values(limit: Limit, measured: Measured, when: Mapping[str, Tensor]) -> Tensor:
    """(..., value): of the limited sides, what holds at every instant of the limit's phase, or the one number."""
    values = _unsided(limit, measured, when)
    if VARIABLES[limit.variable].sided:
        values = values[..., [SIDES.index(side) for side in limit.sides()], :].flatten(-2)
    return values


def _unsided(limit: Limit, measured: Measured, when: Mapping[str, Tensor]) -> Tensor:
    """(..., [side,] time) of what holds at every instant of the limit's phase, (..., [side,] 1) of one number."""
    if limit.variable in measured.series:
        values = measured.series[limit.variable]
        return values[..., when[limit.phase]] if limit.phase else values
    if not limit.phase:
        return measured.single[limit.variable].unsqueeze(-1)
    return reduced(limit.variable, measured.behind[limit.variable][..., when[limit.phase]]).unsqueeze(-1)


def _bounded(size: Tensor) -> Tensor:
    return 2 * ((1 + size.square()).sqrt() - 1)


def goal_terms(goals: Goals, measured: Measured, q: Tensor, curve_change: Tensor, prior: Tensor) -> dict[str, Tensor]:
    """The goals' prices, each (batch,). ``curve_change`` (batch, k, channel) are second differences of the curve."""
    weights = goals.weights
    depth = torch.zeros_like(goals.depth)
    if weights.depth:
        reached = measured.single[goals.depth_variable]
        reached = reached.mean(-1) if VARIABLES[goals.depth_variable].sided else reached
        depth = _bounded((reached - goals.depth) / _DEPTH_SCALE[VARIABLES[goals.depth_variable].unit])
    asymmetry = sum(measured.single[f"{name}_asymmetry"] for name in
                    ("knee_flexion", "hip_flexion", "ankle_dorsiflexion"))
    static = (BALANCE_MARGIN_CM - measured.series["static_balance_margin"]).clamp_min(0)
    moving = (MOVING_MARGIN_CM - measured.series["margin_of_stability"]).clamp_min(0)
    lean = (measured.series["trunk_forward_lean"] - EASY_LEAN_DEG).clamp_min(0)
    bend = measured.series["knee_flexion"].mean(-2).detach()         # the back is no reason to squat deeper
    rounded = (measured.series["lumbar_flexion"] - easy_lumbar_deg(bend)).clamp_min(0)
    tucked = (measured.series["pelvis_tilt"] - EASY_TUCK_DEG).clamp_min(0)      # backwards under the trunk
    beside = _outside(measured.series["knee_medial_displacement"], (-KNEE_OUTSIDE_CM, KNEE_INSIDE_CM))
    aside = sum(measured.series[name].abs().mean(-1) for name in
                ("lumbar_bending", "lumbar_rotation", "trunk_lateral_lean"))
    locked = (LOCKED_KNEE_DEG - measured.series["knee_flexion"]).clamp_min(0).amax((-2, -1))
    # planted legs may hesitate where the free curve does not; samples are even in time within descent and ascent
    hesitation = q[..., _LEGS].diff(n=2, dim=-2) * DEG
    rises = q[..., _PELVIS_TY].diff(dim=-1) * 100
    half = rises.shape[-1] // 2
    detour = rises[..., :half].clamp_min(0).sum(-1) + (-rises[..., half:]).clamp_min(0).sum(-1)
    terms = {
        "depth": weights.depth * depth,
        "symmetry": weights.symmetry * (asymmetry + aside - EASY_ASYMMETRY_DEG).clamp_min(0) / 6.0,
        "upright": weights.upright * _standing(measured),
        "smoothness": weights.smoothness * ((curve_change * DEG / 4.0).square().mean((-2, -1))
                                            + (hesitation / 1.2).square().mean((-2, -1))),
        "detour": weights.detour * detour,
        "prior": weights.prior * prior,
        "trunk": weights.trunk * ((lean.amax(-1) / 10.0).square() + (rounded.amax(-1) / 8.0).square()
                                  + (tucked.amax(-1) / 8.0).square()),
        "balance": weights.balance * ((static.square() + moving.square()).mean(-1)),
        "locked": weights.locked * locked.square(),
        "knees": weights.knees * (beside / 2.0).square().mean((-2, -1)),
    }
    if goals.reference is not None:
        terms["likeness"] = weights.likeness * ((q - goals.reference) * DEG / 5.0).square().mean((-2, -1))
    return terms


def _standing(measured: Measured) -> Tensor:
    """(batch,) how far the first pose is from people's standing."""
    knees = measured.series["knee_flexion"][..., 0].mean(-1)
    lean = measured.series["trunk_forward_lean"][..., 0]
    tilt = measured.series["pelvis_tilt"][..., 0]
    return ((_outside(knees, STANDING_KNEE_DEG) / 5).square() + (_outside(lean, STANDING_LEAN_DEG) / 4).square()
            + (_outside(tilt, STANDING_TILT_DEG) / 8).square())


def easy_lumbar_deg(knee_deg: Tensor) -> Tensor:
    """Low-back flexion (deg) that costs nothing at a knee flexion (deg)."""
    knees, backs = _LUMBAR_BY_KNEE
    easy = torch.full_like(knee_deg, backs[0])
    for low, high, first, last in zip(knees, knees[1:], backs, backs[1:], strict=False):
        easy = easy + ((knee_deg - low) / (high - low)).clamp(0, 1) * (last - first)
    return easy


def _outside(values: Tensor, bounds: tuple[float, float]) -> Tensor:
    return (bounds[0] - values).clamp_min(0) + (values - bounds[1]).clamp_min(0)
