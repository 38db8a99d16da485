"""Where candidates begin: squats of different people, drawn from the prior at the depths that are wanted."""
from __future__ import annotations

import math

import torch
from torch import Tensor

from generation.engine.body import COORDINATES
from generation.engine.guidance.candidates import TOE_OUT_DEG as LARGEST_TOE_OUT_DEG
from generation.engine.guidance.candidates import WIDTH_SHARE, Start
from generation.engine.guidance.prior import Prior
from generation.engine.limits import MODEL, Limit
from generation.engine.motion_model.stances import POSED

NATURAL_DEPTH_DEG = (60.0, 105.0)        # knee flexion aimed at where the prior has none to say (E)
DEEPEST_DEG = 133.5              # aimed at when nothing is asked: beyond 135 the loads are not trusted
# How far past a required depth candidates aim: at least, and at most (deg, deg, cm, %; E).
_PAST_DEPTH = {"knee_flexion_peak": 1.5, "thigh_inclination_peak": 1.5, "pelvis_drop": 0.6, "pelvis_drop_percent": 0.8}
_WINDOW = {"knee_flexion_peak": 20.0, "thigh_inclination_peak": 12.0, "pelvis_drop": 6.0, "pelvis_drop_percent": 8.0}
_DEPTH = tuple(_WINDOW)
_PAST_SEAT_CM, _SEAT_WINDOW_CM = 0.6, 6.0      # the same below a seat that is to be touched (E)
# For a prior that knows the movement only: the stance (E).
STANCE_WIDTH_SHARE = (0.15, 0.23)        # of body height between the feet: hip to shoulder width
TOE_OUT_DEG = (6.0, 24.0)


def depth_targets(limits: tuple[Limit, ...], count: int, prior: Prior) -> tuple[str, Tensor]:
    """The measure of depth to aim by and (count,) values of it: spread over what ``limits`` (effective) ask for, and
    where they ask for none, as deep as people go, if that is allowed.

    Knee flexion, unless another measure is the one that a required depth is given in.
    """
    floors = [limit for limit in limits
              if limit.variable in _DEPTH and limit.min is not None and limit.origin != MODEL]
    by_knee = not floors or any(limit.variable == "knee_flexion_peak" for limit in floors)
    variable = "knee_flexion_peak" if by_knee else floors[0].variable
    same = (variable, "knee_flexion") if by_knee else (variable,)
    top = min((limit.max for limit in limits if limit.variable in same and limit.max is not None), default=math.inf)
    asked = [limit.min for limit in floors if limit.variable == variable]
    if not asked and (seats := _seat_heights(limits)) is not None:
        return "seat_height", torch.linspace(*seats, count)
    if asked:
        low = max(asked)
        margin = min(_PAST_DEPTH[variable], (top - low) / 2)
        low, high = low + margin, min(top - margin, low + _WINDOW[variable])
    else:
        natural = prior.natural_knee_deg(count, min(top - 1.5, DEEPEST_DEG))
        if natural is not None:
            return variable, natural
        low, high = NATURAL_DEPTH_DEG
        high = min(high, top - 1.5)
        low = min(low, 0.8 * high)
    return variable, torch.linspace(low, max(low, high), count)


def _seat_heights(limits: tuple[Limit, ...]) -> tuple[float, float] | None:
    """Heights (cm) of a seat that must be touched, from the highest to the lowest to aim at; None if none must."""
    seats = [limit for limit in limits if limit.variable == "seat_height"]
    top = min((limit.max for limit in seats if limit.max is not None), default=None)
    if top is None:
        return None
    low = max((limit.min for limit in seats if limit.min is not None), default=-math.inf)
    room = min(_PAST_SEAT_CM, (top - low) / 2)
    return top - room, max(low + room, top - _SEAT_WINDOW_CM)


def fresh_start(prior: Prior, variable: str, depths: Tensor, limits: tuple[Limit, ...], height_m: float,
                foot_x: float, generator: torch.Generator) -> Start:
    """Each candidate another person's natural squat, as the prior draws it: movement, standing pose and stance, at the
    depth it is to have, its feet around ``foot_x`` (m)."""
    count, like = len(depths), prior.latents
    bend = standing_knee(limits)
    by_knee = variable == "knee_flexion_peak"
    drawn = prior.sample(count, generator, depths - math.degrees(bend) if by_knee else None)
    if drawn.pose is None:
        width = height_m * _between(STANCE_WIDTH_SHARE, count, generator)
        toe_out = torch.deg2rad(_between(TOE_OUT_DEG, count, generator))[:, None].expand(-1, 2)
        stagger, bends = torch.zeros(count), torch.full((count,), bend)
    else:
        width = drawn.width.clamp(*(share * height_m for share in WIDTH_SHARE))
        toe_out = drawn.toe_out.clamp(*(math.radians(angle) for angle in LARGEST_TOE_OUT_DEG))
        knees = [POSED.index(f"knee_angle_{side}") for side in "rl"]
        stagger, bends = drawn.stagger, drawn.pose[:, knees].mean(-1).clamp_min(bend)
    amplitude = torch.ones(count)
    if by_knee:
        amplitude = _amplitude(prior, drawn.latent, depths, bends)
    elif drawn.pose is None:
        amplitude = _amplitude(prior, drawn.latent, torch.full((count,), NATURAL_DEPTH_DEG[1]), bends)
    return Start(drawn.latent, amplitude.to(like), width.to(like), toe_out.to(like).clone(), bends.to(like),
                 stagger.to(like), foot_x, pose=drawn.pose)


def standing_knee(limits: tuple[Limit, ...]) -> float:
    """Knee bend of the standing pose in radians: nearly straight, or what the limits need."""
    floors = [limit.min for limit in limits if limit.variable == "knee_flexion" and limit.min is not None]
    return math.radians(max(4.0, max(floors, default=0.0) + 1.5))


def _amplitude(prior: Prior, latent: Tensor, depths: Tensor, bend: Tensor) -> Tensor:
    knees = [prior.columns.index(COORDINATES.index(f"knee_angle_{side}")) for side in "rl"]
    with torch.no_grad():
        reached = torch.rad2deg(prior.offsets(latent)[..., knees].mean(-1).amax(-1)).clamp_min(20.0)
    return ((depths.to(reached) - torch.rad2deg(bend.to(reached))) / reached).clamp(0.06, 1.5)


def _between(bounds: tuple[float, float], count: int, generator: torch.Generator) -> Tensor:
    """(count,) one value in each of ``count`` equal parts of the range, in random order: spread, not clumped."""
    low, high = bounds
    places = (torch.randperm(count, generator=generator) + torch.rand(count, generator=generator)) / count
    return low + (high - low) * places
