"""Videos of signed squats: asked for, made by a worker, cancelled, told to the patient. The pictures come with them.

A video waits behind the generations and before the checks that nobody waits for; it steps aside for both kinds of work
that people wait for. How it is drawn stands in `prescriptions/rendering/`.
"""
from __future__ import annotations

import gzip
import json
import logging
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import connection
from django.utils import timezone

from clinic.audit import recorded
from clinic.errors import ServiceError, conflict
from clinic.models import User
from clinic.permissions import require_on
from generation.ownership import Interrupted, Owner, SteppedAside, Watch, drop_lost_connection
from generation.playback import curves
from prescriptions.models import MotionPicture, MotionVideo, Prescription, PrescriptionStatus, VideoStatus
from prescriptions.pain import safety_of
from prescriptions.rendering.content import content_key
from prescriptions.rendering.film import Options, Words
from prescriptions.words import STATEMENT, dose_sentence, picture_words

logger = logging.getLogger(__name__)

BEHIND_GENERATIONS = -8     # priority of its jobs: before the checks that nobody waits for
MOST_INTERRUPTIONS = 2      # a video on which a third worker dies is given up
LIMIT_S = 900               # E: the longest set in 1080p takes minutes on two cores
MADE_FOR = (PrescriptionStatus.SIGNED, PrescriptionStatus.HELD)
_FILES = ("mp4", "captions", "poster")
SOFTWARE = "The video could not be made because of an error of the software. Your administrator can see which."


def video_request(
    *, actor: User, prescription: Prescription, height: int = 720, view: str = "both", repetitions: int | None = None,
) -> MotionVideo:
    """The video of a signed prescription, queued unless it is there already. `repetitions`: one set when not given."""
    require_on(actor, "video.create", prescription)
    if prescription.status not in MADE_FOR:
        raise conflict("Only of a signed prescription a video is made.")
    return _request(actor, prescription, height, view, repetitions)


def _request(actor: User, prescription: Prescription, height: int, view: str, repetitions: int | None) -> MotionVideo:
    try:
        options = Options(height=height, view=view, repetitions=repetitions or prescription.repetitions)
    except ValueError as error:
        field = str(error).split(" ")[0]
        raise ServiceError.of(f"{str(error).capitalize()}.", field) from None
    key = content_key(prescription.candidate.mot_sha256, words_of(prescription), options)
    with recorded(actor, f"Video of {options.repetitions} repetitions asked for, {options.height}p, {options.view}"):
        rows = MotionVideo.objects.select_for_update(of=("self",)).defer(*_FILES)
        row, made = rows.get_or_create(
            prescription=prescription, content_key=key,
            defaults={"height": options.height, "view": options.view, "repetitions": options.repetitions,
                      "requested_by": actor},
        )
        if made:
            _defer(row)
        elif not row.is_open and not row.is_ready:
            _queue_again(row)
    return row


def video_for_signature(prescription: Prescription) -> MotionVideo:
    """What the patient watches where 3D does not work: queued with the signature, in its transaction."""
    return _request(prescription.signed_by, prescription, 720, "both", None)


def video_cancel(*, actor: User, video: MotionVideo) -> MotionVideo:
    """A worker that is on it stops at its next look."""
    require_on(actor, "video.cancel", video)
    with recorded(actor, "Video cancelled"):
        video = _locked(video.pk)
        if not video.is_open:
            raise conflict(f"This video is not being made: {video.get_status_display()}.")
        video.status, video.finished_at = VideoStatus.CANCELLED, timezone.now()
        video.save(update_fields=["status", "finished_at"])
    return video


def video_retry(*, actor: User, video: MotionVideo) -> MotionVideo:
    """Queue a failed or cancelled video again."""
    require_on(actor, "video.cancel", video)
    with recorded(actor, "Video asked for again"):
        video = _locked(video.pk)
        if video.is_open or video.is_ready:
            raise conflict("Only a failed or cancelled video can be made again.")
        _queue_again(video)
    return video


def video_send(*, actor: User, video: MotionVideo) -> MotionVideo:
    """Tell the patient by e-mail that there is a video. The e-mail holds neither the video nor anything clinical."""
    require_on(actor, "video.create", video)
    prescription = video.prescription
    account = prescription.patient.account
    if account is None:
        raise ServiceError.of(f"{prescription.patient.full_name} has no sign-in yet: give one first.")
    if not prescription.is_in_force:
        raise conflict("The patient does not see this prescription now: it is not in force.")
    if not video.is_ready:
        raise conflict("This video is not ready yet.")
    text = (f"Hello {account.get_short_name()},\n\nyour clinic has a video of your exercise for you. Sign in to watch "
            f"or download it:\n{settings.SITE_URL}/today/\n\nThis message was sent by {actor.full_name}, "
            f"{actor.clinic.name}.\n")
    try:
        EmailMessage("A video of your exercise", text, to=[account.email]).send()
    except OSError as error:
        logger.warning("An e-mail about a video was not sent: %s", type(error).__name__)
        raise ServiceError.of("The e-mail could not be sent. Try again later, or ask your administrator.") from None
    with recorded(actor, "Patient told of the video by e-mail"):
        MotionVideo.objects.filter(pk=video.pk).update(sent_at=timezone.now())
    return video


def words_of(prescription: Prescription) -> Words:
    """What is written in the video of a prescription: no name of the patient, no condition."""
    lines = tuple(line.strip() for line in prescription.instructions.splitlines() if line.strip())
    equipment = (f"You need: {prescription.equipment}",) if prescription.equipment else ()
    return Words(
        title="Your squat", dose=dose_sentence(prescription), instructions=(*lines, *equipment),
        validity=f"Signed by {prescription.signed_by.full_name} on {prescription.signed_at:%-d %B %Y}. "
                 f"Valid until {prescription.expires_at:%-d %B %Y}.",
        safety=safety_of(prescription), statement=STATEMENT,
    )


# ---- a worker's side ----


def motion_video_run(*, video_id: UUID | str) -> None:
    """Make a video; called by the queue, at least once. What is ready is not made again."""
    row = _take(video_id)
    if row is None:
        return
    owner = Owner(row, lambda _: None)      # the page asks for itself
    try:
        _store(owner, render_video(row, owner))
    except Interrupted:
        logger.info("Video %s: stopped, it is no longer ours.", row.pk)
    except SteppedAside:
        _step_aside(owner)
    except ServiceError as error:
        cause = error.__cause__
        _fail(owner, str(error), getattr(cause, "detail", ""), type(cause).__name__ == "RendererMissing")
    except Exception as error:
        logger.exception("Video %s failed.", row.pk)
        drop_lost_connection()
        _fail(owner, SOFTWARE, f"{type(error).__name__}: {error}"[:2000], False)


def render_video(row: MotionVideo, owner: Owner):
    """The `rendering.video.Video` of a row. Raises Interrupted, SteppedAside, ServiceError with a sentence."""
    from prescriptions.rendering.chromium import RenderingError  # PyAV: only in a worker
    from prescriptions.rendering.video import Cancelled, render

    watch = Watch(owner, aside=row.stepped_aside, limit_s=LIMIT_S,
                  too_long=f"The video was not done after {LIMIT_S / 60:.0f} minutes and was stopped.")
    document = json.loads(gzip.decompress(row.prescription.candidate.playback_gzip))
    options = Options(height=row.height, view=row.view, repetitions=row.repetitions)
    try:
        return render(document, words_of(row.prescription), options, owner.report, watch.must_stop)
    except Cancelled:
        raise (watch.why() or Interrupted()) from None
    except RenderingError as error:
        raise ServiceError.of(str(error)) from error


def _take(video_id: UUID | str) -> MotionVideo | None:
    with recorded(None, "Taken by a worker"):
        row = MotionVideo.objects.select_for_update(of=("self",)).filter(pk=video_id).first()
        if row is None or not row.is_open:
            return None
        if row.status == VideoStatus.RUNNING:
            row.interruptions += 1
        row.attempt += 1
        row.status, row.started_at, row.stage, row.fraction = VideoStatus.RUNNING, timezone.now(), "starting", 0
        if row.prescription.status not in MADE_FOR:
            row.status, row.error = VideoStatus.CANCELLED, "The prescription was withdrawn before its video was made."
        elif row.interruptions > MOST_INTERRUPTIONS:
            row.status, row.error = VideoStatus.FAILED, "The video was interrupted too often and is given up."
            row.error_detail = f"{row.interruptions} workers ended while working on it."
        row.save()
    return row if row.status == VideoStatus.RUNNING else None


def _store(owner: Owner, video) -> None:
    try:
        with recorded(None, "Video made"):
            current = owner.locked()
            current.mp4, current.captions, current.poster = video.mp4, video.captions, video.poster
            current.duration_s, current.facts, current.status = video.duration_s, video.facts, VideoStatus.READY
            current.finished_at, current.fraction, current.stage, current.detail = timezone.now(), 1, "finished", ""
            current.save()
            candidate = current.prescription.candidate
            motion = curves(candidate)
            MotionPicture.objects.bulk_create([
                MotionPicture(candidate=candidate, moment=picture.name, seconds=picture.seconds, jpeg=picture.jpeg,
                              alt=picture_words(motion, picture.name, picture.seconds))
                for picture in video.pictures
            ], ignore_conflicts=True)
    except Interrupted:
        logger.info("Video %s was taken away before it was stored.", owner.row.pk)


def _step_aside(owner: Owner) -> None:
    try:
        with recorded(None, "Made room for what people wait for"):
            current = owner.locked()
            current.stepped_aside += 1
            _queue_again(current)
    except Interrupted:
        logger.info("Video %s was taken away while it made room.", owner.row.pk)


def _fail(owner: Owner, sentence: str, detail: str, lacks_renderer: bool) -> None:
    try:
        with recorded(None, "Video failed"):
            current = owner.locked()
            current.status, current.finished_at = VideoStatus.FAILED, timezone.now()
            current.error, current.error_detail, current.lacks_renderer = sentence, detail, lacks_renderer
            current.save()
    except Interrupted:
        logger.info("Video %s failed after it was taken away: %s", owner.row.pk, detail)


def _queue_again(row: MotionVideo) -> None:
    row.status, row.interruptions, row.fraction = VideoStatus.QUEUED, 0, 0
    row.stage = row.detail = row.error = row.error_detail = ""
    row.started_at, row.finished_at, row.lacks_renderer = None, None, False
    row.save()
    _defer(row)


def _locked(pk: UUID) -> MotionVideo:
    return MotionVideo.objects.select_for_update(of=("self",)).defer(*_FILES).get(pk=pk)


def _defer(row: MotionVideo) -> None:
    from prescriptions.tasks import make_video

    if not connection.in_atomic_block:
        raise RuntimeError("A video is deferred in the transaction that records it.")
    make_video.configure(lock=f"video.{row.pk}").defer(video_id=str(row.pk))
