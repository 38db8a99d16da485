"""When no candidate keeps every limit: which limit stands in the way, and by about how much."""
from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from generation.engine.guidance.candidates import Candidates
from generation.engine.guidance.search import Delivered, Search
from generation.engine.limits import MODEL, MODEL_LIMITS, Limit, intersect
from generation.engine.metrics import Check
from generation.engine.variables import LOAD_VARIABLES, VARIABLES

TRIED_LIMITS = 3
TRIED_CANDIDATES = 3
STEPS = 30
PULL = 0.5                       # weight of the limit on trial, as a goal (E)
# margin that counts as pressed against the limit
_NEAR = {"deg": 2.5, "cm": 0.8, "mm": 0.5, "m/s": 0.03, "deg/s": 6.0, "s": 0.05, "%": 1.5,
         "m/s2": 0.1, "1": 0.05, "Nm/kg": 0.05, "body weights": 0.2}


@dataclass(frozen=True)
class Blocker:
    """Without ``limit`` the other limits can be kept; its variable then reaches ``needed``, ``by`` beyond it."""

    limit: Limit
    needed: float
    by: float

    def sentence(self) -> str:
        bound = self.limit.max if self.limit.max is not None else self.limit.min
        direction = "raised" if self.limit.max is not None else "lowered"
        digits = 2 if self.limit.unit in ("s", "m/s", "m/s2", "Nm/kg", "body weights") else 1
        needed, by = round(self.needed, digits), round(self.by, digits)
        return (f"{self.limit.sentence()} stands in the way: {direction} from {bound:g} to about {needed:g} "
                f"{self.limit.unit} (by {by:g}), the other limits could be kept; a motion that does was found, so less "
                "may do.")


def find_blockers(search: Search, candidates: Candidates, results: list[Delivered]) -> list[Blocker]:
    """Try again without each limit that is broken or pressed; the least relaxation first. Approximate."""
    nearest = sorted(range(len(results)), key=lambda i: _shortfall(results[i]))[:TRIED_CANDIDATES]
    suspects = _suspects(search, [results[i] for i in nearest])
    index = torch.tensor(nearest)
    blockers = []
    for number, limit in enumerate(suspects[:TRIED_LIMITS]):
        search.progress("explaining", number / TRIED_LIMITS, f"trying without {limit.variable}")
        tried: list[Delivered] = []
        for pull in (PULL, None):        # first as near to the limit as the others let it be, else anywhere
            tried = _without(limit, pull, search, candidates, index)
            if any(delivered.accepted for delivered in tried):
                break
        found = [needed for delivered in tried if delivered.accepted
                 for needed in [_reached(limit, delivered)] if needed is not None]
        found += [_reached(limit, result) for result in results if _breaks_only(limit, result)]
        if found:
            bound = limit.max if limit.max is not None else limit.min
            needed = min(found, key=lambda value: abs(value - bound))
            blockers.append(Blocker(limit, needed, abs(needed - bound)))
    return sorted(blockers, key=lambda blocker: blocker.by)


def _without(limit: Limit, pull: float | None, search: Search, candidates: Candidates,
             index: torch.Tensor) -> list[Delivered]:
    """Some candidates guided again without ``limit``, or with it as a goal of weight ``pull``."""
    # what holds for every squat comes back where the limit, being tighter, had taken its place
    wish = () if pull is None else (replace(limit, weight=pull),)
    others = intersect([*(other for other in search.goals.limits if other != limit), *wish, *MODEL_LIMITS])
    goals = replace(search.goals, limits=others, depth=search.goals.depth[index], reference=_reference(search, index))
    freed = replace(search, limits=others, goals=goals)
    again = candidates.select(index)
    if _is_depth(limit, search):     # afresh, as deep as the others allow: what was reached may be far from a squat
        again = Candidates(candidates.prior, again.start, candidates.height_m)
        freed.choose_amplitude(again, freed.margins(len(index)))
    freed.optimise(again, freed.margins(len(index)), STEPS, "explaining")
    tried = freed.deliver(again)
    if limit.variable in LOAD_VARIABLES:
        freed.measure_loads(tried)
    return tried


def _reference(search: Search, index: torch.Tensor):
    reference = search.goals.reference
    return reference if reference is None or len(reference) == 1 else reference[index]


def _shortfall(result: Delivered) -> float:
    return sum(-check.margin / _NEAR[check.unit] for check in result.broken()) + 100 * (not result.measurement.metrics)


def _suspects(search: Search, results: list[Delivered]) -> list[Limit]:
    """Limits set by people that the nearest candidates break or press against, most often first; a required depth in
    any case, because a motion can reach it at the cost of everything else."""
    votes: dict[Limit, float] = {}
    for limit in search.goals.limits:
        if limit.origin == MODEL or not limit.hard:
            continue
        if _is_depth(limit, search):
            votes[limit] = 0.5
        for result in results:
            check: Check = result.measurement.check([limit])[0]
            if check.margin < _NEAR[limit.unit]:
                votes[limit] = votes.get(limit, 0.0) + 1.0 + (not check.satisfied)
    return sorted(votes, key=lambda limit: -votes[limit])


def _is_depth(limit: Limit, search: Search) -> bool:
    needed = limit.max if VARIABLES[limit.variable].kind == "lowest" else limit.min
    return limit.variable == search.goals.depth_variable and needed is not None


def _breaks_only(limit: Limit, result: Delivered) -> bool:
    broken = result.broken()
    return (len(broken) == len(result.failures) > 0 and result.measurement.check([limit])[0].broken
            and all((check.variable, check.phase, check.min, check.max)
                    == (limit.variable, limit.phase, limit.min, limit.max)
                    for check in broken))


def _reached(limit: Limit, delivered: Delivered) -> float | None:
    check = delivered.measurement.check([limit])[0]
    return None if check.satisfied else check.worst
