"""Recordings of sit-to-stand or squats: uploaded, analysed by a worker, and confirmed by a clinician.

Nothing that was measured from a recording enters an assessment unless somebody who saw it says so.
"""
from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from clinic.audit import recorded
from clinic.errors import ServiceError, conflict
from clinic.models import User
from clinic.permissions import require_on
from fall_risk import push
from fall_risk.models import MARKER_FILE, Assessment, MotionProfile, MotionRecording, RecordingStatus
from fall_risk.services.assessments import put_answers
from generation.models import DECIDED_CHECKS, CandidateCheck, CandidateMotion
from generation.ownership import Interrupted, Owner, SteppedAside, Watch, drop_lost_connection
from generation.uploads import checked_name

logger = logging.getLogger(__name__)
MOST_BYTES = 10 * 1024 * 1024       # E: more than ten minutes of a full body at 60 Hz
ENDINGS = (".mot", MARKER_FILE)
LIMIT_S = 1800                      # E: markers of two minutes take some minutes on an idle core
MOST_INTERRUPTIONS = 2              # a recording on which a third worker dies is given up
SOFTWARE = "The analysis stopped because of an error of the software. Your administrator can see which."


def recording_upload(
    *, actor: User, assessment: Assessment, kind: str, file_name: str, content: bytes, go_s: float | None = None
) -> MotionRecording:
    """Queue the analysis of an uploaded motion file. `go_s`: when in the recording the test began, if that is known."""
    require_on(actor, "fall_risk.assess", assessment)
    if not assessment.is_draft:
        raise conflict("This assessment is complete. Correct it by a new one.")
    name = checked_name(file_name, content, ENDINGS, MOST_BYTES)
    row = MotionRecording(
        patient_id=assessment.patient_id, assessment=assessment, kind=kind, file_name=name, file=content,
        sha256=hashlib.sha256(content).hexdigest(), go_s=go_s, uploaded_by=actor,
    )
    row.full_clean()
    with recorded(actor, "Recording uploaded"):
        row.save()
        _defer(row)
        push.patient_changed(row.patient_id)
    return row


def recording_cancel(*, actor: User, recording: MotionRecording) -> MotionRecording:
    """The page is told at once; a worker that is on it stops at its next look. The file stays."""
    require_on(actor, "fall_risk.assess", recording)
    with recorded(actor, "Analysis of a recording cancelled"):
        recording = MotionRecording.objects.select_for_update().get(pk=recording.pk)
        if not recording.is_open:
            raise conflict(f"There is nothing to cancel: {recording.get_status_display().lower()}.")
        recording.status = RecordingStatus.CANCELLED
        recording.save(update_fields=["status"])
        push.patient_changed(recording.patient_id)
    return recording


def recording_repeat(*, actor: User, recording: MotionRecording) -> MotionRecording:
    """Analyse the file again: it was cancelled or refused, and size or model of the patient may have changed since."""
    require_on(actor, "fall_risk.assess", recording)
    with recorded(actor, "Recording analysed again"):
        recording = MotionRecording.objects.select_for_update().get(pk=recording.pk)
        if recording.status not in (RecordingStatus.CANCELLED, RecordingStatus.FAILED):
            raise conflict("Only a recording that was cancelled or refused can be analysed again.")
        recording.status, recording.error, recording.interruptions = RecordingStatus.QUEUED, "", 0
        recording.stage, recording.detail, recording.fraction = "", "", 0
        recording.save()
        _defer(recording)
        push.patient_changed(recording.patient_id)
    return recording


def recording_analyse(*, recording_id: UUID | str) -> None:
    """Called by the queue, at least once. What is analysed is not analysed again."""
    row = _take(recording_id)
    if row is None:
        return
    owner = Owner(row, lambda _: None)      # the page that shows the progress asks by itself
    try:
        _finish(owner, "Recording analysed", status=RecordingStatus.DONE, result=_analysed(row, owner), error="")
    except Interrupted:
        logger.info("Recording %s: stopped, it is no longer ours.", row.pk)
    except SteppedAside:
        _finish(owner, "Made room for what people wait for", status=RecordingStatus.QUEUED, stage="", detail="",
                fraction=0.0, stepped_aside=row.stepped_aside + 1, then=_defer)
    except ServiceError as fault:
        _finish(owner, "Recording refused", status=RecordingStatus.FAILED, error=str(fault)[:500])
    except Exception:
        logger.exception("Recording %s could not be analysed.", row.pk)
        drop_lost_connection()
        _finish(owner, "Analysis failed", status=RecordingStatus.FAILED, error=SOFTWARE)


def _analysed(row: MotionRecording, owner: Owner) -> dict:
    """What it shows. Raises Interrupted, SteppedAside, and ServiceError with a sentence."""
    from fall_risk import motion  # the engine: only in a worker

    watch = Watch(owner, aside=row.stepped_aside, limit_s=LIMIT_S, urgent=not row.has_markers,
                  too_long=f"The analysis had not finished after {LIMIT_S // 60} minutes and was stopped.")
    try:
        return motion.analyse(row, progress=owner.report, cancelled=watch.must_stop)
    except motion.Cancelled:
        raise watch.why() from None
    except motion.RecordingError as fault:
        raise ServiceError.of(str(fault), "file") from None


def _take(recording_id: UUID | str) -> MotionRecording | None:
    """Make this worker the owner; None when there is nothing to do."""
    with recorded(None, "Taken by a worker"):
        rows = MotionRecording.objects.select_for_update(of=("self",)).select_related("patient")
        row = rows.filter(pk=recording_id).first()
        if row is None or not row.is_open:
            return None
        row.interruptions += row.status == RecordingStatus.RUNNING
        if row.interruptions > MOST_INTERRUPTIONS:
            row.status = RecordingStatus.FAILED
            row.error = "The analysis was interrupted too often and is given up. Ask your administrator."
        else:
            row.status, row.stage, row.detail, row.fraction = RecordingStatus.RUNNING, "starting", "", 0
            row.attempt += 1
        row.save()
        push.patient_changed(row.patient_id)
    return row if row.status == RecordingStatus.RUNNING else None


def _finish(owner: Owner, note: str, then: Callable[[MotionRecording], None] | None = None, **columns) -> None:
    try:
        with recorded(None, note):
            row = owner.locked()
            for name, value in columns.items():
                setattr(row, name, value)
            row.save(update_fields=list(columns))
            if then is not None:
                then(row)
            push.patient_changed(row.patient_id)
    except Interrupted:
        logger.info("Recording %s was taken away before its state was stored.", owner.row.pk)


def recording_confirm(*, actor: User, recording: MotionRecording, answers: Mapping[str, Any]) -> Assessment:
    """The clinician has looked at what was measured, perhaps corrected it, and takes it into the assessment."""
    require_on(actor, "fall_risk.assess", recording)
    with recorded(actor, f"Taken from the recording {recording.file_name}"):
        recording = MotionRecording.objects.select_for_update(of=("self",)).select_related("assessment").get(
            pk=recording.pk
        )
        if recording.status != RecordingStatus.DONE:
            raise conflict("This recording is not analysed yet.")
        if recording.confirmed_at is not None:
            raise conflict("This recording was confirmed already. Change the answers in the assessment itself.")
        proposed = {item["field"]: item["value"] for item in recording.result["proposals"]}
        if unknown := set(answers) - set(proposed):
            raise ServiceError.of("The recording proposes no such answer.", sorted(map(str, unknown))[0][:60])
        if not answers:
            raise ServiceError.of("Choose what to take into the assessment.")
        origins = {
            key: {"recording": str(recording.pk), "file": recording.file_name, "measured": proposed[key],
                  "confirmed_by": actor.full_name}
            for key in answers
        }
        assessment = put_answers(
            actor=actor, assessment=recording.assessment, answers=answers, origins=origins
        )
        recording.confirmed_at, recording.confirmed_by = timezone.now(), actor
        recording.save(update_fields=["confirmed_at", "confirmed_by"])
        push.patient_changed(recording.patient_id)
    return assessment


def profile_request(*, actor: User, candidate: CandidateMotion) -> MotionProfile:
    """Have the movement profile of a motion computed, unless it is there or on its way."""
    require_on(actor, "fall_risk.assess", candidate.request.patient)
    return profile_queue(candidate=candidate)


def profile_queue(*, candidate: CandidateMotion) -> MotionProfile:
    """As `profile_request`, by the system: for a motion that was just signed."""
    from fall_risk.tasks import compute_profile

    with transaction.atomic():
        row, made = MotionProfile.objects.get_or_create(
            candidate=candidate, defaults={"patient": candidate.request.patient}
        )
        if made or row.status == RecordingStatus.FAILED or profile_outdated(row):
            row.status, row.error = RecordingStatus.QUEUED, ""
            row.save(update_fields=["status", "error"])
            compute_profile.defer(profile_id=str(row.pk))
    return row


def profile_outdated(row: MotionProfile) -> bool:
    """It was computed without the demand on strength, and OpenSim has answered since."""
    if row.status != RecordingStatus.DONE or any(one["key"].startswith("demand_") for one in row.result["measures"]):
        return False
    return CandidateCheck.objects.filter(pk=row.candidate_id, status__in=DECIDED_CHECKS).exists()


def profile_compute(*, profile_id: UUID | str) -> None:
    """Called by the queue, at least once."""
    rows = MotionProfile.objects.select_related("candidate__request", "candidate__opensim_check")
    rows = rows.filter(status=RecordingStatus.QUEUED)
    row = rows.filter(pk=profile_id).first()
    if row is None:
        return
    from fall_risk.motion import profile  # the engine: only in a worker

    try:
        row.result, row.status = profile(row), RecordingStatus.DONE
    except Exception:
        logger.exception("The movement profile %s could not be computed.", row.pk)
        row.status, row.error = RecordingStatus.FAILED, SOFTWARE
    with transaction.atomic():
        row.save(update_fields=["result", "status", "error"])
        push.patient_changed(row.patient_id)


def _defer(row: MotionRecording) -> None:
    """Joint angles take seconds and go with the generations; markers take minutes and go behind them."""
    from fall_risk.tasks import analyse_recording

    way = {"queue": "recordings", "priority": -5} if row.has_markers else {"queue": "generation", "priority": 0}
    analyse_recording.configure(lock=f"recording.{row.pk}", **way).defer(recording_id=str(row.pk))
