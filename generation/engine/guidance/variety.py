"""How candidates differ in what matters to a clinician: depth, trunk, stance, tempo, load on the kneecap."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from generation.engine.guidance.changes import stance_of
from generation.engine.guidance.search import Delivered


@dataclass(frozen=True)
class _Feature:
    """difference: two motions that differ by it are told apart by eye (E); least and most: what the candidate with the
    lowest and the highest value is called; text: the measured value."""

    name: str
    difference: float
    least: str
    most: str
    text: str


_FEATURES = (
    _Feature("depth", 8.0, "shallowest", "deepest", "knee bend {:.0f} deg"),
    _Feature("trunk", 5.0, "most upright trunk", "furthest forward trunk", "lean {:.0f} deg"),
    _Feature("width", 4.0, "narrowest stance", "widest stance", "ankles {:.0f} cm apart"),
    _Feature("toe_out", 6.0, "feet turned out least", "feet turned out most", "{:.0f} deg"),
    _Feature("seconds", 0.5, "quickest", "slowest", "{:.1f} s down and up"),
    _Feature("kneecap", 0.4, "least force on the kneecap", "most force on the kneecap", "{:.1f} body weights"),
)
MOST_WORDS = 2


@dataclass(frozen=True)
class Variety:
    """Of every candidate, in the order given: ``words``, what sets it apart from the other accepted ones, with the
    measured value; ``like``, the place of a better accepted candidate that looks the same, None where there is none."""

    words: list[list[str]]
    like: list[int | None]


def variety(body, results: Sequence[Delivered], scores: Sequence[float]) -> Variety:
    """Compare the accepted of ``results``; ``body`` as they were delivered on."""
    words: list[list[str]] = [[] for _ in results]
    like: list[int | None] = [None] * len(results)
    shown = [i for i, result in enumerate(results) if result.accepted]
    shown.sort(key=lambda i: -scores[i])
    if not shown:
        return Variety(words, like)
    values = np.array([_measured(body, results[i]) for i in shown])          # (shown, feature); NaN: unknown
    steps = np.nan_to_num(values / [feature.difference for feature in _FEATURES])
    distinct: list[int] = []
    for place in range(len(shown)):
        apart = [np.linalg.norm(steps[place] - steps[other]) for other in distinct]
        if apart and min(apart) < 1.0:
            like[shown[place]] = shown[distinct[int(np.argmin(apart))]]
        else:
            distinct.append(place)
    for column, feature in enumerate(_FEATURES):
        known = [place for place in distinct if np.isfinite(values[place, column])]
        if len(known) < 2:
            continue
        middle = float(np.median(values[known, column]))
        for pick, name in ((np.argmin, feature.least), (np.argmax, feature.most)):
            place = known[int(pick(values[known, column]))]
            value = values[place, column]
            if abs(value - middle) >= feature.difference / 2:
                words[shown[place]].append((abs(value - middle) / feature.difference,
                                            f"{name} ({feature.text.format(value)})"))
    return Variety([[text for _, text in sorted(own, reverse=True)[:MOST_WORDS]] for own in words], like)


def _measured(body, result: Delivered) -> list[float]:
    metrics = result.measurement.metrics
    stance = stance_of(body, torch.as_tensor(result.q))
    return [metrics["depth_knee_flexion_deg"], metrics["trunk_forward_lean_deg"], stance.width_cm,
            sum(stance.toe_out_deg) / 2, metrics["descent_s"] + metrics["ascent_s"],
            metrics.get("patellofemoral_force_body_weights", np.nan)]
