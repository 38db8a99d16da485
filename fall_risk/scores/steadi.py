"""CDC STEADI: the screen (three key questions, Stay Independent) and, after it, the three function tests."""
from __future__ import annotations

from fall_risk.scores.chair_stands import below_average, chair_stand_count
from fall_risk.scores.fields import Answers
from fall_risk.scores.registry import score
from fall_risk.scores.result import Part, Person, part
from fall_risk.scores.walking import tandem_short

KEY_QUESTIONS = ("kq_fallen", "kq_unsteady", "kq_worried")
POINTS = {       # Stay Independent: the first two weigh 2
    "si_fallen": 2, "si_aid": 2, "si_unsteady": 1, "si_furniture": 1, "si_worried": 1, "si_hands": 1, "si_curb": 1,
    "si_toilet": 1, "si_feet": 1, "si_light_headed": 1, "si_sleep_mood": 1, "si_sad": 1,
}
AT_RISK_POINTS = 4
TUG_S = 12.0
_CHAIR = ("cst_count", "cst_used_arms")
_TANDEM = ("fsb_side_s", "fsb_semi_s", "fsb_tandem_s")


def _points(answers: Answers) -> tuple[int, list[str]]:
    """Points so far, and the items not answered."""
    return sum(points for key, points in POINTS.items() if answers.get(key)), answers.missing(*POINTS)


def _reached(points: int, missing: list[str]) -> bool | None:
    """Is the threshold reached? None while the missing items could still decide."""
    if points >= AT_RISK_POINTS:
        return True
    return None if points + sum(POINTS[key] for key in missing) >= AT_RISK_POINTS else False


@score("stay_independent", "1", "Stay Independent", uses=tuple(POINTS), sources=("stay_independent",))
def stay_independent(answers: Answers, person: Person) -> dict:
    """Sum of 12 items (0 to 14); 4 or more: at risk. A sum is given only when all items are answered."""
    points, missing = _points(answers)
    at_risk = _reached(points, missing)
    parts = [part(key, answers.get(key), float(POINTS[key] if answers.get(key) else 0), "stay_independent")
             for key in POINTS if answers.given(key)]
    if at_risk is None:
        return {"applies": False, "missing": missing, "parts": parts, "why_not":
                f"{len(missing)} of 12 items are not answered, and they could change the result ({points} points so "
                "far)."}
    done = not missing
    return {
        "value": float(points) if done else None, "unit": "points", "parts": parts, "missing": missing,
        "category": "at_risk" if at_risk else "not_at_risk",
        "category_label": "At risk of falling" if at_risk else "Not screened as at risk",
        "path": [f"{points} points{'' if done else ' from the answered items'}; {AT_RISK_POINTS} or more means at "
                 "risk."],
    }


def function_tests(answers: Answers, person: Person) -> dict[str, tuple[bool | None, str]]:
    """The three tests: label -> (abnormal or None where unknown, sentence)."""
    time = answers.get("tug_s")
    tug = True if answers.unable("tug_s") else None if time is None else time >= TUG_S
    count = chair_stand_count(answers)
    chair = None if count is None else below_average(count, person)
    tandem = tandem_short(answers)
    return {
        "Timed Up and Go": (tug, "12 s or more (R)"),
        "30-second chair stand": (chair, "below average for age and sex (V, secondary)"),
        "4-stage balance": (tandem, "tandem stance under 10 s (R)"),
    }


@score("steadi", "1", "STEADI", person=("age_years", "sex"), sources=("steadi", "stay_independent", "steadi_tests"),
       uses=(*KEY_QUESTIONS, *POINTS, "tug_s", *_CHAIR, *_TANDEM))
def steadi(answers: Answers, person: Person) -> dict:
    """Screened at risk if any key question is yes or Stay Independent reaches 4; then the function tests."""
    points, items_missing = _points(answers)
    by_items = _reached(points, items_missing)
    asked = [answers.get(key) for key in KEY_QUESTIONS]
    by_questions = True if True in asked else None if None in asked else False
    screens = {"the three key questions": by_questions, "Stay Independent": by_items}
    path = [f"By {name}: {'at risk' if found else 'not at risk'}." for name, found in screens.items()
            if found is not None]
    if True not in screens.values():
        if False not in screens.values():
            return {"applies": False, "missing": answers.missing(*KEY_QUESTIONS), "path": path,
                    "why_not": "Answer the three key questions or Stay Independent first."}
        return {"category": "not_at_risk", "category_label": "Not screened as at risk", "path": path}
    tests = function_tests(answers, person)
    parts = [Part(label=label, value=found, source=f"CDC STEADI: {rule}") for label, (found, rule) in tests.items()
             if found is not None]
    found = [abnormal for abnormal, _ in tests.values()]
    path += [f"{label}: {'abnormal' if abnormal else 'normal'} ({rule})." for label, (abnormal, rule) in tests.items()
             if abnormal is not None]
    missing = [key for key, value in zip(("tug_s", "cst_count", "fsb_tandem_s"), found, strict=True) if value is None]
    if True in found:
        category, label = "at_risk_impaired", "At risk, with impaired gait, strength or balance"
    elif missing:
        category, label = "at_risk_tests_open", "At risk; function tests still to be done"
    else:
        category, label = "at_risk_unimpaired", "At risk; gait, strength and balance tests normal"
    return {"category": category, "category_label": label, "path": path, "parts": parts, "missing": missing,
            "limits": ["STEADI asks for an assessment of modifiable risk factors for everybody who screens at risk."]}
