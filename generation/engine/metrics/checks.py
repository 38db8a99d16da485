"""Checks of limits on a delivered motion: exact values, at every frame of the file."""
from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass

import numpy as np
import torch

from generation.engine.limits import Limit, phase_text
from generation.engine.metrics.loads import MUSCLE_VARIABLES, Loads
from generation.engine.metrics.phases import Phases
from generation.engine.metrics.series import Measured, reduced
from generation.engine.metrics.smoothness import SMOOTHNESS, between
from generation.engine.variables import LEFT, LOAD_VARIABLES, RIGHT, VARIABLES

TOLERANCE = 0.01          # of the variable's unit: numerical, not clinical
_SMALL_UNITS = ("m/s", "m/s2", "Nm/kg", "body weights")        # whose numbers are read to two decimals
_SIDE_INDEX = {RIGHT: 0, LEFT: 1}


@dataclass(frozen=True)
class Check:
    """One limit and what the motion did with it: ``lowest`` and ``highest`` value over the motion and the limited
    sides, ``worst`` the one nearest to a bound or furthest across it, ``margin`` its distance to that bound, < 0 if
    crossed. What cannot be measured (a duration, where the pelvis does not go down and up) is NaN and not satisfied.

    ``phase`` is the part of each repetition that was looked at, empty for all of it; ``weight`` that of a goal, None
    where the limit is hard. Where a motion repeats, a limit on one number holds for each repetition, and
    ``worst_repetition`` (from 1) is the one of the worst. ``error`` is the known error (root mean square) of what is
    estimated and not measured, in the variable's unit; ``trusted_share`` the share of frames whose muscles can be
    believed and ``reserve_share`` the largest share of a joint moment that a reserve actuator carries, both 0 to 1,
    where muscles stand behind the value. Else None."""

    variable: str
    side: str | None
    unit: str
    min: float | None
    max: float | None
    lowest: float
    highest: float
    worst: float
    worst_side: str | None
    worst_time_s: float | None
    margin: float
    satisfied: bool
    source: str
    status: str
    origin: str
    phase: str = ""
    weight: float | None = None
    worst_repetition: int | None = None
    error: float | None = None
    trusted_share: float | None = None
    reserve_share: float | None = None

    @property
    def broken(self) -> bool:
        """Is this a hard limit that is not kept? Such a motion is not delivered."""
        return self.weight is None and not self.satisfied

    def document(self) -> dict:
        return asdict(self)

    def sentence(self) -> str:
        """What is wrong, in words: why a candidate is rejected, or by how much a goal is missed."""
        side = (f" ({self.worst_side})" if self.worst_side else "") + phase_text(self.phase)
        origin = f"[{self.origin}{': ' + self.source if self.source else ''}]"
        if math.isnan(self.worst):
            return f"{VARIABLES[self.variable].label}{side}: cannot be measured on this motion {origin}"
        too_low = self.min is not None and self.worst < self.min
        wanted = f"at least {self.min:g}" if too_low else f"at most {self.max:g}"
        at = f" at {self.worst_time_s:.2f} s" if self.worst_time_s is not None else ""
        if self.worst_repetition is not None:
            at += f" in repetition {self.worst_repetition}"
        digits = 2 if self.unit in _SMALL_UNITS else 1
        error = f" (known to about {self.error:.{digits}f})" if self.error is not None else ""
        return (f"{VARIABLES[self.variable].label}{side}: {self.worst:.{digits}f} {self.unit}{at}{error}, should be "
                f"{wanted} {self.unit} {origin}")


def check_limits(limits: Iterable[Limit], measured: Measured, phases: Phases | None,
                 times: torch.Tensor, loads: Loads | None = None) -> list[Check]:
    """One check for each limit, in the order given. ``measured`` of one motion (time, coordinate); ``loads`` of the
    same motion, without which no limit on a load can be checked: it counts as not kept."""
    return [_check(limit, measured, phases, times, loads) for limit in limits]


@dataclass(frozen=True)
class _Values:
    """What counts for one limit: ``values`` (side, entry), with the ``times`` (entry,) where entries are instants and
    the ``repetitions`` (entry,), from 1, where there are several."""

    values: torch.Tensor
    times: np.ndarray | None = None
    repetitions: np.ndarray | None = None


def _values_of(limit: Limit, measured: Measured, phases: Phases | None, times: torch.Tensor,
               loads: Loads | None) -> _Values:
    known = VARIABLES[limit.variable]
    moments = times.cpu().numpy()
    unknown = _Values(torch.full((1, 1), torch.nan, dtype=torch.float64))
    if phases is None and (limit.phase or known.kind in ("duration", "smoothness")):
        return unknown
    several = phases is not None and len(phases.repetitions) > 1
    if known.kind == "duration":
        return _numbered([[getattr(one, known.name)] for one in phases.repetitions], several)
    if known.kind == "smoothness":
        speed = measured.com_velocity.norm(dim=-1).cpu().numpy()
        rate = (len(moments) - 1) / float(moments[-1] - moments[0])
        parts = (limit.phase,) if limit.phase else ("descent", "ascent")
        return _numbered([[np.mean([between(SMOOTHNESS[known.name], speed, rate, getattr(one, f"{part}_start"),
                                            getattr(one, f"{part}_end")) for part in parts])]
                          for one in phases.repetitions], several)
    series = _series(limit.variable, measured, loads)
    if series is None:
        return unknown
    values = series.detach()
    values = values[[_SIDE_INDEX[side] for side in limit.sides()]] if known.sided else values.unsqueeze(0)
    # of a mean over feet that share a load, only what moves counts: nobody stands still by the dose
    part = limit.phase or ("moving" if limit.variable == "foot_load_share_mean" else "")
    windows = [np.ones(len(moments), bool)] if phases is None else phases.frames(moments, part)
    if known.kind == "range":
        inside = np.any(windows, axis=0)
        number = np.argmax(windows, axis=0) + 1
        return _Values(values[:, torch.as_tensor(inside)], moments[inside], number[inside] if several else None)
    found = torch.stack([reduced(limit.variable, values[:, torch.as_tensor(window)]) for window in windows], -1)
    return _Values(found, None, np.arange(1, len(windows) + 1) if several else None)


def _series(variable: str, measured: Measured, loads: Loads | None) -> torch.Tensor | None:
    if variable in LOAD_VARIABLES:
        return None if loads is None else (loads.series | loads.behind).get(variable)
    return measured.series[variable] if variable in measured.series else measured.behind[variable]


def _numbered(rows: list[list[float]], several: bool) -> _Values:
    """Numbers of a whole motion without sides, one of each repetition."""
    values = torch.tensor(np.asarray(rows, float)).T
    return _Values(values, None, np.arange(1, len(rows) + 1) if several else None)


def _check(limit: Limit, measured: Measured, phases: Phases | None, times: torch.Tensor, loads: Loads | None) -> Check:
    found = _values_of(limit, measured, phases, times, loads)
    values = found.values
    slack = torch.full_like(values, torch.inf)
    if limit.min is not None:
        slack = torch.minimum(slack, values - limit.min)
    if limit.max is not None:
        slack = torch.minimum(slack, limit.max - values)
    slack = torch.nan_to_num(slack, nan=-torch.inf)
    row, entry = divmod(int(slack.argmin()), slack.shape[1])
    margin = float(slack[row, entry])
    return Check(
        variable=limit.variable, side=limit.side, unit=limit.unit, min=limit.min, max=limit.max,
        lowest=float(values.min()), highest=float(values.max()), worst=float(values[row, entry]),
        worst_side=limit.sides()[row], worst_time_s=None if found.times is None else float(found.times[entry]),
        margin=margin, satisfied=margin >= -TOLERANCE, source=limit.source, status=limit.status, origin=limit.origin,
        phase=limit.phase, weight=limit.weight,
        worst_repetition=None if found.repetitions is None else int(found.repetitions[entry]),
        **_belief(limit.variable, loads))


def _belief(variable: str, loads: Loads | None) -> dict[str, float | None]:
    if loads is None or variable not in LOAD_VARIABLES:
        return {}
    belief: dict[str, float | None] = {"error": loads.errors.get(variable)}
    if variable in MUSCLE_VARIABLES:
        belief |= {"trusted_share": loads.trust.trusted / loads.trust.frames,
                   "reserve_share": loads.trust.largest_reserve_share}
    return belief
