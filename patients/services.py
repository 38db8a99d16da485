"""The record of a patient: what is written. Every change is recorded with who made it and why."""
from __future__ import annotations

import math
from datetime import date

from django.utils import timezone

from clinic.audit import recorded
from clinic.errors import ServiceError, conflict
from clinic.models import Role, User
from clinic.permissions import require, require_on
from generation.engine.presets import CONDITIONS
from generation.engine.variables import VARIABLES
from patients import rules
from patients.models import (
    SIDED_SEGMENTS,
    BodyMeasurement,
    CareTeamMember,
    Condition,
    Execution,
    MovementLimit,
    Patient,
    RangeOfMotionMeasurement,
    SegmentLength,
    StrengthMeasurement,
    Tempo,
)


def patient_create(*, actor: User, given_name: str, family_name: str, birth_date: date, sex: str) -> Patient:
    """A new patient of the actor's clinic; the actor becomes the first of the care team."""
    require(actor, "patient.create")
    patient = Patient(
        clinic=actor.clinic, given_name=given_name.strip(), family_name=family_name.strip(), birth_date=birth_date,
        sex=sex,
    )
    patient.full_clean()
    rules.check_birth_date(birth_date)
    with recorded(actor, "Patient added"):
        patient.save()
        CareTeamMember.objects.create(patient=patient, clinician=actor)
    return patient


def patient_update(
    *, actor: User, patient: Patient, given_name: str, family_name: str, birth_date: date, sex: str
) -> Patient:
    require_on(actor, "patient.edit", patient)
    patient.given_name, patient.family_name = given_name.strip(), family_name.strip()
    patient.birth_date, patient.sex = birth_date, sex
    patient.full_clean()
    rules.check_birth_date(birth_date)
    with recorded(actor):
        patient.save()
    return patient


def care_team_add(*, actor: User, patient: Patient, clinician: User) -> None:
    """Adding someone who is in the team already changes nothing."""
    require_on(actor, "patient.edit", patient)
    if clinician.role != Role.CLINICIAN or clinician.clinic_id != patient.clinic_id:
        raise ServiceError.of("Choose a clinician of this clinic.", "clinician")
    with recorded(actor, "Added to the care team"):
        CareTeamMember.objects.get_or_create(patient=patient, clinician=clinician)


def patient_account_link(*, actor: User, patient: Patient, account: User | None) -> None:
    """Let `account` see what is signed for this patient; None takes the account away."""
    require_on(actor, "patient.edit", patient)
    if account is not None:
        if account.role != Role.PATIENT or account.clinic_id != patient.clinic_id:
            raise ServiceError.of("Choose a patient's account of this clinic.", "account")
        if Patient.objects.filter(account=account).exclude(pk=patient.pk).exists():
            raise ServiceError.of("This account belongs to another patient.", "account")
    patient.account = account
    patient.full_clean()
    with recorded(actor, "Account linked" if account else "Account taken away"):
        patient.save(update_fields=["account"])


def body_measurement_record(
    *, actor: User, patient: Patient, height_m: float, mass_kg: float, measured_on: date
) -> BodyMeasurement:
    require_on(actor, "patient.edit", patient)
    rules.check_past("measured_on", measured_on, patient.birth_date)
    row = BodyMeasurement(patient=patient, height_m=height_m, mass_kg=mass_kg, measured_on=measured_on)
    return _saved(actor, row)


def range_of_motion_record(
    *, actor: User, patient: Patient, movement: str, side: str, minimum_deg: float | None, maximum_deg: float | None,
    measured_on: date, method: str = "",
) -> RangeOfMotionMeasurement:
    require_on(actor, "patient.edit", patient)
    if movement not in {variable.name for variable in rules.joint_ranges()}:
        raise ServiceError.of("Choose a movement from the list.", "movement")
    rules.check_side(VARIABLES[movement], side)
    rules.check_bounds(VARIABLES[movement], minimum_deg, maximum_deg, ("minimum_deg", "maximum_deg"))
    rules.check_past("measured_on", measured_on, patient.birth_date)
    return _saved(actor, RangeOfMotionMeasurement(
        patient=patient, movement=movement, side=side, minimum_deg=minimum_deg, maximum_deg=maximum_deg,
        measured_on=measured_on, method=method,
    ))


def strength_record(
    *, actor: User, patient: Patient, muscle_group: str, side: str, torque_nm: float | None = None,
    percent: float | None = None, at_deg: float | None = None, measured_on: date, method: str = "",
) -> StrengthMeasurement:
    """Measured strength: in Nm at a joint angle (None: the group's usual one), or in percent of the expected."""
    require_on(actor, "patient.edit", patient)
    if (torque_nm is None) == (percent is None):
        raise ServiceError.of("Give the torque in Nm or the percent of the expected strength, one of the two.",
                              "torque_nm")
    if at_deg is not None and torque_nm is None:
        raise ServiceError.of("A joint angle belongs to a torque in Nm.", "at_deg")
    rules.check_past("measured_on", measured_on, patient.birth_date)
    return _saved(actor, StrengthMeasurement(
        patient=patient, muscle_group=muscle_group, side=side, torque_nm=torque_nm, percent=percent, at_deg=at_deg,
        measured_on=measured_on, method=method,
    ))


def segment_length_record(
    *, actor: User, patient: Patient, segment: str, side: str, length_m: float, measured_on: date, method: str = ""
) -> SegmentLength:
    require_on(actor, "patient.edit", patient)
    if segment in SIDED_SEGMENTS and side not in ("left", "right", "both"):
        raise ServiceError.of("Choose left, right or both.", "side")
    if segment not in SIDED_SEGMENTS and side:
        raise ServiceError.of("This length has no side; leave it empty.", "side")
    rules.check_past("measured_on", measured_on, patient.birth_date)
    return _saved(actor, SegmentLength(
        patient=patient, segment=segment, side=side, length_m=length_m, measured_on=measured_on, method=method,
    ))


def condition_record(
    *, actor: User, patient: Patient, name: str, phase: str, side: str, onset_on: date | None
) -> Condition:
    """A condition, with the limits that its preset brings. Without a phase, the one that the weeks since `onset_on`
    fall in, where the protocols count weeks."""
    require_on(actor, "patient.edit", patient)
    condition = Condition(patient=patient, name=name, phase=phase, side=side, onset_on=onset_on)
    _phase_from_onset(condition)
    preset = _checked_preset(condition)
    if patient.conditions.filter(name=name, side=side, resolved_on=None).exists():
        raise ServiceError.of("This condition is in the record already; change its phase there.", "name")
    with recorded(actor, "Condition recorded"):
        condition.save()
        _bring_preset_limits(condition, preset)
    return condition


def condition_update(*, actor: User, condition: Condition, phase: str, side: str, onset_on: date | None) -> Condition:
    """A new phase or side replaces the preset limits; what the clinician changed in the old ones ends with them."""
    require_on(actor, "patient.edit", condition)
    _require_active(condition)
    before = condition.phase, condition.side
    condition.phase, condition.side, condition.onset_on = phase, side, onset_on
    _phase_from_onset(condition)
    replaced = before != (condition.phase, condition.side)
    preset = _checked_preset(condition)
    with recorded(actor, "Condition changed"):
        condition.save()
        if replaced:
            condition.limits.filter(removed_at=None).update(
                removed_at=timezone.now(), reason="Replaced: the condition's phase or side changed."
            )
            _bring_preset_limits(condition, preset)
    return condition


def condition_resolve(*, actor: User, condition: Condition) -> Condition:
    require_on(actor, "patient.edit", condition)
    _require_active(condition)
    condition.resolved_on = timezone.localdate()
    with recorded(actor, "Condition resolved"):
        condition.save()
        condition.limits.filter(removed_at=None).update(removed_at=timezone.now(), reason="The condition is resolved.")
    return condition


def movement_limit_add(
    *, actor: User, patient: Patient, variable: str, side: str, minimum: float | None, maximum: float | None,
    phase: str = "", weight: float | None = None, reason: str = "",
) -> MovementLimit:
    """A limit that the clinician sets, on the whole squat or one part of it; with a weight it is a goal."""
    require_on(actor, "patient.edit", patient)
    known = rules.known_variable(variable)
    rules.check_side(known, side)
    rules.check_phase(known, phase)
    rules.check_weight(weight)
    rules.check_bounds(known, minimum, maximum, ("minimum", "maximum"))
    return _saved(actor, MovementLimit(
        patient=patient, variable=variable, side=side, phase=phase, minimum=minimum, maximum=maximum, weight=weight,
        unit=known.unit, source=f"Set by {actor.full_name}", reason=reason.strip(),
    ), reason)


def movement_limit_change(
    *, actor: User, limit: MovementLimit, minimum: float | None, maximum: float | None, weight: float | None = None,
    reason: str = "",
) -> MovementLimit:
    """Tighten freely; allow more than the preset, or make a goal of what it demands, only with a reason."""
    require_on(actor, "patient.edit", limit)
    _require_kept(limit)
    rules.check_bounds(VARIABLES[limit.variable], minimum, maximum, ("minimum", "maximum"))
    rules.check_weight(weight)
    looser = limit.is_preset and (
        rules.is_looser(minimum, maximum, limit.preset_minimum, limit.preset_maximum)
        or (weight is not None and weight < (math.inf if limit.preset_weight is None else limit.preset_weight)))
    if looser and not reason.strip():
        raise ServiceError.of("This allows more than the protocol does. Say why.", "reason")
    limit.minimum, limit.maximum, limit.weight, limit.reason = minimum, maximum, weight, reason.strip()
    return _saved(actor, limit, reason)


def movement_limit_remove(*, actor: User, limit: MovementLimit, reason: str = "") -> MovementLimit:
    require_on(actor, "patient.edit", limit)
    _require_kept(limit)
    if limit.is_preset and not reason.strip():
        raise ServiceError.of("This limit comes from a protocol. Say why it does not apply.", "reason")
    limit.removed_at, limit.reason = timezone.now(), reason.strip()
    return _saved(actor, limit, reason)


def tempo_set(*, actor: User, patient: Patient, descent_s: float, pause_s: float, ascent_s: float) -> Tempo:
    require_on(actor, "patient.edit", patient)
    tempo = Tempo(patient=patient, descent_s=descent_s, pause_s=pause_s, ascent_s=ascent_s)
    tempo.full_clean(validate_unique=False)
    with recorded(actor, "Tempo set"):
        Tempo.objects.update_or_create(
            patient=patient, defaults={"descent_s": descent_s, "pause_s": pause_s, "ascent_s": ascent_s}
        )
    return tempo


def tempo_clear(*, actor: User, patient: Patient) -> None:
    """Leave the tempo to the engine."""
    require_on(actor, "patient.edit", patient)
    with recorded(actor, "Tempo cleared"):
        Tempo.objects.filter(patient=patient).delete()


def execution_set(*, actor: User, patient: Patient, arms: str, repetitions: int) -> Execution:
    """Where the arms are (empty: as the protocols say), and how many squats in a row."""
    require_on(actor, "patient.edit", patient)
    execution = Execution(patient=patient, arms=arms, repetitions=repetitions)
    execution.full_clean(validate_unique=False)
    with recorded(actor, "Arms and repetitions set"):
        Execution.objects.update_or_create(patient=patient, defaults={"arms": arms, "repetitions": repetitions})
    return execution


def _saved(actor: User, row, reason: str = ""):
    row.full_clean()
    with recorded(actor, reason.strip()):
        row.save()
    return row


def _require_active(condition: Condition) -> None:
    if condition.resolved_on is not None:
        raise conflict("This condition is resolved. Record it anew if it came back.")


def _require_kept(limit: MovementLimit) -> None:
    if limit.removed_at is not None:
        raise conflict("This limit was removed already.")


def _phase_from_onset(condition: Condition) -> None:
    known = CONDITIONS.get(condition.name)
    if known is not None and known.phases and not condition.phase:
        rules.check_past("onset_on", condition.onset_on, condition.patient.birth_date)
        condition.phase = rules.phase_from_week(condition.name, condition.week)


def _checked_preset(condition: Condition):
    preset = rules.condition_preset(condition.name, condition.phase, condition.side)
    rules.check_past("onset_on", condition.onset_on, condition.patient.birth_date)
    condition.full_clean()
    return preset


def _bring_preset_limits(condition: Condition, preset) -> None:
    MovementLimit.objects.bulk_create(
        MovementLimit(
            patient=condition.patient, condition=condition, variable=limit.variable, side=limit.side or "",
            phase=limit.phase, minimum=limit.min, maximum=limit.max, weight=limit.weight, preset_minimum=limit.min,
            preset_maximum=limit.max, preset_weight=limit.weight, unit=limit.unit, source=limit.source,
            status=limit.status,
        )
        for limit in preset.limits
    )
