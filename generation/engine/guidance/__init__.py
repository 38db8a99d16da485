"""From limits to motions: latent optimisation of the motion model with planted feet, tempo, exact checks and repair."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch

from generation.engine.body import BodyScale, TorchBody
from generation.engine.formats.motion import Motion
from generation.engine.guidance.candidates import Candidates
from generation.engine.guidance.changes import Stance, describe, stance_of
from generation.engine.guidance.feasibility import Blocker, find_blockers
from generation.engine.guidance.loading import asked_share
from generation.engine.guidance.objective import Goals, Weights
from generation.engine.guidance.pace import own_paces, slowed, slowness
from generation.engine.guidance.planting import flat_height, plant, resting_x
from generation.engine.guidance.posture import FORWARD, Arms
from generation.engine.guidance.prior import Prior
from generation.engine.guidance.ranking import score, score_parts
from generation.engine.guidance.reference import NoRepetition, Reference, person_reference, reference_start
from generation.engine.guidance.repeating import repeat
from generation.engine.guidance.search import REPAIR_ROUNDS, STEPS, Cancelled, Delivered, Search
from generation.engine.guidance.starts import depth_targets, fresh_start
from generation.engine.guidance.tempo import plan_tempo
from generation.engine.guidance.variety import variety
from generation.engine.limits import MODEL, Limit, whole
from generation.engine.metrics import LoadMeter, Measurement, measure_series
from generation.engine.motion_model import MotionModel

__all__ = ["Blocker", "Cancelled", "Guided", "GuidedCandidate", "NoRepetition", "Task", "guide"]


@dataclass(frozen=True)
class Task:
    """What to guide to. ``limits`` are all that were stated, ``effective`` their intersection; ``tempo`` is descent,
    pause and ascent in seconds; ``reference`` the person's own motion, in COORDINATES.

    Every candidate's loads are measured by ``meter``; inside guidance it is used only where a load is limited."""

    scale: BodyScale
    limits: tuple[Limit, ...]
    effective: tuple[Limit, ...]
    tempo: tuple[float, float, float]
    reference: Motion | None = None
    meter: LoadMeter | None = None         # of the person's own body; None: no loads are measured
    arms: str = FORWARD                    # posture, of `posture.POSTURES`
    repetitions: int = 1                   # in a row, each a little different
    preview: Callable[[np.ndarray], None] | None = None        # is shown the best motion so far, (time, coordinate)
    free_tempo: tuple[bool, bool, bool] = (False, False, False)     # nobody asked for this descent, pause, ascent


@dataclass
class GuidedCandidate:
    """``words`` say what sets an accepted candidate apart from the others; ``like`` is the place of a better one that
    looks the same."""

    delivered: Delivered
    score: float
    parts: dict[str, float]
    changes: list[dict]
    words: list[str]
    like: int | None = None


@dataclass
class Guided:
    """Candidates best first, accepted before rejected; blockers only where none is accepted."""

    candidates: list[GuidedCandidate]
    blockers: list[Blocker]
    reference: Reference | None


def guide(task: Task, model: MotionModel, count: int, seed: int, device: str = "cpu", steps: int = STEPS,
          repairs: int = REPAIR_ROUNDS, progress: Callable[[str, float, str], None] = lambda *_: None,
          cancelled: Callable[[], bool] = lambda: False) -> Guided:
    """Make ``count`` candidates. The same arguments on the same machine give the same numbers.

    Raises Cancelled, and NoRepetition if the reference motion holds no squat.
    """
    body, exact_body = TorchBody(task.scale, device=device), TorchBody(task.scale, dtype=torch.float64)
    prior = Prior(model, _leg_length(exact_body))
    generator = torch.Generator().manual_seed(seed)
    variable, depths = depth_targets(whole(task.effective), count, prior)
    height = task.scale.height_m
    reference = None
    if task.reference is None:
        start = fresh_start(prior, variable, depths, whole(task.effective), height, resting_x(exact_body), generator)
        goals = Goals(task.effective, depths.to(prior.latents), Weights(), variable)
    else:
        reference = person_reference(exact_body, prior, task.reference.values, task.reference.frame_rate)
        start = reference_start(prior, reference, count, generator)
        closeness = Weights(depth=0.0, symmetry=0.05, smoothness=0.1, upright=0.0, trunk=0.0, knees=0.1, likeness=2.0)
        goals = Goals(task.effective, torch.zeros_like(start.amplitude), closeness)
    candidates = Candidates(prior, start, height)
    share = asked_share(whole(task.effective))
    if share is not None and not start.fixed_stance:
        candidates.lean_over(share)
    search = Search(body, exact_body, task.limits, goals, task.tempo, progress, cancelled, task.meter, task.preview,
                    task.arms)
    own = before = None
    if reference is not None:
        own = candidates.select(torch.tensor([0]))
        goals.reference = _as_they_are(own, body, search.phase, task.arms)
    tempo = slowed(task.tempo, task.free_tempo, slowness(search, candidates), task.effective)
    if tempo != task.tempo:
        search = replace(search, tempo=tempo)
    if task.repetitions == 1 and any(task.free_tempo):
        search.paces = [slowed(tempo, task.free_tempo, factor, task.effective) for factor in own_paces(count)]
    results = search.run(candidates, steps, repairs)
    blockers = []
    if not any(result.accepted for result in results):
        blockers = find_blockers(search, candidates, results)
    if task.repetitions > 1:
        results = repeat(search, candidates, results, task.repetitions, seed)
    progress("analysing", 0.0, "what the motions ask of the body")
    search.measure_loads(results)
    if own is not None:
        before = _own(search, own, reference)
    unlike = prior.cost(candidates.latent().detach()).tolist()
    found = []
    for result, cost in zip(results, unlike, strict=True):
        parts = score_parts(result, cost)
        changes = [] if before is None else before.changes(exact_body, result)
        found.append(GuidedCandidate(result, score(parts), parts, changes, []))
    return Guided(_in_order(exact_body, found), blockers, reference)


def _in_order(body: TorchBody, found: list[GuidedCandidate]) -> list[GuidedCandidate]:
    """Accepted before rejected, of those the different ones first, each group best first."""
    seen = variety(body, [one.delivered for one in found], [one.score for one in found])
    order = sorted(range(len(found)), key=lambda i: (not found[i].delivered.accepted, seen.like[i] is not None,
                                                     -found[i].score))
    place = {i: rank for rank, i in enumerate(order)}
    return [replace(found[i], words=seen.words[i], like=None if seen.like[i] is None else place[seen.like[i]])
            for i in order]


def _leg_length(body: TorchBody) -> float:
    with torch.no_grad():
        two = body.neutral().expand(3, -1)
        return float(measure_series(body, two, torch.arange(3, dtype=two.dtype)).leg_length)


@torch.no_grad()
def _as_they_are(own: Candidates, body: TorchBody, phase: np.ndarray, posture: str) -> torch.Tensor:
    """The person's own motion on this body with planted feet, (1, time, coordinate)."""
    curve, stance = own.curve().to(body.lower), own.stance().detach().to(body.lower)
    q, _ = plant(body, own.unplanted(body, phase, curve, stance), stance, flat_height(body), 20)
    return Arms(body, posture)(q)


@dataclass(frozen=True)
class _Own:
    """The person's own motion in its own tempo, and the variables of the limits that it breaks."""

    measurement: Measurement
    stance: Stance
    broken: frozenset[str]

    def changes(self, body: TorchBody, result: Delivered) -> list[dict]:
        stance = stance_of(body, torch.as_tensor(result.q))
        return describe(self.measurement, self.stance, result.measurement, stance, self.broken)


def _own(search: Search, own: Candidates, reference: Reference) -> _Own:
    try:
        timing = plan_tempo(search.heights_of(own)[0], *(reference.tempo or search.tempo))
    except ValueError:
        timing = search.plan
    written = search.written(own, timing)
    search.measure_loads([written])
    broken = frozenset(check.variable for check in written.measurement.check(search.limits)
                       if not check.satisfied and check.origin != MODEL)
    return _Own(written.measurement, stance_of(search.exact_body, torch.as_tensor(written.q)), broken)
