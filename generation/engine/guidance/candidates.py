"""The numbers that guidance turns: a batch of candidate repetitions, and how they become joint coordinates.

A candidate is: a latent of the motion model; the size of its movement; where the feet stand; and a small smooth
correction of pelvis and low back. Legs need no correction of their own: with planted feet the pelvis decides them.
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
from generation.engine.motion_model import mirror_channels

_INDEX = {name: i for i, name in enumerate(COORDINATES)}
CURVE = 20                 # coefficients of a channel over the repetition
CORRECTION = 7             # of the correction: too few to jitter
KEEP_ASYMMETRY = 0.3       # share of a training person's own left-right difference that a new motion keeps (E)

# Corrected coordinates and the size of one unit of correction (rad or m; E): sagittal ones freer than the others.
_CORRECTED = {"pelvis_tilt": 0.08, "pelvis_tx": 0.03, "pelvis_ty": 0.03, "lumbar_extension": 0.08,
              "pelvis_list": 0.02, "pelvis_rotation": 0.02, "pelvis_tz": 0.01,
              "lumbar_bending": 0.03, "lumbar_rotation": 0.03}
# Bounds of what is natural for a stance: share of body height between the feet, degrees of toe-out (E).
WIDTH_SHARE = (0.13, 0.30)
TOE_OUT_DEG = (0.0, 35.0)
_AMPLITUDE = (0.05, 1.6)


@dataclass
class Variation:
    """The free parameters, in units in which a step of 1 is large; (batch, ...) each, requiring gradients."""

    latent: Tensor
    amplitude: Tensor
    width: Tensor
    toe_out: Tensor
    knee_bend: Tensor
    correction: Tensor         # (batch, CORRECTION - 1, corrected): the last coefficient equals the first

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
    own motion has beyond the model's reconstruction; ``keep_asymmetry`` is 1 for such a motion."""

    latent: Tensor
    amplitude: Tensor
    width: Tensor
    toe_out: Tensor            # (batch, 2)
    knee_bend: Tensor
    stagger: Tensor
    centre_x: float            # of the feet, m
    detail: Tensor | None = None
    keep_asymmetry: float = KEEP_ASYMMETRY
    fixed_stance: bool = False

    def select(self, index: Tensor) -> Start:
        detail = self.detail if self.detail is None or len(self.detail) == 1 else self.detail[index]
        return Start(*(getattr(self, name)[index] for name in ("latent", "amplitude", "width", "toe_out", "knee_bend",
                                                               "stagger")),
                     self.centre_x, detail, self.keep_asymmetry, self.fixed_stance)


class Candidates:
    """A batch of candidates for a person of ``height_m``; ``start`` shares dtype and device with ``prior``."""

    def __init__(self, prior: Prior, start: Start, height_m: float) -> None:
        self.prior, self.start = prior, start
        self.height_m = height_m
        like = start.amplitude
        batch = len(like)
        self.variation = Variation(*(torch.zeros(shape, dtype=like.dtype, device=like.device, requires_grad=True) for
                                     shape in (start.latent.shape, (batch,), (batch,), (batch,), (batch,),
                                               (batch, CORRECTION - 1, len(_CORRECTED)))))
        self._size = like.new_tensor(list(_CORRECTED.values()))
        self._corrected = torch.tensor([_INDEX[name] for name in _CORRECTED], device=like.device)
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
        place = list(_CORRECTED).index("pelvis_tz")
        shift = (share - 0.5) * self.start.width / _CORRECTED["pelvis_tz"]
        self.variation.correction.data[..., place] = shift[:, None]

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
        keep = (1 + self.start.keep_asymmetry) / 2
        movement = keep * movement + (1 - keep) * mirror_channels(movement)
        size = (self.start.amplitude * (0.3 * self.variation.amplitude).exp()).clamp(*_AMPLITUDE)
        return torch.einsum("kf,bfc->bkc", self._fit, movement) * size[:, None, None]

    def unplanted(self, body, phase: np.ndarray, curve: Tensor, stance: Stance) -> Tensor:
        """q (batch, time, coordinate) at ``phase`` (time,), feet nearly but not exactly in place, arms hanging.

        In the precision of ``body``; ``curve`` and ``stance`` in the same one.
        """
        basis, small = (torch.as_tensor(curves.design(phase, count), dtype=curve.dtype, device=curve.device)
                        for count in (CURVE, CORRECTION))
        bend = (self.start.knee_bend + 0.1 * self.variation.knee_bend).clamp_min(0.03).to(curve)
        q = standing(body, stance.width, stance.toe_out, bend).unsqueeze(-2).expand(-1, len(phase), -1)
        q = q.index_add(-1, self._columns.to(curve.device), basis @ curve)
        loop = torch.cat([self.variation.correction, self.variation.correction[:, :1]], 1) * self._size
        return q.index_add(-1, self._corrected.to(curve.device), small @ loop.to(curve))

    def prior_distance(self) -> Tensor:
        """(batch,) mean squared distance of the latents from where they started, and from the model's codes."""
        return self.variation.latent.square().mean(-1) + self.prior.off_code(self.latent())

    def correction_size(self) -> Tensor:
        return self.variation.correction.square().mean((-2, -1))
