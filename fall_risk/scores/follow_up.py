"""After the scores: what could be changed, and when to look again."""
from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from fall_risk.scores.fields import Answers
from fall_risk.scores.instruments import FIELDS, clean_answers
from fall_risk.scores.medication import CLASSES, polypharmacy
from fall_risk.scores.registry import as_person, compute
from fall_risk.scores.result import Person, Score
from fall_risk.scores.sources import SOURCES

VERSION = "1"
# category of the World Falls Guidelines -> (days, sentence, source)
_AGAIN = {
    "low": (365, "Low risk: look again after a year.", "wfg_recalled"),
    "intermediate": (182, "Intermediate risk: look again after half a year (ours; the guideline, as recalled, says "
                          "within a year).", "ours"),
    "high": (90, "High risk: follow up within 30 to 90 days.", "wfg_recalled"),
    "": (30, "No category yet: complete the assessment within a month (ours).", "ours"),
}


class Reassessment(BaseModel):
    """When to assess again. ``status`` is that of the rule, not of the patient."""

    version: str
    due_on: dt.date
    days: int
    reason: str
    source: str
    status: str


class ModifiableFactor(BaseModel):
    """Something that could be changed, why it is listed, and what is usually done."""

    key: str
    label: str
    triggers: list[str]
    action: str
    source: str
    status: str


def reassessment(category: str, assessed_on: dt.date) -> Reassessment:
    """The next date for a category of ``world_guidelines`` (empty: none could be given). A new fall overrides any date.

    Raises KeyError for a category that does not exist.
    """
    days, reason, source = _AGAIN[category]
    return Reassessment(version=VERSION, due_on=assessed_on + dt.timedelta(days=days), days=days,
                        source=SOURCES[source].text,
                        reason=f"{reason} A new fall, or a change of health, means at once.",
                        status=SOURCES[source].status)


@dataclass(frozen=True)
class _Rule:
    """``when`` gives the sentences that put the factor on the list (none: not listed)."""

    key: str
    label: str
    action: str
    when: Callable[[Answers, Callable[[str], Score]], list[str]]
    source: str = "wfg_recalled"


def _said(*keys: str) -> Callable:
    """Listed for every key answered with yes."""
    return lambda answers, scored: [FIELDS[key].label.rstrip(".?") for key in keys if answers.get(key)]


def _found(**categories: tuple[str, ...]) -> Callable:
    """Listed where a score has one of these categories."""
    def when(answers: Answers, scored: Callable[[str], Score]) -> list[str]:
        scores = [(scored(key), wanted) for key, wanted in categories.items()]
        return [f"{score.label}: {score.category_label}" for score, wanted in scores if score.category in wanted]
    return when


def _both(*rules: Callable) -> Callable:
    return lambda answers, scored: [sentence for rule in rules for sentence in rule(answers, scored)]


def _drugs(answers: Answers, scored: Callable[[str], Score]) -> list[str]:
    found = [f"Takes: {FIELDS[key].label.lower()}" for key in CLASSES if answers.get(key)]
    if polypharmacy(answers):
        found.append(f"Takes {answers.get('med_count')} drugs")
    return found + _said("si_light_headed", "si_sleep_mood")(answers, scored)


def _eyes(answers: Answers, scored: Callable[[str], Score]) -> list[str]:
    unchecked = ["Eyes not checked in the last 12 months"] if answers.get("vision_checked") is False else []
    return _said("vision_problem")(answers, scored) + unchecked


_RULES = (
    _Rule("medication", "Medication", "Review with the prescriber: can a drug be reduced or replaced?", _drugs,
          "seppala"),
    _Rule("strength", "Leg strength and power", "Progressive strength training of the legs.", _both(
        _found(chair_stand_30s=("below_average",), five_chair_stands=("slow", "very_slow", "unable"),
               power_30s=("low",),
               power_5=("low",)), _said("si_hands"))),
    _Rule("balance", "Balance and gait", "Challenging balance training; check the walking aid.", _both(
        _found(four_stage_balance=("at_risk",), tug=("slow", "very_slow", "unable"), gait_speed=("slow", "unable")),
        _said("mobility_problem", "kq_unsteady", "si_unsteady", "si_furniture", "si_curb"))),
    _Rule("blood_pressure", "Drop of blood pressure on standing", "Find the cause, review drugs, teach slow rising.",
          _both(
        _found(orthostatic_hypotension=("present",)), _said("bp_symptoms")), "shaw"),
    _Rule("dizziness", "Dizziness", "Examine for a vestibular or circulatory cause.", _said("dizziness"), "deandrea"),
    _Rule("vision", "Vision", "Eye examination; single-lens glasses for walking outdoors.", _eyes),
    _Rule("feet", "Feet and footwear", "Podiatry; firm, low, closed shoes, also at home.",
          _said("footwear_unsafe", "foot_problem", "si_feet")),
    _Rule("home", "Hazards at home", "Home visit by an occupational therapist.", _said("home_hazards")),
    _Rule("continence", "Continence", "Assess and treat; a safe way to the toilet at night.",
          _said("continence", "si_toilet")),
    _Rule("concern", "Concern about falling", "Talk about it; exercise and cognitive behavioural therapy help.", _both(
        _found(fes_i=("moderate", "high")), _said("kq_worried", "si_worried")), "delbaere"),
    _Rule("mood", "Mood", "Screen for depression.", _said("depression", "si_sad")),
    _Rule("cognition", "Memory and thinking", "Cognitive assessment; adapt the programme and involve carers.",
          _said("cognition")),
    _Rule("activity", "Activity", "Advice on activity, group exercise.", _said("inactive")),
    _Rule("alcohol", "Alcohol", "Brief advice.", _said("alcohol")),
    _Rule("fainting", "Loss of consciousness", "Medical examination for the cause.", _said("fall_consciousness")),
)


def modifiable_factors(inputs: Mapping[str, Any], person: Person | Mapping[str, Any]) -> list[ModifiableFactor]:
    """What the answers show that could be changed. Nothing listed does not mean nothing there: see what was not asked.

    Raises InputError as ``compute`` does.
    """
    clean, known = clean_answers(inputs), as_person(person)

    def scored(key: str) -> Score:
        return compute(key, clean, known)

    listed = []
    for rule in _RULES:
        if triggers := rule.when(Answers(clean), scored):
            source = SOURCES[rule.source]
            listed.append(ModifiableFactor(key=rule.key, label=rule.label, triggers=triggers, action=rule.action,
                                           source=source.text, status=source.status))
    return listed
