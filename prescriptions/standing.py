"""How each patient of a list stands: conditions, body, last generation, prescription."""
from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import QuerySet

from generation.models import GenerationRequest
from patients.models import BodyMeasurement, Condition, Patient
from prescriptions.models import Prescription


def with_standing(patients: Iterable[Patient]) -> list[Patient]:
    """Adds `active_conditions`, `body`, `last_generation`, `last_prescription`.

    Four queries, whatever the length. The caller has asked the permission table for the patients.
    """
    by_key = {patient.pk: patient for patient in patients}
    for patient in by_key.values():
        patient.active_conditions, patient.body = [], None
        patient.last_generation = patient.last_prescription = None
    for condition in Condition.objects.filter(patient_id__in=by_key, resolved_on=None):
        by_key[condition.patient_id].active_conditions.append(condition)
    for name, rows, order in (
        ("body", BodyMeasurement.objects.all(), ("-measured_on", "-created_at")),
        ("last_generation", GenerationRequest.objects.defer("report", "profile"), ("-created_at",)),
        ("last_prescription", Prescription.objects.exclude(status="withdrawn").defer("document"), ("-created_at",)),
    ):
        for row in _newest(rows, by_key, order):
            setattr(by_key[row.patient_id], name, row)
    return list(by_key.values())


def _newest(rows: QuerySet, keys: Iterable[UUID], order: tuple[str, ...]) -> QuerySet:
    """One row for each patient, the first in `order`."""
    return rows.filter(patient_id__in=keys).order_by("patient_id", *order).distinct("patient_id")
