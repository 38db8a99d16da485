"""The published definitions (Maheshwari et al. 2025, PMLR 283:1243, its supplement and released code), on our body.

Units are those of an OpenSim file, degrees and metres. Motions are single repetitions at 60 Hz; what is asked of
flattened kinematics takes them repeated to 196 frames. Differences over time are not taken across the seam between two
repeats: nobody moved there.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from generation.engine.body import COORDINATES, TorchBody
from generation.engine.evaluation.motions import FRAME_RATE

BINS = 10
WINDOWS = ((0.15, 0.25), (0.25, 0.35), (0.35, 0.45))      # of the vastus medialis's greatest activation
_INDEX = {name: i for i, name in enumerate(COORDINATES)}
_PAIRS = [(_INDEX[f"{name}_r"], _INDEX[f"{name}_l"]) for name in ("hip_flexion", "knee_angle", "ankle_angle")]
_OMEGA = [i for pair in _PAIRS for i in pair] + [_INDEX["pelvis_tilt"]]
_PELVIS = [_INDEX[f"pelvis_t{axis}"] for axis in "xyz"]


def fidelity(real: np.ndarray, made: np.ndarray) -> float:
    """Squared 2-Wasserstein distance of two normal distributions of single numbers: one mean and one deviation over all
    samples, frames and coordinates of (sample, frame, coordinate), as the released code takes them."""
    return float((real.mean() - made.mean()) ** 2 + (real.std() - made.std()) ** 2)


def fidelity_by_place(real: np.ndarray, made: np.ndarray) -> float:
    """The same, with a mean and a deviation over samples at each frame and coordinate, averaged over these: two sets
    that agree in the mean over everything may still differ here."""
    gap = (real.mean(0) - made.mean(0)) ** 2 + (real.std(0) - made.std(0)) ** 2
    return float(gap.mean())


def diversity(samples: np.ndarray) -> float:
    """Shannon entropy (nats) of a 10-bin histogram of each flattened sample, mean over samples; at most ln 10."""
    found = []
    for sample in samples:
        share = np.histogram(sample, bins=BINS)[0] / sample.size
        share = share[share > 0]
        found.append(-(share * np.log(share)).sum())
    return float(np.mean(found))


@torch.no_grad()
def joint_places(body: TorchBody, values: np.ndarray) -> np.ndarray:
    """(time, joint, 3) m of all joint centres."""
    centres = body.joint_centres(body(torch.as_tensor(values, dtype=body.lower.dtype)))
    return torch.stack(list(centres.values()), -2).numpy()


@dataclass(frozen=True)
class Floor:
    """Means over frames and samples: cm, cm, m/s."""

    penetration: float
    floating: float
    sliding: float


def floor(places: Sequence[np.ndarray], ground: float | None = None) -> Floor:
    """places: of each sample (time, joint, 3). The ground is the median over all frames and samples of the lowest joint
    centre's height, unless given."""
    lowest = [place[..., 1].min(1) for place in places]
    level = float(np.median(np.concatenate(lowest))) if ground is None else ground
    above = np.concatenate(lowest) - level
    return Floor(float(np.maximum(-above, 0).mean() * 100), float(np.maximum(above, 0).mean() * 100),
                 float(np.concatenate([_slide(place) for place in places]).mean()))


def _slide(place: np.ndarray) -> np.ndarray:
    """(time - 1,) m/s of the joint centre that is lowest at the earlier frame."""
    which = place[:-1, :, 1].argmin(1)
    rows = np.arange(len(which))
    return np.linalg.norm(place[1:][rows, which] - place[:-1][rows, which], axis=-1) * FRAME_RATE


def asymmetry(values: np.ndarray) -> float:
    """Mean over time and hip flexion, knee and ankle of the size of the left-right difference, degrees."""
    return float(np.degrees(np.mean([np.abs(values[:, a] - values[:, b]).mean() for a, b in _PAIRS])))


def omega(values: np.ndarray) -> float:
    """Mean size of the angular speed of hip, knee and ankle flexion and pelvis tilt, degrees/s."""
    return float(np.degrees(np.abs(np.diff(values[:, _OMEGA], axis=0)).mean() * FRAME_RATE))


def com_speed(values: np.ndarray) -> float:
    """Mean speed of the pelvis, which the published system calls centre of mass, m/s."""
    return float(np.linalg.norm(np.diff(values[:, _PELVIS], axis=0), axis=1).mean() * FRAME_RATE)


def com_acceleration(values: np.ndarray) -> float:
    """Mean size of the second difference of the pelvis's place, m/s2."""
    return float(np.linalg.norm(np.diff(values[:, _PELVIS], n=2, axis=0), axis=1).mean() * FRAME_RATE**2)


def tilt_at(values: np.ndarray, frames: Sequence[int]) -> float:
    """Pelvis tilt in degrees, mean over ``frames``: those of the vastus medialis's greatest activation, each side."""
    return float(np.degrees(values[list(frames), _INDEX["pelvis_tilt"]].mean()))


def window_violation(peaks: Sequence[float], window: tuple[float, float]) -> float:
    """Mean over peaks (0 to 1) of how far each lies outside the window."""
    low, high = window
    peaks = np.asarray(peaks, float)
    return float(np.maximum(np.maximum(peaks - high, low - peaks), 0).mean())
