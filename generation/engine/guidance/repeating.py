"""Several repetitions in a row: one guided repetition, done again and again as people do, a little different each time.

Depth and tempo of a repetition are drawn anew around the guided one's. Every repetition begins and ends in the same
standing pose, and what differs fades in and out of it, so the whole is as smooth as one repetition: no seam. Guidance
sees one repetition; the limits are checked on the whole file, and the differences shrink until every hard one is kept.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from generation.engine.guidance.candidates import Candidates
from generation.engine.guidance.search import Delivered, Search
from generation.engine.guidance.tempo import FRAME_RATE, HOLD_S, Timing, plan_tempo

# Standard deviation of the logarithm between one person's repetitions, median of the people in the shipped data who
# squat as instructed (`human_variation`; 5 to 10 repetitions of 12 people): pelvis drop, descent, ascent.
DEPTH_VARIES, DESCENT_VARIES, ASCENT_VARIES = 0.035, 0.066, 0.051
WIDEST = 1.5                     # standard deviations that a repetition differs at most: nobody is asked to stumble (E)
STANDING_VARIES = (0.6, 1.2)     # of HOLD_S, before and after an inner repetition (E)
# How much of the human variation is tried, and whether only towards shallower repetitions.
_ATTEMPTS = ((1.0, False), (1.0, True), (0.5, False), (0.5, True), (0.2, True), (0.0, False))


def human_variation(people: Mapping[str, Sequence[tuple[float, float, float]]]) -> tuple[float, float, float]:
    """Between repetitions of one person, the median over people of the standard deviation of the logarithm of pelvis
    drop, descent and ascent; ``people``: name -> (drop, descent, ascent) of each repetition, at least two."""
    spread = [np.log(np.asarray(repetitions, float)).std(axis=0, ddof=1) for repetitions in people.values()]
    return tuple(np.median(spread, axis=0).tolist())


@dataclass(frozen=True)
class Repeated:
    """The timings of repetitions in a row, and the size of the movement in each; as :class:`Timing` to its readers."""

    timings: tuple[Timing, ...]
    sizes: tuple[float, ...]

    @property
    def duration_s(self) -> float:
        return sum(timing.duration_s for timing in self.timings)

    def _starts(self) -> np.ndarray:
        return np.cumsum([0.0, *(timing.duration_s for timing in self.timings)])[:-1]

    def phase(self, times: np.ndarray) -> np.ndarray:
        """Phase (time,) in 0..1, in each repetition anew; 0 and 1 are the same pose."""
        starts = self._starts()
        which = np.clip(np.searchsorted(starts, times, side="right") - 1, 0, len(starts) - 1)
        found = np.empty(len(times))
        for i, timing in enumerate(self.timings):
            found[which == i] = timing.phase(np.asarray(times)[which == i] - starts[i])
        return found

    def size(self, times: np.ndarray) -> np.ndarray:
        """Size (time,) of the movement away from standing; it changes while the person stands, twice smoothly."""
        starts, found = self._starts(), np.full(len(times), self.sizes[0])
        for before, after, start, change in zip(self.timings, self.timings[1:], starts[1:], np.diff(self.sizes),
                                                strict=False):
            x = np.clip((times - start + before.hold_s) / (before.hold_s + after.hold_s), 0, 1)
            found += change * x**3 * (10 - 15 * x + 6 * x * x)
        return found

    def frames(self) -> np.ndarray:
        return np.arange(int(np.ceil(self.duration_s * FRAME_RATE)) + 1) / FRAME_RATE


def repeat(search: Search, candidates: Candidates, results: Sequence[Delivered], count: int,
           seed: int) -> list[Delivered]:
    """Every candidate with ``count`` repetitions in place of one, checked again on the whole.

    A candidate that broke a limit keeps its one repetition: it is not delivered.
    """
    made = []
    for i, result in enumerate(results):
        search.progress("repeating", i / len(results), f"candidate {i + 1} of {len(results)}")
        if not result.accepted or result.timing is None:
            made.append(result)
            continue
        candidate = candidates.select(torch.tensor([i]))
        made.append(_repeated(search, candidate, result.timing, count, np.random.default_rng([seed, i])))
    return made


def _repeated(search: Search, candidate: Candidates, timing: Timing, count: int,
              random: np.random.Generator) -> Delivered:
    height = search.heights_of(candidate)[0]
    draws = np.clip(random.standard_normal((count, 3)), -WIDEST, WIDEST)
    draws -= draws.mean(0) if count > 2 else 0.0
    holds = HOLD_S * random.uniform(*STANDING_VARIES, count)
    holds[[0, -1]] = HOLD_S
    for share, shallower in _ATTEMPTS:
        depth = DEPTH_VARIES * share * draws[:, 0]
        tempo = np.exp(share * draws[:, 1:] * (DESCENT_VARIES, ASCENT_VARIES))
        plan = Repeated(tuple(_timings(height, search.tempo, tempo, holds, timing)),
                        tuple(np.exp(depth - depth.max() if shallower else depth)))
        made = search.written(candidate, plan)
        found = made.measurement.phases
        if found is not None and len(found.repetitions) != count:
            made.failures.append(f"{len(found.repetitions)} repetitions are seen in place of {count}.")
        search.check([made])
        if made.accepted:
            break
    return made


def _timings(height: Callable[[np.ndarray], np.ndarray], tempo: tuple[float, float, float], factors: np.ndarray,
             holds: np.ndarray, usual: Timing) -> Iterator[Timing]:
    descent, pause, ascent = tempo
    for (down, up), hold in zip(factors, holds, strict=True):
        same = down == up == 1.0
        timing = usual if same else plan_tempo(height, descent * float(down), pause, ascent * float(up))
        yield replace(timing, hold_s=float(hold))
