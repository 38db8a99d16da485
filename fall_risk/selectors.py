"""Fall risk: what is read."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from clinic.models import User
from clinic.permissions import get_permitted, has_action, permitted
from fall_risk import headline
from fall_risk.models import (
    Alert,
    Assessment,
    AssessmentStatus,
    FallEvent,
    MonthlyReport,
    MotionProfile,
    MotionRecording,
    RecordingStatus,
    ReleasedSummary,
    ScoreRecord,
)
from fall_risk.scores import INSTRUMENTS, Instrument, Score
from fall_risk.scores.fields import Field
from fall_risk.scores.follow_up import ModifiableFactor, Reassessment, modifiable_factors, reassessment
from patients.models import Patient
from prescriptions.models import Prescription
from prescriptions.selectors import prescription_list


def assessment_get(*, user: User, assessment_id: UUID, action: str = "fall_risk.view") -> Assessment:
    rows = Assessment.objects.select_related("patient__clinic", "started_by", "completed_by", "corrects")
    return get_permitted(user, action, rows, pk=assessment_id)


def assessment_list(*, user: User, patient: Patient) -> QuerySet[Assessment]:
    """Newest first, drafts and corrected ones included."""
    rows = permitted(user, "fall_risk.view", Assessment.objects.filter(patient=patient))
    return rows.select_related("started_by", "completed_by")


def score_list(*, user: User, assessment: Assessment) -> QuerySet[ScoreRecord]:
    return permitted(user, "fall_risk.view", ScoreRecord.objects.filter(assessment=assessment))


def fall_list(*, user: User, patient: Patient) -> QuerySet[FallEvent]:
    rows = permitted(user, "fall_risk.view", FallEvent.objects.filter(patient=patient))
    return rows.select_related("reported_by", "retracted_by")


def fall_get(*, user: User, fall_id: UUID, action: str = "fall.record") -> FallEvent:
    return get_permitted(user, action, FallEvent.objects.select_related("patient"), pk=fall_id)


def own_record(*, user: User) -> Patient | None:
    """The record behind a patient's account; None where no clinician has linked one."""
    return permitted(user, "fall.report", Patient.objects.all()).first()


def own_fall_list(*, user: User) -> QuerySet[FallEvent]:
    """What the patient reported themselves."""
    return permitted(user, "fall.report", FallEvent.objects.filter(by_patient=True))


def summary_list(*, user: User, patient: Patient) -> QuerySet[ReleasedSummary]:
    rows = permitted(user, "fall_risk.view", ReleasedSummary.objects.filter(patient=patient))
    return rows.select_related("released_by", "assessment")


def summary_get(*, user: User, summary_id: UUID, action: str = "fall_risk.release") -> ReleasedSummary:
    return get_permitted(user, action, ReleasedSummary.objects.select_related("patient"), pk=summary_id)


def own_summary_list(*, user: User) -> QuerySet[ReleasedSummary]:
    """What a clinician released to this patient and did not take back."""
    rows = permitted(user, "fall_summary.view", ReleasedSummary.objects.filter(withdrawn_at=None))
    return rows.select_related("released_by")


def alert_list(*, user: User, patient: Patient | None = None, only_open: bool = False) -> QuerySet[Alert]:
    rows = permitted(user, "alert.list", Alert.objects.all())
    if patient is not None:
        rows = rows.filter(patient=patient)
    if only_open:
        rows = rows.filter(acknowledged_at=None)
    return rows.select_related("patient", "acknowledged_by")


def open_alerts(*, user: User) -> QuerySet[Alert]:
    """As `alert_list`, and none for roles that have no alerts."""
    return alert_list(user=user, only_open=True) if has_action(user, "alert.list") else Alert.objects.none()


def alert_get(*, user: User, alert_id: UUID, action: str = "alert.acknowledge") -> Alert:
    return get_permitted(user, action, Alert.objects.select_related("patient"), pk=alert_id)


def recording_get(*, user: User, recording_id: UUID, action: str = "fall_risk.view") -> MotionRecording:
    rows = MotionRecording.objects.select_related("patient", "assessment", "confirmed_by").defer("file")
    return get_permitted(user, action, rows, pk=recording_id)


def recording_list(*, user: User, assessment: Assessment) -> QuerySet[MotionRecording]:
    rows = permitted(user, "fall_risk.view", MotionRecording.objects.filter(assessment=assessment))
    return rows.defer("file")


def monthly_report_list(*, user: User) -> QuerySet[MonthlyReport]:
    return permitted(user, "fall_report.view", MonthlyReport.objects.all())


def monthly_report_get(*, user: User, report_id: UUID) -> MonthlyReport:
    return get_permitted(user, "fall_report.view", MonthlyReport.objects.all(), pk=report_id)


def worklist(*, user: User, only: str = "") -> QuerySet[Patient]:
    """The user's patients with `category`, `due_on`, `last_on` of the latest complete assessment and `falls_year`.

    `only` is "overdue", "never", "high" or "" for all. Who is due first comes first.
    """
    latest = Assessment.objects.filter(patient=OuterRef("pk"), status=AssessmentStatus.COMPLETE)
    year_ago = timezone.localdate() - timedelta(days=365)
    fell = Q(fallevents__retracted_at=None, fallevents__occurred_on__gt=year_ago)
    rows = permitted(user, "fall_risk.list", Patient.objects.all()).annotate(
        category=Subquery(latest.values("category")[:1]), due_on=Subquery(latest.values("next_due_on")[:1]),
        last_on=Subquery(latest.values("assessed_on")[:1]),
        falls_year=Count("fallevents", filter=fell, distinct=True),
    )
    if only == "overdue":
        rows = rows.filter(due_on__lt=timezone.localdate())
    elif only == "never":
        rows = rows.filter(last_on=None)
    elif only == "high":
        rows = rows.filter(category="high")
    return rows.order_by(F("due_on").asc(nulls_first=True), "family_name", "given_name", "id")


def due_list(*, user: User, only: str = "", clinician: User | None = None) -> QuerySet[Patient]:
    """For the administrator: who is overdue or was never assessed, with the care team; nothing clinical.

    `only` is "overdue", "never" or "" for both; `clinician` leaves the patients of that care team.
    """
    latest = Assessment.objects.filter(patient=OuterRef("pk"), status=AssessmentStatus.COMPLETE)
    rows = permitted(user, "fall_report.view", Patient.objects.all()).annotate(
        due_on=Subquery(latest.values("next_due_on")[:1])
    )
    overdue, never = Q(due_on__lt=timezone.localdate()), Q(due_on=None)
    rows = rows.filter({"overdue": overdue, "never": never}.get(only, overdue | never))
    if clinician is not None:
        rows = rows.filter(pk__in=clinician.patients.values("pk"))
    return rows.prefetch_related("care_team").order_by(
        F("due_on").asc(nulls_last=True), "family_name", "given_name", "id")


@dataclass(frozen=True)
class Section:
    """One instrument of a form, with how far it is filled in."""

    instrument: Instrument
    version: int
    answered: int

    @property
    def key(self) -> str:
        return self.instrument.key

    @property
    def fields(self) -> tuple[Field, ...]:
        return self.instrument.fields


def sections(assessment: Assessment) -> list[Section]:
    return [
        Section(instrument, assessment.versions.get(key, 0),
                sum(field.key in assessment.answers for field in instrument.fields))
        for key, instrument in INSTRUMENTS.items()
    ]


@dataclass(frozen=True)
class Change:
    """How one score went from the assessment before to the latest."""

    label: str
    before: str
    now: str


@dataclass(frozen=True)
class Overview:
    """What the fall-risk page of a patient shows."""

    latest: Assessment | None
    draft: Assessment | None
    scores: list[Score]
    guideline: Score | None
    estimate: Score | None
    others: list[Score]
    changes: list[Change]
    modifiable: list[ModifiableFactor]
    again: Reassessment | None
    overdue: bool
    history: list[Assessment]
    trends: list[dict]
    falls: list[FallEvent]
    falls_year: int
    alerts: list[Alert]
    summary: ReleasedSummary | None
    signed: Prescription | None         # the squat that is signed, or on hold
    profile: MotionProfile | None       # of that squat: never part of the risk of falling

    @property
    def movement(self) -> dict | None:
        """The movement profile where it is computed."""
        done = self.profile is not None and self.profile.status == RecordingStatus.DONE
        return self.profile.result if done else None


def overview(*, user: User, patient: Patient) -> Overview:
    """A handful of queries, whatever the number of assessments."""
    rows = list(assessment_list(user=user, patient=patient).defer("origins", "versions"))
    complete = [row for row in rows if row.status == AssessmentStatus.COMPLETE]
    latest = complete[0] if complete else None
    records = _records(complete)
    scores = _scores(records, latest)
    by_key = {score.key: score for score in scores}
    estimate = shown_estimate(scores)
    led = {headline.GUIDELINE, *headline.ESTIMATES}
    falls = list(fall_list(user=user, patient=patient)[:50])
    signed = signed_motion(user=user, patient=patient)
    year_ago = timezone.localdate() - timedelta(days=365)
    return Overview(
        latest=latest, draft=next((row for row in rows if row.is_draft), None), scores=scores,
        guideline=by_key.get(headline.GUIDELINE), estimate=estimate,
        others=[score for score in scores if score.key not in led],
        changes=_changes(scores, _scores(records, complete[1])) if len(complete) > 1 else [],
        modifiable=modifiable_factors(latest.answers, latest.facts) if latest else [],
        again=reassessment(latest.category, latest.assessed_on) if latest else None,
        overdue=bool(latest and latest.next_due_on < timezone.localdate()),
        history=rows, trends=_trends(complete, records), falls=falls,
        falls_year=sum(fall.retracted_at is None and fall.occurred_on > year_ago for fall in falls),
        alerts=list(alert_list(user=user, patient=patient)[:20]),
        summary=summary_list(user=user, patient=patient).filter(withdrawn_at=None).first(),
        signed=signed, profile=motion_profile(signed),
    )


def stored_scores(assessment: Assessment) -> list[Score]:
    """The scores of a completed assessment as they were computed."""
    return _scores(_records([assessment]), assessment)


def shown_estimate(scores: Iterable[Score]) -> Score | None:
    """The literature estimate that applies; where none does, one that says why."""
    found = {score.key: score for score in scores if score.key in headline.ESTIMATES}
    ranked = [found[key] for key in headline.ESTIMATES if key in found]
    return next((score for score in ranked if score.applies), ranked[-1] if ranked else None)


def _records(assessments: list[Assessment]) -> dict[UUID, list[ScoreRecord]]:
    found: dict[UUID, list[ScoreRecord]] = {}
    for record in ScoreRecord.objects.filter(assessment__in=assessments).order_by("created_at", "id"):
        found.setdefault(record.assessment_id, []).append(record)
    return found


def _scores(records: dict[UUID, list[ScoreRecord]], assessment: Assessment | None) -> list[Score]:
    stored = {r.key: Score.model_validate(r.result) for r in records.get(assessment.pk, [])} if assessment else {}
    return sorted(stored.values(), key=lambda score: (not score.applies, score.label))


def _changes(now: list[Score], before: list[Score]) -> list[Change]:
    earlier = {score.key: score for score in before}
    found = []
    for score in now:
        old = earlier.get(score.key)
        if old is None or headline.is_probability(score.unit or old.unit) or not (score.applies or old.applies):
            continue
        words = score_words(old), score_words(score)
        if words[0] != words[1]:
            found.append(Change(score.label, *words))
    return found


def score_words(score: Score) -> str:
    """`14 (Below average)`, `Low risk`, `does not apply`."""
    if not score.applies:
        return "does not apply"
    number = "" if score.value is None else f"{round(score.value, 2):g} {score.unit}".strip()
    if number and score.category_label:
        return f"{number} ({score.category_label})"
    return number or score.category_label or "–"


def _trends(complete: list[Assessment], records: dict[UUID, list[ScoreRecord]]) -> list[dict]:
    """Of every measured score with a number at two assessments or more: its points, oldest first."""
    found: dict[str, dict] = {}
    for assessment in reversed(complete):
        for record in records.get(assessment.pk, []):
            result = record.result
            if headline.is_probability(result["unit"]) or not result["applies"] or result["value"] is None:
                continue
            trend = found.setdefault(record.key, {"key": record.key, "label": result["label"], "points": []})
            trend["unit"] = result["unit"]
            trend["points"].append({
                "on": assessment.assessed_on, "value": result["value"], "category": result["category_label"],
            })
    return [trend for _, trend in sorted(found.items()) if len(trend["points"]) > 1]


def falls_since(patient: Patient, day: date) -> int:
    """Falls on record in the twelve months before that day."""
    return FallEvent.objects.filter(
        patient=patient, retracted_at=None, occurred_on__lte=day, occurred_on__gt=day - timedelta(days=365)
    ).count()


def signed_motion(*, user: User, patient: Patient) -> Prescription | None:
    """What is signed for the patient now, or on hold."""
    rows = prescription_list(user=user, patient=patient).filter(status__in=("signed", "held"))
    return rows.order_by("-signed_at").first()


def motion_profile(prescription: Prescription | None) -> MotionProfile | None:
    return MotionProfile.objects.filter(candidate=prescription.candidate_id).first() if prescription else None


def held_prescription(*, user: User, patient: Patient) -> Prescription | None:
    return prescription_list(user=user, patient=patient).filter(status="held").first()
