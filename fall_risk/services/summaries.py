"""What the patient is told about an assessment: written by a clinician, released, taken back."""
from __future__ import annotations

import re

from django.utils import timezone

from clinic.audit import recorded
from clinic.errors import ServiceError, conflict
from clinic.models import User
from clinic.permissions import require_on
from fall_risk import push
from fall_risk.models import Assessment, AssessmentStatus, ReleasedSummary
from patients.models import Patient

_PERCENTAGE = re.compile(r"[%‰％]|\bper ?cent\b", re.IGNORECASE)


def summary_release(*, actor: User, assessment: Assessment, text: str) -> ReleasedSummary:
    """The patient sees these words from now on, in place of earlier ones. A percentage is refused: a population's
    probability reads like a fate."""
    require_on(actor, "fall_risk.release", assessment)
    if assessment.status != AssessmentStatus.COMPLETE:
        raise conflict("Complete the assessment first.")
    if _PERCENTAGE.search(text):
        raise ServiceError.of("Say it without a percentage: it speaks of a population, not of this person.", "text")
    summary = ReleasedSummary(
        patient_id=assessment.patient_id, assessment=assessment, text=text.strip(), released_by=actor
    )
    summary.full_clean(validate_constraints=False)
    with recorded(actor, "Summary released to the patient"):
        Patient.objects.select_for_update().get(pk=assessment.patient_id)
        ReleasedSummary.objects.filter(patient_id=assessment.patient_id, withdrawn_at=None).update(
            withdrawn_at=timezone.now()
        )
        summary.save()
        push.patient_changed(summary.patient_id)
    return summary


def summary_withdraw(*, actor: User, summary: ReleasedSummary) -> ReleasedSummary:
    require_on(actor, "fall_risk.release", summary)
    with recorded(actor, "Summary taken back"):
        summary = ReleasedSummary.objects.select_for_update().get(pk=summary.pk)
        if summary.withdrawn_at is not None:
            raise conflict("This summary is taken back already.")
        summary.withdrawn_at = timezone.now()
        summary.save(update_fields=["withdrawn_at"])
        push.patient_changed(summary.patient_id)
    return summary
