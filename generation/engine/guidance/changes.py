"""What to change in a person's own squat to do the delivered one: in words, per joint and phase, in degrees,
centimetres and seconds, and what that does to the loads. The most important first.

Both motions are compared at the same shares of descent, bottom and ascent, whatever their tempo.
"""
from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass

import numpy as np
import torch

from generation.engine.body import BODIES
from generation.engine.metrics import Measurement, Phases
from generation.engine.metrics.series import DEG, heading
from generation.engine.variables import SIDES, VARIABLES

# Smaller changes are not worth a sentence, and how much of one counts as one when they are put in order (E).
_SMALLEST = {"deg": 2.0, "cm": 1.5, "s": 0.25, "body weights": 0.2, "%": 5.0, "Nm/kg": 0.1}
_ONE = {"deg": 8.0, "cm": 4.0, "s": 0.8, "body weights": 1.0, "%": 20.0, "Nm/kg": 0.4}
_ASKED = 100.0                 # what a change is worth that a limit demands
_TOGETHER_DEG = 4.0            # both sides that change this alike are told together (E)
MOST, MOST_LOADS = 10, 4       # sentences: nobody follows more at once (E)
_FOLLOWS = 0.4                 # what hips and ankles do follows from depth and trunk (E)
_POINTS = 40                   # of each phase at which the motions are compared

_WHEN = {"descent": "On the way down", "bottom": "At the bottom", "ascent": "On the way up"}
# variable -> (what more of it means, what less of it means); {0} is the amount, {1} the side, {2} a plural s
_POSES = {
    "knee_medial_displacement": ("let the {1} knee{2} come {0} inward", "bring the {1} knee{2} {0} outward"),
    "trunk_forward_lean": ("lean the trunk {0} further forward", "keep the trunk {0} more upright"),
    "lumbar_flexion": ("round the low back {0} more", "keep the low back {0} straighter"),
    "hip_flexion": ("bend the {1} hip{2} {0} more", "bend the {1} hip{2} {0} less"),
    "ankle_dorsiflexion": ("let the {1} knee{2} go further over the toes, {0} more at the ankle",
                           "keep the {1} shin{2} {0} more upright"),
    "hip_adduction": ("bring the {1} thigh{2} {0} inward", "bring the {1} thigh{2} {0} outward"),
    "hip_internal_rotation": ("turn the {1} thigh{2} {0} inward", "turn the {1} thigh{2} {0} outward"),
    "pelvis_list": ("raise the left side of the pelvis by {0}", "raise the right side of the pelvis by {0}"),
    "pelvis_rotation": ("turn the pelvis {0} to the left", "turn the pelvis {0} to the right"),
    "lumbar_bending": ("lean the trunk {0} to the right", "lean the trunk {0} to the left"),
}
_DURATIONS = {
    "descent_s": ("take {0} longer on the way down", "go down {0} faster"),
    "pause_s": ("stay {0} longer at the bottom", "stay {0} less at the bottom"),
    "ascent_s": ("take {0} longer on the way up", "come up {0} faster"),
}
_LOADS = {
    "patellofemoral_force_peak": "load behind the kneecap", "tibiofemoral_force_peak": "load in the knee",
    "hip_force_peak": "load in the hip", "knee_extension_moment_peak": "turning load on the knee",
    "knee_extension_demand_peak": "demand on the strength of the knee",
    "hip_extension_demand_peak": "demand on the strength of the hip",
}
# variables of limits -> the change that serves them
_SERVES = {
    "depth": {"knee_flexion", "knee_flexion_peak", "thigh_inclination_peak", "seat_height", "pelvis_drop",
              "pelvis_drop_percent"},
    "trunk_forward_lean": {"trunk_forward_lean", "trunk_forward_lean_peak", "trunk_forward_lean_speed_peak"},
    "lumbar_flexion": {"lumbar_flexion", "lumbar_flexion_change"},
    "lumbar_bending": {"lumbar_bending", "trunk_lateral_lean"},
    "descent_s": {"descent_s", "repetition_s", "knee_flexion_speed_peak", "com_speed_peak"},
    "ascent_s": {"ascent_s", "repetition_s", "knee_flexion_speed_peak", "com_speed_peak"},
    "pause_s": {"pause_s", "repetition_s"},
}


@dataclass(frozen=True)
class Change:
    """One sentence. ``own`` and ``new`` are values in ``unit``, ``change`` their difference; ``asked``: a limit that
    the own motion breaks demands it."""

    quantity: str              # a variable, or depth, stance_width, toe_out
    side: str | None
    phase: str                 # descent, bottom, ascent; empty for the whole
    text: str
    own: float
    new: float
    change: float
    unit: str
    asked: bool = False

    @property
    def importance(self) -> float:
        size = abs(self.change) / _ONE[self.unit]
        size *= _FOLLOWS if self.quantity in ("hip_flexion", "ankle_dorsiflexion") else 1.0
        size *= 0.5 if self.unit == "deg" and self.phase in ("descent", "ascent") else 1.0
        return _ASKED * self.asked + size


@dataclass(frozen=True)
class Stance:
    """Where the feet stand and how long the shins are, of a motion's first frame."""

    width_cm: float
    toe_out_deg: tuple[float, float]           # right, left
    shank_cm: float


@torch.no_grad()
def stance_of(body, q: torch.Tensor) -> Stance:
    """The stance of a motion q (time, coordinate)."""
    placed = body(q[:1])
    centres = {name: place[0] for name, place in body.joint_centres(placed).items()}
    forward = heading(placed)[0]
    facing = math.atan2(-float(forward[2]), float(forward[0]))
    toes = []
    for side, sign in (("r", -1.0), ("l", 1.0)):
        foot = placed.rotations[0, BODIES.index(f"calcn_{side}"), :, 0]
        toes.append(sign * (math.atan2(-float(foot[2]), float(foot[0])) - facing) * DEG)
    across = centres["ankle_r"] - centres["ankle_l"]
    shank = (centres["knee_r"] - centres["ankle_r"]).norm()
    return Stance(100 * float(torch.hypot(across[0], across[2])), (toes[0], toes[1]), 100 * float(shank))


def describe(own: Measurement, own_stance: Stance, new: Measurement, new_stance: Stance,
             broken: Collection[str] = ()) -> list[dict]:
    """What to change, most important first; empty where either motion is no squat. ``broken``: the variables of the
    limits that the own motion breaks, whose changes come first. Of several repetitions the first counts."""
    if own.phases is None or new.phases is None:
        return []
    found = [*_depth(own, new), *_poses(own, own_stance, new), *_stances(own_stance, new_stance), *_durations(own, new)]
    found = [_asked(change, broken) for change in found]
    found.sort(key=lambda change: -change.importance)
    loads = [_asked(change, broken) for change in _loads(own, new)]
    loads.sort(key=lambda change: -change.importance)
    told = (*found[:MOST], *loads[:MOST_LOADS])
    return [asdict(change) | {"importance": round(change.importance, 3)} for change in told]


def _asked(change: Change, broken: Collection[str]) -> Change:
    serves = _SERVES.get(change.quantity, {change.quantity})
    return Change(**asdict(change) | {"asked": bool(serves & set(broken))})


def _part(measurement: Measurement, values: torch.Tensor, phase: str) -> np.ndarray:
    """(_POINTS,) a series (time,) over one phase of the first repetition."""
    first: Phases = measurement.phases.repetitions[0]
    low, turn, up = first.descent_end, (first.descent_end + first.ascent_start) / 2, first.ascent_start
    start, end = {"descent": (first.descent_start, low), "bottom": (min(low, turn), max(up, turn)),
                  "ascent": (up, first.ascent_end)}[phase]
    times = measurement.times.cpu().numpy()
    return np.interp(np.linspace(start, end, _POINTS), times, values.cpu().numpy())


def _depth(own: Measurement, new: Measurement) -> Iterator[Change]:
    knees = [[_part(m, m.measured.series["knee_flexion"][i], "bottom").max() for i in range(2)] for m in (own, new)]
    before, after = (np.array(pair) for pair in knees)
    change = after - before
    if abs(change[0] - change[1]) <= _TOGETHER_DEG:
        step = float(change.mean())
        if abs(step) >= _SMALLEST["deg"]:
            words = f"go {step:.0f} deg deeper" if step > 0 else f"stop {-step:.0f} deg earlier"
            yield Change("depth", None, "bottom", f"{_WHEN['bottom']}, {words}: the knees bend to {after.mean():.0f} "
                         f"instead of {before.mean():.0f} deg.", float(before.mean()), float(after.mean()), step, "deg")
        return
    for side, old, bend, step in zip(SIDES, before, after, change, strict=True):
        if abs(step) >= _SMALLEST["deg"]:
            words = f"bend the {side} knee {abs(step):.0f} deg {'more' if step > 0 else 'less'}"
            yield Change("depth", side, "bottom", f"{_WHEN['bottom']}, {words} ({old:.0f} to {bend:.0f} deg).",
                         float(old), float(bend), float(step), "deg")


def _poses(own: Measurement, own_stance: Stance, new: Measurement) -> Iterator[Change]:
    for name in _POSES:
        sides = list(enumerate(SIDES)) if VARIABLES[name].sided else [(None, None)]
        seen: dict[str, list[tuple]] = {}
        for row, side in sides:
            steps = {}
            for phase in _WHEN:
                before, after = (_part(m, _series(m, name, row, own_stance), phase) for m in (own, new))
                at = len(before) // 2 if phase == "bottom" else int(np.abs(after - before).argmax())
                steps[phase] = (float(before[at]), float(after[at]))
            change = {phase: after - before for phase, (before, after) in steps.items()}
            for phase in ("bottom", "descent", "ascent"):
                # on the way, what differs only as much as at the bottom is the same change
                more = abs(change[phase]) - (abs(change["bottom"]) if phase != "bottom" else 0.0)
                if more >= _SMALLEST["deg"] * (1.0 if phase == "bottom" else 2.0):
                    seen.setdefault(phase, []).append((side, *steps[phase], change[phase]))
        for phase, rows in seen.items():
            yield from _posed(name, phase, rows)


def _series(measurement: Measurement, name: str, row: int | None, stance: Stance) -> torch.Tensor:
    values = measurement.measured.series[name]
    values = values if row is None else values[row]
    if name != "knee_medial_displacement":
        return values
    return torch.asin((values / stance.shank_cm).clamp(-1, 1)) * DEG       # of the shin, away from the foot's plane


def _posed(name: str, phase: str, rows: list[tuple]) -> Iterator[Change]:
    if len(rows) == 2 and abs(rows[0][3] - rows[1][3]) <= _TOGETHER_DEG:
        rows = [(None, *(float(np.mean([row[i] for row in rows])) for i in (1, 2, 3)))]
        both = True
    else:
        both = False
    for side, before, after, step in rows:
        more, less = _POSES[name]
        words = (more if step > 0 else less).format(f"{abs(step):.0f} deg", side or "", "s" if both else "")
        words = " ".join(words.split())
        yield Change(name, side or ("both" if both else None), phase, f"{_WHEN[phase]}, {words} ({before:.0f} to "
                     f"{after:.0f} deg).", before, after, step, "deg")


def _stances(own: Stance, new: Stance) -> Iterator[Change]:
    step = new.width_cm - own.width_cm
    if abs(step) >= _SMALLEST["cm"]:
        words = "wider" if step > 0 else "closer"
        yield Change("stance_width", None, "", f"Stand with the feet {abs(step):.0f} cm {words} ({own.width_cm:.0f} "
                     f"to {new.width_cm:.0f} cm between the ankles).", own.width_cm, new.width_cm, step, "cm")
    for side, before, after in zip(SIDES, own.toe_out_deg, new.toe_out_deg, strict=True):
        step = after - before
        if abs(step) >= 2 * _SMALLEST["deg"]:
            words = "further out" if step > 0 else "in"
            yield Change("toe_out", side, "", f"Turn the {side} foot {abs(step):.0f} deg {words} ({before:.0f} to "
                         f"{after:.0f} deg outward).", before, after, step, "deg")


def _durations(own: Measurement, new: Measurement) -> Iterator[Change]:
    for name, (more, less) in _DURATIONS.items():
        before, after = (getattr(m.phases.repetitions[0], name) for m in (own, new))
        step = after - before
        if abs(step) >= _SMALLEST["s"]:
            words = (more if step > 0 else less).format(f"{abs(step):.1f} s")
            yield Change(name, None, name.removesuffix("_s").replace("pause", "bottom"),
                         f"{words[0].upper()}{words[1:]} ({before:.1f} to {after:.1f} s).", before, after, step, "s")


def _loads(own: Measurement, new: Measurement) -> Iterator[Change]:
    if own.loads is None or new.loads is None:
        return
    for name, words in _LOADS.items():
        if name not in own.loads.single or name not in new.loads.single:
            continue
        before, after = (m.loads.single[name] for m in (own, new))
        row = int((after - before).abs().argmax())                 # the side that changes more
        old, now = float(before[row]), float(after[row])
        unit = VARIABLES[name].unit
        if abs(now - old) >= max(_SMALLEST[unit], 0.04 * old):
            places = 0 if unit == "%" else 1 if unit == "body weights" else 2
            verb = "lowers" if now < old else "raises"
            yield Change(name, SIDES[row], "", f"This {verb} the {words} on the {SIDES[row]} from {old:.{places}f} to "
                         f"{now:.{places}f} {unit}.", old, now, now - old, unit)
