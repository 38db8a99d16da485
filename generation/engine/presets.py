"""Movement limits that published protocols set for a condition and a phase.

``presets.csv`` holds one row for each statement found, with its source, address and status: V (number seen in the
source), R (recalled, to be checked by a person) or E (our default, no published threshold). The columns ``use`` and
``engine_*`` say what the engine makes of a row: a ``limit`` it enforces (a goal where the row has an
``engine_weight``), a ``support`` for the hands it asks for, a ``reminder`` it hands back because it cannot compute it,
or ``refuse`` (no squat in this phase). ``week_from`` and ``week_to`` are the weeks since surgery or injury that a
phase counts, the last not included; empty where the source counts no weeks. Most V rows are single-clinic protocols
(evidence level 5): they are presets for a clinician to edit, not rules.
"""
from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from generation.engine.limits import PRESET, Limit
from generation.engine.variables import BOTH, VARIABLES

_FILE = Path(__file__).with_name("presets.csv")
_EVERY_PHASE = "all"
_EVERYBODY = "ALL"

_LABELS = {     # condition -> (label, affects one side of the body)
    "ACLR_isolated": ("ACL reconstruction, isolated", True),
    "ACLR_hamstring_graft": ("ACL reconstruction, hamstring graft", True),
    "ACLR_plus_meniscus_repair": ("ACL reconstruction with meniscus repair", True),
    "meniscus_repair": ("Meniscus repair", True),
    "PCLR": ("PCL reconstruction", True),
    "PFP": ("Patellofemoral pain", True),
    "MPFL_or_distal_realignment": ("MPFL reconstruction or distal realignment", True),
    "patellar_tendinopathy": ("Patellar tendinopathy", True),
    "knee_OA": ("Knee osteoarthritis", True),
    "TKA": ("Total knee replacement", True),
    "THA_posterior": ("Total hip replacement, posterior approach", True),
    "THA_anterior": ("Total hip replacement, anterior approach", True),
    "THA_lateral": ("Total hip replacement, lateral approach", True),
    "hip_labral_repair_FAI": ("Hip labral repair or FAI surgery", True),
    "Achilles_repair": ("Achilles tendon repair", True),
    "Achilles_nonoperative": ("Achilles tendon rupture, non-operative", True),
    "ankle_sprain": ("Ankle sprain", True),
    "LBP": ("Low back pain", False),
    "osteoporosis_vertebral": ("Osteoporosis of the spine", False),
    "frail_elderly": ("Frailty in older age", False),
    "quad_strengthening": ("Quadriceps strengthening", True),
}


@dataclass(frozen=True)
class Condition:
    """A condition for a choice list; ``phases`` is empty where the presets do not depend on the phase."""

    name: str
    label: str
    phases: tuple[str, ...]
    sided: bool
    weeks: Mapping[str, tuple[int, int | None]] = field(default_factory=dict, hash=False)      # phase -> from, before

    def phases_at(self, week: int) -> tuple[str, ...]:
        """The phases that hold ``week`` full weeks after surgery or injury: none between two, outside all, or where the
        source counts no weeks; several where the source leaves the choice. Of one within another the narrower holds."""
        held = {phase: (start, end if end is not None else math.inf) for phase, (start, end) in self.weeks.items()
                if start <= week and (end is None or week < end)}
        return tuple(phase for phase, (start, end) in held.items() if not any(
            start <= other[0] and other[1] <= end and other != (start, end) for other in held.values()))


@dataclass(frozen=True)
class Reminder:
    """A statement of a protocol that the engine does not compute: for the clinician to read."""

    condition: str
    phase: str
    variable: str
    text: str
    source: str
    url: str
    status: str


@dataclass
class Preset:
    """What a condition brings: limits to keep, reminders to read, and the reason if no squat is allowed."""

    limits: list[Limit] = field(default_factory=list)
    reminders: list[Reminder] = field(default_factory=list)
    support: bool = False           # wants the hands on a support
    refused: str = ""
    rows: list[dict[str, str]] = field(default_factory=list)        # the rows used, for the report


@cache
def _rows() -> tuple[dict[str, str], ...]:
    with _FILE.open(newline="", encoding="utf-8") as handle:
        return tuple(csv.DictReader(handle))


def _phases(condition: str) -> tuple[str, ...]:
    names = (row["phase"] for row in _rows() if row["condition"] == condition and row["phase"] != _EVERY_PHASE)
    return tuple(dict.fromkeys(names))


def _weeks(condition: str) -> dict[str, tuple[int, int | None]]:
    return {row["phase"]: (int(row["week_from"]), int(row["week_to"]) if row["week_to"] else None)
            for row in _rows() if row["condition"] == condition and row["week_from"]}


CONDITIONS: dict[str, Condition] = {
    name: Condition(name, label, _phases(name), sided, _weeks(name)) for name, (label, sided) in _LABELS.items()
}


def preset_limits(condition: str, phase: str | None = None, side: str | None = None) -> Preset:
    """The preset of ``condition`` in ``phase`` (None or ``all``: only what holds in every phase) on ``side``.

    Raises KeyError for an unknown condition, ValueError for a phase or a side it does not have.
    """
    known = CONDITIONS[condition]
    if phase is not None and phase != _EVERY_PHASE and phase not in known.phases:
        raise ValueError(f"{condition} has no phase {phase!r}; use one of {', '.join((*known.phases, _EVERY_PHASE))}")
    return _collect(condition, phase or _EVERY_PHASE, side)


def everybody_limits() -> Preset:
    """What holds for every prescription, whatever the condition."""
    return _collect(_EVERYBODY, _EVERY_PHASE, None)


def _collect(condition: str, phase: str, side: str | None) -> Preset:
    preset = Preset()
    for row in _rows():
        if row["condition"] != condition:
            continue
        if row["phase"] not in (phase, _EVERY_PHASE) and phase not in row["also_in"].split(";"):
            continue
        preset.rows.append(row)
        if row["use"] == "limit":
            preset.limits.append(_limit(row, side))
        elif row["use"] == "refuse":
            preset.refused = f"no squat for {CONDITIONS[condition].label} in phase {row['phase']}: {row['source']}"
        elif row["use"] == "support":
            preset.support = True
            preset.reminders.append(_reminder(row))
        else:
            preset.reminders.append(_reminder(row))
    return preset


def _limit(row: dict[str, str], side: str | None) -> Limit:
    variable = VARIABLES[row["engine_variable"]]
    return Limit(variable.name, (side or BOTH) if variable.sided else None, min=_number(row["engine_min"]),
                 max=_number(row["engine_max"]), source=row["source"], status=row["status"], origin=PRESET,
                 phase=row["engine_phase"], weight=_number(row["engine_weight"]))


def _reminder(row: dict[str, str]) -> Reminder:
    bounds = " to ".join(part for part in (row["min"], row["max"]) if part) if row["unit"] != "bool" else ""
    text = row["variable"].replace("_", " ") + (f": {bounds} {row['unit']}".rstrip() if row["unit"] != "bool" else "")
    if row["note"]:
        text += f". {row['note']}"
    return Reminder(row["condition"], row["phase"], row["variable"], text, row["source"], row["url"], row["status"])


def _number(text: str) -> float | None:
    return float(text) if text else None
