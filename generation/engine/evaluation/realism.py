"""Realism to a judge: can a classifier tell made squats from those of real people whom it has not seen?

Both kinds are treated alike: low-passed at 6 Hz, cut by one rule, brought to the same phase, joint angles of legs,
pelvis and trunk only (arms are held by instruction in the recordings, toes do not move). Cross-validated by person: the
judge learns from some people's real squats and the squats made for their bodies, and is asked about the others'.
Its area under the ROC curve (AUC) is 0.5 where it can only guess, 1 where it always knows.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from generation.engine.evaluation.motions import LEARNED_COORDINATES, Squat, columns, cut, in_phase, smoothed

ANGLES = tuple(name for name in LEARNED_COORDINATES if name not in ("pelvis_tx", "pelvis_ty", "pelvis_tz"))
EVERY = 8                        # of the 128 frames of a phase: angles change slowly
PENALTY = 0.01                   # of the logistic regression's squared weights (E)
KERNEL_RIDGE = 0.1               # of the kernel judge (E)
RESAMPLES = 400


def features(squats: Sequence[Squat], from_standing: bool = False) -> np.ndarray:
    """(squat, feature) angles in degrees over the phase. ``from_standing``: less the first pose, so that how somebody
    stands (and how a marker was put on) tells nothing."""
    rows = []
    for squat in squats:
        curve = columns(in_phase(cut(smoothed(squat.values))), ANGLES)[::EVERY]
        rows.append((curve - curve[:1] if from_standing else curve).ravel())
    return np.array(rows)


def logistic(train: np.ndarray, labels: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Scores of test rows by a penalised logistic regression in which both kinds weigh alike."""
    x, other = standardised(train, test)
    weight = balance(labels)
    sign = 2 * labels - 1

    def loss(w):
        margin = sign * (x @ w[:-1] + w[-1])
        slope = -sign * weight / (1 + np.exp(np.clip(margin, -50, 50)))
        value = (weight * np.logaddexp(0, -margin)).sum() + PENALTY * (w[:-1] ** 2).sum()
        return value, np.append(x.T @ slope + 2 * PENALTY * w[:-1], slope.sum())

    found = minimize(loss, np.zeros(x.shape[1] + 1), jac=True, method="L-BFGS-B").x
    return other @ found[:-1] + found[-1]


def kernel(train: np.ndarray, labels: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Scores of test rows by regularised least squares with a Gaussian kernel as wide as the median distance."""
    x, other = standardised(train, test)
    between = distances(x, x)
    width = np.median(between[np.triu_indices(len(x), 1)]) + 1e-12
    ridge = np.diag(KERNEL_RIDGE / (len(x) * balance(labels)))
    found = np.linalg.solve(np.exp(-between / width) + ridge, 2 * labels - 1)
    return np.exp(-distances(other, x) / width) @ found


JUDGES: dict[str, Callable] = {"logistic": logistic, "kernel": kernel}


def standardised(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean, spread = train.mean(0), train.std(0) + 0.5          # half a degree: what hardly moves tells little
    return (train - mean) / spread, (test - mean) / spread


def balance(labels: np.ndarray) -> np.ndarray:
    """A weight for each row so that both kinds sum to one half."""
    share = labels.mean()
    return np.where(labels == 1, 0.5 / share, 0.5 / (1 - share)) / len(labels)


def distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Squared, (row of a, row of b)."""
    return np.maximum((a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T, 0)


def auc(scores: np.ndarray, labels: np.ndarray) -> float:
    """Probability that a row of kind 1 scores above one of kind 0; ties count half."""
    ones, zeros = scores[labels == 1], scores[labels == 0]
    return float(((ones[:, None] > zeros).mean() + (ones[:, None] >= zeros).mean()) / 2)


@dataclass(frozen=True)
class Judged:
    """AUC, mean over the people left out, and a 95 % interval from drawing each person's squats again (how much it
    would differ with other people it does not say)."""

    auc: float
    low: float
    high: float
    people: dict[str, float]


def judge(real: Sequence[Squat], made: Sequence[Squat], method: str = "logistic", from_standing: bool = False,
          partner: Callable[[str], set[str]] | None = None, seed: int = 0) -> Judged:
    """How well ``method`` tells ``made`` (1) from ``real`` (0) of people left out of its training.

    partner: for a person of ``real`` the people of ``made`` who are left out with it; the same person by default.
    """
    return _judged({0: features(real, from_standing), 1: features(made, from_standing)}, real, made, method, partner,
                   seed)


def giveaways(real: Sequence[Squat], made: Sequence[Squat], from_standing: bool = False) -> dict[str, float]:
    """Angle -> AUC of the logistic judge who sees that angle alone, the most telling first."""
    rows = {0: features(real, from_standing), 1: features(made, from_standing)}
    found = {}
    for i, name in enumerate(ANGLES):
        alone = {kind: part[:, i::len(ANGLES)] for kind, part in rows.items()}
        found[name] = _judged(alone, real, made, "logistic", None, 0).auc
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def _judged(rows: dict[int, np.ndarray], real: Sequence[Squat], made: Sequence[Squat], method: str,
            partner: Callable[[str], set[str]] | None, seed: int) -> Judged:
    names = {0: np.array([s.person for s in real]), 1: np.array([s.person for s in made])}
    with_whom = partner or (lambda name: {name})
    rng = np.random.default_rng(seed)
    people, again = {}, []
    for name in sorted(set(names[0])):
        out = {0: names[0] == name, 1: np.isin(names[1], sorted(with_whom(name)))}
        if not out[1].any():
            continue
        train = np.concatenate([rows[k][~out[k]] for k in (0, 1)])
        labels = np.repeat([0, 1], [int((~out[k]).sum()) for k in (0, 1)])
        scores = [JUDGES[method](train, labels, rows[k][out[k]]) for k in (0, 1)]
        kinds = np.repeat([0, 1], [len(part) for part in scores])
        people[name] = auc(np.concatenate(scores), kinds)
        again.append([auc(np.concatenate([rng.choice(part, len(part)) for part in scores]), kinds)
                      for _ in range(RESAMPLES)])
    low, high = np.quantile(np.mean(again, 0), [0.025, 0.975])
    return Judged(float(np.mean(list(people.values()))), float(low), float(high), people)
