"""What a generated motion demands of the person's strength, from what its check by OpenSim stored."""
from __future__ import annotations

from typing import Any

from fall_risk.scores.movement_profile import Demand
from generation.engine.profile import Profile
from generation.models import CandidateMotion
from generation.physics import SIDES

# Coordinate of the analysis -> joint, the group whose strength counts in a squat.
JOINTS = {
    "knee_angle": ("knee", "knee_extension"),
    "hip_flexion": ("hip", "hip_extension"),
    "ankle_angle": ("ankle", "ankle_plantarflexion"),
}
STRONGER = ("“At least”: where strength was not measured, the demand is the share of what a healthy person of this "
            "sex, age, height and mass is expected to have. Whoever is weaker needs more of theirs, and even these "
            "expected muscles are stronger than a dynamometer finds people to be. Measure the strength of knee, hip "
            "and ankle, and generate anew, to have the share of what this person really has.")
OPPOSED = "Muscles that pain or fear tenses against each other are not in it: the real demand is then higher."


def demands_of(candidate: CandidateMotion, profile: Profile) -> tuple[list[Demand], list[str]]:
    """The demands of the joints of both legs and the caveats on them; none while OpenSim has not answered."""
    check = candidate.check_by_opensim
    if check is None or not check.result:
        return [], []
    found = check.result["physics"]
    measured = {(one.group, one.side) for one in profile.strength_measures()}
    errors = _errors(candidate)
    demands = []
    for coordinate, (joint, group) in JOINTS.items():
        for letter, side in SIDES.items():
            peak = found["demand"].get(f"{coordinate}_{letter}")
            if peak is not None:
                demands.append(Demand(
                    key=f"{joint}_{side}", joint=f"{joint}, {side}", percent=100 * abs(peak["peak"]),
                    measured=(group, side) in measured, error_percent=errors.get(f"{group}_demand_peak"),
                ))
    return demands, _caveats(found, measured_all=all(one.measured for one in demands))


def _errors(candidate: CandidateMotion) -> dict[str, float]:
    """Load variable -> its known error by the fast route, carried over from the ground reaction's."""
    for row in (candidate.request.report or {}).get("candidates", ()):
        if row.get("file") == candidate.file_name:
            errors = (row.get("physics") or {}).get("errors") or {}
            return {name: value for name, value in errors.items() if value is not None}
    return {}


def _caveats(found: dict[str, Any], measured_all: bool) -> list[str]:
    ground, trust, motion = found["ground_reaction"], found["trust"], found["motion"]
    caveats = ["Forces are computed by OpenSim from the motion, not measured."]
    if ground["source"] != "plates":
        share = ground["uncertainty"].get("share_percent")
        within = "" if share is None else f" to within about ±{share:.0f} % of the load"
        caveats.append(f"The ground reaction is estimated without force plates, and split between the feet{within}.")
    if untrusted := motion["frames"] - trust["frames"]:
        caveats.append(f"In {untrusted} of {motion['frames']} moments of the motion the model's muscles alone could "
                       "not make what is asked, or a knee is bent too far for them: there the demand is not to be "
                       "trusted.")
    return [*caveats, *([] if measured_all else [STRONGER]), OPPOSED]
