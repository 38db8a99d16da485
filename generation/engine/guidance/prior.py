"""The motion model as guidance sees it: flat latents in, movement away from standing out, for one person's legs."""
from __future__ import annotations

import torch
from torch import Tensor

from generation.engine.body import COORDINATES
from generation.engine.motion_model import MotionModel, channel_units


class Prior:
    """columns: the moved coordinates' places in COORDINATES; frames, bottom: samples of a repetition, and the deepest
    one; latents (motion, latent) of the training motions; spread (latent,) their deviation by code dimension."""

    def __init__(self, model: MotionModel, leg_length_m: float) -> None:
        self._model = model
        self.columns = [COORDINATES.index(name) for name in model.coordinates]
        self.frames, self.bottom = model.frames, model.bottom
        self._shape = model.training_latents.shape[1:]                        # (code dimension, step)
        self.latents = model.training_latents.flatten(1)
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

    def off_code(self, latent: Tensor) -> Tensor:
        """(batch,) mean squared distance, in standard deviations, of the latents from the nearest codes: the decoder
        has only ever seen codes. Differentiable towards the codes."""
        with torch.no_grad():
            code = self._model.quantise(latent.unflatten(-1, self._shape))[0].flatten(1)
        return ((latent - code) / self.spread).square().mean(-1)

    def nearest_training(self, latent: Tensor) -> Tensor:
        """(batch,) root mean squared distance to the nearest training latent, in standard deviations."""
        with torch.no_grad():
            scale = self.spread * len(self.spread) ** 0.5
            return torch.cdist(latent / scale, self.latents / scale).amin(-1)
