"""Assessments of fall risk and their scores, falls, alerts, what is released to the patient, monthly reports.

What can be asked and how it is scored stands in `fall_risk/scores` (pure functions); here are the rows.
"""
from __future__ import annotations

import uuid
from functools import reduce
from operator import or_

import pghistory
import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxLengthValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from clinic.models import Clinic, User, every_change
from generation.models import CandidateMotion
from patients.models import NumberField, Patient, Row


class AssessmentStatus(models.TextChoices):
    DRAFT = "draft", "Being filled in"
    COMPLETE = "complete", "Complete"
    CORRECTED = "corrected", "Replaced by a correction"


class Category(models.TextChoices):
    """Of the World Falls Guidelines; empty where too little was filled in to say."""

    LOW = "low", "Low"
    INTERMEDIATE = "intermediate", "Intermediate"
    HIGH = "high", "High"
    UNKNOWN = "", "Not determined"


def _changed(*fields: str) -> pgtrigger.Q:
    return reduce(or_, (pgtrigger.Q(**{f"old__{field}__df": pgtrigger.F(f"new__{field}")}) for field in fields))


def _text(most: int, blank: bool = False) -> models.TextField:
    """A text whose length the services check too, not only forms."""
    return models.TextField(blank=blank, max_length=most, validators=[MaxLengthValidator(most)])


class KeptRow(Row):
    """A row of one patient that stays: the patient cannot be deleted under it."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="%(class)ss")

    patient_path = "patient"

    class Meta:
        abstract = True


ASSESSMENT_CONTENT = (
    "patient", "started_by", "assessed_on", "answers", "origins", "versions", "facts", "completed_by", "completed_at",
    "corrects", "correction_reason", "category", "next_due_on", "age_band", "conditions",
)


@pghistory.track(*every_change())
class Assessment(KeptRow):
    """One visit's answers. Filled in by sections and saved half-done; complete, it is frozen and scored.

    `answers` is one mapping from field key to answer over all instruments (`fall_risk.scores.fields` says what an
    answer is: "not done" is never zero). `versions` counts the saves of each section, so that two editors do not
    overwrite one another unseen. `origins` says of an answer that did not come from the keyboard where it came from.
    """

    started_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    assessed_on = models.DateField(default=timezone.localdate)
    status = models.CharField(max_length=10, choices=AssessmentStatus.choices, default=AssessmentStatus.DRAFT)
    answers = models.JSONField(default=dict, blank=True)
    origins = models.JSONField(default=dict, blank=True)
    versions = models.JSONField(default=dict, blank=True)
    facts = models.JSONField(null=True, blank=True)         # the person as known when it was completed
    completed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    completed_at = models.DateTimeField(null=True, blank=True)
    corrects = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="correction"
    )
    correction_reason = _text(1000, blank=True)
    # What the clinic's report counts by, as it was on the day.
    category = models.CharField(max_length=12, choices=Category.choices, blank=True)
    next_due_on = models.DateField(null=True, blank=True)
    age_band = models.CharField(max_length=8, blank=True)
    conditions = ArrayField(models.CharField(max_length=60), default=list, blank=True)

    class Meta:
        ordering = ["-assessed_on", "-created_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["patient"], condition=Q(status="draft"), name="assessment_one_draft_for_a_patient"
            ),
            models.CheckConstraint(
                condition=Q(status="draft") | Q(completed_at__isnull=False, facts__isnull=False),
                name="assessment_complete_says_when",
            ),
        ]
        indexes = [
            models.Index(
                fields=["patient", "-assessed_on", "-created_at"], name="assessment_latest",
                condition=Q(status="complete"),     # all that the report reads: it never opens the rows themselves
                include=["category", "next_due_on", "age_band", "completed_by", "conditions"],
            ),
            models.Index(fields=["assessed_on"], name="assessment_by_day", condition=Q(status="complete")),
        ]
        triggers = [
            pgtrigger.Protect(
                name="complete_is_frozen", operation=pgtrigger.Update,
                condition=~pgtrigger.Q(old__status="draft")
                & (_changed(*ASSESSMENT_CONTENT) | pgtrigger.Q(new__status="draft")),
            ),
            pgtrigger.Protect(
                name="corrected_is_final", operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__status="corrected") & ~pgtrigger.Q(new__status="corrected"),
            ),
            pgtrigger.Protect(
                name="complete_is_kept", operation=pgtrigger.Delete, condition=~pgtrigger.Q(old__status="draft")
            ),
        ]

    @property
    def is_draft(self) -> bool:
        return self.status == AssessmentStatus.DRAFT


class ScoreRecord(models.Model):
    """One score of a completed assessment, with its version and inputs. Never changed, so it can be recomputed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    assessment = models.ForeignKey(Assessment, on_delete=models.PROTECT, related_name="scores")
    key = models.CharField(max_length=60)
    version = models.CharField(max_length=20)
    inputs = models.JSONField()         # the answers and the person that the score used
    result = models.JSONField()         # `fall_risk.scores.Score` as a document
    created_at = models.DateTimeField(auto_now_add=True)

    patient_path = "assessment__patient"

    class Meta:
        ordering = ["assessment", "created_at", "key"]
        constraints = [models.UniqueConstraint(fields=["assessment", "key"], name="score_once_in_an_assessment")]
        triggers = [pgtrigger.Protect(name="never_changed", operation=pgtrigger.Update | pgtrigger.Delete)]


class Injury(models.TextChoices):
    NONE = "none", "No injury"
    MINOR = "minor", "Bruise, graze or pain"
    CARE = "care", "Needed a doctor, nurse or physiotherapist"
    SERIOUS = "serious", "Broken bone, head injury or hospital"
    UNKNOWN = "unknown", "Not known"


@pghistory.track(*every_change())
class FallEvent(KeptRow):
    """A fall, as it was reported. A report that was wrong is retracted with a reason, never deleted."""

    occurred_on = models.DateField()
    injury = models.CharField(max_length=8, choices=Injury.choices)
    unable_to_rise = models.BooleanField(null=True, blank=True)            # None: not known
    lost_consciousness = models.BooleanField(null=True, blank=True)
    circumstances = _text(2000, blank=True)
    reported_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    by_patient = models.BooleanField()
    submission = models.UUIDField(unique=True)      # made by the form: a report sent twice is stored once
    retracted_at = models.DateTimeField(null=True, blank=True)
    retracted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    retracted_reason = _text(1000, blank=True)

    class Meta:
        ordering = ["-occurred_on", "-created_at", "id"]
        indexes = [
            models.Index(fields=["patient", "-occurred_on"], condition=Q(retracted_at=None), name="fall_of_patient"),
            models.Index(fields=["occurred_on"], condition=Q(retracted_at=None), name="fall_by_day"),
        ]
        triggers = [
            pgtrigger.Protect(
                name="reported_is_frozen", operation=pgtrigger.Update,
                condition=_changed(
                    "patient", "occurred_on", "injury", "unable_to_rise", "lost_consciousness", "circumstances",
                    "reported_by", "by_patient", "submission",
                ) | pgtrigger.Q(old__retracted_at__isnull=False),
            ),
            pgtrigger.Protect(name="reported_is_kept", operation=pgtrigger.Delete),
        ]


class AlertKind(models.TextChoices):
    HIGH_RISK = "high_risk", "High risk of falling"
    FALL = "fall", "A fall was reported"
    EXERCISE = "exercise", "Trouble with the exercise"


@pghistory.track(*every_change())
class Alert(KeptRow):
    """Something that the care team must see. It stays on top of their pages until one of them acknowledges it."""

    kind = models.CharField(max_length=10, choices=AlertKind.choices)
    assessment = models.ForeignKey(Assessment, on_delete=models.PROTECT, null=True, blank=True, related_name="alerts")
    fall = models.ForeignKey(FallEvent, on_delete=models.PROTECT, null=True, blank=True, related_name="alerts")
    sentence = models.CharField(max_length=300)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    note = _text(1000, blank=True)

    class Meta:
        ordering = ["-created_at", "id"]
        indexes = [models.Index(fields=["patient"], condition=Q(acknowledged_at=None), name="alert_open")]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="high_risk", assessment__isnull=False) | Q(kind="fall", fall__isnull=False)
                | Q(kind="exercise"),       # the session names its alert
                name="alert_says_of_what",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="raised_is_frozen", operation=pgtrigger.Update,
                condition=_changed("patient", "kind", "assessment", "fall", "sentence", "created_at")
                | pgtrigger.Q(old__acknowledged_at__isnull=False),
            ),
            pgtrigger.Protect(name="raised_is_kept", operation=pgtrigger.Delete),
        ]


class MailStatus(models.TextChoices):
    QUEUED = "queued", "Queued"
    SENT = "sent", "Sent"


class AlertMail(models.Model):
    """One alert on its way to one person by e-mail."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    alert = models.ForeignKey(Alert, on_delete=models.PROTECT, related_name="mails")
    recipient = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(max_length=6, choices=MailStatus.choices, default=MailStatus.QUEUED)
    tries = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)        # of the last try
    queued_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)

    patient_path = "alert__patient"

    class Meta:
        ordering = ["queued_at", "id"]
        constraints = [models.UniqueConstraint(fields=["alert", "recipient"], name="alert_mail_once_for_a_person")]
        indexes = [models.Index(fields=["queued_at"], condition=Q(status="queued"), name="alert_mail_unsent")]


@pghistory.track(*every_change())
class ReleasedSummary(KeptRow):
    """What a clinician tells the patient about an assessment, in plain words: all that the patient sees of it."""

    assessment = models.ForeignKey(Assessment, on_delete=models.PROTECT, related_name="summaries")
    text = _text(4000)
    released_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["patient"], condition=Q(withdrawn_at=None), name="summary_one_released_for_a_patient"
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="released_is_frozen", operation=pgtrigger.Update,
                condition=_changed("patient", "assessment", "text", "released_by", "created_at")
                | pgtrigger.Q(old__withdrawn_at__isnull=False),
            ),
            pgtrigger.Protect(name="released_is_kept", operation=pgtrigger.Delete),
        ]


class RecordingKind(models.TextChoices):
    SIT_TO_STAND = "sit_to_stand", "Sit-to-stand"
    SQUAT = "squat", "Squats"


class RecordingStatus(models.TextChoices):
    QUEUED = "queued", "Waiting"
    RUNNING = "running", "Being analysed"
    DONE = "done", "Analysed"
    FAILED = "failed", "Could not be analysed"
    CANCELLED = "cancelled", "Cancelled"


OPEN_RECORDINGS = (RecordingStatus.QUEUED, RecordingStatus.RUNNING)
MARKER_FILE = ".trc"


@pghistory.track(*every_change(), exclude=["file", "result", "stage", "detail", "fraction"])
class MotionRecording(KeptRow):
    """A recording uploaded to an assessment. What it proposes enters the assessment once a clinician confirms it."""

    assessment = models.ForeignKey(Assessment, on_delete=models.PROTECT, related_name="recordings")
    kind = models.CharField(max_length=12, choices=RecordingKind.choices)
    file_name = models.CharField(max_length=120)
    file = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    go_s = NumberField(null=True, blank=True, validators=[MinValueValidator(0, "Not before the recording began.")])
    uploaded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(max_length=10, choices=RecordingStatus.choices, default=RecordingStatus.QUEUED)
    attempt = models.PositiveIntegerField(default=0)
    interruptions = models.PositiveIntegerField(default=0)      # workers that died on it
    stepped_aside = models.PositiveIntegerField(default=0)
    stage = models.CharField(max_length=80, blank=True)
    detail = models.CharField(max_length=200, blank=True)
    fraction = models.FloatField(default=0)
    result = models.JSONField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    confirmed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-created_at", "id"]

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_RECORDINGS

    @property
    def has_markers(self) -> bool:
        return self.file_name.lower().endswith(MARKER_FILE)

    @property
    def percent(self) -> int:
        return round(100 * self.fraction)


class MotionProfile(KeptRow):
    """How steady a generated motion is, computed once by a worker. Kept apart from every score of falling."""

    candidate = models.OneToOneField(CandidateMotion, on_delete=models.PROTECT, related_name="movement_profile")
    status = models.CharField(max_length=10, choices=RecordingStatus.choices, default=RecordingStatus.QUEUED)
    result = models.JSONField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True)


class MonthlyReport(Row):
    """The clinic's report of one month as it was when the month was over, small groups already suppressed."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="fall_reports")
    month = models.DateField()          # its first day
    content = models.JSONField()
    mailed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-month"]
        constraints = [models.UniqueConstraint(fields=["clinic", "month"], name="fall_report_once_a_month")]
