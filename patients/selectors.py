"""The record of a patient: what is read, and the profile that the engine is asked with."""
from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from clinic.models import User
from clinic.permissions import get_permitted, permitted, require
from generation.engine.limits import MODEL_LIMITS, Limit, LimitConflict, intersect
from generation.engine.presets import Reminder, everybody_limits, preset_limits
from generation.engine.profile import ProfileError, parse_profile
from patients import rules
from patients.models import (
    BodyMeasurement,
    Condition,
    Execution,
    MovementLimit,
    MuscleGroup,
    OwnModel,
    Patient,
    RangeOfMotionMeasurement,
    SegmentLength,
    StrengthMeasurement,
    Tempo,
)

SOURCE_LENGTH = 500     # characters of a source that the engine's profile takes


def patient_list(*, user: User, search: str = "") -> QuerySet[Patient]:
    """Patients whose care team the user belongs to; every word of `search` must be in the name."""
    rows = permitted(user, "patient.list", Patient.objects.all())
    for word in search.replace("\x00", "").split()[:5]:
        rows = rows.filter(Q(given_name__icontains=word) | Q(family_name__icontains=word))
    return rows


def directory_list(*, user: User) -> QuerySet[Patient]:
    """All patients of the clinic for its administrator: names and care teams, nothing clinical."""
    rows = permitted(user, "directory.list", Patient.objects.all())
    return rows.prefetch_related("care_team").select_related("account")


def patient_get(*, user: User, patient_id, action: str = "patient.view") -> Patient:
    return get_permitted(user, action, Patient.objects.select_related("clinic", "account"), pk=patient_id)


def condition_get(*, user: User, condition_id, action: str = "patient.edit") -> Condition:
    return get_permitted(user, action, Condition.objects.select_related("patient"), pk=condition_id)


def movement_limit_get(*, user: User, limit_id, action: str = "patient.edit") -> MovementLimit:
    rows = MovementLimit.objects.select_related("patient", "condition")
    return get_permitted(user, action, rows, pk=limit_id)


def body_latest(patient: Patient) -> BodyMeasurement | None:
    return patient.bodymeasurements.first()


def range_of_motion_latest(patient: Patient) -> list[RangeOfMotionMeasurement]:
    """The newest measurement of each movement and side."""
    return list(patient.rangeofmotionmeasurements.distinct("movement", "side"))


def strength_latest(patient: Patient) -> list[StrengthMeasurement]:
    return list(patient.strengthmeasurements.distinct("muscle_group", "side"))


def segment_lengths_latest(patient: Patient) -> list[SegmentLength]:
    """The newest measurement of each segment and side."""
    return list(patient.segmentlengths.distinct("segment", "side"))


def own_model_current(patient: Patient) -> OwnModel | None:
    """The patient's own model in force, without the file."""
    return patient.ownmodels.filter(removed_at=None).defer("osim_gzip").first()


def own_model_get(*, user: User, patient: Patient, action: str = "patient.view") -> OwnModel:
    """The patient's own model in force, with the file."""
    return get_permitted(user, action, OwnModel.objects.filter(removed_at=None), patient=patient)


def conditions_active(patient: Patient) -> list[Condition]:
    return list(patient.conditions.filter(resolved_on=None))


def movement_limits_kept(patient: Patient) -> list[MovementLimit]:
    return list(patient.movementlimits.filter(removed_at=None).select_related("condition"))


def movement_limits_removed(patient: Patient) -> list[MovementLimit]:
    """Protocol limits of present conditions that the clinician took away, with the reason."""
    rows = patient.movementlimits.exclude(removed_at=None)
    return list(rows.filter(condition__resolved_on=None, condition__isnull=False)
                .exclude(reason__startswith="Replaced:").select_related("condition"))


def tempo_get(patient: Patient) -> Tempo | None:
    return Tempo.objects.filter(patient=patient).first()


def execution_get(patient: Patient) -> Execution | None:
    return Execution.objects.filter(patient=patient).first()


def support_wanted(conditions: list[Condition]) -> list[Condition]:
    """Those whose protocol wants the hands on a support."""
    return [c for c in conditions if preset_limits(c.name, c.phase or None, c.side or None).support]


@dataclass(frozen=True)
class Collision:
    """Two limits that cannot both hold; `rows` are those of the record (other limits hold for everybody)."""

    message: str
    rows: tuple[MovementLimit, ...]


@dataclass(frozen=True)
class Obstacle:
    """Why nothing can be generated now."""

    message: str
    field: str = ""


@dataclass(frozen=True)
class Overview:
    """What the patient page shows at a glance."""

    patient: Patient
    body: BodyMeasurement | None
    body_history: list[BodyMeasurement]
    ranges: list[RangeOfMotionMeasurement]
    strengths: list[StrengthMeasurement]
    lengths: list[SegmentLength]
    own_model: OwnModel | None
    conditions: list[Condition]
    limits: list[MovementLimit]
    limits_removed: list[MovementLimit]
    common_limits: list[Limit]
    reminders: list[Reminder]
    tempo: Tempo | None
    execution: Execution | None
    support_wanted: list[Condition]
    collision: Collision | None
    obstacle: Obstacle | None


def patient_overview(*, user: User, patient: Patient) -> Overview:
    require(user, "patient.view")
    conditions = conditions_active(patient)
    limits = movement_limits_kept(patient)
    collision, obstacle = _collision_and_obstacle(patient, limits)
    return Overview(
        patient=patient,
        body=body_latest(patient),
        body_history=list(patient.bodymeasurements.all()[:6]),
        ranges=range_of_motion_latest(patient),
        strengths=strength_latest(patient),
        lengths=segment_lengths_latest(patient),
        own_model=own_model_current(patient),
        conditions=conditions,
        limits=limits,
        limits_removed=movement_limits_removed(patient),
        common_limits=everybody_limits().limits,
        reminders=[
            reminder for condition in conditions
            for reminder in preset_limits(condition.name, condition.phase or None, condition.side or None).reminders
        ],
        tempo=tempo_get(patient),
        execution=execution_get(patient),
        support_wanted=support_wanted(conditions),
        collision=collision,
        obstacle=obstacle,
    )


def patient_profile(patient: Patient) -> dict:
    """The profile for the engine. Raises ProfileError where the record does not allow a squat or lacks something.

    The record holds the presets already, perhaps changed by the clinician: the engine is told not to add them again.
    """
    body = body_latest(patient)
    if body is None:
        raise ProfileError("height_m", "Record height and body mass first.")
    conditions = conditions_active(patient)
    for condition in conditions:
        preset = preset_limits(condition.name, condition.phase or None, condition.side or None)
        if preset.refused:
            raise ProfileError("conditions", f"{rules.refusal_words(preset, condition.phase)}.")
    profile = {
        "sex": patient.sex,
        "age_years": patient.age_years,
        "height_m": body.height_m,
        "mass_kg": body.mass_kg,
        "conditions": [
            {"name": c.name, "phase": c.phase or None, "side": c.side or None, "use_preset": False} for c in conditions
        ],
        "constraints": [_constraint(limit) for limit in movement_limits_kept(patient)],
        "range_of_motion_deg": _ranges(range_of_motion_latest(patient)),
        "strength": _strengths(strength_latest(patient)),
        "exercise": "squat",
    }
    if lengths := _lengths(segment_lengths_latest(patient)):
        profile["segment_lengths_m"] = lengths
    if own := own_model_current(patient):
        profile["model_osim"] = own.file_name       # the file itself goes with the request
    execution = execution_get(patient)
    arms = execution.arms if execution else ""
    if arms or support_wanted(conditions):
        profile["arms"] = arms or "support"
    if execution:
        profile["repetitions"] = execution.repetitions
    if tempo := tempo_get(patient):
        profile["tempo"] = {"descent_s": tempo.descent_s, "pause_s": tempo.pause_s, "ascent_s": tempo.ascent_s}
    return profile


def profile_checked(patient: Patient) -> dict:
    """As `patient_profile`, and the engine agrees to it: raises ProfileError or LimitConflict."""
    profile = patient_profile(patient)
    intersect([*parse_profile(profile).limits(), *MODEL_LIMITS])
    return profile


def _collision_and_obstacle(patient: Patient, limits: list[MovementLimit]) -> tuple[Collision | None, Obstacle | None]:
    try:
        profile_checked(patient)
    except LimitConflict as error:
        return Collision(rules.collision_words(error), rows_of(error, limits)), None
    except ProfileError as error:
        return None, Obstacle(error.message, error.field)
    return None, None


def rows_of(error: LimitConflict, limits: list[MovementLimit]) -> tuple[MovementLimit, ...]:
    """The rows of the record behind a collision that the engine found."""
    return tuple(row for row in limits if any(_is(row, found) for found in (error.first, error.second)))


def _is(row: MovementLimit, limit: Limit) -> bool:
    same_bound = (limit.min is not None and row.minimum == limit.min) or (
        limit.max is not None and row.maximum == limit.max
    )
    same_kind = (row.variable, row.phase, row.weight) == (limit.variable, limit.phase, limit.weight)
    return same_kind and (row.side or None) in (limit.side, "both") and same_bound


def _constraint(limit: MovementLimit) -> dict:
    changed = limit.is_changed or not limit.is_preset
    source = limit.source
    if limit.is_changed:
        protocol = " to ".join(f"{v:g}" for v in (limit.preset_minimum, limit.preset_maximum) if v is not None)
        kind = "" if limit.preset_weight is None else ", a goal"
        why = limit.reason or "tightened"
        source = f"Changed by the clinician: {why} (protocol {protocol} {limit.unit}{kind}: {limit.source})"
    return {
        "variable": limit.variable,
        "side": limit.side or None,
        "phase": limit.phase,
        "weight": limit.weight,
        "min": limit.minimum,
        "max": limit.maximum,
        "unit": limit.unit,
        "source": source[:SOURCE_LENGTH],
        "status": "" if changed else limit.status,
        "origin": "clinician" if changed else "preset",
    }


def _ranges(rows: list[RangeOfMotionMeasurement]) -> dict:
    """`both` is spelled out, so that a newer measurement of one side can stand beside it."""
    ranges: dict[str, tuple] = {}
    for row in sorted(rows, key=lambda row: (row.measured_on, row.created_at)):
        sides = ("left", "right") if row.side == "both" else (row.side,)
        for side in sides:
            ranges[f"{row.movement}_{side}" if side else row.movement] = (row.minimum_deg, row.maximum_deg)
    return {name: {"min": low, "max": high} for name, (low, high) in ranges.items()}


def _strengths(rows: list[StrengthMeasurement]) -> dict:
    """Raises ProfileError where both sides of a group were measured in Nm at different joint angles."""
    strengths: dict[str, dict[str, float]] = {}
    angles: dict[str, float | None] = {}
    for row in rows:
        if row.percent is not None:
            strengths.setdefault(f"{row.muscle_group}_percent", {})[row.side] = row.percent
            continue
        name = f"{row.muscle_group}_nm"
        if angles.setdefault(name, row.at_deg) != row.at_deg:
            label = MuscleGroup(row.muscle_group).label
            raise ProfileError("strength", f"{label} was measured at different joint angles left and right. Measure "
                               "both at the same angle.")
        strengths.setdefault(name, {})[row.side] = row.torque_nm
        if row.at_deg is not None:
            strengths[name]["at_deg"] = row.at_deg
    return strengths


def _lengths(rows: list[SegmentLength]) -> dict:
    """`both` is spelled out, so that a newer measurement of one side can stand beside it."""
    lengths: dict[str, float | dict[str, float]] = {}
    for row in sorted(rows, key=lambda row: (row.measured_on, row.created_at)):
        if not row.side:
            lengths[row.segment] = row.length_m
            continue
        sides = ("left", "right") if row.side == "both" else (row.side,)
        lengths.setdefault(row.segment, {}).update(dict.fromkeys(sides, row.length_m))
    return lengths


