"""Generation requests: made, cancelled, retried, and run by a worker.

The row decides. A worker owns a request while the row says `running` with the attempt that this worker started; every
write of the worker asks for that, so a worker given up for dead can finish nothing behind its successor's back.
"""
from __future__ import annotations

import gzip
import hashlib
import json
import logging
import tempfile
import time
from pathlib import Path
from uuid import UUID

from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from clinic.audit import recorded
from clinic.errors import FieldError, ServiceError, conflict
from clinic.models import User
from clinic.permissions import require_on
from generation import checks, push
from generation.engine.limits import LimitConflict
from generation.engine.profile import ProfileError, parse_profile
from generation.models import (
    CandidateMotion,
    GenerationPreview,
    GenerationRequest,
    OwnMotion,
    RequestStatus,
    ScaledModel,
)
from generation.muscles import queue_muscles
from generation.ownership import Interrupted, Owner, drop_lost_connection
from patients.models import Patient
from patients.rules import collision_words
from patients.selectors import own_model_current, profile_checked

logger = logging.getLogger(__name__)

MOST_INTERRUPTIONS = 2          # a request on which a third worker dies is parked
COMPRESSION = 6
PREVIEW_SECONDS = 1.0           # at least, between two stored previews


def generation_request_create(
    *, actor: User, patient: Patient, seed: int, candidate_count: int, own_motion: OwnMotion | None = None,
    start_candidate: CandidateMotion | None = None,
) -> GenerationRequest:
    """Queue a generation of the patient's present record. What the engine would refuse is refused here, unqueued.

    own_motion: a recording of the patient to start from and to stay near to; start_candidate: an earlier candidate of
    the patient instead.
    """
    require_on(actor, "generation.create", patient)
    profile = _profile(patient)
    if own_motion is not None:
        if own_motion.patient_id != patient.pk or not own_motion.is_ready:
            raise ServiceError.of("Choose a recording of this patient that was read.", "own_motion")
        profile["reference_motion"] = own_motion.file_name
    if start_candidate is not None:
        if own_motion is not None:
            raise ServiceError.of("Start from the own squat or from a candidate, not from both.", "start_candidate")
        if start_candidate.request.patient_id != patient.pk:
            raise ServiceError.of("Choose a candidate of this patient.", "start_candidate")
        profile["reference_motion"] = f"candidate {start_candidate.number} of {start_candidate.request_id}.mot"
    request = GenerationRequest(
        patient=patient, requested_by=actor, seed=seed, candidate_count=candidate_count, profile=profile,
        own_model=own_model_current(patient), own_motion=own_motion, start_candidate=start_candidate,
    )
    request.full_clean()
    with recorded(actor, "Generation requested"):
        request.save()
        _defer(request)
    push.changed(request)
    return request


def generation_request_cancel(*, actor: User, request: GenerationRequest) -> GenerationRequest:
    """The page is told at once; a worker that is on it stops at its next look."""
    require_on(actor, "generation.cancel", request)
    with recorded(actor, "Generation cancelled"):
        request = _locked(request.pk)
        if not request.is_open:
            raise conflict(f"This generation is over already: {request.get_status_display().lower()}.")
        request.status, request.finished_at = RequestStatus.CANCELLED, timezone.now()
        request.save(update_fields=["status", "finished_at"])
        _no_preview(request)
        push.changed(request)
    return request


def generation_request_retry(*, actor: User, request: GenerationRequest) -> GenerationRequest:
    """Queue a failed or cancelled request again, with the same profile and seed."""
    require_on(actor, "generation.retry", request)
    with recorded(actor, "Generation retried"):
        request = _locked(request.pk)
        if request.status not in (RequestStatus.FAILED, RequestStatus.CANCELLED):
            raise conflict("Only a failed or cancelled generation can be tried again.")
        request.status = RequestStatus.QUEUED
        request.stage = request.detail = request.error = request.error_detail = ""
        request.fraction, request.interruptions = 0, 0
        request.started_at = request.finished_at = None
        request.save()
        _defer(request)
        push.changed(request)
    return request


def generation_request_run(*, request_id: UUID | str) -> None:
    """Do the work of a request; called by the queue, at least once. What is finished is not done again."""
    request = _take(request_id)
    if request is None:
        return
    owner = Owner(request, push.changed)
    try:
        result = run_engine(request, owner)
        owner.report("storing", 1.0, "", at_once=True)
        _finish(owner, result)
    except Interrupted:
        logger.info("Generation %s: stopped, it is no longer ours.", request.pk)
    except (LimitConflict, ProfileError) as error:
        _fail(owner, str(error), type(error).__name__)
    except Exception as error:
        logger.exception("Generation %s failed.", request.pk)
        drop_lost_connection()
        _fail(owner, "The generation stopped because of an error of the software. Your administrator can see which.",
              f"{type(error).__name__}: {error}"[:2000])


def run_engine(request: GenerationRequest, owner: Owner):
    """The engine's answer to a request, as a GenerationResult. Raises Interrupted."""
    from generation.engine.generate import Cancelled, generate  # torch and the model: only in a worker

    with tempfile.TemporaryDirectory(prefix="genuflex-") as folder:
        files = _files_of(request, Path(folder))
        try:
            result = generate(
                parse_profile(request.profile | files), candidates=request.candidate_count, seed=request.seed,
                progress=owner.report, cancelled=owner.lost, preview=Previews(owner).show,
            )
        except Cancelled:
            raise Interrupted from None
    for name in files:          # the report names the files as they were sent
        result.report["profile"][name] = request.profile[name]
    return result


class Previews:
    """Stores the best motion so far for those who watch; too early after the last one it is passed over."""

    def __init__(self, owner: Owner) -> None:
        self.owner = owner
        self._next = 0.0

    def show(self, playback: dict) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + PREVIEW_SECONDS
        content = _compressed(playback)
        try:
            with transaction.atomic():
                current = self.owner.locked()
                shown, fresh = GenerationPreview.objects.get_or_create(
                    request=current, defaults={"playback_gzip": content})
                if not fresh:
                    shown.number, shown.playback_gzip = shown.number + 1, content
                    shown.save()
                push.previewed(current, shown.number)
        except Interrupted:         # the engine is told at its next look
            pass
        except DatabaseError:       # a preview is a courtesy, as progress is
            logger.warning("The preview of %s was not stored.", self.owner.row.pk)
            drop_lost_connection()


def _compressed(playback: dict) -> bytes:
    text = json.dumps(playback, allow_nan=False, separators=(",", ":"))
    return gzip.compress(text.encode(), COMPRESSION, mtime=0)


def _no_preview(request: GenerationRequest) -> None:
    GenerationPreview.objects.filter(request=request).delete()


def _files_of(request: GenerationRequest, folder: Path) -> dict[str, str]:
    """The patient's own files as the engine takes them: field of the profile -> path."""
    files = {}
    if request.own_model is not None:
        path = folder / "own_model.osim"
        path.write_bytes(gzip.decompress(request.own_model.osim_gzip))
        files["model_osim"] = str(path)
    start = request.own_motion or request.start_candidate
    if start is not None:
        path = folder / "start.mot"
        path.write_bytes(bytes(start.mot_file))
        files["reference_motion"] = str(path)
    return files


def _take(request_id: UUID | str) -> GenerationRequest | None:
    """Make this worker the owner; None when there is nothing to do."""
    with recorded(None, "Taken by a worker"):
        request = GenerationRequest.objects.select_for_update().filter(pk=request_id).first()
        if request is None or not request.is_open:
            return None
        if request.status == RequestStatus.RUNNING:
            request.interruptions += 1
        if request.interruptions > MOST_INTERRUPTIONS:
            request.status, request.finished_at = RequestStatus.FAILED, timezone.now()
            request.error = "The generation was interrupted too often and is parked. Ask your administrator."
            request.error_detail = f"{request.interruptions} workers ended while working on it."
        else:
            request.status, request.started_at = RequestStatus.RUNNING, timezone.now()
            request.attempt += 1
            request.stage, request.detail, request.fraction = "starting", "", 0
        request.save()
        _no_preview(request)
        push.changed(request)
    return request if request.status == RequestStatus.RUNNING else None


def _finish(owner: Owner, result) -> None:
    """All results and the new state in one transaction, if the request is still ours; the checks by OpenSim follow."""
    candidates, scaled_model = _rows_of(owner.row, result)
    with recorded(None, "Generation finished"):
        current = owner.locked()
        CandidateMotion.objects.bulk_create(candidates)
        scaled_model.save(force_insert=True)
        queue_muscles(current.pk)
        checks.queue_checks(candidates)
        current.status, current.finished_at = RequestStatus.SUCCEEDED, timezone.now()
        current.stage, current.detail, current.fraction = "finished", "", 1
        current.report = result.report
        current.model_versions = result.report["run"]["versions"]
        current.save()
        _no_preview(current)
        push.changed(current)


def _rows_of(request: GenerationRequest, result) -> tuple[list[CandidateMotion], ScaledModel]:
    """The rows of a result. The files are those that the command writes, byte for byte."""
    with tempfile.TemporaryDirectory(prefix="genuflex-") as name:
        folder = Path(name)
        result.write(folder)
        rows = []
        for candidate in result.candidates:
            mot = (folder / candidate.file).read_bytes()
            rows.append(CandidateMotion(
                request=request, index=candidate.index, accepted=candidate.accepted, reasons=candidate.reasons,
                score=candidate.score, score_parts=candidate.score_parts, changes=candidate.changes,
                checks=candidate.checks, metrics=candidate.metrics, mot_file=mot,
                mot_sha256=hashlib.sha256(mot).hexdigest(), playback_gzip=_compressed(candidate.playback),
            ))
        osim = (folder / "model.osim").read_bytes()
    return rows, ScaledModel(request=request, osim_gzip=gzip.compress(osim, COMPRESSION, mtime=0))


def _fail(owner: Owner, sentence: str, detail: str) -> None:
    try:
        with recorded(None, "Generation failed"):
            current = owner.locked()
            current.status, current.finished_at = RequestStatus.FAILED, timezone.now()
            current.error, current.error_detail = sentence, detail
            current.save()
            _no_preview(current)
            push.changed(current)
    except Interrupted:
        logger.info("Generation %s failed after it was taken away: %s", owner.row.pk, detail)


def _locked(pk: UUID) -> GenerationRequest:
    return GenerationRequest.objects.select_for_update().get(pk=pk)


def _profile(patient: Patient) -> dict:
    try:
        return profile_checked(patient)
    except LimitConflict as error:
        raise ServiceError.of(collision_words(error), "limits", title="Two limits contradict each other.") from None
    except ProfileError as error:
        title = "The record does not allow this yet."
        raise ServiceError(FieldError(error.field, error.message), title=title) from None


def _defer(request: GenerationRequest) -> None:
    """In the transaction of the caller: either both the row and the job are there, or neither."""
    from generation.tasks import run_generation

    if not connection.in_atomic_block:
        raise RuntimeError("A generation is deferred in the transaction that records it.")
    # The lock: a second job of a request (after a retry) waits for the first instead of taking it for dead.
    run_generation.configure(lock=f"generation.{request.pk}").defer(request_id=str(request.pk))
