"""Where candidates begin: different training motions, depths and stances, so that the results really differ."""
from __future__ import annotations

import math

import torch
from torch import Tensor

from generation.engine.body import COORDINATES
from generation.engine.guidance.candidates import Start
from generation.engine.guidance.prior import Prior
from generation.engine.limits import MODEL, Limit

NATURAL_DEPTH_DEG = (60.0, 105.0)        # knee flexion aimed at when nothing is asked (E)
# How far past a required depth candidates aim: at least, and at most (deg, deg, cm, %; E).
_PAST_DEPTH = {"knee_flexion_peak": 1.5, "thigh_inclination_peak": 1.5, "pelvis_drop": 0.6, "pelvis_drop_percent": 0.8}
_WINDOW = {"knee_flexion_peak": 20.0, "thigh_inclination_peak": 12.0, "pelvis_drop": 6.0, "pelvis_drop_percent": 8.0}
_DEPTH = tuple(_WINDOW)
STANCE_WIDTH_SHARE = (0.15, 0.23)        # of body height between the feet: hip to shoulder width (E)
TOE_OUT_DEG = (6.0, 24.0)                # (E)
LATENT_NOISE = 0.05                      # of the training motions' standard deviation


def depth_targets(limits: tuple[Limit, ...], count: int) -> tuple[str, Tensor]:
    """The measure of depth to aim by and (count,) values of it: spread over what ``limits`` (effective) allow.

    Knee flexion, unless another measure is the one that a required depth is given in.
    """
    floors = [limit for limit in limits
              if limit.variable in _DEPTH and limit.min is not None and limit.origin != MODEL]
    by_knee = not floors or any(limit.variable == "knee_flexion_peak" for limit in floors)
    variable = "knee_flexion_peak" if by_knee else floors[0].variable
    same = (variable, "knee_flexion") if by_knee else (variable,)
    top = min((limit.max for limit in limits if limit.variable in same and limit.max is not None), default=math.inf)
    asked = [limit.min for limit in floors if limit.variable == variable]
    if asked:
        low = max(asked)
        margin = min(_PAST_DEPTH[variable], (top - low) / 2)
        low, high = low + margin, min(top - margin, low + _WINDOW[variable])
    else:
        low, high = (min(depth, top - 1.5) for depth in NATURAL_DEPTH_DEG)
        low = min(low, 0.8 * high)
    return variable, torch.linspace(low, max(low, high), count)


def fresh_start(prior: Prior, variable: str, depths: Tensor, limits: tuple[Limit, ...], height_m: float,
                foot_x: float, generator: torch.Generator) -> Start:
    """Candidates from training motions: each from another one or a blend of two, with a stance of its own around
    ``foot_x`` (m), and a size of movement that reaches ``depths`` where those are knee flexion."""
    count, like = len(depths), prior.latents
    order = torch.randperm(len(prior.latents), generator=generator).repeat(count // len(prior.latents) + 2)
    first, second = prior.latents[order[:count]], prior.latents[order[1:count + 1]]
    share = torch.where(torch.arange(count) % 2 == 0, 0.0, 1.0) * 0.5 * _random(count, generator)
    latent = first + (second - first) * share[:, None].to(like)
    latent = latent + LATENT_NOISE * prior.spread * torch.randn(latent.shape, generator=generator).to(like)
    width = height_m * _between(STANCE_WIDTH_SHARE, count, generator)
    toe_out = torch.deg2rad(_between(TOE_OUT_DEG, count, generator))
    bend = torch.full((count,), standing_knee(limits))
    knees = depths if variable == "knee_flexion_peak" else torch.full_like(depths, NATURAL_DEPTH_DEG[1])
    amplitude = _amplitude(prior, latent, knees, bend)
    return Start(latent, amplitude, width.to(like), toe_out[:, None].expand(-1, 2).to(like).clone(), bend.to(like),
                 torch.zeros(count).to(like), foot_x)


def standing_knee(limits: tuple[Limit, ...]) -> float:
    """Knee bend of the standing pose in radians: nearly straight, or what the limits need."""
    floors = [limit.min for limit in limits if limit.variable == "knee_flexion" and limit.min is not None]
    return math.radians(max(4.0, max(floors, default=0.0) + 1.5))


def _amplitude(prior: Prior, latent: Tensor, depths: Tensor, bend: Tensor) -> Tensor:
    knees = [prior.columns.index(COORDINATES.index(f"knee_angle_{side}")) for side in "rl"]
    with torch.no_grad():
        reached = torch.rad2deg(prior.offsets(latent)[..., knees].mean(-1).amax(-1)).clamp_min(20.0)
    return ((depths.to(reached) - torch.rad2deg(bend.to(reached))) / reached).clamp(0.06, 1.5)


def _random(count: int, generator: torch.Generator) -> Tensor:
    return torch.rand(count, generator=generator)


def _between(bounds: tuple[float, float], count: int, generator: torch.Generator) -> Tensor:
    """(count,) one value in each of ``count`` equal parts of the range, in random order: spread, not clumped."""
    low, high = bounds
    places = (torch.randperm(count, generator=generator) + _random(count, generator)) / count
    return low + (high - low) * places
