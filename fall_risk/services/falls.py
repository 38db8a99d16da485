"""Falls: reported by the patient or recorded by a clinician. Either alerts the care team and holds the exercise."""
from __future__ import annotations

from datetime import date
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from clinic.audit import recorded
from clinic.errors import ServiceError, conflict
from clinic.models import User
from clinic.permissions import require_on
from fall_risk import push
from fall_risk.models import AlertKind, FallEvent
from fall_risk.services.alerts import alert_raise
from patients import rules
from patients.models import Patient
from prescriptions.services import patient_prescriptions_hold

HOLD_REASON = "A fall was reported."


def fall_report(
    *, actor: User, patient: Patient, occurred_on: date, injury: str, submission: UUID,
    unable_to_rise: bool | None = None, lost_consciousness: bool | None = None, circumstances: str = "",
) -> FallEvent:
    """By the patient. A report that arrives twice (the same `submission`) is stored once."""
    require_on(actor, "fall.report", patient)
    return _stored(actor, FallEvent(
        patient=patient, occurred_on=occurred_on, injury=injury, submission=submission, unable_to_rise=unable_to_rise,
        lost_consciousness=lost_consciousness, circumstances=circumstances.strip(), reported_by=actor, by_patient=True,
    ))


def fall_record(
    *, actor: User, patient: Patient, occurred_on: date, injury: str, submission: UUID,
    unable_to_rise: bool | None = None, lost_consciousness: bool | None = None, circumstances: str = "",
) -> FallEvent:
    """By a clinician of the care team."""
    require_on(actor, "fall.record", patient)
    return _stored(actor, FallEvent(
        patient=patient, occurred_on=occurred_on, injury=injury, submission=submission, unable_to_rise=unable_to_rise,
        lost_consciousness=lost_consciousness, circumstances=circumstances.strip(), reported_by=actor, by_patient=False,
    ))


def fall_retract(*, actor: User, fall: FallEvent, reason: str) -> FallEvent:
    """It was no fall, or another's. It no longer counts; holds and alerts that it brought are ended by hand."""
    require_on(actor, "fall.record", fall)
    if not reason.strip():
        raise ServiceError.of("Say why; the record keeps it.", "reason")
    with recorded(actor, f"Fall retracted: {reason.strip()}"):
        fall = FallEvent.objects.select_for_update().get(pk=fall.pk)
        if fall.retracted_at is not None:
            raise conflict("This fall is retracted already.")
        fall.retracted_at, fall.retracted_by, fall.retracted_reason = timezone.now(), actor, reason.strip()
        fall.full_clean()
        fall.save()
        push.report_changed(actor)
        push.patient_changed(fall.patient_id)
    return fall


def _stored(actor: User, fall: FallEvent) -> FallEvent:
    """The fall, the hold, the alert: all in one transaction."""
    rules.check_past("occurred_on", fall.occurred_on, fall.patient.birth_date)
    fall.full_clean(exclude=["submission"])
    try:
        with recorded(actor, "Fall reported"), transaction.atomic():
            fall.save(force_insert=True)
            patient_prescriptions_hold(actor=actor, patient=fall.patient, reason=HOLD_REASON)
            who = "the patient" if fall.by_patient else actor.full_name
            day = f"{fall.occurred_on.day} {fall.occurred_on:%B %Y}"
            alert_raise(
                patient=fall.patient, kind=AlertKind.FALL, fall=fall,
                sentence=f"A fall on {day}, reported by {who}: {fall.get_injury_display().lower()}.",
            )
            push.report_changed(actor)
            push.patient_changed(fall.patient_id)
    except IntegrityError:
        earlier = FallEvent.objects.filter(submission=fall.submission, patient=fall.patient, reported_by=actor).first()
        if earlier is None:
            raise ServiceError.of("Please send the form again.", "submission") from None
        return earlier
    return fall
