"""Sessions: what is read, and what the pages count from them."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from clinic.models import User
from clinic.permissions import get_permitted, permitted
from exercise.models import ExerciseSession
from patients.models import Patient
from prescriptions.models import Prescription, PrescriptionStatus

WEEKS = 4           # what "lately" means on both pages
TREND = 20          # sessions in the plot of pain
_LIGHT = ("patient", "status", "version", "sets", "repetitions", "sessions_per_week", "signed_at", "expires_at",
          "withdrawn_at", "held_at")


def session_list(*, user: User, patient: Patient) -> QuerySet[ExerciseSession]:
    """For the care team, newest first, also what a correction replaced."""
    return permitted(user, "session.list", _rows().filter(patient=patient))


def session_get(*, user: User, session_id: UUID) -> ExerciseSession:
    return get_permitted(user, "session.view", _rows(), pk=session_id)


def own_session_list(*, user: User) -> QuerySet[ExerciseSession]:
    """The patient's own that count."""
    return permitted(user, "own_session.view", _rows().filter(correction=None))


def own_session_get(
    *, user: User, session_id: UUID, action: str = "own_session.view"
) -> ExerciseSession:
    return get_permitted(user, action, _rows(), pk=session_id)


def recordable(*, user: User, prescription_id: UUID) -> Prescription:
    """What a session can be told of: signed once for this patient, whatever has become of it since."""
    rows = Prescription.objects.exclude(status=PrescriptionStatus.DRAFT).select_related("patient", "signed_by")
    return get_permitted(user, "session.record", rows, pk=prescription_id)


def _rows() -> QuerySet[ExerciseSession]:
    return ExerciseSession.objects.select_related("patient", "prescription", "correction", "recorded_by").defer(
        "prescription__document", "prescription__instructions"
    )


@dataclass(frozen=True)
class Day:
    on: date
    sessions: int
    is_today: bool
    is_future: bool


@dataclass(frozen=True)
class Week:
    """A calendar week from Monday. `prescribed` counts only the days on which an exercise was in force."""

    start: date
    days: list[Day]
    done: int
    prescribed: int
    is_present: bool

    @property
    def end(self) -> date:
        return self.start + timedelta(days=6)


@dataclass(frozen=True)
class Progress:
    weeks: list[Week]                       # oldest first
    recent: list[ExerciseSession]           # that count, oldest first: for the plot and its table
    last: ExerciseSession | None
    last_with_note: ExerciseSession | None
    done: int
    prescribed: int
    repetitions: int


def progress(*, sessions: QuerySet[ExerciseSession], patient: Patient) -> Progress:
    """The last weeks of one patient. `sessions` are the rows that the asker may see."""
    today = timezone.localdate()
    first = today - timedelta(days=today.weekday() + 7 * (WEEKS - 1))
    counting = sessions.filter(correction=None)
    lately = list(counting.filter(started_at__gte=_midnight(first)).order_by("started_at"))
    by_day: dict[date, int] = {}
    for session in lately:
        day = timezone.localdate(session.started_at)
        by_day[day] = by_day.get(day, 0) + 1
    signed = list(Prescription.objects.filter(patient=patient).exclude(signed_at=None).only(*_LIGHT))
    weeks = [_week(first + timedelta(weeks=number), today, by_day, signed) for number in range(WEEKS)]
    recent = list(reversed(counting[:TREND]))
    return Progress(
        weeks=weeks, recent=recent, last=recent[-1] if recent else None,
        last_with_note=counting.exclude(note="").first(),
        done=sum(week.done for week in weeks), prescribed=sum(week.prescribed for week in weeks),
        repetitions=sum(session.repetitions for session in lately),
    )


def _week(start: date, today: date, by_day: dict[date, int], signed: list[Prescription]) -> Week:
    days = [start + timedelta(days=number) for number in range(7)]
    return Week(
        start=start, days=[Day(day, by_day.get(day, 0), day == today, day > today) for day in days],
        done=sum(by_day.get(day, 0) for day in days), prescribed=_prescribed(days, signed),
        is_present=start <= today <= days[-1],
    )


def _prescribed(days: list[date], signed: list[Prescription]) -> int:
    """Sessions a week, in proportion to the days in force; of several versions on one day the newest."""
    share = 0.0
    for day in days:
        in_force = [row for row in signed if _first_day(row) <= day <= _last_day(row)]
        if in_force:
            share += max(in_force, key=lambda row: row.signed_at).sessions_per_week / 7
    return round(share)


def _first_day(row: Prescription) -> date:
    return timezone.localdate(row.signed_at)


def _last_day(row: Prescription) -> date:
    """The last whole day: of the day on which it was stopped nothing is asked any more."""
    ends = [row.expires_at]
    if row.withdrawn_at is not None:
        ends.append(row.withdrawn_at)
    if row.status == PrescriptionStatus.HELD:
        ends.append(row.held_at)
    return timezone.localdate(min(ends)) - timedelta(days=1)


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, datetime.min.time()))


def held_of(patient: Patient) -> Prescription | None:
    """What is on hold for a patient; the caller has asked the permission table for the patient."""
    rows = Prescription.objects.filter(patient=patient, status=PrescriptionStatus.HELD)
    return rows.only(*_LIGHT, "held_reason").first()
