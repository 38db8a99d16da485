"""How steady and how demanding a prescribed motion is: from the simulation, never part of a probability of falling."""
from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from pydantic import BaseModel

from fall_risk.scores.fields import InputError
from fall_risk.scores.motion import NO_PROBABILITY, Measure, margin_measure, measure

VERSION = "1"
DEMAND_AMBER, DEMAND_RED = 60.0, 80.0           # E, percent of the person's strength


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
                     required_nm: Mapping[str, np.ndarray] | None = None,
                     available_nm: Mapping[str, float] | None = None) -> MovementProfile:
    """Profile of one motion: ``times`` (time,) s, ``com`` (time, 3) m, ``margin_cm`` (time,).

    ``required_nm`` holds joint moments over time (time,) by name, ``available_nm`` the person's strength by the same
    names; a name without strength is left out and said. Raises InputError, naming the argument, for shapes that do
    not fit.
    """
    times, com, margin_cm = (np.asarray(values, float) for values in (times, com, margin_cm))
    required = {name: np.asarray(values, float) for name, values in (required_nm or {}).items()}
    _check(times, com, margin_cm, required, available_nm or {})
    cycle = (times - times[0]) / (times[-1] - times[0])
    speed = np.linalg.norm(np.gradient(com, times, axis=0), axis=1)
    measures = [margin_measure(margin_cm),
                measure("com_speed_peak", "Greatest speed of the centre of mass", speed.max(), "m/s"),
                measure("duration", "Duration", times[-1] - times[0], "s")]
    notes = [NO_PROBABILITY, "Simulated on a scaled generic body: a profile of the exercise, not a test of the person."]
    for name, moments in required.items():
        strength = (available_nm or {}).get(name)
        if strength is None:
            notes.append(f"{name}: no strength is recorded, so the demand is not known.")
            continue
        percent = 100 * float(np.abs(moments).max()) / strength
        measures.append(measure(f"demand_{name}", f"Demand: {name}", percent, "% of strength",
                                "Bands of 60 and 80 % are ours. For standing up, older adults were seen at 69 %, "
                                "frail elders at 97 %.", "ours",
                                demand_level(percent)))
    supervision = [f"{found.label}: {found.value:g} {found.unit}" for found in measures if found.level == "red"]
    course = np.interp(np.linspace(0, 1, 101), cycle, margin_cm)
    return MovementProfile(margin_cm=[round(float(value), 3) for value in course], measures=measures,
                           supervision=supervision, notes=notes)


def _check(times, com, margin_cm, required, available) -> None:
    errors = {}
    if times.ndim != 1 or len(times) < 3 or not np.isfinite(times).all() or (np.diff(times) <= 0).any():
        errors["times"] = "At least three increasing times are needed."
    for name, values, shape in (("com", com, (len(times), 3)), ("margin_cm", margin_cm, (len(times),)),
                                *((f"required_nm.{key}", values, (len(times),)) for key, values in required.items())):
        if values.shape != shape or not np.isfinite(values).all():
            errors[name] = f"Finite numbers of the shape {shape} are needed."
    for name, strength in available.items():
        if not (np.isfinite(strength) and strength > 0):
            errors[f"available_nm.{name}"] = "The strength must be a positive number of Nm."
    if errors:
        raise InputError(errors)
