"""Limits of a motion, their intersection, and collisions found before any work is done.

A limit is hard, or a goal with a weight. Hard limits are intersected and may collide; goals give way to them and are
never a reason to refuse or to reject. A limit holds over the whole repetition or in one phase of it.
"""
from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from generation.engine.variables import BOTH, PHASES, SIDES, VARIABLES

PRESET, CLINICIAN, MEASURED, MODEL = "preset", "clinician", "measured range", "model"
STRICT = 1e-9              # two bounds closer than this are the same
WHOLE = ""                 # the phase of a limit that holds over the whole repetition
HEAVIEST = 10.0            # weight of a goal; 1 is an ordinary one


@dataclass(frozen=True)
class Limit:
    """``min <= variable <= max`` in the variable's unit; ``side`` is right, left or both, None if it has no sides.

    ``phase`` is descent, bottom or ascent, empty for the whole repetition. ``weight`` None: the limit is hard; else it
    is a goal, kept as well as the hard limits allow, the better the greater its weight (0 to 10). ``status`` is V
    (number seen in the source), R (recalled, to be checked) or E (our default). Raises ValueError.
    """

    variable: str
    side: str | None = None
    min: float | None = None
    max: float | None = None
    source: str = ""
    status: str = ""
    origin: str = CLINICIAN
    phase: str = WHOLE
    weight: float | None = None

    def __post_init__(self) -> None:
        known = VARIABLES.get(self.variable)
        if known is None:
            raise ValueError(f"unknown variable {self.variable!r}")
        if known.sided and self.side is None:
            object.__setattr__(self, "side", BOTH)
        if not known.sided and self.side is not None:
            raise ValueError(f"{self.variable} has no sides")
        if self.side not in (None, BOTH, *SIDES):
            raise ValueError(f"side must be right, left or both, not {self.side!r}")
        if self.min is None and self.max is None:
            raise ValueError(f"{self.variable}: a limit needs a min or a max")
        if self.phase and self.phase not in known.phases:
            raise ValueError(f"{self.variable} has no phase {self.phase!r}; it has {', '.join(known.phases) or 'none'}")
        if self.weight is not None and not 0 < self.weight <= HEAVIEST:
            raise ValueError(f"{self.variable}: a weight lies above 0 and is at most {HEAVIEST:g}")

    @property
    def hard(self) -> bool:
        return self.weight is None

    @property
    def unit(self) -> str:
        return VARIABLES[self.variable].unit

    def sides(self) -> tuple[str | None, ...]:
        return SIDES if self.side == BOTH else (self.side,)

    def sentence(self) -> str:
        """Readable: ``knee_flexion (right) in the descent at most 60 deg [preset: ...]``."""
        side = f" ({self.side})" if self.side else ""
        side += phase_text(self.phase) + ("" if self.hard else " as a goal")
        bounds = []
        if self.min is not None:
            bounds.append(f"at least {self.min:g}")
        if self.max is not None:
            bounds.append(f"at most {self.max:g}")
        origin = self.origin + (f": {self.source}" if self.source else "")
        return f"{self.variable}{side} {' and '.join(bounds)} {self.unit} [{origin}]"


# What every delivered squat keeps, whoever squats. The numbers are ours (E).
_MODEL_LIMITS = (
    ("joint_range_margin", None, 0.0, None, "joint ranges of the body model"),
    ("foot_slide", BOTH, None, 1.0, "planted feet do not slide"),
    ("floor_penetration", BOTH, None, 1.0, "soles do not enter the floor"),
    ("heel_height", BOTH, None, 0.1, "heels stay on the floor"),
    ("static_balance_margin", None, 1.0, None, "the centre of mass stays over the feet"),
    ("knee_medial_displacement", BOTH, None, 5.0, "knees do not fall inwards of the feet"),
    ("knee_flexion_peak", BOTH, 12.0, None, "less knee bend is no squat"),
)
MODEL_LIMITS: tuple[Limit, ...] = tuple(Limit(name, side, low, high, text, "E", MODEL)
                                        for name, side, low, high, text in _MODEL_LIMITS)


class LimitConflict(Exception):
    """Two limits that no motion can keep together; the message says which and why."""

    def __init__(self, first: Limit, second: Limit, why: str = "") -> None:
        self.first, self.second, self.why = first, second, why
        text = f"{first.sentence()} and {second.sentence()} cannot both hold"
        super().__init__(text + (f": {why}" if why else "") + ".")


def phase_text(phase: str) -> str:
    """`` in the descent``, `` at the bottom``; nothing for the whole repetition."""
    return {WHOLE: "", "bottom": " at the bottom"}.get(phase, f" in the {phase}")


def whole(limits: Iterable[Limit]) -> tuple[Limit, ...]:
    """Those that hold over the whole repetition."""
    return tuple(limit for limit in limits if limit.phase == WHOLE)


def intersect(limits: Iterable[Limit]) -> tuple[Limit, ...]:
    """The tightest hard bound of each variable, side, phase and direction, and every goal, moved inside them.

    In a fixed order. The result does not depend on the order of the input and intersecting it again changes nothing. A
    phase's bound that the whole repetition's implies is left out. Raises :class:`LimitConflict` where a variable's own
    hard bounds, or bounds implied by another variable's, cross; goals collide with nothing.
    """
    limits = tuple(limits)
    tightest = _tightest(limit for limit in limits if limit.hard)
    for (variable, side, phase, bound), limit in tightest.items():
        against = _bound(tightest, variable, side, phase, "max" if bound == "min" else "min")
        if against is None or (bound == "max" and against.phase == phase):      # the latter pair was seen from its min
            continue
        low, high = (limit, against) if bound == "min" else (against, limit)
        if low.min > high.max + STRICT:
            raise LimitConflict(low, high, "there is no value between them")
    _check_implied(tightest)
    goals = _merge_sides(goal for limit in limits if not limit.hard for goal in _moved_inside(limit, tightest))
    needed = (limit for (variable, side, phase, bound), limit in tightest.items()
              if phase == WHOLE or _bound(tightest, variable, side, phase, bound) is limit)
    return _merge_sides(needed) + goals


_Key = tuple[str, str | None, str, str]      # variable, side, phase, "min" or "max"


def _tightest(limits: Iterable[Limit]) -> dict[_Key, Limit]:
    best: dict[_Key, Limit] = {}
    for limit in limits:
        for side in limit.sides():
            for bound, other in (("min", "max"), ("max", "min")):
                value = getattr(limit, bound)
                if value is None:
                    continue
                entry = replace(limit, side=side, **{other: None})
                key = (limit.variable, side, limit.phase, bound)
                if key not in best or _rank(entry, bound) < _rank(best[key], bound):
                    best[key] = entry
    return dict(sorted(best.items(), key=lambda item: tuple(part or "" for part in item[0])))


def _bound(tightest: Mapping[_Key, Limit], variable: str, side: str | None, phase: str, bound: str) -> Limit | None:
    """The tightest bound in ``phase``: its own, or the whole repetition's where that implies one."""
    kind = VARIABLES[variable].kind
    implied = kind == "range" or (kind, bound) in (("peak", "max"), ("lowest", "min"))
    found = [tightest.get((variable, side, which, bound)) for which in ((WHOLE, phase) if implied else (phase,))]
    return min((limit for limit in found if limit), key=lambda limit: _value_rank(limit, bound), default=None)


def _rank(limit: Limit, bound: str) -> tuple:
    # a total order: ties do not depend on input order
    return (_value_rank(limit, bound), limit.origin, limit.status, limit.source)


def _value_rank(limit: Limit, bound: str) -> float:
    return -limit.min if bound == "min" else limit.max


def _moved_inside(goal: Limit, tightest: Mapping[_Key, Limit]) -> list[Limit]:
    """A goal by side, its bounds no further than the hard bounds of the same values allow."""
    moved = []
    for side in goal.sides():
        names = [goal.variable, *(other for pair in _PEAK_OF.items() if goal.variable in pair for other in pair)]
        floor = max((limit.min for limit in [_bound(tightest, goal.variable, side, goal.phase, "min")] if limit),
                    default=-math.inf)
        ceiling = min((limit.max for name in names for limit in [_bound(tightest, name, side, goal.phase, "max")]
                       if limit), default=math.inf)
        # a depth that must be reached is above what its series as a goal should not exceed
        deep = [_bound(tightest, peak, side, goal.phase, "min") for peak, series in _PEAK_OF.items()
                if series == goal.variable]
        floors = {"min": floor, "max": max([floor, *(limit.min for limit in deep if limit)])}
        moved.append(replace(goal, side=side, **{
            name: max(min(value, ceiling), floors[name])
            for name, value in (("min", goal.min), ("max", goal.max)) if value is not None}))
    return moved


def _merge_sides(limits: Iterable[Limit]) -> tuple[Limit, ...]:
    """Limits that are the same on both sides become one; in a fixed order."""
    found = dict.fromkeys(limits)
    merged: dict[Limit, None] = {}
    for limit in found:
        paired = limit.side in SIDES and all(replace(limit, side=side) in found for side in SIDES)
        merged[replace(limit, side=BOTH) if paired else limit] = None
    return tuple(sorted(merged, key=lambda x: (x.variable, x.side or "", x.phase, x.min is None, x.min or 0.0,
                                               x.max or 0.0, x.weight or 0.0, x.origin, x.status, x.source)))


# ---- relations between variables ----------------------------------------------------------------------------------

_PEAK_OF = {"knee_flexion_peak": "knee_flexion", "trunk_forward_lean_peak": "trunk_forward_lean"}
# Shin leaning backwards by more than this while squatting would put the body behind its feet (ours, E).
_BACKWARD_SHIN_DEG = 10.0
# A standing knee is bent by no more than this unless a limit asks for it (ours, E).
_STANDING_KNEE_DEG = 20.0


def _check_implied(tightest: Mapping[_Key, Limit]) -> None:
    def bound(variable: str, side: str | None, which: str, phase: str = WHOLE) -> Limit | None:
        return _bound(tightest, variable, side, phase, which)

    for peak, series in _PEAK_OF.items():
        for side in (SIDES if VARIABLES[peak].sided else (None,)):
            for phase in (WHOLE, *PHASES):
                need, cap = bound(peak, side, "min", phase), bound(series, side, "max", phase)
                if need and cap and need.min > cap.max + STRICT:
                    raise LimitConflict(cap, need, f"the depth asked for exceeds what {series} may reach"
                                        if peak == "knee_flexion_peak" else f"{series} may never get that far")
                top, floor = bound(peak, side, "max", phase), bound(series, side, "min", phase)
                if top and floor and floor.min > top.max + STRICT:
                    raise LimitConflict(floor, top, f"{series} would always be above the allowed peak")

    for side in SIDES:
        thigh = bound("thigh_inclination_peak", side, "min")
        for knee in (bound("knee_flexion", side, "max"), bound("knee_flexion_peak", side, "max")):
            if thigh and knee and thigh.min > knee.max + _BACKWARD_SHIN_DEG:
                raise LimitConflict(knee, thigh, "a thigh that low needs at least as much knee bend, or the shin would "
                                    f"lean backwards by more than {_BACKWARD_SHIN_DEG:g} deg")
        _check_knee_speed(bound, side)
    _check_shares(bound)
    _check_durations(bound)


def _check_knee_speed(bound, side: str) -> None:
    """A knee that must travel far in a short time cannot be slow: peak speed >= 0.9 travel / time."""
    speed, depth = bound("knee_flexion_speed_peak", side, "max"), bound("knee_flexion_peak", side, "min")
    if not (speed and depth):
        return
    floor = bound("knee_flexion", side, "min")
    travel = 0.9 * (depth.min - max(_STANDING_KNEE_DEG, floor.min if floor else 0.0))
    for phase in ("descent_s", "ascent_s"):
        time = bound(phase, None, "max")
        if time and travel > 0 and travel / time.max > speed.max:
            raise LimitConflict(speed, time, f"reaching {depth.min:g} deg of knee bend in {time.max:g} s needs at "
                                f"least {travel / time.max:.0f} deg/s")


def _check_shares(bound) -> None:
    """Both feet carry all: what one must carry the other cannot."""
    for phase in (WHOLE, *PHASES):
        for variable in ("foot_load_share", "foot_load_share_mean"):
            for which, sign in (("min", 1), ("max", -1)):
                right, left = (bound(variable, side, which, phase) for side in SIDES)
                if right and left and sign * (getattr(right, which) + getattr(left, which) - 100) > STRICT:
                    raise LimitConflict(right, left, "the feet together carry 100 %")
        for side in SIDES:
            for which, other, sign in (("min", "max", 1), ("max", "min", -1)):
                always = bound("foot_load_share", side, which, phase)
                mean = bound("foot_load_share_mean", side, other, phase)
                if always and mean and sign * (getattr(always, which) - getattr(mean, other)) > STRICT:
                    raise LimitConflict(always, mean, "the mean lies between the lowest and the highest")


def _check_durations(bound) -> None:
    parts = ("descent_s", "pause_s", "ascent_s")
    for whole_bound, part_bound, sign, word in (("min", "max", 1, "too short"), ("max", "min", -1, "too long")):
        whole = bound("repetition_s", None, whole_bound)
        pieces = [bound(part, None, part_bound) for part in parts]
        if part_bound == "min":
            pieces = [piece for piece in pieces if piece]
        if whole is None or not pieces or not all(pieces):
            continue
        total = sum(getattr(piece, part_bound) for piece in pieces)
        if sign * (getattr(whole, whole_bound) - total) > STRICT:
            largest = max(pieces, key=lambda piece: getattr(piece, part_bound))
            raise LimitConflict(whole, largest, f"descent, pause and ascent together ({total:g} s) are {word}")
