"""The motion model as guidance sees it: flat latents in, movement away from standing out, for one person's legs."""
from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from generation.engine.body import COORDINATES
from generation.engine.motion_model import ContinuousModel, MotionModel, channel_units
from generation.engine.motion_model.stances import DESCRIBED, POSED, STANCE, TEMPO

TYPICAL = 1.0                    # unlikeness of a person drawn from the population: up to it a motion costs nothing
HARDLY_ANYBODY = 0.1             # share of people (E)
STEP = 0.15                      # between repetitions, in deviations of a code dimension, where nothing is known (E)


@dataclass(frozen=True)
class Drawn:
    """New repetitions of as many people, all (count, ...): latent; pose, the angles of POSED in the standing pose, rad;
    width and stagger (right foot ahead) of the stance, m; toe_out (count, 2) right and left, rad; descent_s and
    ascent_s as this person would move unasked. Of a model that knows the movement only, all but latent are None."""

    latent: Tensor
    pose: Tensor | None = None
    width: Tensor | None = None
    toe_out: Tensor | None = None
    stagger: Tensor | None = None
    descent_s: Tensor | None = None
    ascent_s: Tensor | None = None


class Prior:
    """columns: the moved coordinates' places in COORDINATES; posed: of those the standing pose gives; frames, bottom:
    samples of a repetition, and the deepest one; latents (motion, latent) of the training motions; spread (latent,)
    their deviation, 1 for every number of a model whose latents are standardised; freedom: as how many independent
    numbers a mean over a latent counts.
    """

    def __init__(self, model: MotionModel, leg_length_m: float) -> None:
        self._model, self._leg = model, leg_length_m
        self.columns = [COORDINATES.index(name) for name in model.coordinates]
        self.posed = [COORDINATES.index(name) for name in POSED]
        self.frames, self.bottom = model.frames, model.bottom
        self._shape = model.training_latents.shape[1:]                        # (number,) or (code dimension, step)
        self.latents = model.training_latents.flatten(1)
        if isinstance(model, ContinuousModel):
            self.spread, self.freedom, self._typical = torch.ones_like(self.latents[0]), self.latents.shape[1], TYPICAL
        else:
            self.freedom, self._typical = 1, 0.0         # thousands of numbers that hang together (E); codes are exact
            spread = model.training_latents.std((0, 2)).clamp_min(1e-4)
            self.spread = spread[:, None].expand(self._shape).flatten()
        self._unit = channel_units(leg_length_m, self.latents)

    def offsets(self, latent: Tensor) -> Tensor:
        """(batch, latent) -> (batch, frame, channel): rad and m away from standing. Differentiable."""
        return self._model.decode(latent.unflatten(-1, self._shape)) * self._unit

    def encode(self, offsets: Tensor) -> Tensor:
        """(batch, frame, channel) rad and m away from standing -> (batch, latent)."""
        with torch.no_grad():
            return self._model.encode(offsets / self._unit).flatten(1)

    def cost(self, latent: Tensor) -> Tensor:
        """(batch,) how much more unlike a person's movement than people are. Differentiable."""
        return (self._model.unlikeness(latent.unflatten(-1, self._shape)) - self._typical).clamp_min(0)

    def sample(self, count: int, generator: torch.Generator, knee_deg: Tensor | None = None) -> Drawn:
        """New people's repetitions, on this body's legs; the same generator state gives the same.

        knee_deg: (count,) knee flexion at the bottom to aim at, away from standing. A model that knows no depth takes
        its training motions and blends of two.
        """
        if not isinstance(self._model, ContinuousModel):
            return Drawn(self._blends(count, generator))
        depth = None if knee_deg is None else torch.deg2rad(knee_deg).to(self.latents)
        latent, described = self._model.sample(count, generator, depth)
        value = {name: described[:, DESCRIBED.index(name)] for name in (*STANCE, *TEMPO)}
        half = value["toe_out_difference"] / 2
        return Drawn(latent, described[:, :len(POSED)], value["width"] * self._leg,
                     torch.stack([value["toe_out"] + half, value["toe_out"] - half], -1), value["stagger"] * self._leg,
                     *(value[name].exp() for name in TEMPO))

    def natural_knee_deg(self, count: int, most: float) -> Tensor | None:
        """(count,) knee flexion at the bottom, as deep as people squat who are asked for no depth but to stay under
        ``most``: evenly likely values, ascending. None if the model does not know, or hardly anybody stays under."""
        if not isinstance(self._model, ContinuousModel):
            return None
        mean, deviation = self._model.population.knee_depth()
        under = torch.special.ndtr(torch.tensor((math.radians(most) - mean) / deviation, dtype=torch.float64))
        if under < HARDLY_ANYBODY:
            return None
        places = (torch.arange(count) + 0.5) / count * under
        return torch.rad2deg(mean + deviation * torch.special.ndtri(places)).float()

    def again(self, latent: Tensor, count: int, generator: torch.Generator) -> Tensor:
        """(batch, count, latent) further repetitions of each, as different as one person's are."""
        if not isinstance(self._model, ContinuousModel):
            shape = len(latent), count, latent.shape[-1]
            return latent.unsqueeze(1) + STEP * self.spread * torch.randn(shape, generator=generator).to(latent)
        return self._model.again(latent, count, generator)

    def _blends(self, count: int, generator: torch.Generator) -> Tensor:
        order = torch.randperm(len(self.latents), generator=generator).repeat(count // len(self.latents) + 2)
        first, second = self.latents[order[:count]], self.latents[order[1:count + 1]]
        share = torch.where(torch.arange(count) % 2 == 0, 0.0, 0.5) * torch.rand(count, generator=generator)
        return first + (second - first) * share[:, None].to(first)
