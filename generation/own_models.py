"""A patient's own scaled OpenSim model: uploaded, removed; and the model that stands for a patient, to download."""
from __future__ import annotations

import gzip
import hashlib

from django.utils import timezone

from clinic.audit import recorded
from clinic.errors import ServiceError
from clinic.models import User
from clinic.permissions import require_on
from generation import apart
from generation.engine.profile import ProfileError
from generation.uploads import checked_name
from patients.models import OwnModel, Patient
from patients.selectors import own_model_current, patient_profile

NOT_YET = "The record does not allow this yet."
MOST_BYTES = 20 * 1024 * 1024       # what the engine reads


def own_model_upload(*, actor: User, patient: Patient, file_name: str, content: bytes) -> OwnModel:
    """Keep a model that the engine can use, in place of an earlier one. Takes seconds: OpenSim reads it first."""
    require_on(actor, "own_model.edit", patient)
    name = checked_name(file_name, content, (".osim",), MOST_BYTES)
    try:
        facts = apart.inspect_model(content)
    except apart.Refused as error:
        raise ServiceError.of(str(error), "file") from None
    row = OwnModel(
        patient=patient, file_name=name, sha256=hashlib.sha256(content).hexdigest(),
        osim_gzip=gzip.compress(content, mtime=0), mass_kg=facts.mass_kg, muscle_count=facts.muscle_count,
        notes=facts.notes, uploaded_by=actor,
    )
    with recorded(actor, f"Own model {name}"):
        Patient.objects.select_for_update().get(pk=patient.pk)      # two uploads come one after the other
        patient.ownmodels.filter(removed_at=None).update(removed_at=timezone.now())
        row.full_clean(exclude=["osim_gzip"])
        row.save()
    return row


def own_model_remove(*, actor: User, patient: Patient) -> None:
    """From now on the patient's body is predicted again. Generations that used the model keep it."""
    require_on(actor, "own_model.edit", patient)
    with recorded(actor, "Own model removed"):
        patient.ownmodels.filter(removed_at=None).update(removed_at=timezone.now())


def personal_model(*, patient: Patient) -> bytes:
    """The `.osim` that stands for the patient now: predicted, measured, or their own with measured strength and ranges.

    Its caller has asked the permission table. Raises ServiceError that names the field of the record.
    """
    try:
        profile = patient_profile(patient)
        own = own_model_current(patient)
        return apart.personal_model(profile, gzip.decompress(own.osim_gzip) if own else None)
    except ProfileError as error:
        raise ServiceError.of(error.message, error.field, title=NOT_YET) from None
    except apart.Refused as error:
        raise ServiceError.of(str(error), error.field, title=NOT_YET) from None
