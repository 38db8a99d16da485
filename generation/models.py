"""A generation request is the row that the user sees of a job; its candidates are the answer."""
from __future__ import annotations

import uuid

import pghistory
import pgtrigger
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from clinic.models import User, every_change
from generation.engine.limits import MODEL
from patients.models import OwnModel, Patient

MAX_CANDIDATES = 64         # ours: one request stays within a few minutes on a processor
MAX_SEED = 2**31 - 1


def channel_group(request_id: uuid.UUID) -> str:
    """Where the hints about a request and its candidates are sent."""
    return f"generation.{request_id}"


class RequestStatus(models.TextChoices):
    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    SUCCEEDED = "succeeded", "Finished"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


OPEN_STATUSES = (RequestStatus.QUEUED, RequestStatus.RUNNING)


class MotionStatus(models.TextChoices):
    QUEUED = "queued", "Waits to be read"
    RUNNING = "running", "Being read"
    READY = "ready", "Ready"
    FAILED = "failed", "Refused"


class CheckStatus(models.TextChoices):
    WAITING = "waiting", "Waits for the check by OpenSim"
    RUNNING = "running", "Being checked by OpenSim"
    PASSED = "passed", "Checked by OpenSim"
    WITHDRAWN = "withdrawn", "Withdrawn: a limit does not hold in OpenSim"
    FAILED = "failed", "The check by OpenSim failed"
    CANCELLED = "cancelled", "The check by OpenSim was cancelled"


OPEN_CHECKS = (CheckStatus.WAITING, CheckStatus.RUNNING)
DECIDED_CHECKS = (CheckStatus.PASSED, CheckStatus.WITHDRAWN)


@pghistory.track(*every_change(), exclude=["stage", "detail", "fraction", "report"])
class GenerationRequest(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="generation_requests")
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    profile = models.JSONField()        # what the engine is asked, frozen when the request is made
    # The files that the profile names, where it names any: rows that never change.
    own_model = models.ForeignKey(OwnModel, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    own_motion = models.ForeignKey("OwnMotion", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    # A candidate of an earlier generation to start from and to stay near to.
    start_candidate = models.ForeignKey(
        "CandidateMotion", on_delete=models.RESTRICT, null=True, blank=True, related_name="+"
    )
    seed = models.PositiveIntegerField(validators=[MaxValueValidator(MAX_SEED)])
    candidate_count = models.PositiveSmallIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(MAX_CANDIDATES)]
    )
    status = models.CharField(max_length=10, choices=RequestStatus.choices, default=RequestStatus.QUEUED)
    # A worker owns the request while status is running and `attempt` is the one it started.
    attempt = models.PositiveIntegerField(default=0)
    interruptions = models.PositiveSmallIntegerField(default=0)     # workers that died on it since it was queued
    stage = models.CharField(max_length=80, blank=True)
    detail = models.CharField(max_length=200, blank=True)
    fraction = models.FloatField(default=0)
    error = models.TextField(blank=True)                # a sentence for people
    error_detail = models.TextField(blank=True)         # for the administrator
    report = models.JSONField(null=True, blank=True)
    model_versions = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    patient_path = "patient"

    class Meta:
        ordering = ["-created_at", "id"]
        indexes = [models.Index(fields=["patient", "-created_at"]), models.Index(fields=["status", "created_at"])]

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_STATUSES

    @property
    def seconds(self) -> float | None:
        if self.started_at and self.finished_at:
            return (self.finished_at - self.started_at).total_seconds()
        return None

    @property
    def percent(self) -> int:
        return round(100 * self.fraction)

    @property
    def channel_group(self) -> str:
        return channel_group(self.pk)


class ScaledModel(models.Model):
    """The body model of the request at the patient's size: the `.osim` that its `.mot` files belong to."""

    request = models.OneToOneField(
        GenerationRequest, on_delete=models.CASCADE, primary_key=True, related_name="scaled_model"
    )
    osim_gzip = models.BinaryField()

    patient_path = "request__patient"


class GenerationPreview(models.Model):
    """The best motion so far of a request that is being worked on: a picture, not a result. It goes when the work ends.

    ``number`` rises with every new picture of an attempt.
    """

    request = models.OneToOneField(
        GenerationRequest, on_delete=models.CASCADE, primary_key=True, related_name="preview"
    )
    number = models.PositiveIntegerField(default=1)
    playback_gzip = models.BinaryField()                # playback document, JSON, gzip

    patient_path = "request__patient"


class CandidateMotion(models.Model):
    """One generated motion. Never changed after it is stored: a signed prescription rests on it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.ForeignKey(GenerationRequest, on_delete=models.CASCADE, related_name="candidates")
    index = models.PositiveSmallIntegerField()          # its rank, 0 the best; names the file
    accepted = models.BooleanField()
    reasons = models.JSONField(default=list, blank=True)
    score = models.FloatField()
    score_parts = models.JSONField(default=dict)
    changes = models.JSONField(default=list, blank=True)    # against the person's own squat, where one was given
    checks = models.JSONField(default=list)
    metrics = models.JSONField(default=dict)
    mot_file = models.BinaryField()                     # OpenSim motion file
    mot_sha256 = models.CharField(max_length=64)
    playback_gzip = models.BinaryField()                # playback document, JSON, gzip

    patient_path = "request__patient"

    class Meta:
        ordering = ["request", "index"]
        constraints = [
            models.UniqueConstraint(fields=["request", "index"], name="candidate_index_once"),
        ]
        triggers = [pgtrigger.Protect(name="never_changed", operation=pgtrigger.Update)]

    @property
    def number(self) -> int:
        """As people count: 1 is the best."""
        return self.index + 1

    @property
    def stated_checks(self) -> list[dict]:
        """The checks of limits that people or protocols set."""
        return [check for check in self.checks if check["origin"] != MODEL]

    @property
    def model_checks(self) -> list[dict]:
        """The checks of what holds for every motion: joint ranges of the body model, planted feet, balance."""
        return [check for check in self.checks if check["origin"] == MODEL]

    @property
    def check_by_opensim(self) -> CandidateCheck | None:
        """A rejected candidate has none."""
        return getattr(self, "opensim_check", None)

    @property
    def can_be_prescribed(self) -> bool:
        check = self.check_by_opensim
        return self.accepted and (check is None or check.status != CheckStatus.WITHDRAWN)

    @property
    def file_name(self) -> str:
        return f"candidate_{self.index:03d}.mot"


@pghistory.track(*every_change(), exclude=["stage", "detail", "fraction", "result"])
class CandidateCheck(models.Model):
    """What OpenSim itself says of an accepted candidate. Nothing is signed before this row says `passed`.

    A worker owns the row while status is running and `attempt` is the one it started. Once decided it never changes.
    """

    candidate = models.OneToOneField(
        CandidateMotion, on_delete=models.CASCADE, primary_key=True, related_name="opensim_check"
    )
    status = models.CharField(max_length=10, choices=CheckStatus.choices, default=CheckStatus.WAITING)
    urgent = models.BooleanField(default=False)         # somebody waits for it: a prescription rests on the candidate
    attempt = models.PositiveIntegerField(default=0)
    interruptions = models.PositiveSmallIntegerField(default=0)
    stepped_aside = models.PositiveSmallIntegerField(default=0)     # for generations
    stage = models.CharField(max_length=80, blank=True)
    detail = models.CharField(max_length=200, blank=True)
    fraction = models.FloatField(default=0)
    reasons = models.JSONField(default=list, blank=True)    # why it is withdrawn, in sentences
    error = models.TextField(blank=True)                # a sentence for people
    error_detail = models.TextField(blank=True)         # for the administrator
    result = models.JSONField(null=True, blank=True)    # as `generation.checking` makes it: docs/report.md
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    patient_path = "candidate__request__patient"

    class Meta:
        ordering = ["candidate__request", "candidate__index"]
        indexes = [models.Index(fields=["status", "created_at"])]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(result__isnull=False) | ~models.Q(status__in=("passed", "withdrawn")),
                name="candidate_check_decided_has_a_result",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="decided_is_final", operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__status="passed") | pgtrigger.Q(old__status="withdrawn"),
            ),
        ]

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_CHECKS

    @property
    def is_passed(self) -> bool:
        return self.status == CheckStatus.PASSED

    @property
    def can_be_repeated(self) -> bool:
        return self.status in (CheckStatus.FAILED, CheckStatus.CANCELLED)

    @property
    def seconds(self) -> float | None:
        if self.started_at and self.finished_at:
            return (self.finished_at - self.started_at).total_seconds()
        return None

    @property
    def percent(self) -> int:
        return round(100 * self.fraction)


class CandidateAnalysis(models.Model):
    """The tables of a candidate's analysis by OpenSim, as `analyse_motion` writes them: `.sto` files in one archive."""

    candidate = models.OneToOneField(
        CandidateMotion, on_delete=models.CASCADE, primary_key=True, related_name="opensim_analysis"
    )
    tables_zip = models.BinaryField()
    curves = models.JSONField()             # what the page draws: docs/report.md

    patient_path = "candidate__request__patient"

    class Meta:
        triggers = [pgtrigger.Protect(name="analysis_never_changed", operation=pgtrigger.Update)]


class CandidateMuscles(models.Model):
    """What the player draws of a candidate's muscles: by the fast route first, by OpenSim once that has checked it."""

    candidate = models.OneToOneField(
        CandidateMotion, on_delete=models.CASCADE, primary_key=True, related_name="muscles"
    )
    route = models.CharField(max_length=8, choices=[("fast", "fast route"), ("opensim", "OpenSim")])
    document_gzip = models.BinaryField()    # muscle document (docs/player.md), JSON, gzip

    patient_path = "candidate__request__patient"


@pghistory.track(*every_change(), exclude=["file", "mot_file", "playback_gzip", "stage", "detail", "fraction"])
class OwnMotion(models.Model):
    """A recording of the patient's own movement: joint angles, or markers that a worker turns into them.

    The file stays as it was sent. Once ready it never changes: a generation may start from it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="own_motions")
    file_name = models.CharField(max_length=120)
    file = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    uploaded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    status = models.CharField(max_length=10, choices=MotionStatus.choices, default=MotionStatus.QUEUED)
    attempt = models.PositiveIntegerField(default=0)
    stage = models.CharField(max_length=80, blank=True)
    detail = models.CharField(max_length=200, blank=True)
    fraction = models.FloatField(default=0)
    error = models.TextField(blank=True)                    # a sentence for people
    mot_file = models.BinaryField(null=True, blank=True)    # in the body model's coordinates
    playback_gzip = models.BinaryField(null=True, blank=True)
    duration_s = models.FloatField(null=True, blank=True)
    notes = models.JSONField(default=list, blank=True)      # sentences: what is missing, how near the markers are
    removed_at = models.DateTimeField(null=True, blank=True)

    patient_path = "patient"

    class Meta:
        ordering = ["-created_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(status="ready")
                | models.Q(mot_file__isnull=False, playback_gzip__isnull=False),
                name="own_motion_ready_has_a_motion",
            ),
        ]

    @property
    def is_open(self) -> bool:
        return self.status in (MotionStatus.QUEUED, MotionStatus.RUNNING)

    @property
    def is_ready(self) -> bool:
        return self.status == MotionStatus.READY and self.removed_at is None

    @property
    def percent(self) -> int:
        return round(100 * self.fraction)

    @property
    def channel_group(self) -> str:
        return f"own_motion.{self.pk}"
