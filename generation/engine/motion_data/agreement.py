"""How far the two solvers are apart: OpenSim's tool, which solved the squats, and `batch_ik`, which solved the rest."""

from dataclasses import dataclass

import numpy as np

from generation.engine.body import COORDINATES
from generation.engine.motion_data.batch_ik import solve_together
from generation.engine.motion_data.placing import model_order
from generation.engine.motion_data.solving import Solved
from generation.engine.motion_data.sources import read_markers

COMPARED = [
    i
    for i, name in enumerate(COORDINATES)
    if name.startswith(("hip_", "knee_angle", "ankle_", "subtalar_", "lumbar_", "pelvis_tilt", "pelvis_list"))
    and not name.endswith("_beta")
]
EVERY = 10  # one recording in ten is solved again


@dataclass(frozen=True)
class Agreement:
    """Same markers, same body, both solvers. degrees: (n,) absolute differences of leg, pelvis and trunk angles over
    frames and angles; opensim_mm, ours_mm: (frame,) marker error.
    """

    degrees: np.ndarray
    opensim_mm: np.ndarray
    ours_mm: np.ndarray


def agreement(solved: list[Solved]) -> Agreement:
    """Solve some of one person's recordings again with `batch_ik`."""
    picked = solved[::EVERY]
    recordings = []
    for one in picked:
        labels, positions = read_markers(one.trial)
        recordings.append(positions)
    again = solve_together(picked[0].person, labels, recordings)
    degrees, theirs, ours = [], [], []
    for one, (values, error) in zip(picked, again, strict=True):
        before = model_order(one.values, one.coordinates)
        frames = min(len(before), len(values))
        degrees.append(np.rad2deg(np.abs(before[:frames, COMPARED] - values[:frames, COMPARED])).ravel())
        theirs.append(1000 * one.error[:frames])
        ours.append(1000 * error[:frames])
    return Agreement(*map(np.concatenate, (degrees, theirs, ours)))


def pooled(parts: list[Agreement]) -> Agreement:
    """All people together."""
    names = ("degrees", "opensim_mm", "ours_mm")
    return Agreement(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
