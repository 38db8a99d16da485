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
from generation.engine.guidance.loading import LoadGuide, grows_with_depth
from generation.engine.guidance.objective import (
    LIMIT_WEIGHT,
    Goals,
    goal_terms,
    guided,
    importance,
    safety_margin,
    split_loads,
    violations,
)
from generation.engine.guidance.planting import Stance, flat_height, plant, plant_differentiable
from generation.engine.guidance.posture import FORWARD, Arms
from generation.engine.guidance.tempo import FRAME_RATE, Timing, plan_tempo, usual_height
from generation.engine.limits import MODEL, Limit
from generation.engine.metrics import Check, LoadMeter, Measurement, measure, measure_series
from generation.engine.variables import VARIABLES

STEPS = 120
REPAIR_STEPS, REPAIR_ROUNDS = 50, 3
SAMPLES = 42                     # instants that guidance looks at
PLANT_ITERATIONS = 1             # warm-started from the step before
LEARNING_RATE = 0.06
PREVIEW_EVERY = 30               # steps
AMPLITUDE_SHARES = (1.0, 0.85, 0.7, 0.5, 0.3)
LOADED_SHARES = (1.0, 0.92, 0.85, 0.78, 0.7, 0.63, 0.56, 0.5, 0.4, 0.3)      # loads grow faster than the movement
LIGHTER = 0.5                    # of a violation that counts as one: less is no reason to aim less deep (E)
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
                 goals: Goals | None = None) -> Tensor:
        """Improve ``candidates`` in place by Adam; returns the violations (limit, batch) of the last step."""
        goals = goals or self.goals
        optimiser = torch.optim.Adam(candidates.variation.tensors(), lr=LEARNING_RATE, betas=(0.9, 0.95))
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimiser, lambda step: min(1.0, (step + 1) / 5) * (0.15 + 0.85 * np.cos(np.pi / 2 * step / steps)))
        warm, crossed, best = None, margins, np.inf
        if self.loads is not None:
            self.loads.forget()
        for step in range(steps):
            if self.cancelled():
                raise Cancelled
            optimiser.zero_grad()
            loss, crossed, warm = self.price(candidates, margins, warm, goals)
            total = loss.sum()
            total.backward()
            for tensor in candidates.variation.tensors():
                tensor.grad = torch.nan_to_num(tensor.grad).clamp_(-1e3, 1e3)
            if self.preview is not None and stage == "guiding" and step % PREVIEW_EVERY == 0:
                self._show(candidates, loss.detach())
            optimiser.step()
            schedule.step()
            if step % 10 == 9:
                self.progress(stage, (step + 1) / steps, f"step {step + 1} of {steps}")
                value = float(total.detach())
                required = crossed.detach()[self.required]
                settled = required.numel() == 0 or float(required.max()) < 1e-3
                if step >= steps // 3 and settled and value > 0.98 * best:
                    break
                best = min(best, value)
        return crossed.detach()

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

    def price(self, candidates: Candidates, margins: Tensor, warm: Tensor | None,
              goals: Goals) -> tuple[Tensor, Tensor, Tensor]:
        """Loss (batch,), violations (limit, batch) and the planting's correction, to start the next step from."""
        stance, curve = candidates.stance(), candidates.curve()
        q = candidates.unplanted(self.body, self.phase, curve, stance)
        q, _, correction = plant_differentiable(self.body, q, stance, self.heights[0],
                                                6 if warm is None else PLANT_ITERATIONS, warm)
        q = self.arms[0](q)
        measured = measure_series(self.body, q, self.times, feet_still=True)
        count = len(self.guided) - len(self.loaded)
        crossed = violations(self.guided[:count], measured, margins[:count], self.when)
        price = (self.importance[:count] * crossed).sum(0)
        if self.loads is not None:
            more, along = self.loads.violations(q, self.loaded, margins[count:])
            crossed, price = torch.cat([crossed, more]), price + along
        terms = goal_terms(goals, measured, q, curve.diff(n=2, dim=-2), candidates.prior_distance())
        return LIMIT_WEIGHT * price + sum(terms.values()), crossed, correction

    # ---- delivery -------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def deliver(self, candidates: Candidates) -> list[Delivered]:
        """Every candidate at 60 Hz in double precision, planted at every frame, rounded as in the file, and checked."""
        results = []
        for i, height in enumerate(self.heights_of(candidates)):
            if self.cancelled():
                raise Cancelled
            try:
                timing = plan_tempo(height, *self.tempo)
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
        exact = torch.as_tensor(values, dtype=torch.float64, device=self.exact_body.lower.device)
        measurement = measure(self.exact_body, exact, FRAME_RATE)
        if measurement.phases is None:
            failures.append("The pelvis does not go down and come up again: this is no squat.")
        return Delivered(values, timing, measurement, [], failures)

    # ---- the whole ------------------------------------------------------------------------------------------------

    def run(self, candidates: Candidates, steps: int = STEPS, repairs: int = REPAIR_ROUNDS) -> list[Delivered]:
        """Guide, deliver, check; give those that broke a limit more margin and guide them again."""
        batch = len(candidates.start.amplitude)
        margins = self.margins(batch)
        self.choose_amplitude(candidates, margins)
        self.optimise(candidates, margins, steps, "guiding")
        results = self.deliver(candidates)
        for round_ in range(repairs):
            failed = [i for i, result in enumerate(results) if not result.accepted]
            if not failed:
                break
            self.progress("repairing", round_ / repairs, f"{len(failed)} candidates broke a limit")
            for i in failed:
                margins[:, i] += self._shortfall(results[i])
            index = torch.tensor(failed, device=margins.device)
            again = candidates.select(index)
            self.optimise(again, margins[:, index], REPAIR_STEPS, "repairing", self._goals_of(index))
            candidates.variation.put(index, again.variation)
            for i, result in zip(failed, self.deliver(again), strict=True):
                results[i] = result
        return results

    def _goals_of(self, index: Tensor) -> Goals:
        reference = self.goals.reference
        if reference is not None and len(reference) > 1:
            reference = reference[index]
        return replace(self.goals, depth=self.goals.depth[index], reference=reference)

    def _shortfall(self, result: Delivered) -> Tensor:
        """(limit,) how much more margin the guided limits need, from what the delivered motion broke."""
        extra = []
        for limit in self.guided:
            broken = [-check.margin for check in result.broken()
                      if limit.hard and (check.variable, check.phase) == (limit.variable, limit.phase)]
            extra.append(min(1.3 * max(broken, default=0.0), 5.0))
        return self.times.new_tensor(extra)
