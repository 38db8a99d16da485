"""Limits of a motion, their intersection, and collisions found before any work is done."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from generation.engine.variables import BOTH, SIDES, VARIABLES

PRESET, CLINICIAN, MEASURED, MODEL = "preset", "clinician", "measured range", "model"
STRICT = 1e-9              # two bounds closer than this are the same


@dataclass(frozen=True)
class Limit:
    """``min <= variable <= max`` in the variable's unit; ``side`` is right, left or both, None if it has no sides.

    ``status`` is V (number seen in the source), R (recalled, to be checked) or E (our default). Raises ValueError.
    """

    variable: str
    side: str | None = None
    min: float | None = None
    max: float | None = None
    source: str = ""
    status: str = ""
    origin: str = CLINICIAN

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

    @property
    def unit(self) -> str:
        return VARIABLES[self.variable].unit

    def sides(self) -> tuple[str | None, ...]:
        return SIDES if self.side == BOTH else (self.side,)

    def sentence(self) -> str:
        """Readable: ``knee_flexion (right) at most 60 deg [preset: ...]``."""
        side = f" ({self.side})" if self.side else ""
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


def intersect(limits: Iterable[Limit]) -> tuple[Limit, ...]:
    """The tightest bound of each variable, side and direction; one-sided limits in a fixed order.

    The result does not depend on the order of the input and intersecting it again changes nothing.
    Raises :class:`LimitConflict` where a variable's own bounds, or bounds implied by another variable's, cross.
    """
    tightest = _tightest(limits)
    for (variable, side, bound), low in tightest.items():
        high = tightest.get((variable, side, "max"))
        if bound == "min" and high is not None and low.min > high.max + STRICT:
            raise LimitConflict(_one_side(low, side), _one_side(high, side), "there is no value between them")
    _check_implied(tightest)
    return _merge_sides(tightest)


def _tightest(limits: Iterable[Limit]) -> dict[tuple[str, str | None, str], Limit]:
    best: dict[tuple[str, str | None, str], Limit] = {}
    for limit in limits:
        for side in limit.sides():
            for bound, other in (("min", "max"), ("max", "min")):
                value = getattr(limit, bound)
                if value is None:
                    continue
                entry = replace(limit, side=side, **{other: None})
                key = (limit.variable, side, bound)
                if key not in best or _rank(entry, bound) < _rank(best[key], bound):
                    best[key] = entry
    return dict(sorted(best.items(), key=lambda item: (item[0][0], item[0][1] or "", item[0][2])))


def _rank(limit: Limit, bound: str) -> tuple:
    value = -limit.min if bound == "min" else limit.max
    return (value, limit.origin, limit.status, limit.source)      # a total order: ties do not depend on input order


def _one_side(limit: Limit, side: str | None) -> Limit:
    return replace(limit, side=side) if side else limit


def _merge_sides(tightest: dict) -> tuple[Limit, ...]:
    merged: list[Limit] = []
    for (variable, side, bound), limit in tightest.items():
        if side == SIDES[1] or side is None:                      # "left" sorts before "right": handle at "right"
            if side is None or (variable, SIDES[0], bound) not in tightest:
                merged.append(limit)
            continue
        other = tightest.get((variable, SIDES[1], bound))
        if other is not None and replace(other, side=side) == limit:
            merged.append(replace(limit, side=BOTH))
        else:
            merged += [limit] if other is None else [other, limit]
    return tuple(sorted(merged, key=lambda x: (x.variable, x.side or "", x.min is None)))


# ---- relations between variables ----------------------------------------------------------------------------------

_PEAK_OF = {"knee_flexion_peak": "knee_flexion", "trunk_forward_lean_peak": "trunk_forward_lean"}
# Shin leaning backwards by more than this while squatting would put the body behind its feet (ours, E).
_BACKWARD_SHIN_DEG = 10.0
# A standing knee is bent by no more than this unless a limit asks for it (ours, E).
_STANDING_KNEE_DEG = 20.0


def _check_implied(tightest: dict) -> None:
    def bound(variable: str, side: str | None, which: str) -> Limit | None:
        return tightest.get((variable, side, which))

    for peak, series in _PEAK_OF.items():
        for side in (SIDES if VARIABLES[peak].sided else (None,)):
            need, cap = bound(peak, side, "min"), bound(series, side, "max")
            if need and cap and need.min > cap.max + STRICT:
                raise LimitConflict(cap, need, f"the depth asked for exceeds what {series} may reach"
                                    if peak == "knee_flexion_peak" else f"{series} may never get that far")
            top, floor = bound(peak, side, "max"), bound(series, side, "min")
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
    for variable in ("foot_load_share", "foot_load_share_mean"):
        for which, sign in (("min", 1), ("max", -1)):
            right, left = (bound(variable, side, which) for side in SIDES)
            if right and left and sign * (getattr(right, which) + getattr(left, which) - 100) > STRICT:
                raise LimitConflict(right, left, "the feet together carry 100 %")
    for side in SIDES:
        for which, other, sign in (("min", "max", 1), ("max", "min", -1)):
            always, mean = bound("foot_load_share", side, which), bound("foot_load_share_mean", side, other)
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
