"""Checks of what is written into the record, and the words for them. The vocabulary is the engine's."""
from __future__ import annotations

import math
import re
from datetime import date

from django.utils import timezone

from clinic.errors import FieldError, ServiceError
from generation.engine.limits import HEAVIEST, Limit, LimitConflict
from generation.engine.presets import CONDITIONS, Preset, preset_limits
from generation.engine.variables import VARIABLES, Variable

YOUNGEST, OLDEST = 10, 110      # years; what the engine's profile accepts


def check_birth_date(birth_date: date) -> None:
    years = (timezone.localdate() - birth_date).days / 365.25
    if not YOUNGEST <= years <= OLDEST:
        raise ServiceError.of(f"The patient must be between {YOUNGEST} and {OLDEST} years old.", "birth_date")


def check_past(field: str, day: date | None, born: date) -> None:
    if day is None:
        return
    if day > timezone.localdate():
        raise ServiceError.of("This date is in the future.", field)
    if day < born:
        raise ServiceError.of("This date is before the patient's birth.", field)


def joint_ranges() -> list[Variable]:
    """What can be measured as a range of motion: joint angles in degrees."""
    whole_body = {"pelvis_tilt", "trunk_forward_lean", "trunk_lateral_lean"}
    return [v for v in VARIABLES.values() if v.kind == "range" and v.unit == "deg" and v.name not in whole_body]


def known_variable(name: str, field: str = "variable") -> Variable:
    if name not in VARIABLES:
        raise ServiceError.of("Choose a variable from the list.", field)
    return VARIABLES[name]


def check_side(variable: Variable, side: str, field: str = "side") -> None:
    if variable.sided and side not in ("left", "right", "both"):
        raise ServiceError.of("Choose left, right or both.", field)
    if not variable.sided and side:
        raise ServiceError.of(f"{variable.label} has no side; leave it empty.", field)


def check_bounds(variable: Variable, low: float | None, high: float | None, fields: tuple[str, str]) -> None:
    if low is None and high is None:
        raise ServiceError.of("Give a minimum, a maximum or both.", fields[1])
    errors = [
        FieldError(field, f"Must be between {variable.lowest:g} and {variable.highest:g}{written_unit(variable.unit)}.")
        for field, value in zip(fields, (low, high), strict=True)
        if value is not None and not (math.isfinite(value) and variable.lowest <= value <= variable.highest)
    ]
    if errors:
        raise ServiceError(*errors)
    if low is not None and high is not None and low > high:
        raise ServiceError.of(f"The minimum ({low:g}) is above the maximum ({high:g}).", fields[0])


def check_phase(variable: Variable, phase: str, field: str = "phase") -> None:
    if phase and phase not in variable.phases:
        raise ServiceError.of(f"{variable.label} belongs to the whole squat; leave the part empty." if not
                              variable.phases else "Choose a part of the squat from the list.", field)


def check_weight(weight: float | None, field: str = "weight") -> None:
    if weight is not None and not (math.isfinite(weight) and 0 < weight <= HEAVIEST):
        raise ServiceError.of(f"The weight of a goal lies above 0 and is at most {HEAVIEST:g}.", field)


def weight_words(weight: float | None) -> str:
    """Hard, or how much a goal counts."""
    if weight is None:
        return "Must be kept"
    return {0.3: "Goal, nice to have", 1.0: "Goal", 3.0: "Goal, important"}.get(weight, f"Goal of weight {weight:g}")


def part_words(phase: str) -> str:
    """The part of a squat that a limit is about: `on the way down`; nothing for the whole."""
    return {"descent": "on the way down", "bottom": "at the bottom", "ascent": "on the way up"}.get(phase, "")


def written_unit(unit: str) -> str:
    """A unit as it is written after a number."""
    return {"deg": "°", "deg/s": "°/s", "1": ""}.get(unit, f" {unit}")


def collision_words(error: LimitConflict) -> str:
    """A collision that the engine found, with the names that the pages use."""
    text = f"{_limit_words(error.first)} and {_limit_words(error.second)} cannot both hold"
    return f"{text}: {plain(error.why)}." if error.why else f"{text}."


def plain(text: str) -> str:
    """A sentence of the engine with the names that the pages use in place of its variables' names."""


    def label(found: re.Match) -> str:
        return f"“{VARIABLES[found[0]].label}”" if found[0] in VARIABLES else found[0]

    return re.sub(r" deg\b", "°", re.sub(r"\b[a-z][a-zA-Z0-9]*(?:_[a-z]+)+\b", label, text))


def refusal_words(preset: Preset, phase: str) -> str:
    """Why a preset allows no squat; empty where it does."""
    text = preset.refused.replace(f"in phase {phase}", f"in this phase ({phase_words(phase).lower()})")
    return text[:1].upper() + text[1:]


def _limit_words(limit: Limit) -> str:
    unit = written_unit(limit.unit)
    pairs = (("at least", limit.min), ("at most", limit.max))
    values = " and ".join(f"{word} {value:g}{unit}" for word, value in pairs if value is not None)
    part = f", {part_words(limit.phase)}" if limit.phase else ""
    return f"“{VARIABLES[limit.variable].label}{f', {limit.side}' if limit.side else ''}{part}: {values}”"


def phase_words(phase: str) -> str:
    """A protocol's phase as it is read: `Weeks 6 to 16` for `wk 6-16`. What is not counted in weeks stays as it is."""
    if phase == "all":
        return "Outside the protocol's phases"
    words = re.sub(r"^wk (\d+)-(\d+)\.\.(\d+)", r"weeks \1 to \2, at most \3", phase)
    words = re.sub(r"^wk (\d+)-(\d+)", r"weeks \1 to \2", words)
    words = re.sub(r"^wk (\d+)\+ ?", r"from week \1, ", words)
    words = re.sub(r"\bwk (\d+)", r"week \1", words).removesuffix(", ")
    return words[:1].upper() + words[1:]


def is_looser(low: float | None, high: float | None, than_low: float | None, than_high: float | None) -> bool:
    """Does (low, high) allow anything that (than_low, than_high) does not?"""
    lower = than_low is not None and (low is None or low < than_low)
    higher = than_high is not None and (high is None or high > than_high)
    return lower or higher


def phase_from_week(name: str, week: int | None) -> str:
    """The phase that the weeks since surgery or injury fall in; ServiceError where the sources leave it open."""
    known = CONDITIONS[name]
    if week is None or not known.weeks:
        raise ServiceError.of(f"Choose a phase of {known.label}: {', '.join(map(phase_words, known.phases))}.", "phase")
    held = known.phases_at(week)
    if len(held) == 1:
        return held[0]
    found = f"is in {' and in '.join(phase_words(phase).lower() for phase in held)}" if held else "is in no phase"
    raise ServiceError.of(f"Week {week} {found} of the protocols of {known.label}: choose one.", "phase")


def condition_preset(name: str, phase: str, side: str) -> Preset:
    """The preset of a condition as it is entered; ServiceError names the field that does not fit."""
    known = CONDITIONS.get(name)
    if known is None:
        raise ServiceError.of("Choose a condition from the list.", "name")
    if known.phases and phase not in (*known.phases, "all"):
        raise ServiceError.of(f"Choose a phase of {known.label}: {', '.join(map(phase_words, known.phases))}.", "phase")
    if not known.phases and phase not in ("", "all"):
        raise ServiceError.of(f"{known.label} has no phases; leave it empty.", "phase")
    if known.sided and side not in ("left", "right", "both"):
        raise ServiceError.of(f"Choose the side of {known.label}.", "side")
    if not known.sided and side:
        raise ServiceError.of(f"{known.label} has no side; leave it empty.", "side")
    return preset_limits(name, phase or None, side or None)
