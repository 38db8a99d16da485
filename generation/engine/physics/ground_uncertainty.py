"""How wrong an estimated ground reaction is, by what was known of the person.

Root mean squares over squats and sit-to-stands (from seat-off on), the larger of the two and of both sides, as
`validate_body` measures them against force plates. They come from one healthy woman on flat ground, with markers and
expert kinematics at 6 Hz; another person, an asymmetric or frail one above all, or kinematics from video can be worse.
"""

from collections.abc import Mapping

import numpy as np

from generation.engine.body.segment_masses import has_typical_masses

BASIS = ("root mean square errors against force plates in squats and sit-to-stands of one healthy woman, with marker "
         "kinematics; other people, frail or asymmetric ones above all, may be further off")
JOINTS = ("hip_flexion", "knee_angle", "ankle_angle", "hip_adduction")

# what was known -> share of a foot in % of both, vertical force of a foot and outward force in % of body weight, centre
# of pressure of a foot fore-aft and sideways in cm, moments of JOINTS in Nm per kg
_MEASURED = {
    "nothing": (4.7, 4.1, 1.4, 7.6, 1.5, (0.24, 0.31, 0.36, 0.10)),
    "published masses": (4.8, 4.8, 1.4, 2.5, 1.4, (0.07, 0.10, 0.09, 0.10)),
    "force plates": (4.4, 4.3, 1.2, 2.3, 1.5, (0.07, 0.11, 0.09, 0.07)),
}
LEVELS = tuple(_MEASURED)


def mass_level(packed: Mapping[str, np.ndarray]) -> str:
    """What is known of a body (`BodyModel.packed`) that nobody calibrated."""
    return "published masses" if has_typical_masses(packed) else "nothing"


def ground_uncertainty(level: str) -> Mapping[str, object]:
    """The errors of one of LEVELS, as numbers and a sentence that says where they come from."""
    share, vertical, outward, along, across, moments = _MEASURED[level]
    return {
        "known_of_the_person": level, "basis": BASIS, "share_percent": share,
        "vertical_force_percent_body_weight": vertical, "outward_force_percent_body_weight": outward,
        "pressure_fore_aft_cm": along, "pressure_sideways_cm": across,
        "moment_nm_per_kg": dict(zip(JOINTS, moments, strict=True)),
    }
