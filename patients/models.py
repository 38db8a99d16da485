"""The record of a patient: body, measurements, conditions, and what a squat may do.

Every row hangs on a patient by `patient_path`, which the permission table reads. SI units, degrees for angles.
"""
from __future__ import annotations

import math
import uuid

import pghistory
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from clinic.models import Clinic, User, every_change
from generation.engine.limits import HEAVIEST
from generation.engine.presets import CONDITIONS
from generation.engine.profile import MOST_REPETITIONS
from generation.engine.variables import VARIABLES
from patients import rules


class Sex(models.TextChoices):
    FEMALE = "female", "Female"
    MALE = "male", "Male"


class Side(models.TextChoices):
    NONE = "", "No side"
    LEFT = "left", "Left"
    RIGHT = "right", "Right"
    BOTH = "both", "Both"


class MovementPhase(models.TextChoices):
    """The part of a squat that a limit is about."""

    WHOLE = "", "Whole squat"
    DESCENT = "descent", "On the way down"
    BOTTOM = "bottom", "At the bottom"
    ASCENT = "ascent", "On the way up"


class ArmPosture(models.TextChoices):
    """The engine's postures."""

    PROTOCOL = "", "As the protocols say, else raised forward"
    FORWARD = "forward", "Raised forward with the squat"
    CROSSED = "crossed", "Crossed in front of the chest"
    SIDES = "sides", "At the sides"
    OVERHEAD = "overhead", "Overhead"
    SUPPORT = "support", "Hands on a support in front"


class SourceStatus(models.TextChoices):
    """How far a number can be trusted: the engine's three letters; empty for what the clinician sets."""

    CLINICIAN = "", "Set by the clinician"
    SEEN = "V", "Seen in source"
    RECALLED = "R", "Recalled, unchecked"
    DEFAULT = "E", "Our default"


def finite(value: float) -> None:
    """NaN passes every comparison of a range; the database would keep it."""
    if not math.isfinite(value):
        raise ValidationError("Enter a number.")


class NumberField(models.FloatField):
    """A finite number."""

    default_validators = [finite]


class Row(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True


@pghistory.track(*every_change())
class Patient(Row):
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="patients")
    given_name = models.CharField(max_length=80)
    family_name = models.CharField(max_length=80)
    birth_date = models.DateField()
    sex = models.CharField(max_length=6, choices=Sex.choices)
    account = models.OneToOneField(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="patient_record"
    )
    care_team = models.ManyToManyField(User, through="CareTeamMember", related_name="patients")

    patient_path = ""

    class Meta:
        ordering = ["family_name", "given_name", "id"]
        indexes = [models.Index(fields=["clinic", "family_name", "given_name"])]

    def __str__(self) -> str:
        return self.full_name

    @property
    def full_name(self) -> str:
        return f"{self.given_name} {self.family_name}"

    @property
    def age_years(self) -> int:
        today = timezone.localdate()
        before_birthday = (today.month, today.day) < (self.birth_date.month, self.birth_date.day)
        return today.year - self.birth_date.year - before_birthday


@pghistory.track(*every_change())
class CareTeamMember(models.Model):
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE)
    clinician = models.ForeignKey(User, on_delete=models.CASCADE)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["patient", "clinician"], name="care_team_member_once")]


class PatientRow(Row):
    """What belongs to one patient."""

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="%(class)ss")

    patient_path = "patient"

    class Meta:
        abstract = True


@pghistory.track(*every_change())
class BodyMeasurement(PatientRow):
    measured_on = models.DateField(default=timezone.localdate)
    height_m = NumberField(
        validators=[
            MinValueValidator(1.2, "Height must be between 1.20 and 2.20 m."),
            MaxValueValidator(2.2, "Height must be between 1.20 and 2.20 m."),
        ]
    )
    mass_kg = NumberField(
        validators=[
            MinValueValidator(30, "Body mass must be between 30 and 250 kg."),
            MaxValueValidator(250, "Body mass must be between 30 and 250 kg."),
        ]
    )

    class Meta:
        ordering = ["-measured_on", "-created_at"]


@pghistory.track(*every_change())
class RangeOfMotionMeasurement(PatientRow):
    """How far one joint movement goes on this person: a variable of the engine, in degrees."""

    movement = models.CharField(max_length=60)
    side = models.CharField(max_length=5, choices=Side.choices, blank=True)
    minimum_deg = NumberField(null=True, blank=True)
    maximum_deg = NumberField(null=True, blank=True)
    measured_on = models.DateField(default=timezone.localdate)
    method = models.CharField(max_length=80, blank=True)

    class Meta:
        ordering = ["movement", "side", "-measured_on", "-created_at"]


class Segment(models.TextChoices):
    """Lengths between joint centres that the body model takes; what each runs between stands in docs/profile.md."""

    THIGH = "thigh", "Thigh, hip to knee"
    SHANK = "shank", "Shin, knee to ankle"
    FOOT = "foot", "Foot, heel to longest toe"
    TRUNK = "trunk", "Trunk, lumbar joint to between the shoulders"
    PELVIS_WIDTH = "pelvis_width", "Pelvis, between the hip centres"


SIDED_SEGMENTS = (Segment.THIGH, Segment.SHANK, Segment.FOOT)


@pghistory.track(*every_change())
class SegmentLength(PatientRow):
    """A measured length of one segment, which replaces the one expected from sex, height and mass."""

    segment = models.CharField(max_length=20, choices=Segment.choices)
    side = models.CharField(max_length=5, choices=Side.choices, blank=True)
    length_m = NumberField(
        validators=[
            MinValueValidator(0.1, "A length must be between 0.10 and 1.00 m."),
            MaxValueValidator(1.0, "A length must be between 0.10 and 1.00 m."),
        ]
    )
    measured_on = models.DateField(default=timezone.localdate)
    method = models.CharField(max_length=80, blank=True)

    class Meta:
        ordering = ["segment", "side", "-measured_on", "-created_at"]


class MuscleGroup(models.TextChoices):
    """The groups of the engine's profile."""

    KNEE_EXTENSION = "knee_extension", "Knee extension"
    KNEE_FLEXION = "knee_flexion", "Knee flexion"
    HIP_EXTENSION = "hip_extension", "Hip extension"
    HIP_FLEXION = "hip_flexion", "Hip flexion"
    HIP_ABDUCTION = "hip_abduction", "Hip abduction"
    HIP_ADDUCTION = "hip_adduction", "Hip adduction"
    HIP_INTERNAL_ROTATION = "hip_internal_rotation", "Hip internal rotation"
    HIP_EXTERNAL_ROTATION = "hip_external_rotation", "Hip external rotation"
    ANKLE_PLANTARFLEXION = "ankle_plantarflexion", "Ankle plantarflexion"
    ANKLE_DORSIFLEXION = "ankle_dorsiflexion", "Ankle dorsiflexion"


@pghistory.track(*every_change())
class StrengthMeasurement(PatientRow):
    """Greatest voluntary torque of one muscle group on one side, or its share of the expected one."""

    muscle_group = models.CharField(max_length=40, choices=MuscleGroup.choices)
    side = models.CharField(max_length=5, choices=[(Side.LEFT, "Left"), (Side.RIGHT, "Right")])
    torque_nm = NumberField(
        null=True, blank=True,
        validators=[
            MinValueValidator(0, "Torque must be between 0 and 600 Nm."),
            MaxValueValidator(600, "Torque must be between 0 and 600 Nm."),
        ]
    )
    percent = NumberField(
        null=True, blank=True,
        validators=[
            MinValueValidator(1, "Strength must be between 1 and 300 % of the expected."),
            MaxValueValidator(300, "Strength must be between 1 and 300 % of the expected."),
        ]
    )
    at_deg = NumberField(
        null=True, blank=True,
        validators=[
            MinValueValidator(-90, "The angle must be between -90 and 150 degrees."),
            MaxValueValidator(150, "The angle must be between -90 and 150 degrees."),
        ]
    )
    measured_on = models.DateField(default=timezone.localdate)
    method = models.CharField(max_length=80, blank=True)

    class Meta:
        ordering = ["muscle_group", "side", "-measured_on", "-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(torque_nm__isnull=True, percent__isnull=False)
                | Q(torque_nm__isnull=False, percent__isnull=True),
                name="strength_is_torque_or_percent",
            ),
        ]


@pghistory.track(*every_change(), exclude=["osim_gzip"])
class OwnModel(PatientRow):
    """A scaled OpenSim model of the patient's own, looked through before it is kept.

    Never changed: a generation that was asked with it stays tied to it. A new upload replaces it; it can be removed.
    """

    file_name = models.CharField(max_length=120)
    sha256 = models.CharField(max_length=64)
    osim_gzip = models.BinaryField()
    mass_kg = models.FloatField()
    muscle_count = models.PositiveSmallIntegerField()
    notes = models.JSONField(default=list, blank=True)      # sentences of the engine on what it could not take
    uploaded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["patient"], condition=Q(removed_at=None), name="own_model_one_for_a_patient"
            ),
        ]


@pghistory.track(*every_change())
class Condition(PatientRow):
    """A condition in its phase; recording it brings its preset limits into the record."""

    name = models.CharField(max_length=60)
    phase = models.CharField(max_length=60, blank=True)      # empty where the presets know no phases
    side = models.CharField(max_length=5, choices=Side.choices, blank=True)
    onset_on = models.DateField(null=True, blank=True)      # of the surgery where there was one
    resolved_on = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["created_at"]

    def __str__(self) -> str:
        return ", ".join(part for part in (self.label, self.phase_words, self.side) if part)

    @property
    def phase_words(self) -> str:
        return rules.phase_words(self.phase).lower() if self.phase not in ("", "all") else ""

    @property
    def week(self) -> int | None:
        """Full weeks since surgery or onset: what the weeks of the phases count."""
        return (timezone.localdate() - self.onset_on).days // 7 if self.onset_on else None

    @property
    def label(self) -> str:
        return CONDITIONS[self.name].label if self.name in CONDITIONS else self.name

    @property
    def phases_due(self) -> str:
        """In words, the phases that the weeks have come to, where the recorded one is over or not yet reached."""
        known = CONDITIONS.get(self.name)
        if known is None or self.week is None or self.phase not in known.weeks:
            return ""
        due = known.phases_at(self.week)
        return "" if self.phase in due else " or ".join(rules.phase_words(phase).lower() for phase in due) or "no phase"


@pghistory.track(*every_change())
class MovementLimit(PatientRow):
    """One limit on the movement, from a preset or from the clinician: hard, or with a `weight` a goal.

    A limit that came from a preset keeps what the preset said (`preset_minimum`, `preset_maximum`, `preset_weight`), so
    that the page can always show how far the clinician has moved it and why.
    """

    condition = models.ForeignKey(
        Condition, on_delete=models.CASCADE, null=True, blank=True, related_name="limits"
    )
    variable = models.CharField(max_length=60)
    side = models.CharField(max_length=5, choices=Side.choices, blank=True)
    phase = models.CharField(max_length=8, choices=MovementPhase.choices, blank=True)
    minimum = NumberField(null=True, blank=True)
    maximum = NumberField(null=True, blank=True)
    weight = NumberField(null=True, blank=True)       # of a goal; none: the limit is hard
    unit = models.CharField(max_length=20)
    source = models.TextField(blank=True)
    status = models.CharField(max_length=1, choices=SourceStatus.choices, blank=True)
    preset_minimum = NumberField(null=True, blank=True)
    preset_maximum = NumberField(null=True, blank=True)
    preset_weight = NumberField(null=True, blank=True)
    reason = models.TextField(blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["variable", "side", "created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(minimum__isnull=False) | Q(maximum__isnull=False), name="movement_limit_has_a_bound"
            ),
            models.CheckConstraint(
                condition=Q(minimum__isnull=True) | Q(maximum__isnull=True) | Q(minimum__lte=F("maximum")),
                name="movement_limit_minimum_below_maximum",
            ),
            models.CheckConstraint(
                condition=Q(weight__isnull=True) | Q(weight__gt=0, weight__lte=HEAVIEST), name="movement_limit_weight"
            ),
        ]

    @property
    def label(self) -> str:
        return VARIABLES[self.variable].label if self.variable in VARIABLES else self.variable

    @property
    def origin(self) -> str:
        return str(self.condition) if self.condition_id else "Clinician"

    @property
    def is_preset(self) -> bool:
        return self.condition_id is not None

    @property
    def is_changed(self) -> bool:
        return self.is_preset and (self.minimum, self.maximum, self.weight) != (
            self.preset_minimum, self.preset_maximum, self.preset_weight)

    @property
    def is_goal(self) -> bool:
        return self.weight is not None


def _seconds(least: float) -> list:
    """What the engine's profile accepts for one part of a repetition."""
    message = f"Between {least:g} and 10 seconds."
    return [MinValueValidator(least, message), MaxValueValidator(10, message)]


@pghistory.track(*every_change())
class Tempo(models.Model):
    """How fast one squat goes. Without a row the engine chooses."""

    patient = models.OneToOneField(Patient, on_delete=models.CASCADE, primary_key=True, related_name="tempo")
    descent_s = NumberField("Going down (s)", validators=_seconds(0.5))
    pause_s = NumberField("Pause at the bottom (s)", validators=_seconds(0))
    ascent_s = NumberField("Coming up (s)", validators=_seconds(0.5))

    patient_path = "patient"


@pghistory.track(*every_change())
class Execution(models.Model):
    """How the squat is done: where the arms are, and how many in a row. Without a row: as the protocols say, once."""

    patient = models.OneToOneField(Patient, on_delete=models.CASCADE, primary_key=True, related_name="execution")
    arms = models.CharField("Arms", max_length=8, choices=ArmPosture.choices, blank=True)
    repetitions = models.PositiveSmallIntegerField(
        "Squats in a row", default=1,
        validators=[
            MinValueValidator(1, f"Between 1 and {MOST_REPETITIONS}."),
            MaxValueValidator(MOST_REPETITIONS, f"Between 1 and {MOST_REPETITIONS}."),
        ],
    )

    patient_path = "patient"
