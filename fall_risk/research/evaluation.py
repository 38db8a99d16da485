"""Nested cross-validation by person, and what is measured on people whom a model has not seen."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit
from scipy.stats import rankdata

from fall_risk.research.candidates import Predict, folds

OUTER_FOLDS, REPEATS, RESAMPLES = 5, 20, 2000
THRESHOLDS = (0.15, 0.20, 0.25, 0.30, 0.35, 0.40)


def outer(y: np.ndarray, repeat: int) -> np.ndarray:
    """Outer fold of each person in one repeat, the same for every candidate."""
    return folds(y, OUTER_FOLDS, seed=1000 + repeat)


def out_of_fold(x: np.ndarray, y: np.ndarray, fit: Callable[[np.ndarray, np.ndarray], Predict],
                repeats: int = REPEATS) -> np.ndarray:
    """Predictions (repeat, person), each from a model that did not see the person; tuning is inside ``fit``."""
    p = np.empty((repeats, len(y)))
    for repeat in range(repeats):
        fold = outer(y, repeat)
        for k in range(OUTER_FOLDS):
            p[repeat, fold == k] = fit(x[fold != k], y[fold != k])(x[fold == k])
    return p


@dataclass(frozen=True)
class Pairs:
    """How often the faller of each pair was ranked higher (faller, other; ties half), and how often they were compared.

    Only people of one test fold are compared, so that all stand before the same model: across folds, and the more in
    means over repeats, a faller's own absence from the training lowers what the model says of him, which would put the
    AUC of a useless model below a half.
    """

    y: np.ndarray
    higher: np.ndarray
    compared: np.ndarray

    def auc(self, weights: np.ndarray | None = None) -> np.ndarray:
        """Share of pairs ranked rightly; ``weights`` (..., person) how often each person was drawn."""
        w = np.ones(len(self.y)) if weights is None else weights
        fallers, others = w[..., self.y], w[..., ~self.y]
        with np.errstate(invalid="ignore"):             # nan where no pair of one fold was drawn
            return ((fallers @ self.higher) * others).sum(-1) / ((fallers @ self.compared) * others).sum(-1)


def pairs(y: np.ndarray, predictions: np.ndarray) -> Pairs:
    """Compare within the outer folds of each repeat; ``predictions`` (repeat, person)."""
    higher = np.zeros((int(y.sum()), int((~y).sum())))
    compared = np.zeros_like(higher)
    for repeat, p in enumerate(predictions):
        fold = outer(y, repeat)
        together = fold[y][:, None] == fold[~y]
        difference = p[y][:, None] - p[~y]
        higher += together * ((difference > 0) + 0.5 * (difference == 0))
        compared += together
    return Pairs(y, higher, compared)


def auc(y: np.ndarray, p: np.ndarray) -> float:
    """Probability that a faller is ranked above a non-faller, ties half."""
    cases = int(y.sum())
    return float((rankdata(p)[y].sum() - cases * (cases + 1) / 2) / (cases * (len(y) - cases)))


def brier(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Mean squared error over the first axis: of persons, or of repeats (repeat, person) for each person."""
    return ((p - y) ** 2).mean(axis=0)


def calibration(y: np.ndarray, p: np.ndarray) -> tuple[float, float]:
    """(slope, intercept at slope 1) of a logistic regression of the outcome on the predicted logit; ideal is (1, 0).

    The slope is nan where there is no more than one value for each outer fold: nothing was ordered.
    """
    z = logit(np.clip(p, 1e-4, 1 - 1e-4))
    if len(np.unique(z)) <= OUTER_FOLDS:
        return float("nan"), float(logit(y.mean()) - z.mean())
    slope = _newton(np.column_stack([np.ones(len(z)), z]), y, np.zeros(len(z)))[1]
    return float(slope), float(_newton(np.ones((len(z), 1)), y, z)[0])


def _newton(a: np.ndarray, y: np.ndarray, offset: np.ndarray) -> np.ndarray:
    weights = np.zeros(a.shape[1])
    for _ in range(100):
        p = expit(a @ weights + offset)
        step = np.linalg.solve((a * (p * (1 - p))[:, None]).T @ a + 1e-9 * np.eye(a.shape[1]), a.T @ (y - p))
        weights = weights + np.clip(step, -2, 2)
    return weights


def net_benefit(y: np.ndarray, p: np.ndarray, threshold: float) -> float:
    """True positives minus false positives weighed by the odds of the threshold, for each person (Vickers 2006)."""
    chosen = p >= threshold
    return float((chosen & y).mean() - (chosen & ~y).mean() * threshold / (1 - threshold))


def reliability(y: np.ndarray, predictions: np.ndarray, groups: int = 4) -> list[dict]:
    """Mean prediction and share of fallers in groups of equal size, from low to high prediction: means over repeats."""
    found = []
    for p in predictions:
        parts = np.array_split(np.argsort(p, kind="stable"), groups)
        found.append([(p[part].mean(), y[part].mean()) for part in parts])
    return [{"predicted": float(predicted), "observed": float(observed)} for predicted, observed in np.mean(found,
        axis=0)]


def evaluate(y: np.ndarray, predictions: np.ndarray, against: np.ndarray | None = None) -> dict:
    """All measures. ``predictions`` (repeat, person); ``against`` the same of the comparison (paired by person).

    Point values are over all repeats; intervals are percentiles of a bootstrap over people.
    """
    share = y.mean()
    compared = pairs(y, predictions)
    slopes = [calibration(y, p) for p in predictions]
    losses = brier(y, predictions)                              # (person,)
    result = {
        "auc": float(compared.auc()), "auc_interval": _bootstrap(y, compared.auc),
        "brier": float(losses.mean()), "brier_skill": float(1 - losses.mean() / (share * (1 - share))),
        "slope": _mean([slope for slope, _ in slopes]), "intercept": _mean([intercept for _, intercept in slopes]),
        "net_benefit": {f"{t:.2f}": float(np.mean([net_benefit(y, p, t) for p in predictions])) for t in THRESHOLDS},
        "reliability": reliability(y, predictions),
    }
    if against is not None:
        other, other_losses = pairs(y, against), brier(y, against)
        result["auc_gain_interval"] = _bootstrap(y, lambda w: compared.auc(w) - other.auc(w))
        result["brier_gain_interval"] = _bootstrap(y, lambda w: w @ (other_losses - losses) / w.sum(-1))
    return result


def _mean(values: list[float]) -> float | None:
    finite = [value for value in values if np.isfinite(value)]
    return float(np.mean(finite)) if finite else None


def _bootstrap(y: np.ndarray, statistic: Callable[[np.ndarray], np.ndarray]) -> list[float]:
    """95 % percentile interval over resampled people; ``statistic`` takes how often each was drawn (resample,
    person).
    """
    rng = np.random.default_rng(0)
    drawn = rng.multinomial(len(y), np.full(len(y), 1 / len(y)), size=RESAMPLES).astype(float)
    usable = (drawn[:, y].sum(axis=1) > 0) & (drawn[:, ~y].sum(axis=1) > 0)
    return [float(value) for value in np.nanquantile(statistic(drawn[usable]), [0.025, 0.975])]
