"""One score for each candidate, from parts that are all listed beside it. Weights and scales are ours (E)."""
from __future__ import annotations

import math

from generation.engine.guidance.search import Delivered
from generation.engine.limits import MODEL

WEIGHTS = {"limits": 0.30, "symmetry": 0.20, "smoothness": 0.15, "balance": 0.15, "human": 0.20}
# a margin that counts as ample
_ROOM = {"deg": 4.0, "cm": 2.0, "mm": 1.0, "m/s": 0.1, "deg/s": 20.0, "s": 0.1, "%": 2.0,
         "m/s2": 0.2, "1": 0.1, "Nm/kg": 0.1, "body weights": 0.4}
ASYMMETRY_DEG = 5.0              # falls to 1/e
SMOOTHEST, ROUGHEST = -1.4, -2.4         # SPARC of a minimum-jerk reach, and of a visibly jerky one
BALANCED_CM = 4.0


def score_parts(delivered: Delivered, unlikeness: float) -> dict[str, float]:
    """Parts in 0..1: room left inside the limits that were set, left-right symmetry, smoothness of the centre of mass,
    distance of the centre of mass from the edge of the feet, and likeness to how people move (1 where ``unlikeness``,
    `Prior.cost`, is 0: no further from the mean than people are)."""
    metrics = delivered.measurement.metrics
    if not metrics:
        return dict.fromkeys(WEIGHTS, 0.0)
    set_by_people = [check for check in delivered.checks if check.origin != MODEL and check.margin > -math.inf]
    room = [min(1.0, max(0.0, check.margin / _ROOM[check.unit])) for check in set_by_people]
    return {
        "limits": sum(room) / len(room) if room else 1.0,
        "symmetry": math.exp(-metrics["asymmetry_deg"] / ASYMMETRY_DEG),
        "smoothness": _share(metrics["sparc"], ROUGHEST, SMOOTHEST),
        "balance": _share(metrics["static_balance_margin_cm"], 0.0, BALANCED_CM),
        "human": math.exp(-unlikeness),
    }


def score(parts: dict[str, float]) -> float:
    return sum(WEIGHTS[name] * parts[name] for name in WEIGHTS)


def _share(value: float, worst: float, best: float) -> float:
    return min(1.0, max(0.0, (value - worst) / (best - worst)))
