"""Prescriptions: chosen, dosed, signed, held and released, withdrawn."""
from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from clinic.audit import recorded
from clinic.errors import ServiceError, conflict
from clinic.models import User
from clinic.permissions import require_on
from generation.checks import candidate_check_hurry, require_passed
from generation.models import CandidateCheck, CandidateMotion, CheckStatus
from patients.models import Patient
from prescriptions.models import Prescription, PrescriptionStatus
from prescriptions.selectors import content_hash
from prescriptions.videos import video_for_signature
from prescriptions.words import CHECKED, NOT_CHECKED

SIGNATURE_DAYS = 14     # E: our default, no published number; the clinician looks again before it goes on
DOSE_FIELDS = ("sets", "repetitions", "rest_s", "sessions_per_week", "weeks")
REPLACED = "Replaced by a newer version."
IN_FORCE = (PrescriptionStatus.SIGNED, PrescriptionStatus.HELD)     # what a new signature replaces


def prescription_create(
    *, actor: User, candidate: CandidateMotion, previous: Prescription | None = None, sets: int, repetitions: int,
    rest_s: int, sessions_per_week: int, weeks: int, instructions: str, equipment: str = "",
) -> Prescription:
    """A draft from an accepted candidate, as the next version when `previous` is given. Its check is now urgent."""
    require_on(actor, "prescription.create", candidate)
    if not candidate.accepted:
        raise ServiceError.of("Only a motion that keeps every limit can be prescribed.", "candidate")
    patient = candidate.request.patient
    if previous is not None and previous.patient_id != patient.pk:
        raise ServiceError.of("The earlier version belongs to another patient.", "previous")
    prescription = Prescription(
        patient=patient, candidate=candidate, previous=previous, version=previous.version + 1 if previous else 1,
        sets=sets, repetitions=repetitions, rest_s=rest_s, sessions_per_week=sessions_per_week, weeks=weeks,
        instructions=instructions.strip(), equipment=equipment.strip(), created_by=actor,
    )
    prescription.full_clean()
    with recorded(actor, "Prescription drafted"):
        prescription.save()
        check = candidate_check_hurry(candidate=candidate)
        if check.status == CheckStatus.WITHDRAWN:
            raise ServiceError.of(f"OpenSim does not confirm this motion: {' '.join(check.reasons)}", "candidate")
    return prescription


def prescription_update(
    *, actor: User, prescription: Prescription, sets: int, repetitions: int, rest_s: int, sessions_per_week: int,
    weeks: int, instructions: str, equipment: str = "",
) -> Prescription:
    """Change a draft. What is signed stays: make a new version instead."""
    require_on(actor, "prescription.edit", prescription)
    with recorded(actor, "Prescription changed"):
        prescription = _locked(prescription)
        _require_draft(prescription)
        prescription.sets, prescription.repetitions, prescription.rest_s = sets, repetitions, rest_s
        prescription.sessions_per_week, prescription.weeks = sessions_per_week, weeks
        prescription.instructions, prescription.equipment = instructions.strip(), equipment.strip()
        prescription.full_clean()
        prescription.save()
    return prescription


def prescription_new_version(*, actor: User, prescription: Prescription) -> Prescription:
    """A draft with the same motion and content, to be changed and signed in its turn."""
    require_on(actor, "prescription.create", prescription)
    if prescription.is_draft:
        raise conflict("This is a draft: change it as it is.")
    return prescription_create(
        actor=actor, candidate=prescription.candidate, previous=prescription,
        **{name: getattr(prescription, name) for name in (*DOSE_FIELDS, "instructions", "equipment")},
    )


def prescription_sign(*, actor: User, prescription: Prescription, password: str) -> Prescription:
    """Sign a draft after the password was entered again: frozen, hashed, and from now on what the patient sees."""
    require_on(actor, "prescription.sign", prescription)
    if not actor.check_password(password):
        raise ServiceError.of("This is not your password.", "password")
    with recorded(actor, "Prescription signed"):
        prescription = _locked(prescription)
        _require_draft(prescription)
        check = require_passed(prescription.candidate)
        now = timezone.now()
        _withdraw_earlier(actor, prescription, now)
        prescription.status = PrescriptionStatus.SIGNED
        prescription.signed_by, prescription.signed_at = actor, now
        prescription.expires_at = now + timedelta(days=SIGNATURE_DAYS)
        prescription.document = _document(prescription, check)
        prescription.content_hash = content_hash(prescription.document)
        prescription.save()
        video_for_signature(prescription)
    return prescription


def prescription_withdraw(*, actor: User, prescription: Prescription, reason: str) -> Prescription:
    """The patient no longer sees it. A draft is withdrawn by not signing it."""
    require_on(actor, "prescription.withdraw", prescription)
    reason = _reason(reason)
    with recorded(actor, reason):
        prescription = _locked(prescription)
        if prescription.status not in IN_FORCE:
            raise conflict("Only a signed prescription can be withdrawn.")
        _withdraw(actor, prescription, reason, timezone.now())
    return prescription


def prescription_hold(*, actor: User, prescription: Prescription, reason: str) -> Prescription:
    """Stop the exercise for now: the patient is told to talk to the clinician. What was signed stays as it is."""
    require_on(actor, "prescription.hold", prescription)
    reason = _reason(reason)
    with recorded(actor, reason):
        prescription = _locked(prescription)
        if prescription.status != PrescriptionStatus.SIGNED:
            raise conflict("Only a signed prescription can be put on hold.")
        _hold(actor, prescription, reason)
    return prescription


def prescription_release(*, actor: User, prescription: Prescription, reason: str) -> Prescription:
    """End the hold. The signature runs out when it would have; after that a new version is needed."""
    require_on(actor, "prescription.hold", prescription)
    reason = _reason(reason)
    with recorded(actor, f"Hold ended: {reason}"):
        prescription = _locked(prescription)
        if prescription.status != PrescriptionStatus.HELD:
            raise conflict("This prescription is not on hold.")
        prescription.status = PrescriptionStatus.SIGNED
        prescription.save(update_fields=["status"])
    return prescription


def patient_prescriptions_hold(*, actor: User, patient: Patient, reason: str) -> list[Prescription]:
    """The automatic hold after a fall or another alarm: all that is signed for the patient. Its caller has asked the
    permission table for the event behind it, and writes it in the same transaction."""
    Patient.objects.select_for_update().get(pk=patient.pk)      # one after the other with signatures
    rows = Prescription.objects.select_for_update(of=("self",)).filter(
        patient=patient, status=PrescriptionStatus.SIGNED
    )
    held = list(rows)
    for prescription in held:
        _hold(actor, prescription, reason)
    return held


def _hold(actor: User, prescription: Prescription, reason: str) -> None:
    prescription.status = PrescriptionStatus.HELD
    prescription.held_by, prescription.held_at, prescription.held_reason = actor, timezone.now(), reason
    prescription.full_clean(validate_constraints=False)
    prescription.save(update_fields=["status", "held_by", "held_at", "held_reason"])


def _reason(reason: str) -> str:
    if not reason.strip():
        raise ServiceError.of("Say why; the patient's record keeps it.", "reason")
    return reason.strip()


def _withdraw_earlier(actor: User, prescription: Prescription, now) -> None:
    Patient.objects.select_for_update().get(pk=prescription.patient_id)     # two signatures come one after the other
    rows = Prescription.objects.select_for_update(of=("self",)).filter(
        patient_id=prescription.patient_id, status__in=IN_FORCE
    )
    for earlier in rows:
        _withdraw(actor, earlier, REPLACED, now)


def _withdraw(actor: User, prescription: Prescription, reason: str, now) -> None:
    prescription.status = PrescriptionStatus.WITHDRAWN
    prescription.withdrawn_by, prescription.withdrawn_at, prescription.withdrawn_reason = actor, now, reason
    prescription.full_clean(validate_constraints=False)
    prescription.save(update_fields=["status", "withdrawn_by", "withdrawn_at", "withdrawn_reason"])


def _document(prescription: Prescription, check: CandidateCheck) -> dict:
    """Everything that the signature stands for."""
    candidate = prescription.candidate
    request = candidate.request
    return {
        "prescription": str(prescription.pk),
        "version": prescription.version,
        "patient": str(prescription.patient_id),
        "candidate": str(candidate.pk),
        "motion_file": candidate.file_name,
        "motion_sha256": candidate.mot_sha256,
        "limits": candidate.checks,
        "checked_by_opensim": {
            "finished_at": check.finished_at.isoformat(),
            **{name: check.result[name] for name in ("checks", "rate_hz", "frames", "versions")},
        },
        "profile": request.profile,
        "seed": request.seed,
        "model_versions": request.model_versions,
        "dose": {name: getattr(prescription, name) for name in DOSE_FIELDS},
        "instructions": prescription.instructions,
        "equipment": prescription.equipment,
        "checked": CHECKED,
        "not_checked": NOT_CHECKED,
        "signed_by": {"id": str(prescription.signed_by_id), "name": prescription.signed_by.full_name},
        "signed_at": prescription.signed_at.isoformat(),
        "expires_at": prescription.expires_at.isoformat(),
    }


def _locked(prescription: Prescription) -> Prescription:
    rows = Prescription.objects.select_for_update(of=("self",)).select_related("candidate__request")
    return rows.defer("candidate__playback_gzip").get(pk=prescription.pk)


def _require_draft(prescription: Prescription) -> None:
    if not prescription.is_draft:
        raise conflict("What is signed cannot be changed. Make a new version.")
