"""A prescription: one accepted motion with its dose, signed by a clinician."""
from __future__ import annotations

import uuid
from functools import reduce
from operator import or_

import pghistory
import pgtrigger
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from clinic.models import User, every_change
from generation.models import CandidateMotion
from patients.models import Patient


class PrescriptionStatus(models.TextChoices):
    DRAFT = "draft", "Draft"
    SIGNED = "signed", "Signed"
    HELD = "held", "On hold"
    WITHDRAWN = "withdrawn", "Withdrawn"


def _between(low: int, high: int, what: str) -> list:
    message = f"{what} must be between {low} and {high}."
    return [MinValueValidator(low, message), MaxValueValidator(high, message)]


CONTENT_FIELDS = (
    "patient", "candidate", "version", "sets", "repetitions", "rest_s", "sessions_per_week", "weeks",
    "instructions", "equipment",
)
SIGNATURE_FIELDS = ("signed_by", "signed_at", "expires_at", "document", "content_hash")


def _signed_before() -> pgtrigger.Q:
    return ~pgtrigger.Q(old__status="draft")


# The truth behind the button: whatever the software asks for, a motion that OpenSim has not passed is not signed.
_SIGNED_IS_CHECKED = """
    IF TG_OP = 'UPDATE' AND OLD.status <> 'draft' THEN
        RETURN NEW;
    END IF;
    IF NOT EXISTS (SELECT 1 FROM generation_candidatecheck
                   WHERE candidate_id = NEW.candidate_id AND status = 'passed') THEN
        RAISE EXCEPTION 'pgtrigger: cannot sign a motion that OpenSim has not passed';
    END IF;
    RETURN NEW;
"""


def _any_changed(*fields: str) -> pgtrigger.Q:
    return reduce(or_, (pgtrigger.Q(**{f"old__{field}__df": pgtrigger.F(f"new__{field}")}) for field in fields))


@pghistory.track(*every_change())
class Prescription(models.Model):
    """Draft, then signed, perhaps held and released, perhaps withdrawn at last.

    After signing the database itself refuses a change of the content. While a prescription is held the patient is told
    to talk to the clinician and sees no exercise.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="prescriptions")
    candidate = models.ForeignKey(CandidateMotion, on_delete=models.PROTECT, related_name="prescriptions")
    version = models.PositiveSmallIntegerField(default=1)
    previous = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="later")
    status = models.CharField(max_length=10, choices=PrescriptionStatus.choices, default=PrescriptionStatus.DRAFT)

    sets = models.PositiveSmallIntegerField("Sets", validators=_between(1, 10, "Sets"))
    repetitions = models.PositiveSmallIntegerField("Repetitions in a set", validators=_between(1, 50, "Repetitions"))
    rest_s = models.PositiveSmallIntegerField("Rest between sets (s)", validators=_between(0, 600, "Rest"))
    sessions_per_week = models.PositiveSmallIntegerField(
        "Sessions a week", validators=_between(1, 14, "Sessions a week")
    )
    weeks = models.PositiveSmallIntegerField("Duration (weeks)", validators=_between(1, 26, "Duration"))
    instructions = models.TextField("Instructions for the patient", max_length=4000)
    equipment = models.CharField("Equipment", max_length=300, blank=True)

    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    signed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    signed_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    document = models.JSONField(null=True, blank=True)      # the canonical content that was signed
    content_hash = models.CharField(max_length=64, blank=True)
    held_at = models.DateTimeField(null=True, blank=True)
    held_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    held_reason = models.TextField(blank=True, max_length=1000)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    withdrawn_reason = models.TextField(blank=True, max_length=1000)

    patient_path = "patient"

    class Meta:
        ordering = ["-created_at", "id"]
        indexes = [models.Index(fields=["patient", "status"])]
        constraints = [
            models.UniqueConstraint(
                fields=["patient"], condition=models.Q(status__in=("signed", "held")),
                name="prescription_one_signed_for_a_patient",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="held") | models.Q(held_at__isnull=False), name="prescription_held_says_when"
            ),
            models.CheckConstraint(
                condition=models.Q(status="draft") | ~models.Q(content_hash=""), name="prescription_signed_has_a_hash"
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="signed_is_frozen",
                operation=pgtrigger.Update,
                condition=_signed_before() & _any_changed(*CONTENT_FIELDS, *SIGNATURE_FIELDS),
            ),
            pgtrigger.Protect(
                name="signed_is_kept", operation=pgtrigger.Delete, condition=_signed_before()
            ),
            pgtrigger.Protect(
                name="never_unsigned",
                operation=pgtrigger.Update,
                condition=_signed_before() & pgtrigger.Q(new__status="draft"),
            ),
            pgtrigger.Protect(
                name="withdrawn_is_final",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__status="withdrawn") & ~pgtrigger.Q(new__status="withdrawn"),
            ),
            pgtrigger.Protect(
                name="only_signed_is_held",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__status="draft", new__status="held"),
            ),
            pgtrigger.Trigger(
                name="signed_is_checked",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                condition=pgtrigger.Q(new__status="signed") | pgtrigger.Q(new__status="held"),
                func=_SIGNED_IS_CHECKED,
            ),
        ]

    @property
    def is_draft(self) -> bool:
        return self.status == PrescriptionStatus.DRAFT

    @property
    def is_in_force(self) -> bool:
        return self.status == PrescriptionStatus.SIGNED and self.expires_at > timezone.now()

    @property
    def state(self) -> str:
        """Status as people read it: a signature that ran out is not the same as a signature."""
        expired = self.status == PrescriptionStatus.SIGNED and not self.is_in_force
        return "expired" if expired else self.status


class VideoStatus(models.TextChoices):
    QUEUED = "queued", "Waits to be made"
    RUNNING = "running", "Being made"
    READY = "ready", "Ready"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


OPEN_VIDEOS = (VideoStatus.QUEUED, VideoStatus.RUNNING)


@pghistory.track(*every_change(), exclude=["mp4", "captions", "poster", "stage", "detail", "fraction"])
class MotionVideo(models.Model):
    """A signed squat as an MP4, made by a worker. The same content is made once: `content_key` names all that it shows.

    A worker owns the row while status is running and `attempt` is the one it started.
    """

    class View(models.TextChoices):
        BOTH = "both", "Front and side"
        FRONT = "front", "Front"
        SIDE = "side", "Side"
        THREE_QUARTER = "three-quarter", "Three-quarter"

    class Height(models.IntegerChoices):
        HD = 720, "720p, for a phone"
        FULL_HD = 1080, "1080p, for a television"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    prescription = models.ForeignKey(Prescription, on_delete=models.CASCADE, related_name="videos")
    height = models.PositiveSmallIntegerField(choices=Height.choices)
    view = models.CharField(max_length=15, choices=View.choices)
    repetitions = models.PositiveSmallIntegerField()
    content_key = models.CharField(max_length=64)
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    status = models.CharField(max_length=10, choices=VideoStatus.choices, default=VideoStatus.QUEUED)
    attempt = models.PositiveIntegerField(default=0)
    interruptions = models.PositiveSmallIntegerField(default=0)
    stepped_aside = models.PositiveSmallIntegerField(default=0)
    stage = models.CharField(max_length=80, blank=True)
    detail = models.CharField(max_length=200, blank=True)
    fraction = models.FloatField(default=0)
    error = models.TextField(blank=True)                    # a sentence for people
    error_detail = models.TextField(blank=True)             # for the administrator
    lacks_renderer = models.BooleanField(default=False)     # there was no Chromium where the worker runs
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    mp4 = models.BinaryField(null=True, blank=True)
    captions = models.TextField(blank=True)                 # WebVTT
    poster = models.BinaryField(null=True, blank=True)      # JPEG
    duration_s = models.FloatField(null=True, blank=True)
    facts = models.JSONField(default=dict, blank=True)      # browser, memory_mb, bytes, seconds
    sent_at = models.DateTimeField(null=True, blank=True)   # when the patient was last told by e-mail

    patient_path = "prescription__patient"

    class Meta:
        ordering = ["-created_at", "id"]
        indexes = [models.Index(fields=["status", "created_at"])]
        constraints = [
            models.UniqueConstraint(fields=["prescription", "content_key"], name="motion_video_content_once"),
            models.CheckConstraint(
                condition=~models.Q(status="ready") | models.Q(mp4__isnull=False, duration_s__isnull=False),
                name="motion_video_ready_has_a_file",
            ),
        ]

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_VIDEOS

    @property
    def is_ready(self) -> bool:
        return self.status == VideoStatus.READY

    @property
    def percent(self) -> int:
        return round(100 * self.fraction)

    @property
    def width(self) -> int:
        return self.height * 16 // 9

    @property
    def file_name(self) -> str:
        """Says nothing about the patient: files are kept and sent on."""
        return f"squat-{self.view}-{self.height}p-{str(self.pk)[:8]}.mp4"


class MotionPicture(models.Model):
    """One of the five pictures that tell a motion on paper and in lists, drawn as the player draws it."""

    class Moment(models.TextChoices):
        STAND_START = "stand_start", "Standing"
        MID_DESCENT = "mid_descent", "Half way down"
        BOTTOM = "bottom", "The bottom"
        MID_ASCENT = "mid_ascent", "Half way up"
        STAND_END = "stand_end", "Standing again"

    candidate = models.ForeignKey(CandidateMotion, on_delete=models.CASCADE, related_name="pictures")
    moment = models.CharField(max_length=15, choices=Moment.choices)
    seconds = models.FloatField()
    alt = models.TextField()                # what it shows, in words
    jpeg = models.BinaryField()

    patient_path = "candidate__request__patient"

    class Meta:
        ordering = ["candidate", "seconds", "id"]
        constraints = [models.UniqueConstraint(fields=["candidate", "moment"], name="motion_picture_moment_once")]


@pghistory.track(*every_change())
class MotionShare(models.Model):
    """A motion shown to one named person of the clinic for some days. There are no public links.

    With `prescription` it is what was signed; the patient can be shown nothing else.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    candidate = models.ForeignKey(CandidateMotion, on_delete=models.CASCADE, related_name="shares")
    prescription = models.ForeignKey(
        Prescription, on_delete=models.CASCADE, null=True, blank=True, related_name="shares"
    )
    shared_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    shared_with = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    note = models.TextField("Note", max_length=1000, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    patient_path = "candidate__request__patient"

    class Meta:
        ordering = ["-created_at", "id"]
        indexes = [models.Index(fields=["shared_with", "expires_at"])]
        triggers = [
            pgtrigger.Protect(
                name="share_goes_to_whom_it_was_given", operation=pgtrigger.Update,
                condition=_any_changed("candidate", "prescription", "shared_by", "shared_with", "note", "expires_at"),
            ),
        ]

    @property
    def is_open(self) -> bool:
        return self.revoked_at is None and self.expires_at > timezone.now()

    @property
    def state(self) -> str:
        if self.revoked_at is not None:
            return "withdrawn"
        return "active" if self.is_open else "expired"
