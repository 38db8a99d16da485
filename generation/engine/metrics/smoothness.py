"""Smoothness of a speed profile: SPARC and log dimensionless jerk.

Both from Balasubramanian et al. 2015, J NeuroEng Rehabil 12:112.

Values compare motions of one exercise with one segmentation; nearer to zero is smoother. Parameters of SPARC (cut-off
10 Hz, amplitude threshold 0.05, zero padding 4 levels) are recalled (R).
"""
from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

CUT_OFF_HZ = 10.0
AMPLITUDE_THRESHOLD = 0.05
PADDING_LEVELS = 4


def spectral_arc_length(speed: np.ndarray, frame_rate: float) -> float:
    """SPARC of a speed profile (time,): minus the arc length of its normalised amplitude spectrum."""
    speed = np.asarray(speed, float)
    size = 2 ** (int(np.ceil(np.log2(len(speed)))) + PADDING_LEVELS)
    frequency = np.arange(size // 2) * frame_rate / size
    amplitude = np.abs(np.fft.fft(speed, size))[: size // 2]
    amplitude = amplitude / amplitude[0]
    within = frequency <= CUT_OFF_HZ
    frequency, amplitude = frequency[within], amplitude[within]
    loud = np.flatnonzero(amplitude >= AMPLITUDE_THRESHOLD)
    frequency, amplitude = frequency[: loud[-1] + 1], amplitude[: loud[-1] + 1]
    if len(frequency) < 2:
        return 0.0
    width = frequency[-1] - frequency[0]
    return float(-np.hypot(np.diff(frequency) / width, np.diff(amplitude)).sum())


def log_dimensionless_jerk(speed: np.ndarray, frame_rate: float) -> float:
    """LDLJ of a speed profile (time,): - ln(duration^3 / peak^2 * integral of (second derivative)^2)."""
    speed = np.asarray(speed, float)
    jerk = np.gradient(np.gradient(speed, 1 / frame_rate), 1 / frame_rate)
    duration = (len(speed) - 1) / frame_rate
    return float(-np.log(duration**3 / speed.max() ** 2 * np.trapezoid(jerk**2, dx=1 / frame_rate)))


SMOOTHNESS = {"sparc": spectral_arc_length, "log_dimensionless_jerk": log_dimensionless_jerk}      # by variable


def between(measure: Callable[[np.ndarray, float], float], speed: np.ndarray, frame_rate: float, start_s: float,
            end_s: float) -> float:
    """One of the measures above from one instant to another of a speed profile (time,); NaN where too short."""
    part = speed[max(math.floor(start_s * frame_rate), 0): math.ceil(end_s * frame_rate) + 1]
    return measure(part, frame_rate) if len(part) > 3 else math.nan
