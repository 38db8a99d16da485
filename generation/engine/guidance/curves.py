"""A repetition as smooth curves over its phase: 0 standing, 0.5 the bottom, 1 standing again.

Curves are clamped cubic B-splines, so a motion is twice continuously differentiable whatever produced its samples, and
fitting, closing the loop and sampling are all linear: gradients pass through plain matrix products.
"""
from __future__ import annotations

from functools import cache

import numpy as np
from scipy.interpolate import BSpline

DEGREE = 3


@cache
def knots(count: int) -> np.ndarray:
    inner = np.linspace(0, 1, count - DEGREE + 1)
    return np.concatenate([np.zeros(DEGREE), inner, np.ones(DEGREE)])


def design(phase: np.ndarray, count: int) -> np.ndarray:
    """(sample, count): values of the basis at each phase."""
    phase = np.clip(np.asarray(phase, float), 0.0, 1.0)
    return BSpline.design_matrix(phase, knots(count), DEGREE).toarray()


def sample_phases(samples: int, bottom: int) -> np.ndarray:
    """(samples,) phases of a motion whose sample ``bottom`` is the deepest, each half evenly sampled."""
    return np.concatenate([np.linspace(0, 0.5, bottom + 1), np.linspace(0.5, 1, samples - bottom)[1:]])


@cache
def fit(samples: int, bottom: int, count: int) -> np.ndarray:
    """(count, samples): least-squares coefficients of a curve through the samples of :func:`sample_phases`."""
    return np.linalg.pinv(design(sample_phases(samples, bottom), count))


@cache
def close_loop(count: int) -> np.ndarray:
    """(count, count): spreads the difference between the last and the first pose over the repetition, so that they
    become the same pose (their mean)."""
    t = knots(count)
    abscissa = np.array([t[k + 1: k + DEGREE + 1].mean() for k in range(count)])
    blend = abscissa**2 * (3 - 2 * abscissa)
    closed = np.eye(count)
    # c + (mean - c0) (1 - blend) + (mean - c_last) blend
    closed[:, 0] += -0.5 * (1 - blend) + 0.5 * blend
    closed[:, -1] += 0.5 * (1 - blend) - 0.5 * blend
    return closed
