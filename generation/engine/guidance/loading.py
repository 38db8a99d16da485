"""Limits on loads inside guidance: the physics of the body on few instants, with gradients.

What guidance sees is not what is delivered: fewer instants, no low-pass, derivatives of a spline through unevenly
spaced instants. The exact measure of the delivered file decides; repair closes the difference.
"""
from __future__ import annotations

import numpy as np
import torch
from scipy.interpolate import CubicSpline
from torch import Tensor

from generation.engine.limits import Limit
from generation.engine.metrics import LoadMeter, Measured
from generation.engine.variables import LOAD_VARIABLES

# Which of the samples are looked at, counted from the bottom: close together there, where loads are greatest (E).
FROM_BOTTOM = (0, 2, 4, 6, 9, 12, 16)
_UNLOADED = frozenset({"foot_load_share", "foot_load_share_mean", "com_acceleration_peak"})   # no muscles behind them


class LoadGuide:
    """Adds the limited load variables to what guidance measures. times: (time,) s of its samples, as
    `Timing.sparse_times` spreads them: one standing, descent and ascent of equal number, one standing."""

    def __init__(self, meter: LoadMeter, limits: tuple[Limit, ...], times: np.ndarray) -> None:
        self.meter = meter
        self.wanted = frozenset(limit.variable for limit in limits) & LOAD_VARIABLES
        like = meter.body.lower
        spline = CubicSpline(times, np.eye(len(times)), bc_type="clamped")       # it begins and ends standing still
        self._rate, self._change = (torch.as_tensor(spline.derivative(order)(times)).to(like) for order in (1, 2))
        half = (len(times) - 2) // 2
        chosen = sorted({index for step in FROM_BOTTOM if step < half for index in (half - step, half + 1 + step)})
        chosen = [0, *chosen]
        self._chosen = torch.tensor(chosen, device=like.device)
        moving = np.asarray(times)[chosen[1:]]
        weight = np.concatenate([[0.0], np.gradient(moving)])
        self._weight = torch.as_tensor(weight / weight.sum()).to(like)

    def add(self, measured: Measured, q: Tensor) -> None:
        """q (batch, time, coordinate) of COORDINATES at the samples. Differentiable."""
        meter, wanted = self.meter, self.wanted
        own = meter.own(q)
        if "com_acceleration_peak" in wanted:
            acceleration = self._change @ measured.com
            measured.single["com_acceleration_peak"] = acceleration.square().sum(-1).clamp_min(1e-12).sqrt().amax(-1)
        if wanted <= {"com_acceleration_peak"}:
            return
        frames = [part.index_select(-2, self._chosen) for part in (own, self._rate @ own, self._change @ own)]
        series = meter.series(meter.frames(*frames, wanted), wanted)
        share = series.pop("foot_load_share", None)
        if share is not None:
            measured.series["foot_load_share"] = share
            measured.single["foot_load_share_mean"] = (share * self._weight).sum(-1)
        measured.single |= {name: values.amax(-1) for name, values in series.items()}
