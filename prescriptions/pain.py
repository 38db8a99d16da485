"""How much pain is acceptable with a prescription, by the conditions that were signed with it.

Status V: seen in a source; R: recalled, unchecked; E: our default. None of these limits was made for this software, and
the model behind them comes from Achilles tendinopathy: they are where a person is asked, not a measure of harm.
"""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from prescriptions.models import Prescription
from prescriptions.words import SAFETY


@dataclass(frozen=True)
class PainLimit:
    """Pain on the numeric rating scale 0-10; above `most` during or after a session the exercise is put on hold, above
    `before` it is not to be started."""

    most: int
    before: int
    status: str
    source: str


# Silbernagel et al. 2007, Am J Sports Med 35:897 (after Thomee), as told by https://bim.physio/the-pain-monitoring-model/
EVERYBODY = PainLimit(5, 5, "V", "Pain-monitoring model, Silbernagel and Thomee 2007 (secondary page): above 5 stop")
# Not validated after an operation: stricter, by our own choice.
AFTER_OPERATION = PainLimit(3, 3, "E", "After an operation; the pain-monitoring model is not validated there")
BY_CONDITION = {
    **dict.fromkeys((
        "ACLR_isolated", "ACLR_hamstring_graft", "ACLR_plus_meniscus_repair", "meniscus_repair", "PCLR",
        "MPFL_or_distal_realignment", "TKA", "THA_posterior", "THA_anterior", "THA_lateral", "hip_labral_repair_FAI",
        "Achilles_repair",
    ), AFTER_OPERATION),
    "patellar_tendinopathy": PainLimit(3, 3, "R", "Patellar tendinopathy, Malliaras 2015 (recalled)"),
    "knee_OA": PainLimit(5, 4, "V", "Knee osteoarthritis: no weight-bearing session from 5 of 10 (NCT01545258); "
                                    "during it the pain-monitoring model of Silbernagel and Thomee 2007"),
}


def pain_limit(conditions: Iterable[str]) -> PainLimit:
    """The strictest of those of the conditions; everybody's where none has its own."""
    own = [BY_CONDITION[name] for name in conditions if name in BY_CONDITION]
    return min([*own, EVERYBODY], key=lambda limit: (limit.most, limit.before))


def limit_of(prescription: Prescription) -> PainLimit:
    """Of what is signed."""
    return pain_limit(condition["name"] for condition in prescription.document["profile"].get("conditions", []))


def safety_of(prescription: Prescription) -> str:
    """When the patient is to stop."""
    return SAFETY.format(most=limit_of(prescription).most)
