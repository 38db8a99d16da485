"""Hides small groups of a report so that they cannot be computed from what is left.

Counts of 1 to 4 people are hidden (E: five is a usual limit of health statistics). Then, as long as some hidden count
could still be worked out from sums that are shown, another count of that sum is hidden too. What "could be worked out"
means is asked of a linear programme over all sums of the report at once: the least and the greatest value that each
hidden count can have. So a count that stands in several tables is protected in all of them.

What this does not guard against: somebody who combines reports of different filters or periods. Against that
`document.py` has rules of its own.
"""
from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

THRESHOLD = 5
WIDTH = 2           # E: a hidden count has at least three values that it could be, where that can be had
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Sum:
    """`total` is the sum of `parts`; all are keys of counts."""

    total: Hashable
    parts: tuple[Hashable, ...]


def hidden_counts(
    counts: Mapping[Hashable, int], sums: Sequence[Sum], public: Collection[Hashable] = (),
    unprinted: Collection[Hashable] = (), secret: Collection[Hashable] = (),
) -> set[Hashable]:
    """The keys of the counts that must not be shown. `public` counts are known whatever the report does; `unprinted`
    ones stand nowhere in it, but a reader knows that they are not negative; `secret` ones are hidden by another report
    that tells of the same people."""
    small = {key for key, value in counts.items() if 0 < value < THRESHOLD or key in secret} - {*public, *unprinted}
    hidden = small | set(unprinted)
    settled: set[Hashable] = set()      # nothing more can be done for them
    while True:
        weak = [key for key in small - settled if _width(key, counts, sums, hidden) < WIDTH]
        if not weak:
            return hidden
        before = len(hidden)
        for key in sorted(weak, key=repr):
            more = _partner(key, counts, sums, hidden, public)
            if more is None:
                settled.add(key)
            else:
                hidden.add(more)
        if len(hidden) == before and not set(weak) - settled:
            return hidden


def _partner(
    key: Hashable, counts: Mapping[Hashable, int], sums: Sequence[Sum], hidden: set[Hashable],
    public: Collection[Hashable],
) -> Hashable | None:
    """What to hide next for the sake of `key`: from the sums that have the fewest hidden counts, and so tell most, the
    smallest count, parts before totals.

    An empty group is a partner like any other: a reader who sees no number cannot tell it from a small one.
    """
    linked = _linked(key, sums, hidden)
    # What a shown sum of nothing says of its parts cannot be hidden.
    empty = {part for s in linked if counts[s.total] == 0 and s.total not in hidden for part in s.parts}
    open_sums = {}
    for equation in linked:
        members = {equation.total, *equation.parts}
        if shown := members - hidden - set(public) - empty:
            open_sums[equation] = (len(members & hidden), shown)
    if not open_sums:
        return None
    fewest = min(number for number, _ in open_sums.values())
    telling = {equation: shown for equation, (number, shown) in open_sums.items() if number == fewest}
    totals = {equation.total for equation in telling}
    return min(set().union(*telling.values()), key=lambda k: (k in totals, counts[k] == 0, counts[k], repr(k)))


def _width(key: Hashable, counts: Mapping[Hashable, int], sums: Sequence[Sum], hidden: set[Hashable]) -> float:
    low, high = feasible(key, counts, sums, hidden)
    return high - low


def feasible(
    key: Hashable, counts: Mapping[Hashable, int], sums: Sequence[Sum], hidden: set[Hashable]
) -> tuple[float, float]:
    """The least and the greatest value that a reader must hold possible for a hidden count."""
    linked = _linked(key, sums, hidden)
    if not linked:
        return 0.0, np.inf
    names = sorted({k for s in linked for k in (s.total, *s.parts) if k in hidden}, key=repr)
    place = {name: number for number, name in enumerate(names)}
    left, right = np.zeros((len(linked), len(names))), np.zeros(len(linked))
    for row, equation in enumerate(linked):
        for sign, name in ((-1, equation.total), *((1, part) for part in equation.parts)):
            if name in place:
                left[row, place[name]] += sign
            else:
                right[row] -= sign * counts[name]
    wanted = np.zeros(len(names))
    wanted[place[key]] = 1
    return _optimum(wanted, left, right), -_optimum(-wanted, left, right)


def _optimum(wanted: np.ndarray, left: np.ndarray, right: np.ndarray) -> float:
    found = linprog(wanted, A_eq=left, b_eq=right, bounds=(0, None), method="highs")
    if found.status == 3:       # unbounded
        return -np.inf
    if not found.success:
        raise RuntimeError(f"The counts of the report do not fit their sums: {found.message}")
    return float(np.ceil(found.fun - _ROUNDING))


def _linked(key: Hashable, sums: Sequence[Sum], hidden: set[Hashable]) -> list[Sum]:
    """The sums that say something about `key`, directly or through other hidden counts."""
    found: list[Sum] = []
    reach, new = {key}, {key}
    while new:
        fresh = [s for s in sums if s not in found and new & {s.total, *s.parts}]
        found += fresh
        new = {k for s in fresh for k in (s.total, *s.parts) if k in hidden} - reach
        reach |= new
    return found
