"""World guidelines for falls prevention 2022: low, intermediate or high, with the path that led there.

    a fall in 12 months?  no -> low
      yes -> any severity factor?  yes -> high
        no -> gait speed <= 0.8 m/s or TUG > 15 s?  yes -> intermediate, no -> low

Variants: the three key questions as entry (more sensitive), and a proposal from Australia (TUG > 10 s for everybody
who is not high). A missing answer is never taken for a no: the category is given only when no missing answer could
change it.
"""
from __future__ import annotations

from collections.abc import Iterable

from fall_risk.scores.fields import Answers
from fall_risk.scores.history import FALL_FIELDS, disagreement, fallen, fell_twice
from fall_risk.scores.registry import score
from fall_risk.scores.result import Part, Person, part
from fall_risk.scores.walking import GAIT_WFG_M_S, TUG_AUSTRALIA_S, TUG_WFG_S

LABELS = {"low": "Low risk", "intermediate": "Intermediate risk", "high": "High risk"}
_SEVERITY = {"fall_injury": "injury that needed care", "fall_long_lie": "long lie or unable to get up",
             "fall_consciousness": "loss of consciousness", "frailty": "frailty"}
_USES = (*FALL_FIELDS, "frailty", "tug_s", "gait_speed_m_s")
_ENTRY_3KQ = ("kq_unsteady", "kq_worried", "si_unsteady", "si_worried")


def any_of(values: Iterable[bool | None]) -> bool | None:
    """Three-valued "or": unknown only if no yes is known and something is."""
    values = list(values)
    return True if True in values else None if None in values else False


def impaired_mobility(answers: Answers) -> bool | None:
    """Gait speed <= 0.8 m/s or TUG > 15 s; the guideline takes either test, so one that was done decides."""
    found = []
    for key, over in (("gait_speed_m_s", lambda v: v <= GAIT_WFG_M_S), ("tug_s", lambda v: v > TUG_WFG_S)):
        if answers.given(key):
            found.append(answers.unable(key) or over(answers.get(key)))
    return any(found) if found else None


def _decide(entry: bool | None, severe: bool | None, mobility: bool | None) -> set[str]:
    """Every category that the missing answers leave open."""
    possible = set()
    for enters in (True, False) if entry is None else (entry,):
        for is_severe in (True, False) if severe is None else (severe,):
            for is_impaired in (True, False) if mobility is None else (mobility,):
                possible.add("low" if not enters else "high" if is_severe else
                             "intermediate" if is_impaired else "low")
    return possible


def _yes(value: bool | None) -> str:
    return "not known" if value is None else "yes" if value else "no"


def _factor(answers: Answers, key: str) -> bool | None:
    """Without a fall there is no injury, long lie or fainting from one."""
    return False if key != "frailty" and fallen(answers) is False else answers.get(key)


def _severity(answers: Answers) -> tuple[bool | None, list[Part], list[str]]:
    factors = {"two falls or more": fell_twice(answers),
               **{label: _factor(answers, key) for key, label in _SEVERITY.items()}}
    missing = [key for key in _SEVERITY if _factor(answers, key) is None]
    missing += ["falls_12m"] if factors["two falls or more"] is None else []
    parts = [part(f"Severity: {label}", value, source="wfg") for label, value in factors.items() if value is not None]
    return any_of(factors.values()), parts, missing


def _result(answers: Answers, person: Person, entry: bool | None, question: str, entry_missing: list[str]) -> dict:
    severe, parts, severe_missing = _severity(answers)
    mobility = impaired_mobility(answers)
    possible = _decide(entry, severe, mobility)
    path = [f"{question} {_yes(entry)}."]
    missing = list(entry_missing) if entry is None else []
    if entry is not False:
        path.append("Any severity factor (injury, two or more falls, frailty, long lie, loss of consciousness)? "
                    f"{_yes(severe)}.")
        missing += severe_missing if severe is None else []
        if severe is not True:
            path.append(f"Gait speed 0.8 m/s or less, or Timed Up and Go over 15 s? {_yes(mobility)}.")
            missing += ["tug_s", "gait_speed_m_s"] if mobility is None else []
    return _category(possible, path, parts, missing, answers, person)


def _category(possible: set[str], path: list[str], parts: list[Part], missing: list[str], answers: Answers,
              person: Person) -> dict:
    limits = disagreement(answers)
    if person.age_years is None or person.age_years < 65:
        limits.append("The guideline is written for older adults (65 and over, R); for younger people it is not "
                      "tested.")
    limits.append("Sensitivity 31-48 %, specificity 77-88 % in an independent cohort (n = 1509): a low category "
                  "misses many who will fall.")
    common = {"path": path, "parts": parts, "missing": missing, "limits": limits}
    if len(possible) > 1:
        open_ = " or ".join(LABELS[name].lower() for name in LABELS if name in possible)
        return {**common, "applies": False, "why_not": f"Not enough is filled in: it could be {open_}."}
    (category,) = possible
    return {**common, "category": category, "category_label": LABELS[category]}


@score("world_guidelines", "1", "World Falls Guidelines 2022", uses=_USES, person=("age_years",),
       sources=("wfg", "wfg_recalled"))
def world_guidelines(answers: Answers, person: Person) -> dict:
    """The guideline's path; the entry is a fall in the last 12 months."""
    return _result(answers, person, fallen(answers), "A fall in the last 12 months?", ["falls_12m"])


@score("world_guidelines_3kq", "1", "World Falls Guidelines 2022, entered by three key questions",
       uses=(*_USES, *_ENTRY_3KQ), person=("age_years",), sources=("wfg", "wfg_recalled"))
def world_guidelines_3kq(answers: Answers, person: Person) -> dict:
    """The same path for whoever has fallen, feels unsteady or is worried about falling: more sensitive."""
    unsteady = answers.any_yes("kq_unsteady", "si_unsteady")
    worried = answers.any_yes("kq_worried", "si_worried")
    entry = any_of([fallen(answers), unsteady, worried])
    missing = [key for key, value in (("falls_12m", fallen(answers)), ("kq_unsteady", unsteady),
                                      ("kq_worried", worried)) if value is None]
    return _result(answers, person, entry, "Fallen, unsteady or worried about falling?", missing)


@score("world_guidelines_australia", "1", "World Falls Guidelines 2022, proposed change (Australia 2024)", uses=_USES,
       person=("age_years",), sources=("wfg", "wfg_recalled", "wfg_australia"))
def world_guidelines_australia(answers: Answers, person: Person) -> dict:
    """A proposal, not the guideline: everybody who is not high is intermediate with TUG over 10 s."""
    entry, (severe, parts, severe_missing) = fallen(answers), _severity(answers)
    time = answers.get("tug_s")
    slow = True if answers.unable("tug_s") else None if time is None else time > TUG_AUSTRALIA_S
    high = False if False in (entry, severe) else None if None in (entry, severe) else True
    possible = {name for is_high in ((True, False) if high is None else (high,))
                for is_slow in ((True, False) if slow is None else (slow,))
                for name in ["high" if is_high else "intermediate" if is_slow else "low"]}
    path = [f"A fall in the last 12 months? {_yes(entry)}.", f"With a severity factor? {_yes(high)}."]
    missing = (["falls_12m"] if entry is None else []) + (severe_missing if high is None and severe is None else [])
    if high is not True:
        path.append(f"Timed Up and Go over 10 s? {_yes(slow)}.")
        missing += ["tug_s"] if slow is None else []
    result = _category(possible, path, parts, list(dict.fromkeys(missing)), answers, person)
    result["limits"].append("A proposal from one secondary analysis (n = 693: 50 % low, 18 % intermediate, 31 % "
                            "high), not the guideline.")
    return result
