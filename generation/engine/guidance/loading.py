"""Limits on loads inside guidance: the physics of the body on few instants, with gradients.

What guidance sees is not what is delivered: fewer instants, no low-pass, derivatives of a spline through unevenly
spaced instants. The exact measure of the delivered file decides; repair closes the difference.
"""
from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from scipy.interpolate import CubicSpline
from torch import Tensor

from generation.engine.guidance.objective import rooms, violations
from generation.engine.limits import Limit
from generation.engine.metrics import LoadMeter, Measured
from generation.engine.variables import LOAD_VARIABLES, RIGHT

# Which of the samples are looked at, counted from the bottom: close together there, where loads are greatest (E).
FROM_BOTTOM = (0, 2, 4, 6, 9, 12, 16)
SHARE_ROOM = 3.0                 # percent inside a limit on the load of a foot where a shift begins (E)


def asked_share(limits: tuple[Limit, ...]) -> float | None:
    """The right foot's share of the load, 0 to 1, nearest to even that ``limits`` (effective) allow; None for even."""
    low, high = 0.0, 100.0
    for limit in limits:
        if limit.variable in ("foot_load_share", "foot_load_share_mean"):
            for side in limit.sides():
                ends = (limit.min, limit.max) if side == RIGHT else tuple(
                    None if end is None else 100 - end for end in (limit.max, limit.min))
                low = low if ends[0] is None else max(low, ends[0])
                high = high if ends[1] is None else min(high, ends[1])
    room = min(SHARE_ROOM, (high - low) / 2)
    share = min(max(50.0, low + room if low > 0 else low), high - room if high < 100 else high)
    return None if share == 50.0 else share / 100


def grows_with_depth(limit: Limit) -> bool:
    """Is a smaller movement a way to keep this limit on a load?"""
    return limit.hard and limit.max is not None and limit.variable not in ("foot_load_share", "foot_load_share_mean")


class LoadGuide:
    """By how much candidates cross the limits on loads. times: (time,) s of its samples, as
    `Timing.sparse_times` spreads them: one standing, descent and ascent of equal number, one standing; when: phase ->
    (time,) bool, the samples that belong to it."""

    def __init__(self, meter: LoadMeter, limits: tuple[Limit, ...], times: np.ndarray,
                 when: Mapping[str, Tensor] | None = None) -> None:
        self.meter = meter
        self.wanted = frozenset(limit.variable for limit in limits) & LOAD_VARIABLES
        like = meter.body.lower
        spline = CubicSpline(times, np.eye(len(times)), bc_type="clamped")       # it begins and ends standing still
        self._rate, self._change = (torch.as_tensor(spline.derivative(order)(times)).to(like) for order in (1, 2))
        half = (len(times) - 2) // 2
        chosen = sorted({index for step in FROM_BOTTOM if step < half for index in (half - step, half + 1 + step)})
        chosen = [0, *chosen]
        self._chosen = torch.tensor(chosen, device=like.device)
        self._when = {phase: inside[self._chosen] for phase, inside in (when or {}).items()}
        moving = np.asarray(times)[chosen[1:]]
        weight = np.concatenate([[0.0], np.gradient(moving)])
        self._weight = torch.as_tensor(weight / weight.sum()).to(like)

    def violations(self, q: Tensor, limits: tuple[Limit, ...], margins: Tensor) -> Tensor:
        """By how much the limits on loads are crossed, (limit, batch); q (batch, time, coordinate) of COORDINATES at
        the samples. Differentiable."""
        return violations(limits, self._measured(q), margins, self._when)

    def rooms(self, q: Tensor, limits: tuple[Limit, ...]) -> Tensor:
        """As `objective.rooms`."""
        return rooms(limits, self._measured(q), self._when)

    def _measured(self, q: Tensor) -> Measured:
        meter, wanted = self.meter, self.wanted
        own = meter.own(q)
        series, single, behind = {}, {}, {}
        if "com_acceleration_peak" in wanted:
            acceleration = self._change @ meter.body(own).com
            size = acceleration.square().sum(-1).clamp_min(1e-12).sqrt()
            single["com_acceleration_peak"] = size.amax(-1)
            behind["com_acceleration_peak"] = size.index_select(-1, self._chosen)
        if wanted != {"com_acceleration_peak"}:
            # Speeds and accelerations count and are not steered: pressing on them makes a motion jerk between the
            # instants looked at, and at the pace of a squat nearly all load comes from the pose.
            still = own.detach()
            frames = [part.index_select(-2, self._chosen) for part in (own, self._rate @ still, self._change @ still)]
            found = meter.series(meter.frames(*frames, wanted), wanted)
            share = found.pop("foot_load_share", None)
            if share is not None:
                series["foot_load_share"] = share
                single["foot_load_share_mean"] = (share * self._weight).sum(-1)
                behind["foot_load_share_mean"] = share
            single |= {name: values.amax(-1) for name, values in found.items()}
            behind |= found
        return Measured(series, single, behind, *[q.new_zeros(0)] * 3)
