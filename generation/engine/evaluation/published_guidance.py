"""The published guidance, built again from its paper and released code, on our own VQ-VAE: a baseline.

As published (Maheshwari et al. 2025, section 3 and Table 1; V): latents drawn from N(0, I) are optimised by Adam at
learning rate 0.5 for 3000 iterations in batches of 20; the first and the last 500 iterations know the proximity term
alone, and between iteration 500 and 1000 the others are faded in. Weights: proximity 0.01, pelvis tilt 0.5, asymmetry
1, joint angular speed 0.5, pelvis speed 50, pelvis acceleration 100, foot sliding 0.1, activation window 1. Squares and
means are those of the released code: means over batch, frames and coordinates of squares, in degrees and metres and
differences between frames; proximity is the distance to the nearest training latent; acceleration a smooth L1 with a
bend at 0.01; foot sliding the squared change of the lowest point's height between frames, at random frames.

Ours, because their data and surrogate are not ours (E): the VQ-VAE; latents in standard deviations of the training
latents; motions in phase instead of tiled, so differences are taken between 196 samples over one repetition; the lowest
joint centre for the lowest point; the activation is that of the fast route, held still at the frame of the deepest
knee, instead of a surrogate over the whole motion. The latent passes the quantiser with a straight-through gradient,
as theirs.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from generation.engine.body import COORDINATES
from generation.engine.evaluation.motions import LEARNED
from generation.engine.evaluation.people import Person
from generation.engine.evaluation.placing import leg_length, on_floor
from generation.engine.guidance.planting import tidy
from generation.engine.guidance.posture import Arms
from generation.engine.motion_model import QuantisedModel
from generation.engine.motion_model.channels import LEARNED_COORDINATES, channel_units

ITERATIONS, BATCH, RATE = 3000, 20, 0.5
ALONE, FADED_IN = 500, 1000      # iterations
SAMPLES = 196
SLIDING_FRAMES = 8               # pairs of neighbours looked at in an iteration (theirs: up to 5, growing)
WEIGHTS = {"tilt": 0.5, "asymmetry": 1.0, "omega": 0.5, "speed": 50.0, "acceleration": 100.0, "sliding": 0.1,
           "window": 1.0}
PROXIMITY = 0.01

_AT = {name: i for i, name in enumerate(LEARNED_COORDINATES)}
_PAIRS = [[_AT[f"{name}_{side}"] for name in ("hip_flexion", "knee_angle", "ankle_angle")] for side in "rl"]
_PELVIS = [_AT[f"pelvis_t{axis}"] for axis in "xyz"]
_KNEES = [COORDINATES.index(f"knee_angle_{side}") for side in "rl"]
_VASMED = "vastus_medialis_activation_peak"


@dataclass(frozen=True)
class Schedule:
    iterations: int = ITERATIONS
    batch: int = BATCH

    def share(self, iteration: int) -> float:
        """Of the terms other than proximity, in units of the published 3000 iterations."""
        at = iteration * ITERATIONS / self.iterations
        if at < ALONE or at >= ITERATIONS - ALONE:
            return 0.0
        return min(1.0, (at - ALONE) / (FADED_IN - ALONE))


def guided_as_published(model: QuantisedModel, person: Person, poses: np.ndarray, window: tuple[float, float],
                        seed: int, schedule: Schedule | None = None,
                        progress: Callable[[int, dict], None] = lambda iteration, terms: None) -> Tensor:
    """Movements (batch, FRAMES, channel) for one person, standing as in poses (batch, coordinate), with the activation
    of the vastus medialis asked into ``window`` (0 to 1)."""
    schedule = schedule or Schedule()
    generator = torch.Generator().manual_seed(seed)
    latents = model.training_latents
    mean, spread = latents.mean((0, 2), keepdim=True), latents.std((0, 2), keepdim=True).clamp_min(1e-4)
    known = ((latents - mean) / spread).flatten(1)
    z = torch.randn(schedule.batch, *latents.shape[1:], generator=generator).requires_grad_()
    optimiser = torch.optim.Adam([z], lr=RATE)
    body = _Body(person, poses)
    for iteration in range(schedule.iterations):
        optimiser.zero_grad()
        loss = PROXIMITY * torch.cdist(z.flatten(1), known).amin(1).mean()
        share = schedule.share(iteration)
        if share:
            movement = _decode(model, z * spread + mean)
            terms = body.terms(movement, window, generator)
            loss = loss + share * sum(WEIGHTS[name] * value for name, value in terms.items())
            if iteration % 100 == 0:
                progress(iteration, {name: float(value.detach()) for name, value in terms.items()})
        loss.backward()
        z.grad.nan_to_num_()
        optimiser.step()
    with torch.no_grad():
        return _decode(model, z * spread + mean)


def _decode(model: QuantisedModel, latent: Tensor) -> Tensor:
    return model.decode(model.quantise(latent)[0])


class _Body:
    """Turns movements into coordinates of one person, and those into the published terms."""

    def __init__(self, person: Person, poses: np.ndarray) -> None:
        self.meter = person.made_meter
        self.body, self.arms = self.meter.body, Arms(self.meter.body)
        exact = person.made
        standing = np.stack([on_floor(exact, pose) for pose in poses])
        self.standing = torch.as_tensor(standing, dtype=torch.float32)[:, None]
        self.unit = channel_units(leg_length(exact), self.standing)[0]

    def terms(self, movement: Tensor, window: tuple[float, float], generator: torch.Generator) -> dict[str, Tensor]:
        x = torch.nn.functional.interpolate(movement.transpose(1, 2), SAMPLES, mode="linear", align_corners=True)
        q = self.standing.expand(-1, SAMPLES, -1).index_add(-1, torch.tensor(LEARNED), x.transpose(1, 2) * self.unit)
        learned = q[..., LEARNED]
        degrees = torch.rad2deg(learned)
        shown = torch.cat([degrees[..., [i for i in range(degrees.shape[-1]) if i not in _PELVIS]],
                           learned[..., _PELVIS]], -1)
        place = learned[..., _PELVIS]
        bend = place.diff(n=2, dim=1)
        return {
            "tilt": degrees[..., _AT["pelvis_tilt"]].square().mean(),
            "asymmetry": (degrees[..., _PAIRS[0]] - degrees[..., _PAIRS[1]]).square().mean(),
            "omega": shown.diff(dim=1).square().mean(),
            "speed": place.diff(dim=1).square().mean(),
            "acceleration": torch.nn.functional.smooth_l1_loss(bend, torch.zeros_like(bend), beta=0.01),
            "sliding": self._sliding(q, generator),
            "window": self._outside(q, window),
        }

    def _sliding(self, q: Tensor, generator: torch.Generator) -> Tensor:
        first = torch.randint(SAMPLES - 1, (SLIDING_FRAMES,), generator=generator)
        pairs = self.meter.own(self.arms(tidy(q[:, torch.stack([first, first + 1], 1).flatten()])))
        centres = self.body.joint_centres(self.body(pairs))
        lowest = torch.stack([place[..., 1] for place in centres.values()], -1).amin(-1)
        return lowest.unflatten(1, (SLIDING_FRAMES, 2)).diff(dim=-1).square().sum()

    def _outside(self, q: Tensor, window: tuple[float, float]) -> Tensor:
        deepest = q[..., _KNEES].mean(-1).argmax(1)
        pose = self.meter.own(self.arms(tidy(q[torch.arange(len(q)), deepest][:, None])))
        still = torch.zeros_like(pose)
        frames = self.meter.frames(pose, still, still, {_VASMED})
        peak = self.meter.series(frames, {_VASMED})[_VASMED].amax(-1) / 100            # (batch, side)
        low, high = window
        return ((peak - high).clamp_min(0) + (low - peak).clamp_min(0)).sum()
