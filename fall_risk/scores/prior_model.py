"""The arithmetic of the literature-prior estimate: a logistic model put together from published odds ratios.

    logit p = alpha + lambda * sum_i ln(OR_i) x_i

``lambda`` shrinks the odds ratios, because together they would promise more discrimination than this class of model was
seen to have: 0.77 gives an implied AUC of 0.646, that of FRAT-up in four outside cohorts. ``alpha`` makes the mean
over the population equal to the share who fall in a year. Both follow from the assumed prevalences by exact sums over
all 2^9 combinations of the nine factors, taken as independent (E): nothing is drawn at random anywhere.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, ndtri
from scipy.stats import qmc

from fall_risk.scores.medication import CLASSES, POLYPHARMACY_ODDS, OddsRatio

LAMBDA = 0.77                       # E: our shrinkage
POPULATION, POPULATION_RANGE = 0.30, (0.25, 0.35)       # V: pretest used by Lusardi; E: range
AUC, AUC_LIMITS = 0.646, (0.584, 0.708)                 # V: FRAT-up, pooled over four cohorts
POINTS_LOG2 = 10                    # 2^10 points for the interval


@dataclass(frozen=True)
class Factor:
    """One ingredient: its odds ratio and the share of older people who have it (E)."""

    key: str
    label: str
    odds: OddsRatio
    prevalence: float


# The limits of Deandrea's odds ratios are recalled (R); those of Seppala were seen (V).
FACTORS: tuple[Factor, ...] = (
    Factor("history", "A fall in the last 12 months", OddsRatio(2.8, 2.37, 3.25, "deandrea", "deandrea_limits"), 0.30),
    Factor("mobility", "Mobility problem or walking aid", OddsRatio(2.2, 1.79, 2.65, "deandrea", "deandrea_limits"),
           0.30),
    Factor("dizziness", "Dizziness or vertigo", OddsRatio(1.8, 1.39, 2.33, "deandrea", "deandrea_limits"), 0.20),
    Factor("parkinson", "Parkinson's disease", OddsRatio(2.7, 1.08, 6.84, "deandrea", "deandrea_limits"), 0.015),
    *(Factor(key, *CLASSES[key], prevalence) for key, prevalence in zip(
        ("med_antidepressant", "med_benzodiazepine", "med_antipsychotic", "med_opioid", "med_antiepileptic"),
        (0.14, 0.09, 0.02, 0.08, 0.03), strict=True)),
)
NAMES = tuple(factor.key for factor in FACTORS)
MOBILITY = NAMES.index("mobility")
_LOG_ODDS = np.log([factor.odds.ratio for factor in FACTORS])
# A log-normal whose 95 % limits are the published ones; the middle is the published ratio.
_SPREAD = np.array([np.log(f.odds.high / f.odds.low) / (2 * ndtri(0.975)) for f in FACTORS])
_PREVALENCE = np.array([factor.prevalence for factor in FACTORS])
_POLYPHARMACY = np.log(POLYPHARMACY_ODDS.ratio)
_POLYPHARMACY_SPREAD = np.log(POLYPHARMACY_ODDS.high / POLYPHARMACY_ODDS.low) / (2 * ndtri(0.975))


def combinations(prevalence: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All 0/1 combinations (2^n, n) of independent factors with these prevalences, and their probabilities (2^n,)."""
    n = len(prevalence)
    states = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
    return states.astype(float), np.where(states, prevalence, 1 - prevalence).prod(axis=1)


def _population(mobility: bool) -> tuple[np.ndarray, np.ndarray]:
    """Combinations of the population; without the mobility term, that column stays 0."""
    return combinations(np.where(np.arange(len(FACTORS)) == MOBILITY, _PREVALENCE * mobility, _PREVALENCE))


@cache
def intercept(population: float = POPULATION, shrinkage: float = LAMBDA, mobility: bool = True) -> float:
    """alpha such that the mean probability over the population is ``population``."""
    states, weights = _population(mobility)
    risk = shrinkage * states @ _LOG_ODDS
    return float(brentq(lambda alpha: weights @ expit(alpha + risk) - population, -15, 15, xtol=1e-12))


def implied_auc(shrinkage: float, population: float = POPULATION) -> float:
    """AUC that the model would have if it were true: exact over all pairs of combinations."""
    states, weights = _population(True)
    risk = shrinkage * states @ _LOG_ODDS
    p = expit(intercept(population, shrinkage) + risk)
    order = np.argsort(risk, kind="stable")
    cases, others, risk = (weights * p)[order], (weights * (1 - p))[order], risk[order]
    _, group = np.unique(np.round(risk, 12), return_inverse=True)
    cases, others = np.bincount(group, cases), np.bincount(group, others)
    below = np.cumsum(others) - others
    return float((cases * (below + 0.5 * others)).sum() / (cases.sum() * others.sum()))


@cache
def _shrinkage_of_auc() -> tuple[np.ndarray, np.ndarray]:
    """The curve from implied AUC to lambda, for interpolation."""
    shrinkages = np.linspace(0.0, 2.0, 81)
    return np.array([implied_auc(float(value)) for value in shrinkages]), shrinkages


def shrinkage_for(auc: float | np.ndarray) -> float | np.ndarray:
    return np.interp(auc, *_shrinkage_of_auc())


@dataclass(frozen=True)
class Draws:
    """Parameters at the points of a fixed Sobol sequence, first axis the points."""

    log_odds: np.ndarray            # (points, factor)
    polypharmacy: np.ndarray        # (points,)
    shrinkage: np.ndarray           # (points,)
    intercept: np.ndarray           # (points,)
    test: np.ndarray                # (points, 2) in (0, 1): left for the uncertainty of a test


@cache
def draws(mobility: bool) -> Draws:
    """Odds ratios log-normal within their limits, population share uniform over 0.25-0.35, AUC normal within its
    limits.

    At each point alpha is solved again (Newton), so that the population's mean stays what it is said to be.
    """
    n = len(FACTORS)
    points = qmc.Sobol(d=n + 5, scramble=False).random_base2(POINTS_LOG2) + 0.5 / 2**POINTS_LOG2
    log_odds = _LOG_ODDS + _SPREAD * ndtri(points[:, :n])
    polypharmacy = _POLYPHARMACY + _POLYPHARMACY_SPREAD * ndtri(points[:, n])
    share = POPULATION_RANGE[0] + np.diff(POPULATION_RANGE) * points[:, n + 1]
    spread = (AUC_LIMITS[1] - AUC_LIMITS[0]) / (2 * ndtri(0.975))
    shrinkage = shrinkage_for(AUC + spread * ndtri(points[:, n + 2]))
    states, weights = _population(mobility)
    risk = shrinkage[:, None] * (log_odds @ states.T)                   # (points, combination)
    alpha = np.log(share / (1 - share))
    for _ in range(8):             # quadratic: settled to 1e-12 after 5
        p = expit(alpha[:, None] + risk)
        alpha = alpha - (p @ weights - share) / ((p * (1 - p)) @ weights)
    return Draws(log_odds, polypharmacy, shrinkage, alpha, points[:, n + 3:])


@dataclass(frozen=True)
class Estimate:
    probability: float
    low: float
    high: float


def estimate(known: dict[str, bool], polypharmacy: bool | None = None, *, mobility: bool = True, log_ratio: float = 0.0,
             log_ratio_draws: np.ndarray | None = None) -> Estimate:
    """Probability of at least one fall in 12 months, with its 95 % interval.

    ``known`` holds the factors with an answer; the others are averaged over their prevalence. Polypharmacy counts only
    where it is true and no named class is taken; not known, it is left to the intercept, which is an average over
    people with and without. ``log_ratio`` is the log likelihood ratio of a test (``log_ratio_draws`` (points,) its
    uncertainty); then ``mobility`` is False.
    """
    open_ = [i for i, name in enumerate(NAMES) if name not in known and (mobility or i != MOBILITY)]
    part, weights = combinations(_PREVALENCE[open_])
    states = np.zeros((len(part), len(FACTORS)))
    states[:, open_] = part
    for i, name in enumerate(NAMES):
        if known.get(name) and (mobility or i != MOBILITY):
            states[:, i] = 1.0
    extra = (states[:, 4:].sum(axis=1) == 0) * float(bool(polypharmacy))              # (combination,)
    value = weights @ expit(intercept(mobility=mobility) + log_ratio
                            + LAMBDA * (states @ _LOG_ODDS + extra * _POLYPHARMACY))
    drawn = draws(mobility)
    ratio = log_ratio if log_ratio_draws is None else log_ratio_draws[:, None]
    p = expit(drawn.intercept[:, None] + ratio
              + drawn.shrinkage[:, None] * (drawn.log_odds @ states.T + drawn.polypharmacy[:, None] * extra))
    low, high = _quantiles(p.ravel(), np.broadcast_to(weights, p.shape).ravel(), (0.025, 0.975))
    return Estimate(float(value), low, high)


def _quantiles(values: np.ndarray, weights: np.ndarray, shares: tuple[float, ...]) -> list[float]:
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    return [float(values[order][np.searchsorted(reached, share * reached[-1])]) for share in shares]
