"""The clinic's report as one JSON document: tables whose small groups are hidden (None). Page, files and stored rows
are all made from it.

Reports must not be subtracted from one another to find a small group. So only one of them is exact: the one of
everybody over the last twelve months. In all others (filters, one group of a table, other periods) the numbers are
rounded to multiples of five, what the wider report hides is hidden too, and filters that leave over or leave out fewer
than five people are refused.
"""
from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils import timezone

from clinic.models import Clinic, User
from fall_risk.facts import BAND_NAMES
from fall_risk.models import Injury
from fall_risk.reporting.counts import Counts, Filters, count
from fall_risk.reporting.groups import ALL, CATEGORIES, FIRST, group_text
from fall_risk.reporting.suppression import THRESHOLD, Sum, hidden_counts
from generation.engine.presets import CONDITIONS

__all__ = ["Filters", "last_twelve_months", "report_document"]

_EVER, _EARLIER = "assessed ever", "assessed only before the period"
_RULE = (
    f"Groups of fewer than {THRESHOLD} people are hidden, and as many others as are needed so that they cannot be "
    f"computed from the sums (E: {THRESHOLD} is a usual limit, chosen by us)."
)
_ROUNDED = (
    f" All other numbers are rounded to multiples of {THRESHOLD}, so that nobody can be found by subtracting reports. "
    "Exact numbers are in the report of everybody over the last twelve months."
)


@dataclass
class _Table:
    """A table before hiding: `cells[row][column]` names a count."""

    key: str
    title: str
    note: str
    head: str                               # what the rows are
    columns: list[str]
    rows: list[tuple[str, list[Hashable]]]


@dataclass
class _Counted:
    """A report before hiding, what has to be hidden of it, and the wider report that it is cut from."""

    wider: _Counted | None
    found: Counts
    tables: list[_Table]
    counts: dict[Hashable, int]
    hidden: set[Hashable]


def last_twelve_months(today: date | None = None) -> Filters:
    """Everybody, from the first of the month eleven months ago until today: the one report whose numbers are exact."""
    day = today or timezone.localdate()
    return Filters((day.replace(day=1) - timedelta(days=334)).replace(day=1), day)


def report_document(*, clinic: Clinic, filters: Filters) -> dict:
    """Counts, hides, rounds, and says in words what the numbers are of. JSON.

    A row's `groups` name what an administrator may look closer at, as `Filters.group` takes it; "" where nothing.
    """
    rounded = filters != last_twelve_months()
    document = {
        "version": 2, "clinic": clinic.name, "start": filters.start.isoformat(), "end": filters.end.isoformat(),
        "made_at": timezone.now().isoformat(), "threshold": THRESHOLD, "rounded": rounded,
        "rule": _RULE + (_ROUNDED if rounded else ""), "filters": _filter_words(filters),
    }
    counted = _counted(clinic, filters)
    if refused := _refused(filters, counted):
        return {**document, "refused": refused, "standing": {}, "tables": [], "hidden": 0}
    found, hidden = counted.found, counted.hidden
    # Who is due is no finding: administrators see the list by name.
    standing = {"people": found.people, "assessed": found.assessed, "up_to_date": found.up_to_date,
                "overdue": found.overdue, "never": found.never}
    if filters.narrow:
        hidden |= {name for name, number in standing.items() if 0 < number < THRESHOLD}
    return {
        **document, "refused": "",
        "standing": {name: None if name in hidden else _number(number, rounded) for name, number in standing.items()},
        "tables": [_shown(table, counted.counts, hidden, rounded) for table in counted.tables],
        "hidden": len(hidden),
    }


def _counted(clinic: Clinic, filters: Filters) -> _Counted:
    wider = _counted(clinic, filters.wider) if filters.wider else None
    found = count(clinic, filters)
    tables, counts, sums = _tables(found, filters)
    secret = _secret(filters, wider.hidden) if wider else set()
    return _Counted(wider, found, tables, counts, hidden_counts(counts, sums, {_EVER}, {_EARLIER}, secret))


def _secret(filters: Filters, hidden: set[Hashable]) -> set[Hashable]:
    """Counts that say the same as one that the wider report hides."""
    lines = [("age", filters.age_band), ("condition", filters.condition)]
    group, found = filters.group, set()
    if group:
        lines = [(group.table, group.row)] if group.column == ALL else []
    for line in lines:
        found |= {("category", category) for category, _ in CATEGORIES if (*line, category) in hidden}
    if group and group.table == "category":
        grids = [cell for cell in hidden if isinstance(cell, tuple) and len(cell) == 3]
        found |= {(table, row, ALL) for table, row, category in grids if category == group.row}
    return found


def _refused(filters: Filters, counted: _Counted) -> str:
    """A sentence where the filters leave over or leave out so few people that the report would tell on them."""
    wider = counted.wider
    if wider is None:
        return ""
    chosen, everybody = counted.found.people, wider.found.people
    if filters.group:
        if chosen < THRESHOLD or filters.group.cell in wider.hidden:
            return f"This group has fewer than {THRESHOLD} people, or is hidden for the sake of one that has."
        return _refused(filters.wider, wider)
    if 0 < chosen < THRESHOLD:
        return f"These filters leave fewer than {THRESHOLD} people: too few for a report."
    if 0 < everybody - chosen < THRESHOLD:
        return f"These filters leave out fewer than {THRESHOLD} people, who could be told apart. Use no filter instead."
    return ""


def _number(value: int, rounded: bool) -> int:
    return THRESHOLD * round(value / THRESHOLD) if rounded else value


def _tables(found: Counts, filters: Filters) -> tuple[list[_Table], dict[Hashable, int], list[Sum]]:
    ever = found.up_to_date + found.overdue
    counts: dict[Hashable, int] = {"assessed": found.assessed, _EVER: ever, _EARLIER: ever - found.assessed}
    sums: list[Sum] = [Sum(_EVER, ("assessed", _EARLIER))]
    tables = [
        _category(found, counts, sums),
        _grid("age", "By age and category", "Age on the day of the assessment.", "Age", [(b, b) for b in BAND_NAMES],
              found.age, counts, sums, rows_sum_up=True),
        _conditions(found, counts, sums),
        _grid("transition", "From category to category", "Down: the category of the assessment before. Across: the "
              "latest one in the period.", "Before", [(FIRST, "First assessment"), *CATEGORIES], found.transition,
              counts, sums, rows_sum_up=True),
        _line("clinician", "By who assessed last", "", "Clinician", "People",
              [(name, name) for name in sorted(found.clinician)], found.clinician, counts, sums, "assessed"),
        _falls(found, counts, sums),
        _single("on_hold", "Prescriptions on hold", "Now, whatever the period.", "People with a prescription on hold",
                found.on_hold, counts),
        _months(found, filters, counts, sums),
    ]
    return tables, counts, sums


def _category(found: Counts, counts: dict, sums: list[Sum]) -> _Table:
    values = {category: sum(n for (_, now), n in found.age.items() if now == category) for category, _ in CATEGORIES}
    return _line("category", "By category", "The latest assessment of each person in the period.", "Category", "People",
                 CATEGORIES, values, counts, sums, "assessed")


def _grid(
    key: str, title: str, note: str, head: str, labels: Iterable[tuple[str, str]], values: dict[tuple[str, str], int],
    counts: dict, sums: list[Sum], rows_sum_up: bool,
) -> _Table:
    """Rows by category. With `rows_sum_up` the rows are a partition: each column sums to the table by category."""
    labels = list(labels)
    rows = []
    for name, label in labels:
        cells = [(key, name, category) for category, _ in CATEGORIES]
        counts |= {cell: values.get((name, cell[2]), 0) for cell in cells}
        total = (key, name, ALL)
        counts[total] = sum(counts[cell] for cell in cells)
        sums.append(Sum(total, tuple(cells)))
        rows.append((label, [*cells, total]))
    if rows_sum_up:
        for category, _ in CATEGORIES:
            sums.append(Sum(("category", category), tuple((key, name, category) for name, _ in labels)))
        sums.append(Sum("assessed", tuple((key, name, ALL) for name, _ in labels)))
        rows.append(("All", [*(("category", category) for category, _ in CATEGORIES), "assessed"]))
    return _Table(key, title, note, head, [*(label for _, label in CATEGORIES), "All"], rows)


def _conditions(found: Counts, counts: dict, sums: list[Sum]) -> _Table:
    names = sorted({name for name, _ in found.condition})
    labels = [(name, CONDITIONS[name].label if name in CONDITIONS else name) for name in names]
    return _grid("condition", "By condition and category", "Active on the day of the assessment. A person with two "
                 "conditions is in two rows, so the rows do not sum up.", "Condition", labels, found.condition, counts,
                 sums, rows_sum_up=False)


def _line(
    key: str, title: str, note: str, head: str, column: str, labels: Iterable[tuple[str, str]], values: dict[str, int],
    counts: dict, sums: list[Sum], total: Hashable,
) -> _Table:
    labels = list(labels)
    counts |= {(key, name): values.get(name, 0) for name, _ in labels}
    counts.setdefault(total, sum(values.values()))
    if labels:
        sums.append(Sum(total, tuple((key, name) for name, _ in labels)))
    rows = [(label, [(key, name)]) for name, label in labels]
    return _Table(key, title, note, head, [column], [*rows, ("All", [total])])


def _falls(found: Counts, counts: dict, sums: list[Sum]) -> _Table:
    table = _line("falls", "Falls reported", "In the period, by patients and clinicians; retracted reports do not "
                  "count.", "Injury", "Falls", Injury.choices, found.falls_by_injury, counts, sums, ("falls", ALL))
    counts["fallers"] = found.fallers
    table.rows.append(("People who fell", ["fallers"]))
    return table


def _single(key: str, title: str, note: str, label: str, value: int, counts: dict) -> _Table:
    counts[key] = value
    return _Table(key, title, note, "", ["People"], [(label, [key])])


def _months(found: Counts, filters: Filters, counts: dict, sums: list[Sum]) -> _Table:
    """How many assessments were done is no finding; falls are."""
    rows: list[tuple[str, list[Hashable]]] = []
    for month in _month_names(filters.start, filters.end):
        counts["assessments", month] = found.assessments_by_month.get(month, 0)
        counts["month falls", month] = found.falls_by_month.get(month, 0)
        rows.append((month, [("assessments", month), ("month falls", month)]))
    names = [label for label, _ in rows]
    counts["assessments", ALL] = sum(counts["assessments", name] for name in names)
    sums.append(Sum(("assessments", ALL), tuple(("assessments", name) for name in names)))
    sums.append(Sum(("falls", ALL), tuple(("month falls", name) for name in names)))
    rows.append(("All", [("assessments", ALL), ("falls", ALL)]))
    return _Table("month", "Month by month", "", "Month", ["Assessments", "Falls"], rows)


def _month_names(start: date, end: date) -> list[str]:
    months, year, month = [], start.year, start.month
    while (year, month) <= (end.year, end.month):
        months.append(f"{year:04d}-{month:02d}")
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    return months


def _shown(table: _Table, counts: dict[Hashable, int], hidden: set[Hashable], rounded: bool) -> dict:
    return {
        "key": table.key, "title": table.title, "note": table.note, "head": table.head, "columns": table.columns,
        "rows": [{
            "label": label,
            "cells": [None if cell in hidden else _number(counts[cell], rounded) for cell in cells],
            "groups": [group_text(cell) if cell not in hidden and counts[cell] >= THRESHOLD else "" for cell in cells],
        } for label, cells in table.rows],
    }


def _filter_words(filters: Filters) -> list[str]:
    words = []
    if filters.clinician:
        name = User.objects.filter(pk=filters.clinician).values_list("full_name", flat=True).first()
        words.append(f"Care team of {name}")
    if filters.age_band:
        words.append(f"Age {filters.age_band}")
    if filters.condition:
        known = CONDITIONS.get(filters.condition)
        words.append(known.label if known else filters.condition)
    if filters.group:
        words.append(filters.group.words)
    return words
