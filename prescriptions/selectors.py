"""Prescriptions: what is read."""
from __future__ import annotations

import hashlib
import json
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from clinic.models import Role, User
from clinic.permissions import get_permitted, permitted
from generation.models import CandidateMotion
from patients.models import Patient
from prescriptions.models import OPEN_VIDEOS, MotionPicture, MotionShare, MotionVideo, Prescription, VideoStatus

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


_FILM = ("mp4", "captions", "poster")
_OF_VIDEO = (*_FILM, "prescription__document", *(f"prescription__{name}" for name in _HEAVY))


def video_list(*, user: User, prescription: Prescription) -> QuerySet[MotionVideo]:
    """Newest first, without the files."""
    rows = MotionVideo.objects.filter(prescription=prescription).select_related("requested_by").defer(*_FILM)
    return permitted(user, "video.view", rows)


def video_get(
    *, user: User, video_id: UUID, action: str = "video.view", with_files: bool = False
) -> MotionVideo:
    rows = MotionVideo.objects.select_related("prescription__patient__account", "prescription__candidate")
    heavy = [name for name in _OF_VIDEO if name not in _FILM] if with_files else _OF_VIDEO
    return get_permitted(user, action, rows.defer(*heavy), pk=video_id)


def video_ready(*, prescription: Prescription, with_files: bool = False) -> MotionVideo | None:
    """The video that a patient is offered: the newest that is ready. The caller has asked for the prescription."""
    rows = MotionVideo.objects.filter(prescription=prescription, status=VideoStatus.READY)
    return (rows if with_files else rows.defer(*_FILM)).first()


def video_jobs(*, user: User) -> QuerySet[MotionVideo]:
    """The clinic's videos that are not made, for its administrator: what runs, waits or failed."""
    rows = MotionVideo.objects.filter(Q(status__in=OPEN_VIDEOS) | Q(status=VideoStatus.FAILED))
    return permitted(user, "job.list", rows).select_related("prescription__patient").defer(*_OF_VIDEO[:4])


def video_renderer(*, user: User) -> MotionVideo | None:
    """The clinic's last video that was made or could not be: what it says of the renderer on the worker's machine."""
    rows = MotionVideo.objects.filter(status__in=(VideoStatus.READY, VideoStatus.FAILED)).defer(*_FILM)
    return permitted(user, "job.list", rows).order_by("-finished_at").first()


def picture_list(*, user: User, candidate: CandidateMotion) -> QuerySet[MotionPicture]:
    """The five pictures of a motion in order, without the files; none until its first video was made."""
    return permitted(user, "video.view", MotionPicture.objects.filter(candidate=candidate).defer("jpeg"))


def picture_get(*, candidate: CandidateMotion, moment: str) -> MotionPicture | None:
    """With the file. The caller has asked the permission table for what it belongs to."""
    return MotionPicture.objects.filter(candidate=candidate, moment=moment).first()


def share_list(*, user: User, candidate: CandidateMotion) -> QuerySet[MotionShare]:
    """To whom a motion is or was shown, newest first."""
    rows = MotionShare.objects.filter(candidate=candidate).select_related("shared_with", "shared_by", "revoked_by")
    return permitted(user, "share.list", rows)


def share_get(*, user: User, share_id: UUID, action: str) -> MotionShare:
    rows = MotionShare.objects.select_related("candidate__request", "shared_with", "shared_by", "prescription")
    return get_permitted(user, action, rows.defer(*_HEAVY, "prescription__document"), pk=share_id)


def shared_list(*, user: User) -> QuerySet[MotionShare]:
    """What others share with this user now."""
    rows = MotionShare.objects.select_related("candidate__request", "shared_by", "prescription")
    return permitted(user, "shared.view", rows.defer(*_HEAVY, "prescription__document"))


def shared_playback(*, user: User, share_id: UUID) -> CandidateMotion:
    """The motion behind a share, with its files."""
    share = share_get(user=user, share_id=share_id, action="shared.view")
    return CandidateMotion.objects.get(pk=share.candidate_id)


def share_recipients(*, user: User, candidate: CandidateMotion, signed: Prescription | None) -> QuerySet[User]:
    """Whom a motion can be shown: the clinic's other clinicians; what is signed, also its patient."""
    people = Q(role=Role.CLINICIAN) & ~Q(pk=user.pk)
    account = candidate.request.patient.account_id
    if signed is not None and account is not None:
        people |= Q(pk=account)
    return User.objects.filter(people, clinic_id=user.clinic_id, is_active=True)


def signed_of(candidate: CandidateMotion) -> Prescription | None:
    """The prescription in force that rests on a motion."""
    rows = Prescription.objects.filter(candidate=candidate, status="signed", expires_at__gt=timezone.now())
    return rows.defer("document").first()
