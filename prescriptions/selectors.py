"""Prescriptions: what is read."""
from __future__ import annotations

import hashlib
import json
from uuid import UUID

from django.db.models import QuerySet

from clinic.models import User
from clinic.permissions import get_permitted, permitted
from patients.models import Patient
from prescriptions.models import Prescription

_HEAVY = ("candidate__mot_file", "candidate__playback_gzip")


def prescription_list(*, user: User, patient: Patient | None = None) -> QuerySet[Prescription]:
    rows = permitted(user, "prescription.list", Prescription.objects.all())
    if patient is not None:
        rows = rows.filter(patient=patient)
    return rows.select_related("patient", "signed_by", "candidate").defer(*_HEAVY)


def prescription_get(*, user: User, prescription_id: UUID, action: str = "prescription.view") -> Prescription:
    rows = Prescription.objects.select_related("patient", "candidate__request", "candidate__opensim_check",
                                                "signed_by", "withdrawn_by", "held_by", "previous")
    return get_permitted(user, action, rows.defer(*_HEAVY), pk=prescription_id)


def exercise_list(*, user: User) -> QuerySet[Prescription]:
    """What a patient is to do: signed, not withdrawn, not expired, their own."""
    rows = permitted(user, "exercise.view", Prescription.objects.all())
    return rows.select_related("patient", "signed_by", "candidate").defer(*_HEAVY)


def exercise_held(*, user: User) -> QuerySet[Prescription]:
    """What the patient was doing and is to leave until the clinician has spoken with them."""
    rows = permitted(user, "exercise.held", Prescription.objects.filter(status="held"))
    return rows.select_related("signed_by").only("held_at", "signed_by__full_name", "patient_id")


def exercise_get(*, user: User, prescription_id: UUID, with_motion: bool = False) -> Prescription:
    rows = Prescription.objects.select_related("patient", "signed_by", "candidate")
    return get_permitted(user, "exercise.view", rows if with_motion else rows.defer(*_HEAVY), pk=prescription_id)


def content_hash(document: dict) -> str:
    """SHA-256 of the document as canonical JSON: sorted keys, no spaces, UTF-8."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def signature_holds(prescription: Prescription) -> bool:
    """Is what is stored still what was signed: document, motion, dose and words?"""
    document = prescription.document
    if not document or content_hash(document) != prescription.content_hash:
        return False
    candidate = prescription.candidate
    same_words = all(document[name] == getattr(prescription, name) for name in ("instructions", "equipment", "version"))
    same_dose = all(getattr(prescription, name) == value for name, value in document["dose"].items())
    same_motion = document["motion_sha256"] == hashlib.sha256(candidate.mot_file).hexdigest()
    return same_words and same_dose and same_motion
