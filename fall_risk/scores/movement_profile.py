"""How steady and how demanding a prescribed motion is: from the simulation, never part of a probability of falling."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel

from fall_risk.scores.fields import InputError
from fall_risk.scores.motion import NO_PROBABILITY, Measure, margin_measure, measure

VERSION = "2"           # 1 had no demand
APART = ("Kept apart from the risk of falling: no published coefficient turns these measures into a probability of "
         "falling.")
DEMAND_AMBER, DEMAND_RED = 60.0, 80.0           # E, percent of the person's strength
DEMAND_NOTE = (
    "Demand: the joint's moment against what the person's muscles could make in that pose at that speed. Bands of 60 "
    "and 80 % are ours. For standing up from a chair, older adults were seen at 69 %, frail elders at 97 % (V)."
)


@dataclass(frozen=True)
class Demand:
    """The greatest share of the person's own strength that a motion needs. ``joint`` is a word such as "knee, right";
    ``measured``: whether the strength of that group was measured on the person, or is expected from sex, age, height
    and mass; ``error_percent``: the error of ``percent`` from the estimated ground reaction, None where unknown.
    """

    key: str
    joint: str
    percent: float
    measured: bool
    error_percent: float | None = None


class MovementProfile(BaseModel):
    """``margin_cm`` is the course over the cycle at 0, 1, ..., 100 %. ``supervision``: why not to be done alone (E)."""

    version: str = VERSION
    margin_cm: list[float]
    measures: list[Measure]
    supervision: list[str]
    notes: list[str]


def demand_level(percent: float) -> str:
    """Below 60 % nothing, 60 to 80 % amber, above 80 % red (E)."""
    return "red" if percent > DEMAND_RED else "amber" if percent >= DEMAND_AMBER else ""


def movement_profile(times: np.ndarray, com: np.ndarray, margin_cm: np.ndarray,
                     demands: Sequence[Demand] = (), caveats: Sequence[str] = ()) -> MovementProfile:
    """Profile of one motion: ``times`` (time,) s, ``com`` (time, 3) m, ``margin_cm`` (time,).

    ``caveats`` are sentences on how far the demands can be trusted. Raises InputError, naming the argument, for shapes
    that do not fit and numbers that are none.
    """
    times, com, margin_cm = (np.asarray(values, float) for values in (times, com, margin_cm))
    _check(times, com, margin_cm, demands)
    cycle = (times - times[0]) / (times[-1] - times[0])
    speed = np.linalg.norm(np.gradient(com, times, axis=0), axis=1)
    measures = [margin_measure(margin_cm),
                measure("com_speed_peak", "Greatest speed of the centre of mass", speed.max(), "m/s"),
                measure("duration", "Duration", times[-1] - times[0], "s")]
    measures += [_demand_measure(demand) for demand in demands]
    notes = [NO_PROBABILITY, "Simulated on a scaled generic body: a profile of the exercise, not a test of the person."]
    notes += [DEMAND_NOTE, *caveats] if demands else [
        "The demand on the person's strength is not known: OpenSim has not computed the forces of this motion."]
    supervision = [f"{found.label}: {found.value:.3g} {found.unit}" for found in measures if found.level == "red"]
    course = np.interp(np.linspace(0, 1, 101), cycle, margin_cm)
    return MovementProfile(margin_cm=[round(float(value), 3) for value in course], measures=measures,
                           supervision=supervision, notes=notes)


def _demand_measure(demand: Demand) -> Measure:
    strength = "Of the strength measured." if demand.measured else "At least: strength not measured, see below."
    error = "" if demand.error_percent is None else (
        f" The estimated ground reaction alone may err by about ±{demand.error_percent:.0f} points.")
    return measure(f"demand_{demand.key}", f"Demand: {demand.joint}", round(demand.percent), "% of strength",
                   strength + error, "ours", demand_level(demand.percent))


def _check(times, com, margin_cm, demands) -> None:
    errors = {}
    if times.ndim != 1 or len(times) < 3 or not np.isfinite(times).all() or (np.diff(times) <= 0).any():
        errors["times"] = "At least three increasing times are needed."
    for name, values, shape in (("com", com, (len(times), 3)), ("margin_cm", margin_cm, (len(times),))):
        if values.shape != shape or not np.isfinite(values).all():
            errors[name] = f"Finite numbers of the shape {shape} are needed."
    for demand in demands:
        if not (np.isfinite(demand.percent) and demand.percent >= 0):
            errors[f"demands.{demand.key}"] = "The demand must be a number of percent, 0 or more."
    if errors:
        raise InputError(errors)
