"""One group of people of the report, as a cell of one of its tables names it: what an administrator looks closer at.

Written `category/high`, `age/75-84/high`, `transition/first/low`, `clinician/Dr Name`, `falls/serious`, `on_hold`.
"""
from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass

from fall_risk.facts import BAND_NAMES
from fall_risk.models import Category, Injury
from generation.engine.presets import CONDITIONS

FIRST, ALL, UNDETERMINED = "first", "all", "undetermined"
CATEGORIES = [(Category.LOW, "Low"), (Category.INTERMEDIATE, "Intermediate"), (Category.HIGH, "High"),
              (Category.UNKNOWN, "Not determined")]
_CATEGORY_WORDS = dict(CATEGORIES)
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")

_SINGLE = {"assessed": "SELECT patient_id FROM assessed_all", "fallers": "SELECT patient_id FROM falls_all",
           "on_hold": "SELECT patient_id FROM prescriptions_prescription WHERE status = 'held'"}
# Of the people's latest assessments in the period.
_OF_ASSESSED = {
    "category": "category = %(row)s", "age": "age_band = %(row)s", "condition": "%(row)s = ANY(conditions)",
    "transition": "category_before = %(row)s",
    "clinician": "completed_by_id IN (SELECT id FROM clinic_user WHERE full_name = %(row)s)",
}
_OF_FALLS = {"falls": "injury = %(row)s", "month falls": "to_char(occurred_on, 'YYYY-MM') = %(row)s"}
_BY_CATEGORY = ("age", "condition", "transition")       # tables whose columns are the categories


@dataclass(frozen=True)
class Group:
    """`row` and `column` are keys of the report's rows and columns; `column` is a category, or `all`."""

    table: str
    row: str = ""
    column: str = ALL

    def members(self) -> tuple[str, dict[str, str]]:
        """SQL that gives the patients of the group from the report's own parts, and its parameters."""
        if self.table in _SINGLE:
            return _SINGLE[self.table], {}
        values = {"row": self.row, "column": self.column}
        if self.table == "assessments":
            return ("SELECT a.patient_id FROM fall_risk_assessment a WHERE a.status = 'complete'"
                    " AND a.assessed_on BETWEEN %(start)s AND %(end)s"
                    " AND to_char(a.assessed_on, 'YYYY-MM') = %(row)s"), values
        if self.table in _OF_FALLS:
            return f"SELECT patient_id FROM falls_all WHERE {_OF_FALLS[self.table]}", values  # noqa: S608 - ours
        narrower = "" if self.column == ALL else " AND category = %(column)s"
        return f"SELECT patient_id FROM assessed_all WHERE {_OF_ASSESSED[self.table]}{narrower}", values  # noqa: S608

    @property
    def cell(self) -> Hashable:
        """The count of the report that tells how many they are."""
        if self.table in _SINGLE:
            return self.table
        return (self.table, self.row, self.column) if self.table in _BY_CATEGORY else (self.table, self.row)

    @property
    def words(self) -> str:
        name = {
            "assessed": "Assessed in the period", "fallers": "People who fell",
            "on_hold": "With a prescription on hold",
            "category": f"Category {_CATEGORY_WORDS.get(self.row, '')}", "age": f"Age {self.row} at the assessment",
            "condition": CONDITIONS[self.row].label if self.row in CONDITIONS else self.row,
            "transition": "First assessment" if self.row == FIRST else f"Before: {_CATEGORY_WORDS.get(self.row, '')}",
            "clinician": f"Last assessed by {self.row}", "falls": f"Fell: {dict(Injury.choices).get(self.row, '')}",
            "month falls": f"Fell in {self.row}", "assessments": f"Assessed in {self.row}",
        }[self.table]
        return name if self.column == ALL else f"{name}, category {_CATEGORY_WORDS.get(self.column, '')}"


def group_text(cell: Hashable) -> str:
    """How the group of a count is written; empty where a count has none."""
    if isinstance(cell, str):
        return cell if cell in _SINGLE else ""
    table, *names = cell
    if table == "falls" and names == [ALL]:
        return "fallers"
    if table not in (*_OF_ASSESSED, *_OF_FALLS, "assessments") or names == [ALL]:
        return ""
    return "/".join([table, *(name or UNDETERMINED for name in names)])


def parse_group(text: str) -> Group | None:
    """None for an empty text. Raises ValueError where the report has no such group."""
    if not text:
        return None
    table, _, rest = text.partition("/")
    if table in _SINGLE and not rest:
        return Group(table)
    row, column = (rest.rsplit("/", 1) if table in _BY_CATEGORY and "/" in rest else (rest, ALL))
    row, column = ("" if name == UNDETERMINED else name for name in (row, column))
    categories = set(_CATEGORY_WORDS)
    known = {
        "category": row in categories, "age": row in BAND_NAMES, "condition": 0 < len(row) <= 60,
        "transition": row in {FIRST, *categories}, "clinician": 0 < len(row) <= 150,
        "falls": row in Injury.values, "month falls": bool(_MONTH.fullmatch(row)),
        "assessments": bool(_MONTH.fullmatch(row)),
    }
    if not known.get(table) or column not in {ALL, *categories} or "\0" in text:
        raise ValueError("The report has no such group.")
    return Group(table, row, column)
