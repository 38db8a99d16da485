"""The numbers of the clinic's report, counted by PostgreSQL. Nothing is hidden here yet: see `suppression.py`."""
from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from django.db import connection

from clinic.models import Clinic
from fall_risk.facts import AGE_BANDS, OLDEST_BAND


@dataclass(frozen=True)
class Filters:
    """What a report speaks of: whole days from `start` to `end`, and perhaps only some of the patients."""

    start: date
    end: date
    clinician: UUID | None = None       # patients whose care team this clinician belongs to
    age_band: str = ""                  # by the age at the end of the period
    condition: str = ""                 # active now

    @property
    def narrow(self) -> bool:
        return bool(self.clinician or self.age_band or self.condition)


@dataclass
class Counts:
    """Counts of people unless the name says otherwise. Keys are those of the rows of the database."""

    people: int = 0
    assessed: int = 0                   # with a complete assessment in the period
    up_to_date: int = 0                 # at the end of the period
    overdue: int = 0
    never: int = 0
    age: dict[tuple[str, str], int] = field(default_factory=dict)           # (band, category)
    condition: dict[tuple[str, str], int] = field(default_factory=dict)     # (condition, category)
    clinician: dict[str, int] = field(default_factory=dict)                 # name of who assessed last
    transition: dict[tuple[str, str], int] = field(default_factory=dict)    # (category before, now); "first"
    assessments_by_month: dict[str, int] = field(default_factory=dict)      # assessments, "2026-11"
    falls_by_month: dict[str, int] = field(default_factory=dict)            # falls
    falls_by_injury: dict[str, int] = field(default_factory=dict)           # falls
    fallers: int = 0
    on_hold: int = 0


FIRST = "first"

# People of the report, and of each the last complete assessment until the end of the period.
_PEOPLE = """
WITH people AS MATERIALIZED (
    SELECT p.id FROM patients_patient p WHERE p.clinic_id = %(clinic)s {narrowed}
), latest AS MATERIALIZED (
    SELECT DISTINCT ON (a.patient_id)
        a.patient_id, a.assessed_on, a.category, a.next_due_on, a.age_band, a.conditions, a.completed_by_id,
        a.created_at
    FROM fall_risk_assessment a JOIN people ON people.id = a.patient_id
    WHERE a.status = 'complete' AND a.assessed_on <= %(end)s
    ORDER BY a.patient_id, a.assessed_on DESC, a.created_at DESC
), assessed AS MATERIALIZED (
    SELECT * FROM latest WHERE assessed_on >= %(start)s
)
"""
_EXPLAIN = "EXPLAIN (ANALYZE, BUFFERS) "
_NUMBER = "SELECT count(*) FROM people"
_STANDING = """
SELECT (SELECT count(*) FROM people), (SELECT count(*) FROM assessed),
    count(*) FILTER (WHERE next_due_on >= %(end)s), count(*) FILTER (WHERE next_due_on < %(end)s) FROM latest
"""
_AGE = "SELECT age_band, category, count(*) FROM assessed GROUP BY 1, 2"
_CONDITION = "SELECT name, category, count(*) FROM assessed, unnest(conditions) AS name GROUP BY 1, 2"
_CLINICIAN = """
SELECT u.full_name, count(*) FROM assessed JOIN clinic_user u ON u.id = completed_by_id GROUP BY u.id, u.full_name
"""
_TRANSITION = """
SELECT coalesce(before.category, 'first'), assessed.category, count(*) FROM assessed
LEFT JOIN LATERAL (
    SELECT a.category FROM fall_risk_assessment a
    WHERE a.patient_id = assessed.patient_id AND a.status = 'complete'
        AND (a.assessed_on, a.created_at) < (assessed.assessed_on, assessed.created_at)
    ORDER BY a.assessed_on DESC, a.created_at DESC LIMIT 1
) before ON true GROUP BY 1, 2
"""
_ASSESSMENT_MONTHS = """
SELECT to_char(a.assessed_on, 'YYYY-MM'), count(*) FROM fall_risk_assessment a JOIN people ON people.id = a.patient_id
WHERE a.status = 'complete' AND a.assessed_on BETWEEN %(start)s AND %(end)s GROUP BY 1
"""
_FALL_MONTHS = """
SELECT to_char(f.occurred_on, 'YYYY-MM'), count(*) FROM fall_risk_fallevent f JOIN people ON people.id = f.patient_id
WHERE f.retracted_at IS NULL AND f.occurred_on BETWEEN %(start)s AND %(end)s GROUP BY 1
"""
_FALL_INJURIES = """
SELECT f.injury, count(*) FROM fall_risk_fallevent f JOIN people ON people.id = f.patient_id
WHERE f.retracted_at IS NULL AND f.occurred_on BETWEEN %(start)s AND %(end)s GROUP BY 1
"""
_FALLERS = """
SELECT count(DISTINCT f.patient_id) FROM fall_risk_fallevent f JOIN people ON people.id = f.patient_id
WHERE f.retracted_at IS NULL AND f.occurred_on BETWEEN %(start)s AND %(end)s
"""
_ON_HOLD = """
SELECT count(DISTINCT r.patient_id) FROM prescriptions_prescription r JOIN people ON people.id = r.patient_id
WHERE r.status = 'held'
"""


def count(clinic: Clinic, filters: Filters) -> Counts:
    """Ten small answers of the database; no row of a patient leaves it."""
    head, values = _head(clinic, filters)
    with connection.cursor() as cursor:

        def rows(question: str) -> list[tuple]:
            cursor.execute(head + question, values)
            return cursor.fetchall()

        ((people, assessed, up_to_date, overdue),) = rows(_STANDING)
        return Counts(
            people=people, assessed=assessed, up_to_date=up_to_date, overdue=overdue,
            never=people - up_to_date - overdue,
            age={(band, category): n for band, category, n in rows(_AGE)},
            condition={(name, category): n for name, category, n in rows(_CONDITION)},
            clinician=_summed(rows(_CLINICIAN)),
            transition={(before, now): n for before, now, n in rows(_TRANSITION)},
            assessments_by_month=dict(rows(_ASSESSMENT_MONTHS)),
            falls_by_month=dict(rows(_FALL_MONTHS)),
            falls_by_injury=dict(rows(_FALL_INJURIES)),
            fallers=rows(_FALLERS)[0][0],
            on_hold=rows(_ON_HOLD)[0][0],
        )


def count_people(clinic: Clinic, filters: Filters) -> int:
    head, values = _head(clinic, filters)
    with connection.cursor() as cursor:
        cursor.execute(head + _NUMBER, values)
        return cursor.fetchone()[0]


def plans(clinic: Clinic, filters: Filters) -> dict[str, str]:
    """How PostgreSQL answers each question: EXPLAIN ANALYZE, for the bench."""
    head, values = _head(clinic, filters)
    questions = {"standing": _STANDING, "age": _AGE, "condition": _CONDITION, "clinician": _CLINICIAN,
                 "transition": _TRANSITION, "assessments by month": _ASSESSMENT_MONTHS, "falls by month": _FALL_MONTHS}
    found = {}
    with connection.cursor() as cursor:
        for name, question in questions.items():
            cursor.execute(_EXPLAIN + head + question, values)
            found[name] = "\n".join(line for line, in cursor.fetchall())
    return found


def _head(clinic: Clinic, filters: Filters) -> tuple[str, dict]:
    """The common beginning of every question, and its parameters."""
    values = {"clinic": clinic.pk, "start": filters.start, "end": filters.end}
    narrowed = ""
    if filters.clinician:
        narrowed += """ AND EXISTS (SELECT 1 FROM patients_careteammember m
            WHERE m.patient_id = p.id AND m.clinician_id = %(clinician)s)"""
        values["clinician"] = filters.clinician
    if filters.condition:
        narrowed += """ AND EXISTS (SELECT 1 FROM patients_condition c
            WHERE c.patient_id = p.id AND c.resolved_on IS NULL AND c.name = %(condition)s)"""
        values["condition"] = filters.condition
    if filters.age_band:
        values["youngest"], values["oldest"] = _ages(filters.age_band)
        narrowed += """ AND date_part('year', age(%(end)s::date, p.birth_date)) BETWEEN %(youngest)s AND %(oldest)s"""
    return _PEOPLE.format(narrowed=narrowed), values


def _ages(band: str) -> tuple[int, int]:
    """The full years of a band, both ends included."""
    if band == OLDEST_BAND:
        return AGE_BANDS[-1][0], 200
    below = 0
    for border, name in AGE_BANDS:
        if name == band:
            return below, border - 1
        below = border
    raise ValueError(f"There is no age band {band!r}.")


def _summed(rows: list[tuple[str, int]]) -> dict[str, int]:
    """Two people of one name are one row of the report."""
    found: dict[str, int] = {}
    for name, number in rows:
        found[name] = found.get(name, 0) + number
    return found
