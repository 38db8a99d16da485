"""Generation requests and their candidates: what is read."""
from __future__ import annotations

import gzip
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from clinic.models import User
from clinic.permissions import get_permitted, permitted
from generation.models import CandidateMotion, GenerationRequest, RequestStatus, ScaledModel
from patients.models import Patient

_FILES = ("mot_file", "playback_gzip")


def generation_request_get(*, user: User, request_id: UUID, action: str = "generation.view") -> GenerationRequest:
    rows = GenerationRequest.objects.select_related("patient", "requested_by")
    return get_permitted(user, action, rows, pk=request_id)


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
    rows = CandidateMotion.objects.filter(request=request).defer(*_FILES).select_related("request")
    return permitted(user, "candidate.view", rows).order_by("index")


def candidate_get(
    *, user: User, candidate_id: UUID, action: str = "candidate.view", with_files: bool = False
) -> CandidateMotion:
    rows = CandidateMotion.objects.select_related("request__patient")
    return get_permitted(user, action, rows if with_files else rows.defer(*_FILES), pk=candidate_id)


def scaled_model_get(*, user: User, request_id: UUID) -> bytes:
    """The `.osim` of a finished request."""
    rows = ScaledModel.objects.all()
    return gzip.decompress(get_permitted(user, "candidate.view", rows, pk=request_id).osim_gzip)
