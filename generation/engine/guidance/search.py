"""Latent optimisation with planted feet, delivery at 60 Hz, exact checks, and repair of what broke a limit."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from scipy.interpolate import CubicSpline
from torch import Tensor

from generation.engine.body import COORDINATES, ROTATIONAL
from generation.engine.formats.mot import FILE_DECIMALS
from generation.engine.guidance.candidates import Candidates
from generation.engine.guidance.descent import Descent
from generation.engine.guidance.loading import LoadGuide, grows_with_depth
from generation.engine.guidance.objective import (
    LIMIT_WEIGHT,
    Goals,
    goal_terms,
    guided,
    importance,
    rooms,
    safety_margin,
    scale_of,
    sizes,
    split_loads,
    tightness,
    violations,
)
from generation.engine.guidance.planting import Stance, flat_height, plant, plant_differentiable
from generation.engine.guidance.posture import FORWARD, Arms
from generation.engine.guidance.tempo import FRAME_RATE, Timing, plan_tempo, usual_height
from generation.engine.limits import MODEL, Limit
from generation.engine.metrics import Check, LoadMeter, Measurement, measure, measure_series
from generation.engine.variables import LOAD_VARIABLES, VARIABLES

STEPS = 40                       # evaluations of a candidate, at most
REPAIR_STEPS, REPAIR_ROUNDS = 20, 3
LOOK = 5                         # evaluations between two looks whether it is enough
LITTLE, KEPT = 0.01, 1e-3        # gain in that time, as a share of the loss; violation that counts as none (E)
SAMPLES = 42                     # instants that guidance looks at
OWN_WIDTH_M, OWN_TOE_OUT_RAD = 0.02, 0.05        # of a person's own stance: a change that counts as one (E)
PREVIEW_EVERY = 10               # evaluations
# Repair (E). What a delivered motion lies nearer to a limit than guidance saw is made up for, up to so many sizes that
# count as one; a limit still broken is priced higher; a candidate that misses more than HOPELESS starts elsewhere.
MOST_MISSED, HARDER, HOPELESS, ELSEWHERE = 4.0, 2.5, -1.0, 0.25
OUT_OF_REACH = -6.0              # where the best candidate misses more than this, no repair will close it
TOLERATED = 0.02                 # of a size that counts as one: not worth a repair
# Room inside a limit on a load that a repair aims for: the routes of the physics differ by about as much (E;
# docs/validation.md has a mean of 0.2 percentage points of activation).
ROUTES_DIFFER = {"%": 0.5, "Nm/kg": 0.01, "body weights": 0.05, "m/s2": 0.02}
AMPLITUDE_SHARES = (1.0, 0.85, 0.7, 0.5, 0.3)
LOADED_SHARES = (1.0, 0.92, 0.85, 0.78, 0.7, 0.63, 0.56, 0.5, 0.4, 0.3)      # loads grow faster than the movement
LIGHTER = 0.5                    # of a violation that counts as one: less is no reason to aim less deep (E)
SNAPS_RAD_S2 = 80.0              # change of a joint's speed from frame to frame that no slow movement has (E)
PLANTED_M_RAD = 1e-6             # residual of the feet on every delivered frame

_PELVIS_TY = COORDINATES.index("pelvis_ty")
_TO_FILE = np.where(ROTATIONAL, 180 / np.pi, 1.0)


class Cancelled(Exception):
    """The caller asked to stop."""


@dataclass
class Delivered:
    """One candidate as it will be written: q (time, coordinate) in double precision, exactly the file's values. Its
    ``checks`` are made once all candidates of a batch are delivered."""

    q: np.ndarray
    timing: Timing | None
    measurement: Measurement
    checks: list[Check]
    failures: list[str] = field(default_factory=list)

    @property
    def accepted(self) -> bool:
        return not self.failures

    def broken(self) -> list[Check]:
        return [check for check in self.checks if check.broken]


@dataclass
class Search:
    """One search: the bodies in single (guidance) and double precision (delivery), limits, goals and tempo."""

    body: torch.nn.Module
    exact_body: torch.nn.Module
    limits: tuple[Limit, ...]            # all limits, as they will be reported
    goals: Goals                         # the effective ones
    tempo: tuple[float, float, float]    # descent, pause, ascent in seconds
    progress: Callable[[str, float, str], None] = lambda stage, fraction, detail: None
    cancelled: Callable[[], bool] = lambda: False
    meter: LoadMeter | None = None       # measures loads on the person's own body; needed where loads are limited
    preview: Callable[[np.ndarray], None] | None = None      # is shown the best motion so far, (time, coordinate)
    posture: str = FORWARD               # of the arms
    paces: list[tuple[float, float, float]] | None = None    # the candidates' own tempos, none quicker than `tempo`

    def __post_init__(self) -> None:
        kinematic, loaded = split_loads(guided(self.goals.limits))
        self.guided, self.loaded = (*kinematic, *loaded), loaded
        self.growing = [i for i, limit in enumerate(self.guided) if i >= len(kinematic) and grows_with_depth(limit)]
        self.heights = flat_height(self.body), flat_height(self.exact_body)
        self.arms = Arms(self.body, self.posture), Arms(self.exact_body, self.posture)
        self.plan = plan_tempo(usual_height, *self.tempo)
        times = self.plan.sparse_times(SAMPLES)
        self.phase = self.plan.phase(times)
        self.times = torch.as_tensor(times, dtype=self.body.lower.dtype, device=self.body.lower.device)
        self.when = {phase: torch.as_tensor(inside, device=self.times.device)
                     for phase, inside in self.plan.phase_samples(times).items()}
        self.importance = importance(self.guided, self.times)
        self.required = torch.tensor([limit.hard for limit in self.guided], dtype=torch.bool, device=self.times.device)
        self.loads = LoadGuide(self.meter, loaded, times, self.when) if loaded else None

    def margins(self, batch: int) -> Tensor:
        values = [safety_margin(limit, self.goals.limits) for limit in self.guided]
        return self.times.new_tensor(values)[:, None].expand(-1, batch).clone()

    # ---- guidance -------------------------------------------------------------------------------------------------

    def optimise(self, candidates: Candidates, margins: Tensor, steps: int, stage: str,
                 goals: Goals | None = None, pressure: Tensor | None = None) -> Tensor:
        """Improve ``candidates`` in place; returns the violations (limit, batch) that are left.

        It ends early where every candidate keeps its limits and has little more to gain.
        """
        goals = goals or self.goals
        tensors = candidates.variation.tensors()
        descent = Descent(tensors)
        warm, left, before = None, margins, descent.best
        for step in range(steps):
            if self.cancelled():
                raise Cancelled
            for tensor in tensors:
                tensor.grad = None
            loss, crossed, warm = self.price(candidates, margins, warm, goals, pressure)
            loss.sum().backward()
            taken = descent.tell(loss)
            left = torch.where(taken, crossed.detach(), left)
            if self.preview is not None and stage == "guiding" and step % PREVIEW_EVERY == 0:
                self._show(candidates, loss.detach())
            if step % LOOK == LOOK - 1:
                self.progress(stage, (step + 1) / steps, f"step {step + 1} of {steps}")
                gained = before - descent.best
                done = (gained < LITTLE * descent.best) & (left[self.required] < KEPT).all(0)
                if bool(done.all()):
                    break
                before = descent.best
        descent.settle()
        return left

    @torch.no_grad()
    def _show(self, candidates: Candidates, loss: Tensor) -> None:
        """The candidate of the lowest loss at 60 Hz, planted as exactly as a picture needs."""
        one = candidates.select(torch.nan_to_num(loss, nan=torch.inf).argmin()[None])
        stance = one.stance()
        q = one.unplanted(self.body, self.plan.phase(self.plan.frames()), one.curve(), stance)
        q, _ = plant(self.body, q, stance, self.heights[0], 6, 1e-4)
        self.preview(self.arms[0](q)[0].double().cpu().numpy())

    @torch.no_grad()
    def choose_amplitude(self, candidates: Candidates, margins: Tensor) -> None:
        """Start each candidate at the size of movement that costs least. Where loads are limited it also aims no deeper
        than its load allows at the start: a body that strains towards a forbidden depth moves in jerks."""
        start = candidates.start
        first, best, lightest = start.amplitude.clone(), None, None
        for share in LOADED_SHARES if self.growing else AMPLITUDE_SHARES:
            start.amplitude = first * share
            loss, crossed, _ = self.price(candidates, margins, None, self.goals)
            loss, load = torch.nan_to_num(loss, nan=torch.inf), crossed[self.growing].sum(0)
            if best is None:
                best, chosen = loss, start.amplitude
                lightest, bearable = load, torch.ones_like(loss)
            chosen = torch.where(loss < best, start.amplitude, chosen)
            best = torch.minimum(best, loss)
            lighter = load < lightest - LIGHTER
            lightest, bearable = torch.where(lighter, load, lightest), torch.where(lighter, share, bearable)
        start.amplitude = chosen
        if VARIABLES[self.goals.depth_variable].kind == "lowest":          # a seat stands where it stands
            return
        asked = any(limit.variable == self.goals.depth_variable and limit.min is not None and limit.hard
                    and limit.origin != MODEL for limit in self.goals.limits)
        least = self.goals.depth.min() if asked else 0.0
        self.goals.depth = (self.goals.depth * bearable).clamp_min(least)

    def price(self, candidates: Candidates, margins: Tensor, warm: Tensor | None, goals: Goals,
              pressure: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Loss (batch,), violations (limit, batch) and the planting's correction, to start the next step from."""
        curve = candidates.curve()
        q, correction = self._sampled(candidates, curve, warm)
        measured = measure_series(self.body, q, self.times, feet_still=True)
        count = len(self.guided) - len(self.loaded)
        crossed = violations(self.guided[:count], measured, margins[:count], self.when)
        if self.loads is not None:
            crossed = torch.cat([crossed, self.loads.violations(q, self.loaded, margins[count:])])
        weight = self.importance if pressure is None else self.importance * pressure
        terms = goal_terms(goals, measured, q, curve.diff(n=2, dim=-2), candidates.prior_distance())
        if goals.reference is not None:          # a person's own stance is part of what is to be kept
            start, stance = candidates.start, candidates.stance()
            terms["stance"] = goals.weights.likeness * (((stance.width - start.width) / OWN_WIDTH_M).square()
                                                        + ((stance.toe_out - start.toe_out) / OWN_TOE_OUT_RAD)
                                                        .square().mean(-1))
        return LIMIT_WEIGHT * (weight * crossed).sum(0) + sum(terms.values()), crossed, correction

    def _sampled(self, candidates: Candidates, curve: Tensor, warm: Tensor | None) -> tuple[Tensor, Tensor]:
        """q (batch, time, coordinate) at the samples, planted, and the planting's correction."""
        stance = candidates.stance()
        q = candidates.unplanted(self.body, self.phase, curve, stance)
        q, correction = plant_differentiable(self.body, q, stance, self.heights[0], warm)
        return self.arms[0](q), correction

    @torch.no_grad()
    def rooms(self, candidates: Candidates) -> Tensor:
        """(limit, batch): distance to every guided limit as guidance sees it, in the limit's unit."""
        q, _ = self._sampled(candidates, candidates.curve(), None)
        count = len(self.guided) - len(self.loaded)
        seen = rooms(self.guided[:count], measure_series(self.body, q, self.times, feet_still=True), self.when)
        return seen if self.loads is None else torch.cat([seen, self.loads.rooms(q, self.loaded)])

    # ---- delivery -------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def deliver(self, candidates: Candidates, which: list[int] | None = None) -> list[Delivered]:
        """Every candidate at 60 Hz in double precision, planted at every frame, rounded as in the file, and checked;
        ``which`` tells whose tempo each has, where they have their own."""
        results = []
        for i, height in enumerate(self.heights_of(candidates)):
            if self.cancelled():
                raise Cancelled
            try:
                timing = plan_tempo(height, *(self.tempo if which is None or not self.paces else self.paces[which[i]]))
            except ValueError:
                timing = self.plan
            results.append(self.written(candidates.select(torch.tensor([i])), timing))
        self.check(results)
        return results

    def check(self, results: list[Delivered]) -> None:
        """Check every limit on each motion as it will be written, loads where they are limited."""
        if self.loads is not None:
            self.measure_loads(results)
        for result in results:
            result.checks = result.measurement.check(self.limits)
            result.failures += [check.sentence() for check in result.broken()]

    def measure_loads(self, results: list[Delivered]) -> None:
        """What each delivered motion asks of the person's own body, all in one batch, at every frame as delivered."""
        fresh = [result for result in results if result.measurement.loads is None]
        if self.meter is None or not fresh:
            return
        if self.cancelled():
            raise Cancelled
        found = self.meter.measure([result.q for result in fresh], FRAME_RATE,
                                   [result.measurement.phases for result in fresh])
        for result, loads in zip(fresh, found, strict=True):
            result.measurement.add_loads(loads, torch.as_tensor(result.q))

    def _exactly(self, candidates: Candidates) -> tuple[Tensor, Stance]:
        like = self.exact_body.lower
        return candidates.curve().detach().to(like), candidates.stance().detach().to(like)

    @torch.no_grad()
    def heights_of(self, candidates: Candidates) -> list[CubicSpline]:
        """Height of each candidate's pelvis, m, over the phase."""
        grid = np.linspace(0, 1, 161)
        q, _ = self._planted(candidates, grid, np.ones_like(grid))
        return [CubicSpline(grid, one) for one in q[..., _PELVIS_TY].cpu().numpy()]

    def _planted(self, candidates: Candidates, phase: np.ndarray, size: np.ndarray) -> tuple[Tensor, Tensor]:
        """q (batch, time, coordinate) at ``phase`` (time,), the movement away from standing ``size`` (time,) times."""
        curve, stance = self._exactly(candidates)
        q = candidates.unplanted(self.exact_body, phase, curve, stance)
        if (size != 1.0).any():
            upright = candidates.unplanted(self.exact_body, np.zeros(1), curve, stance)
            q = upright + q.new_tensor(size)[:, None] * (q - upright)
        q, residual = plant(self.exact_body, q, stance, self.heights[1], 20, 1e-9)
        return self.arms[1](q), residual

    @torch.no_grad()
    def written(self, candidate: Candidates, timing: Timing) -> Delivered:
        """One candidate as the file will hold it, measured and not yet checked."""
        failures, times = [], timing.frames()
        q, residual = self._planted(candidate, timing.phase(times), timing.size(times))
        values = np.round(q[0].cpu().numpy() * _TO_FILE, FILE_DECIMALS) / _TO_FILE
        if float(residual.max()) > PLANTED_M_RAD:
            off = 1000 * float(residual.max())
            failures.append(f"The feet cannot stay where they stand: off by {off:.1f} mm or mrad.")
        jerk = float(np.abs(np.diff(values[:, ROTATIONAL], n=2, axis=0)).max()) * FRAME_RATE**2
        if jerk > SNAPS_RAD_S2:
            failures.append(f"A joint snaps: its speed changes by {jerk:.0f} rad/s2, more than a squat ever asks for.")
        exact = torch.as_tensor(values, dtype=torch.float64, device=self.exact_body.lower.device)
        measurement = measure(self.exact_body, exact, FRAME_RATE)
        if measurement.phases is None:
            failures.append("The pelvis does not go down and come up again: this is no squat.")
        return Delivered(values, timing, measurement, [], failures)

    # ---- the whole ------------------------------------------------------------------------------------------------

    def run(self, candidates: Candidates, steps: int = STEPS, repairs: int = REPAIR_ROUNDS) -> list[Delivered]:
        """Guide, deliver, check; guide again what broke a limit, or lies nearer to one on a load than the routes of the
        physics agree, by what the delivered motion showed."""
        batch = len(candidates.start.amplitude)
        first = self.margins(batch)
        pressure = self.times.new_tensor([tightness(limit, self.guided) for limit in self.guided])[:, None] \
            .expand_as(first)
        self.choose_amplitude(candidates, first)
        self.optimise(candidates, first, steps, "guiding", pressure=pressure)
        results = self.deliver(candidates, list(range(batch)))
        for round_ in range(repairs):
            if not any(self._worth(result) > OUT_OF_REACH for result in results):
                break
            weak = [i for i, result in enumerate(results) if not self._safe(result)]
            if not weak:
                break
            broken = sum(not result.accepted for result in results)
            self.progress("repairing", round_ / repairs, f"{broken} of {batch} candidates break a limit")
            seen, found = self.rooms(candidates), self._rooms_found(results)
            size = sizes(self.guided, self.times)
            missed = (seen - found).clamp(-MOST_MISSED * size, MOST_MISSED * size)
            pressure = torch.where(torch.as_tensor(found < 0), pressure * HARDER, pressure)
            donors = self._donors(results, weak, round_)
            index, source = (torch.tensor(part, device=first.device) for part in (weak, donors))
            again = candidates.select(source)
            moved = index != source
            if moved.any():
                shape = again.variation.latent.shape
                noise = torch.randn(shape, generator=torch.Generator().manual_seed(round_)).to(first)
                again.variation.latent.data += ELSEWHERE * noise * moved[:, None]
            margins = first[:, source] + missed[:, source]
            self.optimise(again, margins, REPAIR_STEPS, "repairing", self._goals_of(source), pressure[:, source])
            for place, (i, result) in enumerate(zip(weak, self.deliver(again, weak), strict=True)):
                if self._worth(result) >= self._worth(results[i]):
                    results[i] = result
                    put(candidates, i, again, place)
                    self.goals.depth[i] = self.goals.depth[donors[place]]
        return results

    def _rooms_found(self, results: list[Delivered]) -> Tensor:
        """(limit, batch): distance to every guided limit as measured on the delivered motions; NaN is none."""
        checks = [result.measurement.check(self.guided) for result in results]
        found = self.times.new_tensor([[check.margin for check in row] for row in checks]).T
        return torch.where(found.isfinite(), found, 0.0)

    def _donors(self, results: list[Delivered], weak: list[int], round_: int) -> list[int]:
        """Where each weak candidate starts again: from itself where little is missing, else from one that is better."""
        order = sorted(range(len(results)), key=lambda i: self._worth(results[i]), reverse=True)
        best = [i for i in order if results[i].accepted][:len(results) // 2] or order[:max(1, len(results) // 4)]
        return [i if self._worth(results[i]) > HOPELESS * (1 + round_) or i in best else best[place % len(best)]
                for place, i in enumerate(weak)]

    def _worth(self, result: Delivered) -> float:
        """0 for a safe candidate; else minus the sum of what is crossed, in sizes that count as one."""
        if not result.measurement.metrics:
            return -1e9
        missing = sum(max(0.0, ROUTES_DIFFER.get(check.unit, 0.0) * (check.variable in LOAD_VARIABLES) - check.margin)
                      / scale_of(check)[1] for check in result.checks if check.weight is None)
        return -missing - 10.0 * (len(result.failures) > len(result.broken()))

    def _safe(self, result: Delivered) -> bool:
        return result.accepted and self._worth(result) > -TOLERATED

    def _goals_of(self, index: Tensor) -> Goals:
        reference = self.goals.reference
        if reference is not None and len(reference) > 1:
            reference = reference[index]
        return replace(self.goals, depth=self.goals.depth[index], reference=reference)


def put(candidates: Candidates, index: int, others: Candidates, place: int) -> None:
    """Take the place-th of ``others`` in at ``index``: where it began and how far it has come."""
    for mine, theirs in ((candidates.start, others.start), (candidates.variation, others.variation)):
        for name in mine.__dataclass_fields__:
            value, other = getattr(mine, name), getattr(theirs, name)
            if isinstance(value, torch.Tensor) and len(value) == len(candidates.start.amplitude):
                value.data[index] = other.detach()[place]
