"""The joint angles of recorded people, brought to the phases of a motion: what plots show behind it.

Read from the file that `build_human_range` makes, so that a page needs neither torch nor the data set.
"""
from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from generation.alignment import instants
from generation.playback import Curves

FILE = Path(__file__).resolve().parent.parent / "models" / "motion_data" / "human_range.json"
WORDS = "Recorded people, deep squat: mean ± 1 SD"


@dataclass(frozen=True)
class Band:
    """Seconds of the motion, mean and spread in degrees."""

    times: np.ndarray
    mean: np.ndarray
    sd: np.ndarray


@cache
def people_and_repetitions() -> tuple[int, int]:
    return _document()["people"], _document()["repetitions"]


def human_band(motion: Curves, coordinate: str) -> Band | None:
    """Of a coordinate without its side, over all repetitions of the motion; None where nothing was recorded."""
    document = _document()
    if coordinate not in document["mean"]["descent"]:
        return None
    times, mean, sd = [], [], []
    for down, low, leave, up in instants(motion.phases):
        for phase, start, end in (("descent", down, low), ("ascent", leave, up)):
            times.append(np.linspace(start, end, document["points"]))
            mean.append(document["mean"][phase][coordinate])
            sd.append(document["sd"][phase][coordinate])
    if not times:
        return None
    return Band(*(np.concatenate(parts) for parts in (times, mean, sd)))


@cache
def _document() -> dict:
    return json.loads(FILE.read_text())
