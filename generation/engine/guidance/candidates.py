"""The numbers that guidance turns: a batch of candidate repetitions, and how they become joint coordinates.

A candidate is: a latent of the motion model, which can say any smooth movement; the size of its movement; how the
person stands, and where the feet are.
"""
from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from generation.engine.body import COORDINATES
from generation.engine.guidance import curves
from generation.engine.guidance.planting import Stance
from generation.engine.guidance.posture import standing
from generation.engine.guidance.prior import Prior

_INDEX = {name: i for i, name in enumerate(COORDINATES)}
CURVE = 20                 # coefficients of a channel over the repetition
# Bounds of a stance (E), around the recorded ones (0.12-0.32, -1 to 23): share of body height between the feet, degrees
# of toe-out.
WIDTH_SHARE = (0.11, 0.34)
TOE_OUT_DEG = (-5.0, 35.0)
_AMPLITUDE = (0.05, 1.6)


@dataclass
class Variation:
    """The free parameters, in units in which a step of 1 is large; (batch, ...) each, requiring gradients."""

    latent: Tensor
    amplitude: Tensor
    width: Tensor
    toe_out: Tensor
    knee_bend: Tensor

    def tensors(self) -> list[Tensor]:
        return [getattr(self, name) for name in self.__dataclass_fields__]

    def select(self, index: Tensor) -> Variation:
        return Variation(*(value.detach()[index].clone().requires_grad_() for value in self.tensors()))

    def put(self, index: Tensor, other: Variation) -> None:
        for mine, theirs in zip(self.tensors(), other.tensors(), strict=True):
            mine.data[index] = theirs.detach()


@dataclass
class Start:
    """Where the candidates begin; everything (batch, ...). ``detail`` (batch or 1, frame, channel) is what a person's
    own motion has beyond the model's reconstruction. ``pose`` (batch, angle) are the angles of the prior's ``posed``
    in the standing pose, rad; None: as `posture.standing` makes them."""

    latent: Tensor
    amplitude: Tensor
    width: Tensor
    toe_out: Tensor            # (batch, 2)
    knee_bend: Tensor
    stagger: Tensor
    centre_x: float            # of the feet, m
    detail: Tensor | None = None
    pose: Tensor | None = None
    fixed_stance: bool = False

    def select(self, index: Tensor) -> Start:
        detail = self.detail if self.detail is None or len(self.detail) == 1 else self.detail[index]
        pose = None if self.pose is None else self.pose[index]
        return Start(*(getattr(self, name)[index] for name in ("latent", "amplitude", "width", "toe_out", "knee_bend",
                                                               "stagger")),
                     self.centre_x, detail, pose, self.fixed_stance)


class Candidates:
    """A batch of candidates for a person of ``height_m``; ``start`` shares dtype and device with ``prior``."""

    def __init__(self, prior: Prior, start: Start, height_m: float) -> None:
        self.prior, self.start = prior, start
        self.height_m = height_m
        like = start.amplitude
        batch = len(like)
        self.variation = Variation(*(torch.zeros(shape, dtype=like.dtype, device=like.device, requires_grad=True) for
                                     shape in (start.latent.shape, (batch,), (batch,), (batch,), (batch,))))
        self._columns = torch.tensor(prior.columns, device=like.device)
        linear = curves.close_loop(CURVE) @ curves.fit(prior.frames, prior.bottom, CURVE)
        self._fit = torch.as_tensor(linear, dtype=like.dtype, device=like.device)

    def select(self, index: Tensor) -> Candidates:
        """Some of the candidates, with their own copy of the parameters."""
        chosen = Candidates(self.prior, self.start.select(index), self.height_m)
        chosen.variation = self.variation.select(index)
        return chosen

    def lean_over(self, share: float) -> None:
        """Begin with the pelvis shifted so far sideways that the right foot carries about ``share`` of the load."""
        with torch.no_grad():
            movement = self.prior.offsets(self.start.latent)
            place = self.prior.columns.index(_INDEX["pelvis_tz"])
            movement[..., place] += ((share - 0.5) * self.start.width)[:, None]
            self.start.latent = self.prior.encode(movement)

    def latent(self) -> Tensor:
        return self.start.latent + self.variation.latent * self.prior.spread

    def stance(self) -> Stance:
        v, start = self.variation, self.start
        width, toe_out = start.width, start.toe_out
        if not start.fixed_stance:
            low, high = (share * self.height_m for share in WIDTH_SHARE)
            width = (width + 0.05 * v.width).clamp(low, high)
            low, high = (math.radians(angle) for angle in TOE_OUT_DEG)
            toe_out = (toe_out + 0.1 * v.toe_out.unsqueeze(-1)).clamp(low, high)
        zero = torch.zeros_like(width)
        return Stance(width, toe_out, start.stagger, zero + start.centre_x, zero)

    def curve(self) -> Tensor:
        """(batch, CURVE, channel): spline coefficients of the movement away from standing."""
        movement = self.prior.offsets(self.latent())
        if self.start.detail is not None:
            movement = movement + self.start.detail
        size = (self.start.amplitude * (0.3 * self.variation.amplitude).exp()).clamp(*_AMPLITUDE)
        return torch.einsum("kf,bfc->bkc", self._fit, movement) * size[:, None, None]

    def unplanted(self, body, phase: np.ndarray, curve: Tensor, stance: Stance) -> Tensor:
        """q (batch, time, coordinate) at ``phase`` (time,), feet nearly but not exactly in place, arms hanging.

        In the precision of ``body``; ``curve`` and ``stance`` in the same one.
        """
        basis = torch.as_tensor(curves.design(phase, CURVE), dtype=curve.dtype, device=curve.device)
        first = self.start.knee_bend.to(curve)
        bend = (first + 0.1 * self.variation.knee_bend.to(curve)).clamp_min(0.03)
        pose = standing(body, stance.width, stance.toe_out, bend)
        if self.start.pose is not None:      # what this person's standing has beyond what stance and knees make of it
            plain = standing(body, self.start.width.to(curve), self.start.toe_out.to(curve), first)
            posed = torch.tensor(self.prior.posed, device=curve.device)
            pose = pose.index_add(-1, posed, self.start.pose.to(curve) - plain[:, posed])
        q = pose.unsqueeze(-2).expand(-1, len(phase), -1)
        return q.index_add(-1, self._columns.to(curve.device), basis @ curve)

    def prior_distance(self) -> Tensor:
        """(batch,) squared distance of the latents from where they started, and how much they are less like a person
        than people are; both in variances."""
        return self.prior.freedom * (self.variation.latent.square().mean(-1) + self.prior.cost(self.latent()))
