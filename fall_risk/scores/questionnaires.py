"""Totals of protected forms (FES-I, Berg, POMA, Morse): only scores are entered, the wording stays on the official
form.

The two-question tool has no score here: how the paper combines the two answers into its cut-off could not be seen.
Its first answer counts as history of falls.
"""
from __future__ import annotations

from fall_risk.scores.fields import Answers
from fall_risk.scores.registry import score
from fall_risk.scores.result import Person, part

FES_ITEMS = tuple(f"fes_{n}" for n in range(1, 17))
MORSE_ITEMS = tuple(f"morse_{name}" for name in ("history", "diagnosis", "aid", "infusion", "gait", "mental"))


def _band(value: float, *bands: tuple[float, str, str]) -> dict:
    """The first band whose upper bound is not exceeded."""
    return next({"category": key, "category_label": label} for upper, key, label in bands if value <= upper)


@score("fes_i", "1", "Falls Efficacy Scale International", uses=("fes_total", *FES_ITEMS), sources=("delbaere",))
def fes_i(answers: Answers, person: Person) -> dict:
    """Total 16 to 64: 16-19 low, 20-27 moderate, 28-64 high concern."""
    items = [answers.get(key) for key in FES_ITEMS]
    total = answers.get("fes_total")
    if total is None and None not in items:
        total = sum(items)
    if total is None:
        missing = answers.missing(*FES_ITEMS) if any(item is not None for item in items) else ["fes_total"]
        return {"applies": False, "missing": missing, "why_not": "The total or all 16 items are needed."}
    return {"value": float(total), "unit": "points", **_band(
        total, (19, "low", "Low concern"), (27, "moderate", "Moderate concern"), (64, "high", "High concern"))}


@score("berg", "1", "Berg Balance Scale", uses=("berg_total",), sources=("muir",))
def berg(answers: Answers, person: Person) -> dict:
    """The total alone: the usual cut-off of 45 is shown to be poor, so no category is given."""
    total = answers.get("berg_total")
    if total is None:
        return {"applies": False, "why_not": "The test has not been done.", "missing": ["berg_total"]}
    return {"value": float(total), "unit": "points of 56",
            "limits": ["No category: at 45 or less the sensitivity is 25 % for any fall and 45 % for repeated falls; "
                       "the authors advise against that cut-off and give likelihood ratios for several levels, which "
                       "are not in here because their table could not be seen."]}


@score("poma", "1", "Tinetti POMA", uses=("poma_total",), sources=("tinetti",))
def poma(answers: Answers, person: Person) -> dict:
    """Below 19 high, 19 to 24 moderate, 25 to 28 low risk (R)."""
    total = answers.get("poma_total")
    if total is None:
        return {"applies": False, "why_not": "The test has not been done.", "missing": ["poma_total"]}
    return {"value": float(total), "unit": "points of 28", "limits": ["The bands are recalled, not yet checked."],
            **_band(total, (18, "high", "High risk"), (24, "moderate", "Moderate risk"), (28, "low", "Low risk"))}


@score("morse", "1", "Morse Fall Scale", uses=("morse_inpatient", *MORSE_ITEMS), sources=("morse",))
def morse(answers: Answers, person: Person) -> dict:
    """Sum of six items, for people in hospital: below 25 low, 25 to 45 moderate, above 45 high."""
    if not answers.get("morse_inpatient"):
        return {"applies": False, "missing": answers.missing("morse_inpatient"),
                "why_not": "The scale is for people in hospital only."}
    if missing := answers.missing(*MORSE_ITEMS):
        return {"applies": False, "missing": missing, "why_not": "All six items are needed."}
    points = {key: float(answers.get(key)) for key in MORSE_ITEMS}
    return {"value": sum(points.values()), "unit": "points",
            "parts": [part(key, value, value, "morse") for key, value in points.items()],
            "limits": ["Each site must calibrate the bands (Morse); these are the general ones."],
            **_band(sum(points.values()), (24, "low", "Low risk"), (45, "moderate", "Moderate risk"),
                    (125, "high", "High risk"))}
