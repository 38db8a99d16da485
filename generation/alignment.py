"""Motions of different tempo beside one another: which moment of one belongs beside which moment of the other.

The same rule as the player's (`static/src/motion-player/alignment.js`).
"""
from __future__ import annotations

import numpy as np

from generation.playback import Curves

ALIGNMENTS = {"phase": "by phase", "time": "by time"}


def instants(phases: list[dict]) -> list[list[float]]:
    """For each repetition: start and end of going down, start and end of coming up, seconds."""
    found: list[list[float]] = []
    for phase in phases:
        if phase["name"] == "descent":
            found.append([phase["start_s"], phase["end_s"], phase["end_s"], phase["end_s"]])
        elif phase["name"] == "ascent" and found:
            found[-1][2:] = [phase["start_s"], phase["end_s"]]
    return found


def cycle(motion: Curves) -> tuple[float, float]:
    """From the start of the first descent to the end of the last ascent, seconds; the whole motion without phases."""
    found = instants(motion.phases)
    return (found[0][0], found[-1][3]) if found else (0.0, float(motion.times[-1]))


def own_times(reference: Curves, motion: Curves, how: str = "phase") -> np.ndarray:
    """(time of the reference,) seconds in `motion` that belong beside the reference's frames.

    how: "phase", down, hold and up of both last equally long; "time", both begin to go down together.
    """
    theirs, ours = instants(reference.phases), instants(motion.phases)
    end = float(motion.times[-1])
    if not theirs or not ours:
        return np.clip(reference.times, 0, end)
    if how == "time":
        return np.clip(reference.times + ours[0][0] - theirs[0][0], 0, end)
    count = min(len(theirs), len(ours))
    known = [0.0, *np.ravel(theirs[:count]), float(reference.times[-1])]
    wanted = [0.0, *np.ravel(ours[:count]), end]
    return np.clip(np.interp(reference.times, known, wanted), 0, end)


def at(motion: Curves, name: str, times: np.ndarray) -> np.ndarray:
    """One coordinate at these seconds."""
    return np.interp(times, motion.times, motion.of(name))
