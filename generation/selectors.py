"""Generation requests and their candidates: what is read."""
from __future__ import annotations

import gzip
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from clinic.models import User
from clinic.permissions import get_permitted, permitted
from generation.models import (
    OPEN_CHECKS,
    CandidateAnalysis,
    CandidateCheck,
    CandidateMotion,
    CheckStatus,
    GenerationPreview,
    GenerationRequest,
    MotionStatus,
    OwnMotion,
    RequestStatus,
    ScaledModel,
)
from patients.models import Patient

_FILES = ("mot_file", "playback_gzip")


def generation_request_get(*, user: User, request_id: UUID, action: str = "generation.view") -> GenerationRequest:
    rows = GenerationRequest.objects.select_related("patient", "requested_by")
    return get_permitted(user, action, rows, pk=request_id)


def preview_find(*, user: User, request_id: UUID) -> GenerationPreview | None:
    """The best motion so far of a request that is being worked on; there is none before the first and after the end."""
    return GenerationPreview.objects.filter(request=generation_request_get(user=user, request_id=request_id)).first()


def preview_number(request: GenerationRequest) -> int:
    """Of the picture that can be shown now; 0 is none."""
    return GenerationPreview.objects.filter(request=request).values_list("number", flat=True).first() or 0


def generation_request_list(*, user: User, patient: Patient | None = None) -> QuerySet[GenerationRequest]:
    rows = permitted(user, "generation.list", GenerationRequest.objects.defer("report", "profile"))
    if patient is not None:
        rows = rows.filter(patient=patient)
    return rows.select_related("requested_by", "patient").annotate(
        accepted_count=Count("candidates", filter=Q(candidates__accepted=True))
    ).order_by("-created_at", "id")


def queue_position(request: GenerationRequest) -> int:
    """How many queued requests are before this one; 0 is next."""
    return GenerationRequest.objects.filter(status=RequestStatus.QUEUED, created_at__lt=request.created_at).count()


def job_list(*, user: User) -> QuerySet[GenerationRequest]:
    """The clinic's generations as jobs, for its administrator: no profile, no motion."""
    rows = permitted(user, "job.list", GenerationRequest.objects.defer("report", "profile"))
    return rows.select_related("patient", "requested_by")


def job_counts(*, user: User) -> dict[str, int]:
    rows = permitted(user, "job.list", GenerationRequest.objects.all()).order_by()
    counts = dict(rows.values_list("status").annotate(Count("pk")))
    return {status.value: counts.get(status.value, 0) for status in RequestStatus}


def candidate_list(*, user: User, request: GenerationRequest) -> QuerySet[CandidateMotion]:
    """Best first, accepted before rejected; without the files."""
    rows = CandidateMotion.objects.filter(request=request).select_related("request", "opensim_check")
    rows = rows.defer(*_FILES, "opensim_check__result")
    return permitted(user, "candidate.view", rows).order_by("index")


def candidate_get(
    *, user: User, candidate_id: UUID, action: str = "candidate.view", with_files: bool = False
) -> CandidateMotion:
    rows = CandidateMotion.objects.select_related("request__patient", "opensim_check")
    return get_permitted(user, action, rows if with_files else rows.defer(*_FILES), pk=candidate_id)


def scaled_model_get(*, user: User, request_id: UUID) -> bytes:
    """The `.osim` of a finished request."""
    rows = ScaledModel.objects.all()
    return gzip.decompress(get_permitted(user, "candidate.view", rows, pk=request_id).osim_gzip)


def check_get(*, user: User, candidate_id: UUID, action: str = "candidate.view") -> CandidateCheck:
    """The check of a candidate by OpenSim; a rejected candidate has none."""
    rows = CandidateCheck.objects.select_related("candidate__request__patient")
    return get_permitted(user, action, rows.defer(*(f"candidate__{name}" for name in _FILES)), pk=candidate_id)


def check_jobs(*, user: User) -> QuerySet[CandidateCheck]:
    """The clinic's checks that are not decided, for its administrator: what runs, what waits, what failed."""
    rows = CandidateCheck.objects.filter(status__in=(*OPEN_CHECKS, CheckStatus.FAILED)).defer("result")
    rows = permitted(user, "job.list", rows).select_related("candidate__request__patient")
    rows = rows.defer("result", *(f"candidate__{name}" for name in _FILES), "candidate__request__report",
                      "candidate__request__profile")
    return rows.order_by("-urgent", "created_at", "candidate__index")


def analysis_get(*, user: User, candidate_id: UUID, with_tables: bool = False) -> CandidateAnalysis:
    """The tables (a zip archive) and curves of a checked candidate."""
    rows = CandidateAnalysis.objects.all() if with_tables else CandidateAnalysis.objects.defer("tables_zip")
    return get_permitted(user, "candidate.view", rows, pk=candidate_id)


def analysis_find(*, user: User, candidate: CandidateMotion) -> CandidateAnalysis | None:
    """As `analysis_get` without the tables; None while there is none."""
    rows = CandidateAnalysis.objects.filter(pk=candidate.pk).defer("tables_zip")
    return permitted(user, "candidate.view", rows).first()


_MOTION_FILES = ("file", "mot_file", "playback_gzip")


def own_motion_list(*, user: User, patient: Patient) -> QuerySet[OwnMotion]:
    """The patient's recordings, newest first, without the files."""
    rows = OwnMotion.objects.filter(patient=patient, removed_at=None).defer(*_MOTION_FILES)
    return permitted(user, "own_motion.view", rows)


def own_motion_ready(*, user: User, patient: Patient) -> QuerySet[OwnMotion]:
    """Those that a generation can start from."""
    return own_motion_list(user=user, patient=patient).filter(status=MotionStatus.READY)


def own_motion_get(
    *, user: User, motion_id: UUID, action: str = "own_motion.view", with_files: bool = False
) -> OwnMotion:
    rows = OwnMotion.objects.select_related("patient")
    return get_permitted(user, action, rows if with_files else rows.defer(*_MOTION_FILES), pk=motion_id)


def motion_of_patient(*, user: User, patient: Patient, motion_id: UUID) -> CandidateMotion | OwnMotion:
    """A candidate of the patient, or a recording of the patient that was read; with its files."""
    rows = CandidateMotion.objects.filter(request__patient=patient).select_related("request", "opensim_check")
    candidate = permitted(user, "candidate.view", rows).filter(pk=motion_id).first()
    own = own_motion_read(user=user, patient=patient)
    return candidate or get_permitted(user, "own_motion.view", own, pk=motion_id)


def candidates_named(*, user: User, patient: Patient, candidate_id: str) -> QuerySet[CandidateMotion]:
    """The candidate of the patient with this id, which may be anything that stood in an address; or none."""
    rows = CandidateMotion.objects.filter(request__patient=patient).select_related("request").defer(*_FILES)
    try:
        return permitted(user, "candidate.view", rows).filter(pk=UUID(candidate_id))
    except ValueError:
        return rows.none()


def own_motion_read(*, user: User, patient: Patient) -> QuerySet[OwnMotion]:
    """The recordings that can be shown, with their files."""
    rows = OwnMotion.objects.filter(patient=patient, status=MotionStatus.READY, removed_at=None)
    return permitted(user, "own_motion.view", rows)


def own_motion_behind(*, user: User, request: GenerationRequest) -> OwnMotion | None:
    """The recording that is drawn behind a request's candidates: the one it started from, else the latest."""
    rows = own_motion_read(user=user, patient=request.patient).defer("file", "mot_file")
    return rows.filter(pk=request.own_motion_id).first() or rows.first()


MOST_CHOICES = 6        # of the latest generations, to choose motions from


def motion_choices(*, user: User, patient: Patient) -> dict:
    """What can be compared: candidates of the latest generations, accepted before rejected, and the own recordings."""
    requests = generation_request_list(user=user, patient=patient).filter(status=RequestStatus.SUCCEEDED)[:MOST_CHOICES]
    return {
        "generations": [(request, list(candidate_list(user=user, request=request))) for request in requests],
        "own": list(own_motion_ready(user=user, patient=patient)),
    }
