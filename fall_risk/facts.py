"""What a score may know of a person beside the answers, taken from the record."""
from __future__ import annotations

from datetime import date

from fall_risk.scores import RECENT_SURGERY_MONTHS, Person
from patients.models import Patient
from patients.selectors import body_latest, conditions_active

# The conditions of the presets that are operations; for them the onset is the day of the operation.
OPERATIONS = frozenset({
    "ACLR_isolated", "ACLR_hamstring_graft", "ACLR_plus_meniscus_repair", "meniscus_repair", "PCLR",
    "MPFL_or_distal_realignment", "TKA", "THA_posterior", "THA_anterior", "THA_lateral", "hip_labral_repair_FAI",
    "Achilles_repair",
})
AGE_BANDS = ((65, "under 65"), (75, "65-74"), (85, "75-84"))
OLDEST_BAND = "85+"
BAND_NAMES = (*(name for _, name in AGE_BANDS), OLDEST_BAND)


def age_on(patient: Patient, day: date) -> int:
    """Full years on that day."""
    born = patient.birth_date
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def age_band(age_years: int) -> str:
    return next((name for border, name in AGE_BANDS if age_years < border), OLDEST_BAND)


def person_facts(patient: Patient, day: date) -> dict:
    """The person on that day, as `fall_risk.scores.Person` takes it; JSON, to be frozen with the assessment."""
    body = body_latest(patient)
    return {
        "age_years": age_on(patient, day),
        "sex": patient.sex,
        "height_m": body.height_m if body else None,
        "mass_kg": body.mass_kg if body else None,
        "recent_surgery": _recent_surgery(patient, day),
    }


def person(facts: dict) -> Person:
    return Person(**facts)


def condition_names(patient: Patient) -> list[str]:
    return sorted({condition.name for condition in conditions_active(patient)})


def _recent_surgery(patient: Patient, day: date) -> bool | None:
    """None where an operation is recorded without its date, and no other is recent."""
    days = RECENT_SURGERY_MONTHS * 365.25 / 12
    operations = [c for c in conditions_active(patient) if c.name in OPERATIONS]
    if any(c.onset_on and (day - c.onset_on).days <= days for c in operations):
        return True
    return None if any(c.onset_on is None for c in operations) else False
