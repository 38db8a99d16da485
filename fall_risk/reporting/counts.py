"""The numbers of the clinic's report, counted by PostgreSQL. Nothing is hidden here yet: see `suppression.py`."""
from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from uuid import UUID

from django.db import connection, transaction

from clinic.models import Clinic
from fall_risk.facts import AGE_BANDS, OLDEST_BAND
from fall_risk.reporting.groups import Group


@dataclass(frozen=True)
class Filters:
    """What a report speaks of: whole days from `start` to `end`, and perhaps only some of the patients."""

    start: date
    end: date
    clinician: UUID | None = None       # patients whose care team this clinician belongs to
    age_band: str = ""                  # by the age at the end of the period
    condition: str = ""                 # active now
    group: Group | None = None          # and of those only the people of one cell of the report

    @property
    def narrow(self) -> bool:
        return bool(self.clinician or self.age_band or self.condition or self.group)

    @property
    def wider(self) -> Filters | None:
        """The report that this one is cut from; None where it is cut from none."""
        if self.group:
            return replace(self, group=None)
        return Filters(self.start, self.end) if self.narrow else None


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


# Everybody whom the filters leave, and of each the last complete assessment until the end of the period with the
# category before; then the people of one group of them, which is everybody where none is asked for.
_PEOPLE = """
WITH everybody AS MATERIALIZED (
    SELECT p.id FROM patients_patient p WHERE p.clinic_id = %(clinic)s {narrowed}
), latest_all AS MATERIALIZED (
    SELECT * FROM (
        SELECT a.patient_id, a.assessed_on, a.category, a.next_due_on, a.age_band, a.conditions, a.completed_by_id,
            row_number() OVER visits AS place, lead(a.category, 1, 'first') OVER visits AS category_before
        FROM fall_risk_assessment a JOIN everybody ON everybody.id = a.patient_id
        WHERE a.status = 'complete' AND a.assessed_on <= %(end)s
        WINDOW visits AS (PARTITION BY a.patient_id ORDER BY a.assessed_on DESC, a.created_at DESC)
    ) visit WHERE place = 1
), assessed_all AS (
    SELECT * FROM latest_all WHERE assessed_on >= %(start)s
), falls_all AS MATERIALIZED (
    SELECT f.patient_id, f.occurred_on, f.injury
    FROM fall_risk_fallevent f JOIN everybody ON everybody.id = f.patient_id
    WHERE f.retracted_at IS NULL AND f.occurred_on BETWEEN %(start)s AND %(end)s
), people AS MATERIALIZED (
    SELECT id FROM everybody {grouped}
), latest AS (
    SELECT * FROM latest_all {of_people}
), assessed AS MATERIALIZED (
    SELECT * FROM latest WHERE assessed_on >= %(start)s
), falls AS (
    SELECT * FROM falls_all {of_people}
)
"""
# Each part gives rows of (name, key, second key, number).
_QUESTIONS = """
SELECT 'people' AS name, '' AS key, '' AS second, count(*) AS number FROM people
UNION ALL SELECT 'assessed', '', '', count(*) FROM assessed
UNION ALL SELECT 'up_to_date', '', '', count(*) FROM latest WHERE next_due_on >= %(end)s
UNION ALL SELECT 'overdue', '', '', count(*) FROM latest WHERE next_due_on < %(end)s
UNION ALL SELECT 'age', age_band, category, count(*) FROM assessed GROUP BY 2, 3
UNION ALL SELECT 'condition', condition, category, count(*) FROM assessed, unnest(conditions) AS condition GROUP BY 2, 3
UNION ALL SELECT 'transition', category_before, category, count(*) FROM assessed GROUP BY 2, 3
UNION ALL SELECT 'clinician', u.full_name, '', sum(n) FROM (
    SELECT completed_by_id, count(*) AS n FROM assessed GROUP BY 1
) assessor JOIN clinic_user u ON u.id = completed_by_id GROUP BY 2
UNION ALL SELECT 'assessments_by_month', to_char(day, 'YYYY-MM'), '', sum(n) FROM (
    SELECT a.assessed_on AS day, count(*) AS n
    FROM fall_risk_assessment a JOIN people ON people.id = a.patient_id
    WHERE a.status = 'complete' AND a.assessed_on BETWEEN %(start)s AND %(end)s GROUP BY 1
) visits GROUP BY 2
UNION ALL SELECT 'falls_by_month', to_char(day, 'YYYY-MM'), '', sum(n) FROM (
    SELECT occurred_on AS day, count(*) AS n FROM falls GROUP BY 1
) fallen GROUP BY 2
UNION ALL SELECT 'falls_by_injury', injury, '', count(*) FROM falls GROUP BY 2
UNION ALL SELECT 'fallers', '', '', count(DISTINCT patient_id) FROM falls
UNION ALL SELECT 'on_hold', '', '', count(DISTINCT r.patient_id)
    FROM prescriptions_prescription r JOIN people ON people.id = r.patient_id WHERE r.status = 'held'
"""
_ROOM_TO_SORT = "SET LOCAL work_mem = '64MB'"       # 100,000 assessments are sorted in memory, not on the disk


def count(clinic: Clinic, filters: Filters) -> Counts:
    """One question to the database, some dozens of small rows back; no row of a patient leaves it."""
    head, values = _head(clinic, filters)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_ROOM_TO_SORT)
        cursor.execute(head + _QUESTIONS, values)
        rows = cursor.fetchall()

    def single(name: str) -> int:
        return next(int(number) for found, _, _, number in rows if found == name)

    def keyed(name: str) -> dict[str, int]:
        return {key: int(number) for found, key, _, number in rows if found == name}

    def paired(name: str) -> dict[tuple[str, str], int]:
        return {(key, second): int(number) for found, key, second, number in rows if found == name}

    return Counts(
        **{name: single(name) for name in ("people", "assessed", "up_to_date", "overdue", "fallers", "on_hold")},
        **{name: paired(name) for name in ("age", "condition", "transition")},
        **{name: keyed(name) for name in ("clinician", "assessments_by_month", "falls_by_month", "falls_by_injury")},
        never=single("people") - single("up_to_date") - single("overdue"),
    )


def plan(clinic: Clinic, filters: Filters) -> str:
    """How PostgreSQL answers it, for the bench."""
    head, values = _head(clinic, filters)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_ROOM_TO_SORT)
        cursor.execute("EXPLAIN (ANALYZE, BUFFERS) " + head + _QUESTIONS, values)
        return "\n".join(line for line, in cursor.fetchall())


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
    grouped = of_people = ""
    if filters.group:
        members, parameters = filters.group.members()
        grouped, of_people = f"WHERE id IN ({members})", "WHERE patient_id IN (SELECT id FROM people)"
        values |= parameters
    return _PEOPLE.format(narrowed=narrowed, grouped=grouped, of_people=of_people), values


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
