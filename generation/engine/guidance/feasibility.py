"""When no candidate keeps every limit: which limit stands in the way, and by about how much."""
from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from generation.engine.guidance.candidates import Candidates
from generation.engine.guidance.search import Delivered, Search
from generation.engine.limits import MODEL, Limit
from generation.engine.metrics import Check

TRIED_LIMITS = 3
TRIED_CANDIDATES = 3
STEPS = 50
# margin that counts as pressed against the limit
_NEAR = {"deg": 2.5, "cm": 0.8, "mm": 0.5, "m/s": 0.03, "deg/s": 6.0, "s": 0.05, "%": 1.5}


@dataclass(frozen=True)
class Blocker:
    """Without ``limit`` the other limits can be kept; its variable then reaches ``needed``, ``by`` beyond it."""

    limit: Limit
    needed: float
    by: float

    def sentence(self) -> str:
        bound = self.limit.max if self.limit.max is not None else self.limit.min
        direction = "raised" if self.limit.max is not None else "lowered"
        return (f"{self.limit.sentence()} stands in the way: {direction} from {bound:g} to about {self.needed:.0f} "
                f"{self.limit.unit} (by {self.by:.0f}), the other limits could be kept.")


def find_blockers(search: Search, candidates: Candidates, results: list[Delivered]) -> list[Blocker]:
    """Try again without each limit that is broken or pressed; the least relaxation first. Approximate."""
    nearest = sorted(range(len(results)), key=lambda i: _shortfall(results[i]))[:TRIED_CANDIDATES]
    suspects = _suspects(search, [results[i] for i in nearest])
    index = torch.tensor(nearest)
    blockers = []
    for number, limit in enumerate(suspects[:TRIED_LIMITS]):
        search.progress("explaining", number / TRIED_LIMITS, f"trying without {limit.variable}")
        others = tuple(other for other in search.goals.limits if other != limit)
        goals = replace(search.goals, limits=others, depth=search.goals.depth[index],
                        reference=_reference(search, index))
        freed = replace(search, limits=others, goals=goals)
        again = candidates.select(index)
        freed.optimise(again, freed.margins(len(nearest)), STEPS, "explaining")
        found = [needed for delivered in freed.deliver(again) if delivered.accepted
                 for needed in [_reached(limit, delivered)] if needed is not None]
        if found:
            bound = limit.max if limit.max is not None else limit.min
            needed = min(found, key=lambda value: abs(value - bound))
            blockers.append(Blocker(limit, needed, abs(needed - bound)))
    return sorted(blockers, key=lambda blocker: blocker.by)


def _reference(search: Search, index: torch.Tensor):
    reference = search.goals.reference
    return reference if reference is None or len(reference) == 1 else reference[index]


def _shortfall(result: Delivered) -> float:
    return sum(-check.margin / _NEAR[check.unit] for check in result.broken()) + 100 * (not result.measurement.metrics)


def _suspects(search: Search, results: list[Delivered]) -> list[Limit]:
    """Limits set by people that the nearest candidates break or press against, most often first."""
    votes: dict[Limit, float] = {}
    for limit in search.goals.limits:
        if limit.origin == MODEL:
            continue
        for result in results:
            check: Check = result.measurement.check([limit])[0]
            if check.margin < _NEAR[limit.unit]:
                votes[limit] = votes.get(limit, 0.0) + 1.0 + (not check.satisfied)
    return sorted(votes, key=lambda limit: -votes[limit])


def _reached(limit: Limit, delivered: Delivered) -> float | None:
    check = delivered.measurement.check([limit])[0]
    return None if check.satisfied else check.worst


