"""Checks of limits on a delivered motion: exact values, at every frame of the file."""
from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass

import torch

from generation.engine.limits import Limit
from generation.engine.metrics.loads import MUSCLE_VARIABLES, Loads
from generation.engine.metrics.phases import Phases
from generation.engine.metrics.series import Measured
from generation.engine.variables import LEFT, LOAD_VARIABLES, RIGHT, VARIABLES

TOLERANCE = 0.01          # of the variable's unit: numerical, not clinical
_SMALL_UNITS = ("m/s", "m/s2", "Nm/kg", "body weights")        # whose numbers are read to two decimals
_SIDE_INDEX = {RIGHT: 0, LEFT: 1}


@dataclass(frozen=True)
class Check:
    """One limit and what the motion did with it: ``lowest`` and ``highest`` value over the motion and the limited
    sides, ``worst`` the one nearest to a bound or furthest across it, ``margin`` its distance to that bound, < 0 if
    crossed. What cannot be measured (a duration, where the pelvis does not go down and up) is NaN and not satisfied.

    ``error`` is the known error (root mean square) of what is estimated and not measured, in the variable's unit;
    ``trusted_share`` the share of frames whose muscles can be believed and ``reserve_share`` the largest share of a
    joint moment that a reserve actuator carries, both 0 to 1, where muscles stand behind the value. Else None."""

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
    error: float | None = None
    trusted_share: float | None = None
    reserve_share: float | None = None

    def document(self) -> dict:
        return asdict(self)

    def sentence(self) -> str:
        """Why a candidate is rejected, in words."""
        side = f" ({self.worst_side})" if self.worst_side else ""
        origin = f"[{self.origin}{': ' + self.source if self.source else ''}]"
        if math.isnan(self.worst):
            return f"{VARIABLES[self.variable].label}{side}: cannot be measured on this motion {origin}"
        too_low = self.min is not None and self.worst < self.min
        wanted = f"at least {self.min:g}" if too_low else f"at most {self.max:g}"
        at = f" at {self.worst_time_s:.2f} s" if self.worst_time_s is not None else ""
        digits = 2 if self.unit in _SMALL_UNITS else 1
        error = f" (known to about {self.error:.{digits}f})" if self.error is not None else ""
        return (f"{VARIABLES[self.variable].label}{side}: {self.worst:.{digits}f} {self.unit}{at}{error}, should be "
                f"{wanted} {self.unit} {origin}")


def check_limits(limits: Iterable[Limit], measured: Measured, phases: Phases | None,
                 times: torch.Tensor, loads: Loads | None = None) -> list[Check]:
    """One check for each limit, in the order given. ``measured`` of one motion (time, coordinate); ``loads`` of the
    same motion, without which no limit on a load can be checked: it counts as not kept."""
    return [_check(limit, measured, phases, times, loads) for limit in limits]


def values_of(variable: str, measured: Measured, phases: Phases | None, loads: Loads | None = None) -> torch.Tensor:
    """The variable's values: (time,), (2, time), () or (2,)."""
    if variable in LOAD_VARIABLES:
        known = {} if loads is None else loads.series | loads.single
        unknown = torch.full((2,) if VARIABLES[variable].sided else (), torch.nan, dtype=torch.float64)
        return known.get(variable, unknown)
    if VARIABLES[variable].kind == "duration":
        value = float("nan") if phases is None else getattr(phases, variable)
        return torch.tensor(value, dtype=torch.float64)
    return measured.series[variable] if variable in measured.series else measured.single[variable]


def _check(limit: Limit, measured: Measured, phases: Phases | None, times: torch.Tensor, loads: Loads | None) -> Check:
    values = values_of(limit.variable, measured, phases, loads).detach()
    sides: tuple[str | None, ...] = (None,)
    if VARIABLES[limit.variable].sided:
        sides = limit.sides()
        values = values[[_SIDE_INDEX[side] for side in sides]]
    else:
        values = values.unsqueeze(0)
    slack = torch.full_like(values, torch.inf)
    if limit.min is not None:
        slack = torch.minimum(slack, values - limit.min)
    if limit.max is not None:
        slack = torch.minimum(slack, limit.max - values)
    slack = torch.nan_to_num(slack, nan=-torch.inf)
    flat = int(slack.argmin())
    row, frame = (flat, None) if slack.dim() == 1 else divmod(flat, slack.shape[1])
    margin = float(slack.flatten()[flat])
    return Check(
        variable=limit.variable, side=limit.side, unit=limit.unit, min=limit.min, max=limit.max,
        lowest=float(values.min()), highest=float(values.max()), worst=float(values.flatten()[flat]),
        worst_side=sides[row], worst_time_s=None if frame is None else float(times[frame]), margin=margin,
        satisfied=margin >= -TOLERANCE, source=limit.source, status=limit.status, origin=limit.origin,
        **_belief(limit.variable, loads))


def _belief(variable: str, loads: Loads | None) -> dict[str, float | None]:
    if loads is None or variable not in LOAD_VARIABLES:
        return {}
    belief: dict[str, float | None] = {"error": loads.errors.get(variable)}
    if variable in MUSCLE_VARIABLES:
        belief |= {"trusted_share": loads.trust.trusted / loads.trust.frames,
                   "reserve_share": loads.trust.largest_reserve_share}
    return belief
