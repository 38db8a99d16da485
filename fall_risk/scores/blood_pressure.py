"""Orthostatic hypotension: drop of blood pressure within 3 minutes of standing up (Shaw 2017)."""
from __future__ import annotations

from fall_risk.scores.fields import Answers
from fall_risk.scores.registry import score
from fall_risk.scores.result import Person, part

DROP_MMHG = {"supine": (20.0, 10.0), "seated": (15.0, 7.0)}      # resting position -> systolic, diastolic
_KINDS = ("systolic", "diastolic")
_REST = tuple(f"bp_rest_{kind}" for kind in _KINDS)
_STANDING = tuple(f"bp_{when}_{kind}" for when in ("1min", "3min") for kind in _KINDS)


@score("orthostatic_hypotension", "1", "Orthostatic hypotension", sources=("shaw",),
       uses=("bp_start", *_REST, *_STANDING, "bp_symptoms"))
def orthostatic_hypotension(answers: Answers, person: Person) -> dict:
    """Yes if any drop reaches the limit for the resting position; no only when all four drops are known."""
    start = answers.get("bp_start")
    if start is None:
        return {"applies": False, "missing": ["bp_start"], "why_not": "Say whether the person was lying or sitting."}
    drops = {}
    for key in _STANDING:
        rest, standing = answers.get(f"bp_rest_{key.rpartition('_')[2]}"), answers.get(key)
        if rest is not None and standing is not None:
            drops[key] = rest - standing
    limits = dict(zip(_KINDS, DROP_MMHG[start], strict=True))
    found = {key: drop >= limits[key.rpartition("_")[2]] for key, drop in drops.items()}
    missing = answers.missing(*_REST, *_STANDING)
    parts = [part(f"Drop after {key[3]} min, {key.rpartition('_')[2]}: {drop:g} mmHg", found[key], drop, "shaw")
             for key, drop in drops.items()]
    if not any(found.values()) and len(found) < len(_STANDING):
        return {"applies": False, "missing": missing, "parts": parts,
                "why_not": "No drop so far, but not all readings (1 and 3 minutes) are there."}
    positive = any(found.values())
    systolic = [drop for key, drop in drops.items() if key.endswith("_systolic")]
    rule = f"systolic {limits['systolic']:g} or diastolic {limits['diastolic']:g} mmHg or more, {start} to standing"
    return {
        "value": max(systolic) if systolic else None, "unit": "mmHg largest systolic drop", "parts": parts,
        "missing": missing, "category": "present" if positive else "absent",
        "category_label": "Orthostatic hypotension" if positive else "No orthostatic hypotension",
        "path": [f"Limit: {rule}.", *(["Symptoms on standing up."] if answers.get("bp_symptoms") else [])],
        "limits": ["From sitting the test finds 80 % of those found from lying "
                   "(systolic)."] if start == "seated" else [],
    }
