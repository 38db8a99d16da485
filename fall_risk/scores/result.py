"""What every score gives back: a number or category with its parts, its sources, its limits, and what it was made
from.
"""
from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from fall_risk.scores.sources import SOURCES, Source

RECENT_SURGERY_MONTHS = 6       # E: how long an operation on back, hip, leg or foot counts as recent


class Person(BaseModel):
    """What a score may know of the person beside the answers. None: not known."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    age_years: float | None = Field(None, ge=0, le=130)
    sex: Literal["female", "male"] | None = None
    height_m: float | None = Field(None, gt=0.5, lt=2.6)
    mass_kg: float | None = Field(None, gt=10, lt=400)
    recent_surgery: bool | None = None          # on back, hip, leg or foot within RECENT_SURGERY_MONTHS


class Part(BaseModel):
    """One ingredient. ``contribution`` is in the score's own terms (points, log-odds, ...): None where it has none."""

    label: str
    value: str | bool | float | int | None
    contribution: float | None = None
    source: str = ""
    status: str = ""


class Interval(BaseModel):
    low: float
    high: float
    meaning: str


class Score(BaseModel):
    """One computed score. ``category`` is a key for code, ``category_label`` for people; empty where there is none.

    ``applies`` False: no number is given, ``why_not`` says why. ``missing`` lists field keys (or ``person.<name>``)
    whose answer would be needed or would sharpen the result. ``inputs`` and ``person`` are what it was computed from,
    so ``recompute`` gives the same number again.
    """

    key: str
    version: str
    label: str
    value: float | None = None
    unit: str = ""
    category: str = ""
    category_label: str = ""
    interval: Interval | None = None
    applies: bool = True
    why_not: str = ""
    path: list[str] = Field(default_factory=list)
    parts: list[Part] = Field(default_factory=list)
    missing: list[str] = Field(default_factory=list)
    limits: list[str] = Field(default_factory=list)
    citations: list[Source] = Field(default_factory=list)
    status: str = ""
    inputs: dict[str, Any] = Field(default_factory=dict)
    person: Person = Person()

    def document(self) -> dict[str, Any]:
        """JSON to store; ``Score.model_validate`` reads it again."""
        return self.model_dump(mode="json")


def part(label: str, value: Any, contribution: float | None = None, source: str = "") -> Part:
    """A part with the citation and status of ``source``, a key of SOURCES."""
    known = SOURCES.get(source)
    return Part(label=label, value=value, contribution=contribution, source=known.text if known else "",
                status=known.status if known else "")
