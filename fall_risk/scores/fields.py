"""What a form asks: fields, instruments, and the check of answers.

An answer is JSON: ``True``/``False``, a number, a choice key, an ISO date, or one of three words that are never the
same as zero or "no": ``"not_done"`` (nobody asked or measured), ``"declined"`` (the person did not want to),
``"unable"`` (tried and could not; only where a field says ``can_be_unable``). A key that is absent, or None, was not
filled in yet.
"""
from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from fall_risk.scores.sources import SOURCES

NOT_DONE, DECLINED, UNABLE = "not_done", "declined", "unable"
ABSENT_REASONS = (NOT_DONE, DECLINED)
BOOLEAN, NUMBER, WHOLE, CHOICE, DATE = "boolean", "number", "whole", "choice", "date"


class InputError(ValueError):
    """Answers that cannot be right. ``errors`` maps each field's key to a sentence that says what to do."""

    def __init__(self, errors: Mapping[str, str]):
        self.errors = dict(errors)
        super().__init__("; ".join(f"{key}: {message}" for key, message in self.errors.items()))


@dataclass(frozen=True)
class Field:
    """One question or measurement. ``minimum`` and ``maximum`` are inclusive, in ``unit``."""

    key: str
    label: str
    kind: str = BOOLEAN
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[tuple[str, str], ...] = ()
    help: str = ""
    can_be_unable: bool = False
    loinc: str = ""             # only where the code was seen at loinc.org

    def clean(self, value: Any) -> Any:
        """The answer in its stored form. Raises ValueError with a sentence that says what to enter."""
        if isinstance(value, str) and value in ABSENT_REASONS:
            return value
        if isinstance(value, str) and value == UNABLE:
            if self.can_be_unable:
                return UNABLE
            raise ValueError("This cannot be answered with “unable”; use “not done” or “declined”.")
        return getattr(self, f"_clean_{self.kind}")(value)

    def _clean_boolean(self, value: Any) -> bool:
        if not isinstance(value, bool):
            raise ValueError("Answer yes or no.")
        return value

    def _clean_number(self, value: Any) -> float:
        try:
            usable = not isinstance(value, bool) and isinstance(value, int | float) and math.isfinite(value)
        except OverflowError:
            usable = False
        if not usable:
            raise ValueError(f"Enter a number{f' in {self.unit}' if self.unit else ''}.")
        if not self.minimum <= value <= self.maximum:
            raise ValueError(f"Enter a number from {self.minimum:g} to {self.maximum:g} {self.unit}".rstrip() + ".")
        return float(value)

    def _clean_whole(self, value: Any) -> int:
        number = self._clean_number(value)
        if number != int(number):
            raise ValueError("Enter a whole number.")
        return int(number)

    def _clean_choice(self, value: Any) -> str:
        if not isinstance(value, str) or value not in dict(self.choices):
            raise ValueError(f"Choose one of: {', '.join(label for _, label in self.choices)}.")
        return value

    def _clean_date(self, value: Any) -> str:
        if isinstance(value, dt.date):
            return value.isoformat()[:10]
        try:
            return dt.date.fromisoformat(value).isoformat()
        except (TypeError, ValueError):
            raise ValueError("Enter a date as YYYY-MM-DD.") from None


@dataclass(frozen=True)
class Instrument:
    """A questionnaire or test that is filled in as a whole or in pieces.

    ``patient_may``: the person could fill it in alone. ``licence`` says what may be shown. ``how`` is how to do it.
    """

    key: str
    label: str
    help: str
    fields: tuple[Field, ...]
    source: str
    licence: str
    how: str = ""
    patient_may: bool = False

    @property
    def status(self) -> str:
        return SOURCES[self.source].status

    @property
    def citation(self) -> str:
        return SOURCES[self.source].text

    def document(self) -> dict:
        """Everything a form needs, as JSON."""
        return {**asdict(self), "status": self.status, "citation": self.citation, "url": SOURCES[self.source].url}


class Answers:
    """Checked answers, read by kind. A score sees only the fields it declared."""

    def __init__(self, values: Mapping[str, Any]):
        self.values = dict(values)

    def given(self, key: str) -> bool:
        """True if there is a usable answer: a value, or that the person could not."""
        return self.values.get(key) is not None and self.values[key] not in ABSENT_REASONS

    def unable(self, key: str) -> bool:
        return self.values.get(key) == UNABLE

    def get(self, key: str) -> Any:
        """The value, or None where there is none (absent, not done, declined, unable)."""
        return self.values[key] if self.given(key) and not self.unable(key) else None

    def any_yes(self, *keys: str) -> bool | None:
        """True if any is yes, False if all that were answered are no and at least one was, else None."""
        answered = [self.get(key) for key in keys if self.get(key) is not None]
        return any(answered) if answered else None

    def missing(self, *keys: str) -> list[str]:
        return [key for key in keys if not self.given(key)]
