"""Recordings of sit-to-stand or squats: uploaded, analysed by a worker, and confirmed by a clinician.

Nothing that was measured from a recording enters an assessment unless somebody who saw it says so.
"""
from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from clinic.audit import recorded
from clinic.errors import ServiceError, conflict
from clinic.models import User
from clinic.permissions import require_on
from fall_risk import push
from fall_risk.models import Assessment, MotionProfile, MotionRecording, RecordingStatus
from fall_risk.services.assessments import put_answers
from generation.models import DECIDED_CHECKS, CandidateCheck, CandidateMotion

logger = logging.getLogger(__name__)
MOST_BYTES = 10 * 1024 * 1024       # E: more than ten minutes of a full body at 60 Hz
ENDINGS = (".mot", ".trc")
SOFTWARE = "The analysis stopped because of an error of the software. Your administrator can see which."


def recording_upload(
    *, actor: User, assessment: Assessment, kind: str, file_name: str, content: bytes, go_s: float | None = None
) -> MotionRecording:
    """Queue the analysis of an uploaded motion file. `go_s`: when in the recording the test began, if that is known."""
    require_on(actor, "fall_risk.assess", assessment)
    if not assessment.is_draft:
        raise conflict("This assessment is complete. Correct it by a new one.")
    name = file_name.replace("\\", "/").rsplit("/", 1)[-1].strip()[-120:]
    if not name.lower().endswith(ENDINGS):
        raise ServiceError.of("Choose an OpenSim motion file (.mot) or a marker file (.trc).", "file")
    if not content:
        raise ServiceError.of("This file is empty.", "file")
    if len(content) > MOST_BYTES:
        raise ServiceError.of(f"This file is larger than {MOST_BYTES // 1024**2} MB.", "file")
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


def recording_analyse(*, recording_id: UUID | str) -> None:
    """Called by the queue, at least once. What is analysed is not analysed again."""
    row = MotionRecording.objects.select_related("patient").filter(
        pk=recording_id, status=RecordingStatus.QUEUED
    ).first()
    if row is None:
        return
    from fall_risk.motion import RecordingError, analyse  # the engine: only in a worker

    try:
        result, error = analyse(row), ""
    except RecordingError as fault:
        result, error = None, str(fault)
    except Exception:
        logger.exception("Recording %s could not be analysed.", row.pk)
        result, error = None, SOFTWARE
    with recorded(None, "Recording analysed"):
        MotionRecording.objects.filter(pk=row.pk, status=RecordingStatus.QUEUED).update(
            status=RecordingStatus.FAILED if error else RecordingStatus.DONE, result=result, error=error[:500]
        )
        push.patient_changed(row.patient_id)


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
    """Queue the movement profile of a motion, unless it is there or on its way."""
    patient = candidate.request.patient
    require_on(actor, "fall_risk.assess", patient)
    from fall_risk.tasks import compute_profile

    with recorded(actor, "Movement profile requested"):
        row, made = MotionProfile.objects.get_or_create(candidate=candidate, defaults={"patient": patient})
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
    from fall_risk.tasks import analyse_recording

    analyse_recording.defer(recording_id=str(row.pk))
