"""When a squat goes down, pauses and comes up: measured on the height of the pelvis.

Descent: from the first to the last instant, before the fastest rise, at which the pelvis sinks faster than 5 % of its
greatest sinking speed. Ascent: the same for rising, after the fastest sinking. Between them lies the pause. The 5 % are
ours (E); crossings are interpolated between frames.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SPEED_FRACTION = 0.05


@dataclass(frozen=True)
class Phases:
    """Instants in seconds."""

    descent_start: float
    descent_end: float
    ascent_start: float
    ascent_end: float

    @property
    def descent_s(self) -> float:
        return self.descent_end - self.descent_start

    @property
    def pause_s(self) -> float:
        return max(0.0, self.ascent_start - self.descent_end)

    @property
    def ascent_s(self) -> float:
        return self.ascent_end - self.ascent_start

    @property
    def repetition_s(self) -> float:        # read by the name of the limited variable, as the other durations are
        return self.descent_s + self.pause_s + self.ascent_s

    def document(self, duration_s: float) -> list[dict]:
        """As the playback document lists them."""
        edges = [("stand", 0.0, self.descent_start), ("descent", self.descent_start, self.descent_end),
                 ("bottom", self.descent_end, max(self.descent_end, self.ascent_start)),
                 ("ascent", max(self.descent_end, self.ascent_start), self.ascent_end),
                 ("stand", self.ascent_end, duration_s)]
        return [{"name": name, "start_s": start, "end_s": end} for name, start, end in edges if end > start]


def measure_phases(height: np.ndarray, times: np.ndarray) -> Phases:
    """Phases of one repetition; ``height`` (time,) of the pelvis in metres. Raises ValueError if nothing moves."""
    height, times = np.asarray(height, float), np.asarray(times, float)
    speed = np.gradient(height, times)
    fastest_down, fastest_up = int(speed.argmin()), int(speed.argmax())
    if speed[fastest_down] > -1e-6 or speed[fastest_up] < 1e-6 or fastest_down >= fastest_up:
        raise ValueError("the pelvis does not go down and come up again")
    down, up = -speed / -speed[fastest_down], speed / speed[fastest_up]
    sinking = np.flatnonzero(down[:fastest_up] > SPEED_FRACTION)
    rising = fastest_down + 1 + np.flatnonzero(up[fastest_down + 1:] > SPEED_FRACTION)
    return Phases(_crossing(times, down, sinking[0], -1), _crossing(times, down, sinking[-1], 1),
                  _crossing(times, up, rising[0], -1), _crossing(times, up, rising[-1], 1))


def _crossing(times: np.ndarray, share: np.ndarray, index: int, step: int) -> float:
    """Instant between ``index`` (above the threshold) and its neighbour (below it) where the threshold is crossed."""
    other = index + step
    if not 0 <= other < len(times):
        return float(times[index])
    rise = share[index] - share[other]
    part = 0.0 if rise <= 0 else (share[index] - SPEED_FRACTION) / rise
    return float(times[index] + min(part, 1.0) * (times[other] - times[index]))
