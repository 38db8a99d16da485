"""What is compared: sets of single squats of several people, cut and sampled by one rule whoever made them."""
from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.signal import butter, sosfiltfilt

from generation.engine.body import COORDINATES
from generation.engine.motion_model.channels import BOTTOM, FRAMES, LEARNED_COORDINATES, normalise_phase

FRAME_RATE = 60.0
PUBLISHED_FRAMES = 196           # at 60 Hz, shorter motions repeated (Maheshwari et al. 2025)
UPRIGHT_SHARE = 0.05             # of the pelvis's drop: above it the person stands (E)
LOW_PASS_HZ = 6.0                # as the recordings were

_HEIGHT = COORDINATES.index("pelvis_ty")
_INDEX = {name: i for i, name in enumerate(COORDINATES)}
LEARNED = [_INDEX[name] for name in LEARNED_COORDINATES]
JUDGED = tuple(name for name in LEARNED_COORDINATES if not name.startswith("pelvis_t") or name == "pelvis_tilt")
# The 33 of the published system: all but the patellae and the wrists.
PUBLISHED_COORDINATES = tuple(name for name in COORDINATES if not name.endswith("_beta")
                              and not name.startswith("wrist"))
TRANSLATIONS = {f"pelvis_t{axis}" for axis in "xyz"}


@dataclass(frozen=True, eq=False)
class Squat:
    """One repetition at 60 Hz on one person's body: (time, coordinate) of COORDINATES, radians and metres."""

    person: str
    values: np.ndarray = field(repr=False)


def cut(values: np.ndarray) -> np.ndarray:
    """The frames from the last upright one before the descent to the first upright one after the ascent."""
    height = values[:, _HEIGHT]
    bottom = int(height.argmin())
    first, last = 0, len(values) - 1
    for part, take in ((height[:bottom + 1], "before"), (height[bottom:], "after")):
        top, low = part.max(), part.min()
        upright = np.flatnonzero(part >= top - UPRIGHT_SHARE * (top - low))
        if take == "before" and len(upright):
            first = int(upright[-1])
        elif take == "after" and len(upright):
            last = bottom + int(upright[0])
    return values[first:last + 1]


def columns(values: np.ndarray, names: tuple[str, ...] = LEARNED_COORDINATES) -> np.ndarray:
    """(time, name) in the units of an OpenSim file: degrees and metres."""
    picked = values[:, [_INDEX[name] for name in names]]
    return np.where([name in TRANSLATIONS for name in names], picked, np.degrees(picked))


def tiled(values: np.ndarray, frames: int = PUBLISHED_FRAMES) -> np.ndarray:
    """Repeated (or cut off) to ``frames`` frames, as published."""
    return np.tile(values, (-(-frames // len(values)), 1))[:frames]


def in_phase(values: np.ndarray) -> np.ndarray:
    """(FRAMES, coordinate): standing at both ends, the lowest pelvis at BOTTOM, each half evenly sampled."""
    bottom = int(np.clip(values[:, _HEIGHT].argmin(), 2, len(values) - 3))
    return normalise_phase(values, bottom)


def smoothed(values: np.ndarray) -> np.ndarray:
    """Low-passed as the recordings were: whoever made the motion."""
    low_pass = butter(2, LOW_PASS_HZ, fs=FRAME_RATE, output="sos")
    return sosfiltfilt(low_pass, values, axis=0, padlen=min(30, len(values) - 2))


__all__ = ["BOTTOM", "FRAMES", "FRAME_RATE", "JUDGED", "LEARNED", "PUBLISHED_COORDINATES", "PUBLISHED_FRAMES", "Squat",
           "columns", "cut", "in_phase", "smoothed", "tiled"]
