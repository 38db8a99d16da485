"""A patient's own motion: uploaded, read by a worker, shown, and used as what a generation starts from."""
from __future__ import annotations

import gzip
import hashlib
import json
import logging
from uuid import UUID

from django.db import connection
from django.utils import timezone

from clinic.audit import recorded
from clinic.errors import ServiceError, conflict
from clinic.models import User
from clinic.permissions import require_on
from generation import push
from generation.engine.profile import ProfileError
from generation.models import MotionStatus, OwnMotion
from generation.ownership import MOST_ASIDE, Interrupted, Owner, SteppedAside, Watch, drop_lost_connection
from generation.uploads import checked_name
from patients.models import Patient
from patients.selectors import patient_profile

logger = logging.getLogger(__name__)

MOST_BYTES = 10 * 1024 * 1024       # E: more than ten minutes of a full body at 60 Hz
ENDINGS = (".mot", ".trc")
LONGEST_S = 120                     # E: some squats; inverse kinematics of markers takes as long again and more
LIMIT_S = 1800                      # E: markers of two minutes take some minutes on an idle core
MOST_ATTEMPTS = MOST_ASIDE + 3      # making room counts too
SOFTWARE = "Reading stopped because of an error of the software. Your administrator can see which in the log."


def own_motion_upload(*, actor: User, patient: Patient, file_name: str, content: bytes) -> OwnMotion:
    """Queue an uploaded file to be read. What is wrong with the name or the size is told now, the rest by the row."""
    require_on(actor, "own_motion.edit", patient)
    name = checked_name(file_name, content, ENDINGS, MOST_BYTES)
    try:
        patient_profile(patient)
    except ProfileError as error:
        raise ServiceError.of(error.message, "file") from None
    row = OwnMotion(patient=patient, file_name=name, file=content, sha256=hashlib.sha256(content).hexdigest(),
                    uploaded_by=actor)
    with recorded(actor, f"Own motion {name}"):
        row.save()
        _defer(row)
    return row


def own_motion_remove(*, actor: User, motion: OwnMotion) -> None:
    """It is offered no more. Generations that started from it keep it."""
    require_on(actor, "own_motion.edit", motion)
    if motion.removed_at is not None:
        raise conflict("This recording was removed already.")
    with recorded(actor, f"Own motion {motion.file_name} removed"):
        OwnMotion.objects.filter(pk=motion.pk).update(removed_at=timezone.now())


def own_motion_read(*, motion_id: UUID | str) -> None:
    """Called by the queue, at least once. What is read is not read again."""
    row = _take(motion_id)
    if row is None:
        return
    owner = Owner(row, push.motion_changed)
    try:
        found = read_motion(row, owner)
        _finish(owner, status=MotionStatus.READY, error="", **found)
    except Interrupted:
        logger.info("Reading of motion %s: stopped, it is no longer ours.", row.pk)
    except SteppedAside:
        _finish(owner, status=MotionStatus.QUEUED, stage="", detail="", fraction=0.0)
    except ServiceError as error:
        _finish(owner, status=MotionStatus.FAILED, error=str(error))
    except Exception:
        logger.exception("Motion %s could not be read.", row.pk)
        drop_lost_connection()
        _finish(owner, status=MotionStatus.FAILED, error=SOFTWARE)


def read_motion(row: OwnMotion, owner: Owner) -> dict:
    """The columns of a motion that was read. Raises ServiceError with a sentence that names the place, Interrupted, and
    SteppedAside where markers, which take minutes, make room for what people wait for."""
    from generation import reading  # torch and OpenSim: only in a worker

    own = row.patient.ownmodels.filter(removed_at=None).first()
    markers = row.file_name.lower().endswith(".trc")
    watch = Watch(owner, aside=row.attempt - 1, limit_s=LIMIT_S, urgent=not markers,
                  too_long=f"Reading had not finished after {LIMIT_S // 60} minutes and was stopped.")
    try:
        found = reading.read(
            content=bytes(row.file), markers=markers,
            profile=patient_profile(row.patient), own_model=gzip.decompress(own.osim_gzip) if own else None,
            longest_s=LONGEST_S, progress=owner.report, cancelled=watch.must_stop,
        )
    except reading.Cancelled:
        raise watch.why() from None
    except reading.ReadingFailed as error:
        raise ServiceError.of(str(error), "file") from None
    playback = json.dumps(found.playback, allow_nan=False, separators=(",", ":")).encode()
    return {"mot_file": found.mot, "playback_gzip": gzip.compress(playback, mtime=0), "duration_s": found.duration_s,
            "notes": found.notes}


def _take(motion_id: UUID | str) -> OwnMotion | None:
    with recorded(None, "Taken by a worker"):
        row = OwnMotion.objects.select_for_update(of=("self",)).select_related("patient").filter(pk=motion_id).first()
        if row is None or not row.is_open or row.removed_at is not None:
            return None
        row.attempt += 1
        row.status, row.stage, row.fraction = MotionStatus.RUNNING, "starting", 0
        if row.attempt > MOST_ATTEMPTS:
            row.status, row.error = MotionStatus.FAILED, "Reading was interrupted too often and is given up."
        row.save(update_fields=["attempt", "status", "stage", "fraction", "error"])
        push.motion_changed(row)
    return row if row.status == MotionStatus.RUNNING else None


def _finish(owner: Owner, **columns) -> None:
    try:
        with recorded(None, "Own motion read"):
            current = owner.locked()
            for name, value in columns.items():
                setattr(current, name, value)
            current.save(update_fields=list(columns))
            if current.status == MotionStatus.QUEUED:
                _defer(current)
            push.motion_changed(current)
    except Interrupted:
        logger.info("Motion %s was taken away before it was stored.", owner.row.pk)


def _defer(row: OwnMotion) -> None:
    from generation.tasks import read_own_motion

    if not connection.in_atomic_block:
        raise RuntimeError("Reading is deferred in the transaction that records the file.")
    read_own_motion.configure(lock=f"own_motion.{row.pk}").defer(motion_id=str(row.pk))
