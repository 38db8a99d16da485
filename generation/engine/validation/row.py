"""One row of the table that `python manage.py validate_body` prints."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

State = Literal["met", "missed", "shown", "not available"]


@dataclass(frozen=True)
class Row:
    """What was compared with what, what was asked for, what was measured.

    state: "shown" where nothing was asked for; "not available" where the raw data are not there, with the reason in
    `measured`. detail: lines that stand under the table, such as one for each muscle or joint.
    """

    name: str  # the word for --only
    what: str
    against: str
    asked: str
    measured: str
    state: State
    detail: tuple[str, ...] = ()


def judged(name: str, what: str, against: str, asked: str, measured: str, met: bool, detail: Sequence[str] = ()) -> Row:
    """A row that met its bar or missed it."""
    return Row(name, what, against, asked, measured, "met" if met else "missed", tuple(detail))
