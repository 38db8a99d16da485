"""Groups of drugs that raise the risk of falls, with the pooled adjusted odds ratios of Seppala 2018 (95 % limits)."""
from __future__ import annotations

from dataclasses import dataclass

from fall_risk.scores.fields import Answers
from fall_risk.scores.registry import score
from fall_risk.scores.result import Person, part

POLYPHARMACY = 5                # R: five drugs or more; the pooled studies differ (four or five)


@dataclass(frozen=True)
class OddsRatio:
    """A pooled odds ratio with its 95 % limits."""

    ratio: float
    low: float
    high: float
    source: str
    limits_source: str = ""     # where the limits come from, if not from ``source``


CLASSES = {
    "med_antidepressant": ("Antidepressant", OddsRatio(1.57, 1.43, 1.74, "seppala")),
    "med_benzodiazepine": ("Benzodiazepine", OddsRatio(1.42, 1.22, 1.65, "seppala")),
    "med_antipsychotic": ("Antipsychotic", OddsRatio(1.54, 1.28, 1.85, "seppala")),
    "med_opioid": ("Opioid", OddsRatio(1.60, 1.35, 1.91, "seppala_others")),
    "med_antiepileptic": ("Antiepileptic", OddsRatio(1.55, 1.25, 1.92, "seppala_others")),
}
POLYPHARMACY_ODDS = OddsRatio(1.75, 1.27, 2.41, "seppala_others")
KINDS = {
    ("med_antidepressant_kind", "ssri"): ("SSRI", OddsRatio(2.02, 1.85, 2.20, "seppala")),
    ("med_antidepressant_kind", "tricyclic"): ("Tricyclic", OddsRatio(1.41, 1.07, 1.86, "seppala")),
    ("med_benzodiazepine_kind", "long"): ("Long-acting", OddsRatio(1.81, 1.05, 3.16, "seppala")),
    ("med_benzodiazepine_kind", "short"): ("Short-acting", OddsRatio(1.27, 1.04, 1.56, "seppala")),
}
UNPROVEN = {     # the limits include 1: shown, not counted
    "med_antiparkinson": ("Anti-Parkinson drug", OddsRatio(1.54, 0.99, 2.39, "seppala_others")),
    "med_analgesic": ("Other analgesic", OddsRatio(1.42, 0.91, 2.23, "seppala_others")),
    "med_nsaid": ("Non-steroidal anti-inflammatory drug", OddsRatio(1.09, 0.96, 1.23, "seppala_others")),
}


def polypharmacy(answers: Answers) -> bool | None:
    count = answers.get("med_count")
    return None if count is None else count >= POLYPHARMACY


@score("medication", "1", "Drugs that raise the risk of falls",
       uses=(*CLASSES, *UNPROVEN, "med_antidepressant_kind", "med_benzodiazepine_kind", "med_count"),
       sources=("seppala", "seppala_others"))
def medication(answers: Answers, person: Person) -> dict:
    """Number of groups taken whose odds ratio is surely above 1. The ratios are not multiplied here."""
    missing = answers.missing(*CLASSES)
    taken = [key for key in CLASSES if answers.get(key)]
    if not taken and missing:
        return {"applies": False, "missing": missing, "why_not": "Not all groups of drugs have been asked for."}

    def line(label: str, odds: OddsRatio):
        text = f"{label}: odds ratio {odds.ratio:g} ({odds.low:g}-{odds.high:g})"
        return part(text, True, odds.ratio, odds.source)

    parts = [line(*CLASSES[key]) for key in taken]
    parts += [line(*known) for (field, kind), known in KINDS.items()
              if answers.get(field) == kind and answers.get(field.removesuffix("_kind"))]
    parts += [line(f"{label} (limits include 1, not counted)", odds) for key, (label, odds) in UNPROVEN.items()
              if answers.get(key)]
    if polypharmacy(answers):
        parts.append(line(f"{POLYPHARMACY} drugs or more", POLYPHARMACY_ODDS))
    some = bool(taken)
    return {"value": float(len(taken)) if not missing else None, "unit": "groups", "parts": parts, "missing": missing,
            "category": "some" if some else "none",
            "category_label": "Takes drugs that raise the risk of falls" if some else "None of the five groups",
            "limits": ["Associations, not proof that stopping a drug prevents falls; never stop a drug without the "
                       "prescriber. Five drugs or more is our reading of polypharmacy (R)."]}
