"""Time derivatives of a motion: one matrix over time that smooths, one for velocity, one for acceleration.

The low-pass is the zero-lag Butterworth of order 3 run forward and backward, amplitude 1 / (1 + (f / f0)^6), on a
finite record: the series closest to the data whose third differences are small (Whittaker's smoother; Woltring 1985,
Human Movement Science 4:229-245, R, shows that smoothing splines and double Butterworth filters are the same). Unlike a
recursive filter it needs no padding: at the ends the series goes on with constant acceleration, so a record that begins
in mid-movement keeps its acceleration. The derivatives are those of the natural quintic spline through the smoothed
frames, which is what OpenSim's inverse dynamics uses (GCVSpline of degree 5). Being linear, all is differentiable.
"""

from functools import lru_cache

import numpy as np
import torch
from scipy.interpolate import make_interp_spline
from scipy.linalg import solveh_banded
from torch import Tensor

SHORTEST = 6  # frames; a quintic needs as many
WINDOW = 512  # frames; longer records are differentiated in overlapping windows of at least this length
NEGLIGIBLE = 1e-9  # what a frame beyond the overlap of two windows still contributes
HALF_POWER = np.sqrt(2.0) - 1.0  # makes the amplitude at the cutoff 1 / sqrt(2), as is usual for double filters


def differentiate(q: Tensor, frame_rate: float, cutoff_hz: float | None = 6.0) -> tuple[Tensor, Tensor, Tensor]:
    """Smooth a motion and differentiate it twice over time.

    q: (..., time, coordinate), any units. frame_rate: Hz. cutoff_hz: where the low-pass lets 71 % of the amplitude
    through; None: no filter. Returns q, its velocity (per s) and its acceleration (per s2), shaped as q.
    Exact for polynomials up to the second degree everywhere, up to the fifth away from the ends.
    Raises ValueError when there are fewer than SHORTEST frames or the frequencies make no sense.
    """
    frames = q.shape[-2]
    if frames < SHORTEST:
        raise ValueError(f"a motion needs at least {SHORTEST} frames to be differentiated, got {frames}")
    if not (np.isfinite(frame_rate) and frame_rate > 0):
        raise ValueError(f"frame_rate must be a positive number of Hz, got {frame_rate}")
    if cutoff_hz is not None and not (np.isfinite(cutoff_hz) and cutoff_hz > 0):
        raise ValueError(f"cutoff_hz must be a positive number of Hz or None, got {cutoff_hz}")
    if cutoff_hz is not None and cutoff_hz >= frame_rate / 2:
        cutoff_hz = None  # nothing above it can be in the record
    origin = q[..., :1, :]  # constants need no precision
    moved = q - origin
    overlap = _overlap(frame_rate, cutoff_hz)
    window = max(WINDOW, 4 * overlap)
    if frames <= window:
        parts = [_apply(moved, frame_rate, cutoff_hz)]
    else:
        parts = []
        for start in range(0, frames - 2 * overlap, window - 2 * overlap):
            stop = min(start + window, frames)
            begin = max(0, stop - window)  # the last window is moved back to its full length
            keep = slice(start + (overlap if start else 0) - begin, None if stop == frames else window - overlap)
            parts.append(tuple(part[..., keep, :] for part in _apply(moved[..., begin:stop, :], frame_rate, cutoff_hz)))
    smooth, velocity, acceleration = (torch.cat(part, -2) if len(part) > 1 else part[0]
                                      for part in zip(*parts, strict=True))
    return smooth + origin, velocity, acceleration


def _apply(q: Tensor, frame_rate: float, cutoff_hz: float | None) -> tuple[Tensor, Tensor, Tensor]:
    matrices = _operators(q.shape[-2], float(frame_rate), cutoff_hz, q.dtype, q.device)
    smooth = q if cutoff_hz is None else matrices[0] @ q
    return smooth, matrices[1] @ q, matrices[2] @ q


@lru_cache(maxsize=64)
def _operators(frames: int, frame_rate: float, cutoff_hz: float | None, dtype, device) -> tuple[Tensor, ...]:
    """Three (time, time) matrices: smooth, smooth then d/dt, smooth then d2/dt2."""
    smooth = np.eye(frames) if cutoff_hz is None else _smoother(frames, frame_rate, cutoff_hz)
    natural = [(3, np.zeros(frames)), (4, np.zeros(frames))]
    spline = make_interp_spline(np.arange(frames), smooth, k=5, bc_type=(natural, natural))
    first, second = (spline.derivative(order)(np.arange(frames)) * frame_rate**order for order in (1, 2))
    return tuple(torch.as_tensor(matrix, dtype=dtype, device=device) for matrix in (smooth, first, second))


def _smoother(frames: int, frame_rate: float, cutoff_hz: float) -> np.ndarray:
    """(time, time): argmin over x of |x - y|^2 + weight |third differences of x|^2, as a matrix on y."""
    weight = HALF_POWER / (2.0 * np.sin(np.pi * cutoff_hz / frame_rate)) ** 6
    difference = np.diff(np.eye(frames), n=3, axis=0)
    normal = np.eye(frames) + weight * difference.T @ difference
    banded = np.zeros((4, frames))
    for k in range(4):
        banded[k, : frames - k] = np.diagonal(normal, k)
    return solveh_banded(banded, np.eye(frames), lower=True)


def _overlap(frame_rate: float, cutoff_hz: float | None) -> int:
    """Frames over which a frame's influence dies away: the spline's 0.43 per frame, or the filter's slowest pole."""
    decay = 0.84
    if cutoff_hz is not None:
        decay = min(decay, np.pi * cutoff_hz / frame_rate * HALF_POWER ** (-1 / 6))
    return int(np.ceil(-np.log(NEGLIGIBLE) / decay))
