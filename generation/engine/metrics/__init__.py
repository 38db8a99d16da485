"""Pure measures of a motion and the checks of limits on it. No randomness, no model, no state."""
from __future__ import annotations

from dataclasses import dataclass

import torch

from generation.engine.body import COORDINATES
from generation.engine.metrics.checks import TOLERANCE, Check, check_limits
from generation.engine.metrics.loads import LoadMeter, Loads, Trust
from generation.engine.metrics.movement import load_measures, movement_measures
from generation.engine.metrics.phases import Phases, measure_phases, measure_repetitions
from generation.engine.metrics.series import Measured, measure_series

__all__ = ["TOLERANCE", "Check", "LoadMeter", "Loads", "Measured", "Measurement", "Phases", "Trust", "check_limits",
           "measure", "measure_phases", "measure_repetitions", "measure_series"]


@dataclass
class Measurement:
    """Everything measured on one motion."""

    measured: Measured
    phases: Phases | None          # None where the pelvis does not go down and up
    times: torch.Tensor            # (time,) s
    metrics: dict[str, float]
    loads: Loads | None = None     # None where what the motion asks of the body was not computed

    def check(self, limits) -> list[Check]:
        return check_limits(limits, self.measured, self.phases, self.times, self.loads)

    def add_loads(self, loads: Loads, q: torch.Tensor) -> None:
        """Take up the loads of the same motion q (time, coordinate)."""
        self.loads = loads
        if self.metrics:
            self.metrics |= load_measures(loads, q)


def measure(body, q: torch.Tensor, frame_rate: float) -> Measurement:
    """Measure one motion, q (time, coordinate) in radians and metres, in the precision of ``body``."""
    times = torch.arange(q.shape[0], dtype=q.dtype, device=q.device) / frame_rate
    with torch.no_grad():
        measured = measure_series(body, q, times)
    try:
        phases = measure_repetitions(q[:, COORDINATES.index("pelvis_ty")].cpu().numpy(), times.cpu().numpy())
    except ValueError:
        return Measurement(measured, None, times, {})
    return Measurement(measured, phases, times, movement_measures(body, q, frame_rate, measured, phases))
