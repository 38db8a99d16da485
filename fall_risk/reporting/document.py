"""The clinic's report as one JSON document: tables whose small groups are hidden (None). Page, files and stored rows
are all made from it."""
from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import date

from django.utils import timezone

from clinic.models import Clinic, User
from fall_risk.facts import BAND_NAMES
from fall_risk.models import Category, Injury
from fall_risk.reporting.counts import FIRST, Counts, Filters, count, count_people
from fall_risk.reporting.suppression import THRESHOLD, Sum, hidden_counts
from generation.engine.presets import CONDITIONS

__all__ = ["Filters", "report_document"]

_CATEGORIES = [(Category.LOW, "Low"), (Category.INTERMEDIATE, "Intermediate"), (Category.HIGH, "High"),
               (Category.UNKNOWN, "Not determined")]
_ALL = "all"
_EVER, _EARLIER = "assessed ever", "assessed only before the period"
_RULE = (
    f"Groups of fewer than {THRESHOLD} people are hidden, and as many others as are needed so that they cannot be "
    f"computed from the sums (E: {THRESHOLD} is a usual limit, chosen by us)."
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


def report_document(*, clinic: Clinic, filters: Filters) -> dict:
    """Counts, hides, and says in words what the numbers are of. JSON."""
    document = {
        "version": 1, "clinic": clinic.name, "start": filters.start.isoformat(), "end": filters.end.isoformat(),
        "made_at": timezone.now().isoformat(), "threshold": THRESHOLD, "rule": _RULE,
        "filters": _filter_words(filters), "refused": _refused(clinic, filters),
    }
    if document["refused"]:
        return {**document, "standing": {}, "tables": [], "hidden": 0}
    found = count(clinic, filters)
    tables, counts, sums = _tables(found, filters)
    hidden = hidden_counts(counts, sums, public={_EVER}, unprinted={_EARLIER})
    return {
        **document,
        # Who is due is no finding: administrators see the list by name.
        "standing": {"people": found.people, "assessed": None if "assessed" in hidden else found.assessed,
                     "up_to_date": found.up_to_date, "overdue": found.overdue, "never": found.never},
        "tables": [_shown(table, counts, hidden) for table in tables],
        "hidden": len(hidden),
    }


def _refused(clinic: Clinic, filters: Filters) -> str:
    """A sentence where the filters leave over or leave out so few people that the report would tell on them."""
    if not filters.narrow:
        return ""
    chosen, everybody = count_people(clinic, filters), count_people(clinic, Filters(filters.start, filters.end))
    if 0 < chosen < THRESHOLD:
        return f"These filters leave fewer than {THRESHOLD} people: too few for a report."
    if 0 < everybody - chosen < THRESHOLD:
        return f"These filters leave out fewer than {THRESHOLD} people, who could be told apart. Use no filter instead."
    return ""


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
              "latest one in the period.", "Before", [(FIRST, "First assessment"), *_CATEGORIES], found.transition,
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
    values = {category: sum(n for (_, now), n in found.age.items() if now == category) for category, _ in _CATEGORIES}
    return _line("category", "By category", "The latest assessment of each person in the period.", "Category", "People",
                 _CATEGORIES, values, counts, sums, "assessed")


def _grid(
    key: str, title: str, note: str, head: str, labels: Iterable[tuple[str, str]], values: dict[tuple[str, str], int],
    counts: dict, sums: list[Sum], rows_sum_up: bool,
) -> _Table:
    """Rows by category. With `rows_sum_up` the rows are a partition: each column sums to the table by category."""
    labels = list(labels)
    rows = []
    for name, label in labels:
        cells = [(key, name, category) for category, _ in _CATEGORIES]
        counts |= {cell: values.get((name, cell[2]), 0) for cell in cells}
        total = (key, name, _ALL)
        counts[total] = sum(counts[cell] for cell in cells)
        sums.append(Sum(total, tuple(cells)))
        rows.append((label, [*cells, total]))
    if rows_sum_up:
        for category, _ in _CATEGORIES:
            sums.append(Sum(("category", category), tuple((key, name, category) for name, _ in labels)))
        sums.append(Sum("assessed", tuple((key, name, _ALL) for name, _ in labels)))
        rows.append(("All", [*(("category", category) for category, _ in _CATEGORIES), "assessed"]))
    return _Table(key, title, note, head, [*(label for _, label in _CATEGORIES), "All"], rows)


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
                  "count.", "Injury", "Falls", Injury.choices, found.falls_by_injury, counts, sums, ("falls", _ALL))
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
    counts["assessments", _ALL] = sum(counts["assessments", name] for name in names)
    sums.append(Sum(("assessments", _ALL), tuple(("assessments", name) for name in names)))
    sums.append(Sum(("falls", _ALL), tuple(("month falls", name) for name in names)))
    rows.append(("All", [("assessments", _ALL), ("falls", _ALL)]))
    return _Table("month", "Month by month", "", "Month", ["Assessments", "Falls"], rows)


def _month_names(start: date, end: date) -> list[str]:
    months, year, month = [], start.year, start.month
    while (year, month) <= (end.year, end.month):
        months.append(f"{year:04d}-{month:02d}")
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    return months


def _shown(table: _Table, counts: dict[Hashable, int], hidden: set[Hashable]) -> dict:
    return {
        "key": table.key, "title": table.title, "note": table.note, "head": table.head, "columns": table.columns,
        "rows": [{"label": label, "cells": [None if cell in hidden else counts[cell] for cell in cells]}
                 for label, cells in table.rows],
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
    return words
