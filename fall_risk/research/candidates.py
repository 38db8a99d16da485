"""Candidate models in plain numpy: penalised logistic regression and boosted stumps, each with its own inner tuning.

A candidate is ``fit(x, y) -> predict``; x (person, feature) may hold nan, y (person,) bool. Everything that is learned
(imputation, scaling, penalty, number of rounds) is learned inside ``fit``, hence inside the training fold.
"""
from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import expit, logit

Predict = Callable[[np.ndarray], np.ndarray]
PENALTIES = (0.1, 1.0, 10.0, 100.0, 1000.0)
ROUNDS, RATE = (1, 5, 10, 20, 40, 80), 0.1
INNER_FOLDS = 5


def folds(y: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Fold of each person (person,), stratified by outcome."""
    rng = np.random.default_rng(seed)
    fold = np.empty(len(y), int)
    for value in (False, True):
        members = rng.permutation(np.flatnonzero(y == value))
        fold[members] = np.arange(len(members)) % count
    return fold


def log_loss(y: np.ndarray, p: np.ndarray) -> float:
    p = np.clip(p, 1e-6, 1 - 1e-6)
    return float(-np.mean(np.where(y, np.log(p), np.log(1 - p))))


def prevalence(x: np.ndarray, y: np.ndarray) -> Predict:
    """The share of fallers in training, for everybody."""
    share = float(np.mean(y))
    return lambda new: np.full(len(new), share)


def _ridge(x: np.ndarray, y: np.ndarray, penalty: float) -> Predict:
    middle = np.nanmedian(x, axis=0)
    filled = np.where(np.isnan(x), middle, x)
    mean, spread = filled.mean(axis=0), filled.std(axis=0)
    spread[spread == 0] = 1.0

    def design(values: np.ndarray) -> np.ndarray:
        scaled = (np.where(np.isnan(values), middle, values) - mean) / spread
        return np.column_stack([np.ones(len(values)), np.clip(scaled, -5, 5)])

    a, shrink = design(x), np.r_[0.0, np.full(x.shape[1], penalty)]
    weights = np.r_[logit(np.clip(y.mean(), 0.01, 0.99)), np.zeros(x.shape[1])]
    for _ in range(50):
        p = expit(a @ weights)
        step = np.linalg.solve((a * (p * (1 - p))[:, None]).T @ a + np.diag(shrink + 1e-9),
                               a.T @ (y - p) - shrink * weights)
        weights = weights + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-8:
            break
    return lambda new: expit(design(new) @ weights)


def ridge_logistic(x: np.ndarray, y: np.ndarray) -> Predict:
    """Logistic regression with a quadratic penalty; the penalty is chosen by cross-validated log loss in the
    training.
    """
    return _ridge(x, y, min(PENALTIES, key=lambda penalty: _inner_loss(x, y, lambda a, b: _ridge(a, b, penalty))))


def plain_logistic(x: np.ndarray, y: np.ndarray) -> Predict:
    """Logistic regression without penalty (for one or two features)."""
    return _ridge(x, y, 0.0)


def _inner_loss(x: np.ndarray, y: np.ndarray, fit: Callable[[np.ndarray, np.ndarray], Predict]) -> float:
    fold = folds(y, INNER_FOLDS, seed=0)
    p = np.empty(len(y))
    for k in range(INNER_FOLDS):
        p[fold == k] = fit(x[fold != k], y[fold != k])(x[fold == k])
    return log_loss(y, p)


def _stumps(x: np.ndarray, y: np.ndarray, rounds: int) -> list[tuple[int, float, float, float]]:
    """(feature, threshold, value below, value above) of each round: Newton steps on the log loss; nan goes below."""
    filled = np.where(np.isnan(x), -np.inf, x)
    order = np.argsort(filled, axis=0, kind="stable")
    ordered = np.take_along_axis(filled, order, axis=0)
    splits = ordered[1:] > ordered[:-1]                     # (person - 1, feature): a threshold may lie between
    splits[:4], splits[-4:] = False, False                  # at least five people on either side
    score, trees = np.full(len(y), logit(y.mean())), []
    for _ in range(rounds):
        p = expit(score)
        gradient, curvature = (y - p)[order].cumsum(axis=0), (p * (1 - p))[order].cumsum(axis=0)
        left, right = gradient[:-1], gradient[-1] - gradient[:-1]
        under, over = curvature[:-1] + 1.0, curvature[-1] - curvature[:-1] + 1.0
        gain = np.where(splits, left**2 / under + right**2 / over, -np.inf)
        row, feature = np.unravel_index(int(gain.argmax()), gain.shape)
        if not np.isfinite(gain[row, feature]):
            break
        low, high = ordered[row, feature], ordered[row + 1, feature]
        threshold = high if not np.isfinite(low) else (low + high) / 2
        values = RATE * left[row, feature] / under[row, feature], RATE * right[row, feature] / over[row, feature]
        trees.append((int(feature), float(threshold), float(values[0]), float(values[1])))
        score = score + np.where(filled[:, feature] < threshold, *values)
    return trees


def _boosted(x: np.ndarray, y: np.ndarray, rounds: int) -> Predict:
    trees, start = _stumps(x, y, rounds), logit(y.mean())

    def predict(new: np.ndarray) -> np.ndarray:
        filled = np.where(np.isnan(new), -np.inf, new)
        return expit(start + sum((np.where(filled[:, f] < t, a, b) for f, t, a, b in trees), np.zeros(len(new))))
    return predict


def boosted_stumps(x: np.ndarray, y: np.ndarray) -> Predict:
    """Gradient boosting of stumps; the number of rounds is chosen by cross-validated log loss in the training."""
    return _boosted(x, y, min(ROUNDS, key=lambda rounds: _inner_loss(x, y, lambda a, b: _boosted(a, b, rounds))))
