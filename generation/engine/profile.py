"""PROFILE.json: who squats, what the squat may do, and how. The schema is described in ``docs/profile.md``.

Nothing is guessed: an unknown field, a unit that does not measure the variable, a value no person has, NaN or infinity
raises :class:`ProfileError`, which names the field by its path (``constraints[2].unit``).
"""
from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from generation.engine.limits import CLINICIAN, HEAVIEST, MEASURED, Limit
from generation.engine.presets import CONDITIONS, Condition, Preset, everybody_limits, preset_limits
from generation.engine.variables import UnitMismatch, Variable, resolve, unit_factor

MAX_BYTES = 200_000
# How far the measured tempo may differ from the tempo asked for: the larger of the two (ours, E).
TEMPO_TOLERANCE_S, TEMPO_TOLERANCE_FRACTION = 0.1, 0.05
MOST_REPETITIONS = 12
TURN_FRACTION = 0.1             # the same for the pause, of the slower of descent and ascent (E)
_USUAL_PHASE_S = 2.0           # a phase that was not asked for (E)

Side = Literal["right", "left", "both"]


class ProfileError(ValueError):
    """A profile that is not accepted; ``field`` is the path of the field, ``message`` says what to do."""

    def __init__(self, field: str, message: str) -> None:
        self.field, self.message = field, message
        super().__init__(f"{field}: {message}" if field else message)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


class ProfileCondition(_Strict):
    name: str
    phase: str | None = None
    side: Side | None = None
    weeks_since_surgery: Annotated[int, Field(ge=0, le=5_000)] | None = None     # full weeks, or since the injury
    use_preset: bool = True       # false: the clinician has set the limits of this condition as constraints

    def phase_held(self) -> str | None:
        """The phase that was named, or the one that the weeks fall in; None where that is none or more than one."""
        known = CONDITIONS.get(self.name)
        if self.phase is not None or self.weeks_since_surgery is None or known is None:
            return self.phase
        held = known.phases_at(self.weeks_since_surgery)
        return held[0] if len(held) == 1 else None


class ProfileConstraint(_Strict):
    variable: str
    min: float | None = None
    max: float | None = None
    unit: str
    side: Side | None = None
    phase: Literal["", "descent", "bottom", "ascent"] = ""
    weight: Annotated[float, Field(gt=0, le=HEAVIEST)] | None = None      # None: hard; else a goal
    source: Annotated[str, Field(max_length=500)] = ""
    status: Literal["V", "R", "E", ""] = ""
    origin: Literal["clinician", "preset", "measured range"] = CLINICIAN


class Tempo(_Strict):
    descent_s: Annotated[float, Field(ge=0.5, le=10)] | None = None
    pause_s: Annotated[float, Field(ge=0, le=10)] | None = None
    ascent_s: Annotated[float, Field(ge=0.5, le=10)] | None = None


class _Range(_Strict):
    min: float | None = None
    max: float | None = None


def _as_range(value: Any) -> Any:
    if isinstance(value, (list, tuple)) and len(value) == 2:
        return {"min": value[0], "max": value[1]}
    return value


MeasuredRange = Annotated[_Range, BeforeValidator(_as_range)]
Amount = Annotated[float, Field(ge=0, le=10_000)]
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")]


class SidedStrength(_Strict):
    right: Amount | None = None
    left: Amount | None = None
    at_deg: Annotated[float, Field(ge=-90, le=150)] | None = None   # None: the group's usual angle


# Groups of muscles whose strength can be given; `body/strength.py` says which muscles and at which angle.
STRENGTH_GROUPS = (
    "hip_flexion", "hip_extension", "hip_abduction", "hip_adduction", "hip_internal_rotation", "hip_external_rotation",
    "knee_extension", "knee_flexion", "ankle_plantarflexion", "ankle_dorsiflexion",
)
STRENGTH_UNITS = ("nm", "percent")
Metres = Annotated[float, Field(gt=0, lt=2)]


class SidedLength(_Strict):
    right: Metres | None = None
    left: Metres | None = None


class SegmentLengths(_Strict):
    """Measured lengths between joint centres of the model; ``body/segments.py`` says which."""

    thigh: Metres | SidedLength | None = None
    shank: Metres | SidedLength | None = None
    foot: Metres | SidedLength | None = None
    trunk: Metres | None = None
    pelvis_width: Metres | None = None


@dataclass(frozen=True)
class StrengthMeasure:
    """What one group of muscles of one side can do: ``value`` in Nm, or in percent of what is expected."""

    path: str                 # the field, for messages
    group: str                # of STRENGTH_GROUPS
    side: str                 # right | left
    unit: str                 # of STRENGTH_UNITS
    value: float
    at_deg: float | None      # joint angle of the test


class Profile(_Strict):
    """One person and one prescription. Angles in degrees, lengths in metres, mass in kilograms, time in seconds."""

    sex: Literal["female", "male", "other"]
    age_years: Annotated[float, Field(ge=12, le=110)]
    height_m: Annotated[float, Field(ge=1.3, le=2.2)]
    mass_kg: Annotated[float, Field(ge=30, le=220)]
    segment_lengths_m: SegmentLengths = SegmentLengths()
    strength: Annotated[dict[Identifier, Amount | SidedStrength], Field(max_length=60)] = {}
    range_of_motion_deg: Annotated[dict[str, MeasuredRange], Field(max_length=60)] = {}
    conditions: Annotated[list[ProfileCondition], Field(max_length=20)] = []
    constraints: Annotated[list[ProfileConstraint], Field(max_length=100)] = []
    tempo: Tempo = Tempo()
    repetitions: Annotated[int, Field(ge=1, le=MOST_REPETITIONS)] = 1
    arms: Literal["forward", "crossed", "sides", "overhead", "support"] | None = None     # None: as the presets want
    exercise: Literal["squat"] = "squat"
    reference_motion: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    model_osim: Annotated[str, Field(min_length=1, max_length=500)] | None = None

    # ---- what the engine reads ------------------------------------------------------------------------------------

    def presets(self) -> list[tuple[ProfileCondition | None, Preset]]:
        """The presets that apply: what holds for everybody, then each condition."""
        found: list[tuple[ProfileCondition | None, Preset]] = [(None, everybody_limits())]
        for condition in self.conditions:
            if condition.use_preset:
                found.append((condition, preset_limits(condition.name, condition.phase_held(), condition.side)))
        return found

    def limits(self) -> list[Limit]:
        """Every limit that this profile sets, not yet intersected. Raises ProfileError naming the field."""
        limits = [limit for _, preset in self.presets() for limit in preset.limits]
        for index, constraint in enumerate(self.constraints):
            limits.append(_constraint_limit(constraint, f"constraints[{index}]"))
        for name, measured in self.range_of_motion_deg.items():
            limits.append(_measured_limit(name, measured))
        for name in ("descent_s", "pause_s", "ascent_s"):
            asked = getattr(self.tempo, name)
            if asked is not None:
                tolerance = tempo_tolerance(name, self.tempo)
                limits.append(Limit(name, min=max(0.0, asked - tolerance), max=asked + tolerance, source="tempo"))
        return limits

    def arm_posture(self) -> str:
        """How the arms are held: as asked, else on a support where a preset wants one, else raised forward."""
        if self.arms is not None:
            return self.arms
        return "support" if any(preset.support for _, preset in self.presets()) else "forward"

    def strength_measures(self) -> list[StrengthMeasure]:
        """Every measured strength, by group and side. Raises ProfileError naming the field."""
        measures: list[StrengthMeasure] = []
        for name, value in self.strength.items():
            path = f"strength.{_short(name, quotes='')}"
            group, _, unit = name.rpartition("_")
            if group not in STRENGTH_GROUPS or unit not in STRENGTH_UNITS:
                raise ProfileError(path, f"unknown strength; use a group ({', '.join(STRENGTH_GROUPS)}) with _nm or "
                                   "_percent, such as knee_extension_nm")
            sides = {"right": value, "left": value} if isinstance(value, float) else {
                side: getattr(value, side) for side in ("right", "left") if getattr(value, side) is not None}
            if not sides:
                raise ProfileError(path, "give right, left or both")
            at_deg = None if isinstance(value, float) else value.at_deg
            for side, amount in sides.items():
                where = path if isinstance(value, float) else f"{path}.{side}"
                if any((one.group, one.side) == (group, side) for one in measures):
                    raise ProfileError(where, f"the strength of {group} on the {side} side is given twice")
                measures.append(StrengthMeasure(where, group, side, unit, amount, at_deg))
        return measures

    def lengths(self) -> dict[str, float | dict[str, float]]:
        """The measured segment lengths: name -> metres, or side -> metres."""
        return self.segment_lengths_m.model_dump(exclude_none=True)

    def unused(self) -> list[dict[str, str]]:
        """Fields that were given and that this version records without using."""
        if self.model_osim is None:
            return []
        return [{"field": "segment_lengths_m", "reason": "the lengths of the supplied model are taken"}
                ] if self.lengths() else []


def tempo_tolerance(name: str, tempo: Tempo) -> float:
    """Accepted difference, in seconds, between a phase as asked and as measured on the delivered motion.

    A turn without a stop still looks like a short pause by the 5 % speed rule, the longer the slower the movement.
    """
    if name == "pause_s":
        slowest = max(tempo.descent_s or _USUAL_PHASE_S, tempo.ascent_s or _USUAL_PHASE_S)
        return max(TEMPO_TOLERANCE_S, TURN_FRACTION * slowest)
    return max(TEMPO_TOLERANCE_S, TEMPO_TOLERANCE_FRACTION * getattr(tempo, name))


def load_profile(path: str | Path) -> Profile:
    """Read a PROFILE.json; ``reference_motion`` and ``model_osim`` are resolved against the file's folder. Raises
    ProfileError."""
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ProfileError("", f"cannot read {path.name}: {error.strerror or 'not a file'}") from None
    if len(data) > MAX_BYTES:
        raise ProfileError("", f"{path.name} is larger than {MAX_BYTES} bytes")
    try:
        content = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ProfileError("", f"{path.name} is not JSON: {error}") from None
    profile = parse_profile(content)
    for field in ("reference_motion", "model_osim"):
        named = getattr(profile, field)
        if named is not None:
            resolved = (path.parent / named).resolve()
            if not resolved.is_file():
                raise ProfileError(field, f"there is no file {named}")
            profile = profile.model_copy(update={field: str(resolved)})
    return profile


def parse_profile(data: Any) -> Profile:
    """A profile from decoded JSON. Raises ProfileError, and nothing else, whatever ``data`` is."""
    if not isinstance(data, dict):
        raise ProfileError("", "a profile is a JSON object")
    if isinstance(data.get("sex"), str):
        data = {**data, "sex": data["sex"].strip().lower()}
    try:
        profile = Profile.model_validate(data)
    except ValidationError as error:
        found = error.errors(include_url=False)
        # of a field that may be written in two ways, the error that goes deepest is about the way that was meant
        first = max((one for one in found if one["loc"][:2] == found[0]["loc"][:2]), key=lambda one: len(one["loc"]))
        raise ProfileError(_path(first["loc"]), _plain(first)) from None
    except RecursionError:
        raise ProfileError("", "the profile is nested too deeply") from None
    for index, condition in enumerate(profile.conditions):
        _check_condition(condition, f"conditions[{index}]")
    profile.limits()
    profile.strength_measures()
    return profile


# ---- checks of meaning --------------------------------------------------------------------------------------------

def _check_condition(condition: ProfileCondition, path: str) -> None:
    known = CONDITIONS.get(condition.name)
    if known is None:
        names = ", ".join(CONDITIONS)
        raise ProfileError(f"{path}.name", f"unknown condition {_short(condition.name)}; use one of {names}")
    if not condition.use_preset:
        return
    _check_weeks(condition, known, path)
    if known.phases and condition.phase_held() is None:
        raise ProfileError(f"{path}.phase", f"{known.name} needs a phase: one of {', '.join((*known.phases, 'all'))}")
    if condition.phase not in (None, "all", *known.phases):
        phases = ", ".join((*known.phases, "all"))
        raise ProfileError(f"{path}.phase", f"{known.name} has no phase {_short(condition.phase)}; use one of {phases}")
    if condition.side is not None and not known.sided:
        raise ProfileError(f"{path}.side", f"{known.name} has no side; leave it out")
    refused = preset_limits(condition.name, condition.phase_held(), condition.side).refused
    if refused:
        raise ProfileError(f"{path}.phase", refused)


def _check_weeks(condition: ProfileCondition, known: Condition, path: str) -> None:
    week = condition.weeks_since_surgery
    if week is None:
        return
    where, held = f"{path}.weeks_since_surgery", known.phases_at(week)
    if not known.weeks:
        raise ProfileError(where, f"the sources of {known.name} count no weeks; leave it out")
    if condition.phase in known.weeks and condition.phase not in held:
        instead = " and ".join(held) or "no phase"
        raise ProfileError(where, f"week {week} is not in {condition.phase}; it is in {instead}")
    if condition.phase is None and len(held) != 1:
        found = f"is in {' and in '.join(held)}" if held else f"is in no phase of {known.name}"
        raise ProfileError(f"{path}.phase", f"week {week} {found}: give one of {', '.join((*known.phases, 'all'))}")


def _constraint_limit(constraint: ProfileConstraint, path: str) -> Limit:
    variable, side = _variable(constraint.variable, f"{path}.variable")
    try:
        factor = unit_factor(constraint.unit, variable)
    except UnitMismatch as error:
        raise ProfileError(f"{path}.unit", str(error)) from None
    if side is not None and constraint.side not in (None, side):
        raise ProfileError(f"{path}.side", f"{constraint.variable} already names the {side} side")
    side = side or constraint.side
    if side is not None and not variable.sided:
        raise ProfileError(f"{path}.side", f"{variable.name} has no side; leave it out")
    if constraint.phase and constraint.phase not in variable.phases:
        offered = f"use one of {', '.join(variable.phases)}, or leave it out" if variable.phases else "leave it out"
        raise ProfileError(f"{path}.phase", f"{variable.name} has no phase {constraint.phase}; {offered}")
    low, high = _bounds(constraint.min, constraint.max, factor, variable, path)
    return Limit(variable.name, side, low, high, constraint.source, constraint.status, constraint.origin,
                 constraint.phase, constraint.weight)


def _measured_limit(name: str, measured: _Range) -> Limit:
    path = f"range_of_motion_deg.{_short(name, quotes='')}"
    variable, side = _variable(name, path)
    if variable.unit != "deg" or variable.kind != "range":
        raise ProfileError(path, f"{variable.name} is not a joint range in degrees")
    low, high = _bounds(measured.min, measured.max, 1.0, variable, path)
    return Limit(variable.name, side, low, high, "range of motion", "", MEASURED)


def _variable(name: str, path: str) -> tuple[Variable, str | None]:
    try:
        return resolve(name)
    except KeyError:
        raise ProfileError(path, f"unknown variable {_short(name)}; docs/profile.md lists them") from None


def _bounds(low: float | None, high: float | None, factor: float, variable: Variable,
            path: str) -> tuple[float | None, float | None]:
    if low is None and high is None:
        raise ProfileError(path, "give min, max or both")
    converted = []
    for name, value in (("min", low), ("max", high)):
        value = None if value is None else value * factor
        if value is not None and not variable.lowest <= value <= variable.highest:
            raise ProfileError(f"{path}.{name}", f"{value:g} {variable.unit} is outside what {variable.name} can be: "
                         f"{variable.lowest:g} to {variable.highest:g}")
        converted.append(value)
    if low is not None and high is not None and low > high:
        raise ProfileError(f"{path}.min", f"min ({low:g}) is above max ({high:g})")
    return converted[0], converted[1]


def _short(text: object, quotes: str = "'") -> str:
    text = str(text)
    return quotes + (text if len(text) <= 60 else text[:57] + "...") + quotes


def _path(loc: tuple) -> str:
    path = ""
    for part in loc:
        if isinstance(part, int):
            path += f"[{part}]"
        elif (part in ("float", "SidedStrength", "SidedLength", "[key]") or "function-" in part
              or part.startswith("constrained")):
            continue
        else:
            path += ("." if path else "") + _short(part, quotes="")
    return path


def _plain(error: dict) -> str:
    kind = error["type"]
    if kind == "extra_forbidden":
        return "unknown field; docs/profile.md lists the fields"
    if kind == "missing":
        return "is needed"
    if kind == "finite_number":
        return "must be a finite number"
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        return "must be an object with named fields"
    return error["msg"][0].lower() + error["msg"][1:]
