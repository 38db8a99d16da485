"""Sessions: what a patient did with a signed prescription and how it went, in their own words and numbers."""
from __future__ import annotations

import uuid

import pghistory
import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxLengthValidator, MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from clinic.models import User, every_change
from exercise.pain import RED_FLAG_CHOICES, RED_FLAGS
from fall_risk.models import Alert
from patients.models import Patient
from prescriptions.models import Prescription

MOST_SETS, MOST_REPETITIONS = 20, 1000      # E: beyond any dose that can be prescribed


class StoppedEarly(models.TextChoices):
    NO = "", "No, I did it all"
    PAIN = "pain", "Yes, because of pain"
    TIRED = "tired", "Yes, I was tired"
    UNWELL = "unwell", "Yes, I did not feel well"
    TIME = "time", "Yes, I had no time"
    OTHER = "other", "Yes, for another reason"


def _scale(label: str, **kwargs) -> models.PositiveSmallIntegerField:
    """0 to 10."""
    message = "Choose a number from 0 to 10."
    bounds = [MinValueValidator(0, message), MaxValueValidator(10, message)]
    return models.PositiveSmallIntegerField(label, validators=bounds, **kwargs)


def _count(label: str, most: int) -> models.PositiveSmallIntegerField:
    return models.PositiveSmallIntegerField(label, validators=[MaxValueValidator(most, f"Not more than {most}.")])


@pghistory.track(*every_change())
class ExerciseSession(models.Model):
    """One session of one signed version, as the patient tells it. The row never changes: a correction is a new row that
    names the one it replaces, and what counts are the rows that nothing replaces.

    `id` is made by the sender, so that an entry that is sent twice is stored once. Pain on the numeric rating scale,
    effort on Borg's CR10 scale, both 0-10.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    created_at = models.DateTimeField(auto_now_add=True)        # when it arrived here
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="exercise_sessions")
    prescription = models.ForeignKey(Prescription, on_delete=models.PROTECT, related_name="sessions")
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    corrects = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="correction")

    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    sets = _count("Sets", MOST_SETS)
    repetitions = _count("Repetitions in all", MOST_REPETITIONS)
    pain_before = _scale("Pain before", null=True, blank=True)
    pain_during = _scale("Worst pain during it")
    pain_after = _scale("Pain now, after it")
    difficulty = _scale("Effort (CR10)", null=True, blank=True)
    red_flags = ArrayField(
        models.CharField(max_length=12, choices=RED_FLAG_CHOICES),
        default=list, blank=True,
    )
    stopped_early = models.CharField(max_length=8, choices=StoppedEarly.choices, blank=True)
    note = models.TextField("Note", max_length=2000, blank=True, validators=[MaxLengthValidator(2000)])

    pain_limit = models.PositiveSmallIntegerField()             # of the signed version, when this was stored
    alert = models.OneToOneField(
        Alert, on_delete=models.PROTECT, null=True, blank=True, related_name="exercise_session"
    )

    patient_path = "patient"

    class Meta:
        ordering = ["-started_at", "-created_at", "id"]
        indexes = [models.Index(fields=["patient", "-started_at"], name="session_of_patient")]
        constraints = [
            models.CheckConstraint(condition=Q(finished_at__gte=F("started_at")), name="session_ends_after_it_began"),
            models.CheckConstraint(
                condition=Q(pain_before__isnull=True) | Q(pain_before__lte=10), name="session_pain_before_to_10"
            ),
            models.CheckConstraint(condition=Q(pain_during__lte=10, pain_after__lte=10), name="session_pain_to_10"),
        ]
        triggers = [pgtrigger.Protect(name="told_is_kept", operation=pgtrigger.Update | pgtrigger.Delete)]

    @property
    def minutes(self) -> int:
        return max(1, round((self.finished_at - self.started_at).total_seconds() / 60))

    @property
    def stopped_words(self) -> str:
        """Why, as it reads after "stopped early:"."""
        words = {"pain": "pain", "tired": "tired", "unwell": "not well", "time": "no time", "other": "another reason"}
        return words.get(self.stopped_early, "")

    @property
    def flag_words(self) -> list[str]:
        return [RED_FLAGS[flag][0] for flag in self.red_flags]
