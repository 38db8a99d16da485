"""When a squat goes down, pauses and comes up, once or several times: measured on the height of the pelvis.

Descent: from the first to the last instant, before the fastest rise, at which the pelvis sinks faster than 5 % of its
greatest sinking speed. Ascent: the same for rising, after the fastest sinking. Between them lies the pause. The 5 % are
ours (E); crossings are interpolated between frames. Between two repetitions the pelvis comes up again by a good
part of its travel.
"""
from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.signal import find_peaks

SPEED_FRACTION = 0.05
REPETITION_SHARE = 0.4         # of the pelvis's travel that it rises between two repetitions (E)


@dataclass(frozen=True)
class Phases:
    """Instants in seconds of one repetition; ``later`` are those that follow it in the same motion."""

    descent_start: float
    descent_end: float
    ascent_start: float
    ascent_end: float
    later: tuple[Phases, ...] = ()

    @property
    def repetitions(self) -> tuple[Phases, ...]:
        """Every repetition by itself, in order."""
        return (replace(self, later=()), *self.later)

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
        edges, stood = [], 0.0
        for one in self.repetitions:
            middle = max(one.descent_end, one.ascent_start)
            edges += [("stand", stood, one.descent_start), ("descent", one.descent_start, one.descent_end),
                      ("bottom", one.descent_end, middle), ("ascent", middle, one.ascent_end)]
            stood = one.ascent_end
        edges.append(("stand", stood, duration_s))
        return [{"name": name, "start_s": start, "end_s": end} for name, start, end in edges if end > start]

    def frames(self, times: np.ndarray, phase: str = "") -> list[np.ndarray]:
        """(time,) bool for each repetition: the frames of one of its phases. ``""``: of the whole repetition, each
        frame of the motion in exactly one; ``moving``: from the start of the descent to the end of the ascent.

        Every phase has a frame, however short it is: the one nearest to its middle.
        """
        found, repetitions = [], self.repetitions
        joins = [(one.ascent_end + next_.descent_start) / 2
                 for one, next_ in zip(repetitions, repetitions[1:], strict=False)]
        for one, start, end in zip(repetitions, [-np.inf, *joins], [*joins, np.inf], strict=True):
            if not phase:
                found.append((times >= start) & (times < end))
                continue
            start, end = {"descent": (one.descent_start, one.descent_end), "ascent": (one.ascent_start, one.ascent_end),
                          "bottom": sorted((one.descent_end, one.ascent_start)),
                          "moving": (one.descent_start, one.ascent_end)}[phase]
            inside = (times >= start) & (times <= end)
            inside[np.abs(times - (start + end) / 2).argmin()] = True
            found.append(inside)
        return found


def measure_repetitions(height: np.ndarray, times: np.ndarray) -> Phases:
    """Phases of every repetition of a motion; ``height`` (time,) of the pelvis in metres. Raises ValueError if there is
    none."""
    height, times = np.asarray(height, float), np.asarray(times, float)
    travel = height.max() - height.min()
    bottoms, _ = find_peaks(np.pad(-height, 1, constant_values=-height.max()), prominence=REPETITION_SHARE * travel)
    bottoms = bottoms - 1
    joins = []
    for low, next_ in zip(bottoms, bottoms[1:], strict=False):
        between = height[low:next_ + 1]
        standing = np.flatnonzero(between > between.max() - 0.01 * travel)
        joins.append(low + int((standing[0] + standing[-1]) // 2))
    edges = [0, *joins, len(height) - 1]
    found = [measure_phases(height[start:end + 1], times[start:end + 1])
             for start, end in zip(edges, edges[1:], strict=False)]
    return replace(found[0], later=tuple(found[1:]))


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
