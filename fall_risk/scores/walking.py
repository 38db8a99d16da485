"""Timed Up and Go, gait speed and the 4-stage balance test."""
from __future__ import annotations

from fall_risk.scores.fields import Answers
from fall_risk.scores.registry import score
from fall_risk.scores.result import Person, part

TUG_STEADI_S, TUG_BARRY_S, TUG_WFG_S, TUG_AUSTRALIA_S = 12.0, 13.5, 15.0, 10.0
GAIT_WFG_M_S = 0.8
HELD_S = 10.0
STANCES = ("fsb_side_s", "fsb_semi_s", "fsb_tandem_s", "fsb_one_leg_s")


@score("tug", "1", "Timed Up and Go", uses=("tug_s", "tug_aid"), sources=("steadi_tests", "barry", "wfg"))
def tug(answers: Answers, person: Person) -> dict:
    """Seconds, against the three cut-offs in use: STEADI 12 s (R), Barry 13.5 s (V), World Falls Guidelines 15 s (V).
    """
    if answers.unable("tug_s"):
        return {"category": "unable", "category_label": "Could not do the test",
                "path": ["The test could not be done: mobility counts as impaired."]}
    time = answers.get("tug_s")
    if time is None:
        return {"applies": False, "why_not": "The test has not been done.", "missing": ["tug_s"]}
    parts = [
        part("12 s or more (STEADI)", time >= TUG_STEADI_S, source="steadi_tests"),
        part("13.5 s or more (Barry: likelihood ratio 1.19 if so, 0.93 if not)", time >= TUG_BARRY_S, source="barry"),
        part("More than 15 s (World Falls Guidelines)", time > TUG_WFG_S, source="wfg"),
    ]
    category, label = (("very_slow", "Very slow (over 15 s)") if time > TUG_WFG_S else
                       ("slow", "Slow (12 s or more)") if time >= TUG_STEADI_S else ("usual", "Under 12 s"))
    return {"value": time, "unit": "s", "category": category, "category_label": label, "parts": parts,
            "limits": ["Sensitivity 0.31, specificity 0.74 at 13.5 s: should not be used in isolation (Barry 2014)."]}


@score("gait_speed", "1", "Gait speed", uses=("gait_speed_m_s",), sources=("wfg",))
def gait_speed(answers: Answers, person: Person) -> dict:
    """Usual walking speed; 0.8 m/s or less is the guideline's sign of impaired mobility."""
    if answers.unable("gait_speed_m_s"):
        return {"category": "unable", "category_label": "Could not walk the distance"}
    speed = answers.get("gait_speed_m_s")
    if speed is None:
        return {"applies": False, "why_not": "The test has not been done.", "missing": ["gait_speed_m_s"]}
    slow = speed <= GAIT_WFG_M_S
    return {"value": speed, "unit": "m/s", "category": "slow" if slow else "usual",
            "category_label": "Slow (0.8 m/s or less)" if slow else "Above 0.8 m/s"}


def held(answers: Answers, stance: str) -> bool | None:
    """Was a stance held for 10 s? Could not: no. Not measured: None."""
    if answers.unable(stance):
        return False
    return None if answers.get(stance) is None else answers.get(stance) >= HELD_S


def tandem_short(answers: Answers) -> bool | None:
    """Tandem under 10 s. The stances get harder: one that failed before tandem means tandem fails too."""
    tandem = held(answers, "fsb_tandem_s")
    if tandem is None and False in (held(answers, "fsb_side_s"), held(answers, "fsb_semi_s")):
        return True
    return None if tandem is None else not tandem


@score("four_stage_balance", "1", "4-stage balance test", uses=STANCES, sources=("steadi_tests",))
def four_stage_balance(answers: Answers, person: Person) -> dict:
    """Hardest stance held for 10 s (0 to 4); at risk if tandem is held for less than 10 s."""
    short = tandem_short(answers)
    if short is None:
        return {"applies": False, "why_not": "The tandem stance has not been measured.", "missing": ["fsb_tandem_s"]}
    results = [held(answers, stance) for stance in STANCES]
    names = ("Side by side", "Semi-tandem", "Tandem", "One foot")
    level = next((number for number in (4, 3, 2, 1) if results[number - 1]), 0)
    return {
        "value": float(level), "unit": "of 4 stances", "category": "at_risk" if short else "not_at_risk",
        "category_label": "Tandem under 10 s" if short else "Tandem held for 10 s",
        "parts": [part(f"{name} held for 10 s", result, source="steadi_tests")
                  for name, result in zip(names, results, strict=True) if result is not None],
        "missing": answers.missing(*STANCES),
    }
