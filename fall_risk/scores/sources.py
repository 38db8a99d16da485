"""The publications behind the scores: ``sources.csv``, one row each.

Status of a number, everywhere in this package: V (seen in the source named; where that is a secondary source the text
says so), R (recalled, not yet checked against the paper), E (our own default, no published threshold exists).
"""
from __future__ import annotations

import csv
from pathlib import Path

from pydantic import BaseModel, ConfigDict


class Source(BaseModel):
    """One publication. ``text`` is the citation to print, ``url`` where to read it, ``status`` V, R or E."""

    model_config = ConfigDict(frozen=True)

    key: str
    status: str
    text: str
    url: str


def _read() -> dict[str, Source]:
    with Path(__file__).with_name("sources.csv").open(newline="", encoding="utf-8") as file:
        return {row["key"]: Source(**row) for row in csv.DictReader(file)}


SOURCES: dict[str, Source] = _read()
