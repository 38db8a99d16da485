"""Where each source's markers sit on the body model, how sure that is, and how closely inverse kinematics follows them.

Places are ours (status E): read off the bone surfaces of the generic model in each body's frame, plus about 10 mm of
skin and marker outward. They describe the right side; the left is mirrored in z. Labels follow the Plug-in-Gait set
for UI- PRMD.
"""

from dataclasses import dataclass

import numpy as np

MM = 0.001
LOOSE_NOISE = 0.025  # places with at least this much skin motion (shoulders, arms) are followed loosely; ours (E)


@dataclass(frozen=True)
class Place:
    """A nominal marker place on the generic model.

    location and spread are (x, y, z) in metres in the body's frame; `spread` is how far (one standard deviation) the
    marker of a person may sit from there; `noise` is the standard deviation of skin motion against the bone, metres.
    """

    body: str
    location: tuple[float, float, float]
    spread: tuple[float, float, float]
    noise: float
    side: str = "r"

    def mirrored(self) -> "Place":
        x, y, z = self.location
        body = self.body[:-2] + "_l" if self.body.endswith("_r") else self.body
        return Place(body, (x, y, -z), self.spread, self.noise, "l")


def _place(body, location, spread_mm, noise_mm) -> Place:
    spread = (spread_mm,) * 3 if np.isscalar(spread_mm) else spread_mm
    return Place(body, location, tuple(s * MM for s in spread), noise_mm * MM)


# The generic tibia has no torsion, people have: a foot may point further outward on its shank than the model's, which
# shows as a toe marker lateral of its nominal place (wide in z) instead of a twisted ankle. Bony places that define
# the segments stay tight; wands and clusters on soft parts are free along and around the segment.
PLACES: dict[str, Place] = {
    "asis": _place("pelvis", (0.020, 0.018, 0.1285), 8, 10),
    "psis": _place("pelvis", (-0.165, 0.035, 0.045), 8, 8),
    "c7": _place("torso", (-0.080, 0.435, 0.0), (12, 20, 10), 12),
    "t10": _place("torso", (-0.100, 0.215, 0.0), (20, 40, 10), 15),
    "clavicle": _place("torso", (0.048, 0.38, 0.0), 15, 15),
    "sternum": _place("torso", (0.115, 0.215, 0.0), (30, 40, 15), 15),
    "scapula": _place("torso", (-0.12, 0.33, 0.10), 40, 40),
    "acromion": _place("torso", (-0.003, 0.435, 0.15), 25, 40),
    "upper_arm": _place("humerus_r", (0.0, -0.14, 0.035), 50, 40),
    "elbow_lateral": _place("humerus_r", (0.015, -0.285, 0.048), 12, 25),
    "elbow_medial": _place("humerus_r", (0.002, -0.286, -0.052), 12, 25),
    "forearm": _place("ulna_r", (0.0, -0.12, 0.045), 50, 40),
    "wrist_radial": _place("radius_r", (0.0, -0.225, 0.055), 15, 30),
    "wrist_ulnar": _place("radius_r", (-0.022, -0.225, -0.03), 15, 30),
    "hip_centre": _place("femur_r", (0.0, 0.0, 0.0), 2, 15),
    "thigh_wand": _place("femur_r", (0.0, -0.25, 0.08), (30, 80, 20), 20),
    "thigh_front": _place("femur_r", (0.06, -0.23, 0.02), (40, 80, 40), 20),
    "knee_lateral": _place("femur_r", (0.0, -0.404, 0.060), 9, 12),
    "knee_medial": _place("femur_r", (0.0, -0.404, -0.060), 9, 12),
    "shank_wand": _place("tibia_r", (0.0, -0.20, 0.055), (30, 80, 20), 12),
    "shank_front": _place("tibia_r", (0.035, -0.15, 0.0), (30, 80, 30), 12),
    "ankle_lateral": _place("tibia_r", (-0.015, -0.389, 0.061), (10, 7, 7), 7),
    "ankle_medial": _place("tibia_r", (0.006, -0.389, -0.046), 7, 7),
    "heel": _place("calcn_r", (-0.022, 0.020, -0.003), (8, 12, 8), 3.5),
    "toe": _place("calcn_r", (0.175, 0.025, -0.006), (10, 12, 25), 3.5),
    "first_toe": _place("calcn_r", (0.200, 0.025, -0.025), (15, 12, 25), 5),
    "fifth_metatarsal": _place("calcn_r", (0.140, 0.010, 0.058), (10, 10, 25), 5),
}


def _pairs(table: dict[str, tuple[str, ...] | str]) -> dict[str, Place]:
    """{place: (right label, left label)} or {place: label on the midline}, several pairs allowed, to {label: Place}."""
    places = {}
    for name, labels in table.items():
        place = PLACES[name]
        if isinstance(labels, str):
            places[labels] = place
            continue
        for right, left in zip(labels[::2], labels[1::2], strict=True):
            places[right] = place
            places[left] = place.mirrored()
    return {label: place for label, place in places.items() if label}


MARKER_SETS: dict[str, dict[str, Place]] = {
    # Head and finger markers are left out: the model's head is part of the torso, and wrists are not solved.
    "plug-in-gait": _pairs(
        {
            "asis": ("RASI", "LASI"),
            "psis": ("RPSI", "LPSI"),
            "c7": "C7",
            "t10": "T10",
            "clavicle": "CLAV",
            "sternum": "STRN",
            "scapula": ("RBAK", ""),
            "acromion": ("RSHO", "LSHO"),
            "upper_arm": ("RUPA", "LUPA"),
            "elbow_lateral": ("RELB", "LELB"),
            "forearm": ("RFRM", "LFRM"),
            "wrist_radial": ("RWRA", "LWRA"),
            "wrist_ulnar": ("RWRB", "LWRB"),
            "thigh_wand": ("RTHI", "LTHI"),
            "knee_lateral": ("RKNE", "LKNE"),
            "shank_wand": ("RTIB", "LTIB"),
            "ankle_lateral": ("RANK", "LANK"),
            "heel": ("RHEE", "LHEE"),
            "toe": ("RTOE", "LTOE"),
        }
    ),
    # OpenCap's augmented anatomical markers.
    "opencap": _pairs(
        {
            "asis": ("r.ASIS_study", "L.ASIS_study"),
            "psis": ("r.PSIS_study", "L.PSIS_study"),
            "c7": "C7_study",
            "acromion": ("r_shoulder_study", "L_shoulder_study"),
            "hip_centre": ("RHJC_study", "LHJC_study"),
            "thigh_wand": ("r_thigh1_study", "L_thigh1_study", "r_thigh3_study", "L_thigh3_study"),
            "thigh_front": ("r_thigh2_study", "L_thigh2_study"),
            "knee_lateral": ("r_knee_study", "L_knee_study"),
            "knee_medial": ("r_mknee_study", "L_mknee_study"),
            "shank_wand": ("r_sh1_study", "L_sh1_study", "r_sh3_study", "L_sh3_study"),
            "shank_front": ("r_sh2_study", "L_sh2_study"),
            "ankle_lateral": ("r_ankle_study", "L_ankle_study"),
            "ankle_medial": ("r_mankle_study", "L_mankle_study"),
            "heel": ("r_calc_study", "L_calc_study"),
            "first_toe": ("r_toe_study", "L_toe_study"),
            "fifth_metatarsal": ("r_5meta_study", "L_5meta_study"),
            "elbow_lateral": ("r_lelbow_study", "L_lelbow_study"),
            "elbow_medial": ("r_melbow_study", "L_melbow_study"),
            "wrist_radial": ("r_lwrist_study", "L_lwrist_study"),
            "wrist_ulnar": ("r_mwrist_study", "L_mwrist_study"),
        }
    ),
    "kirsten": _pairs(
        {
            "asis": ("r.ASIS", "L.ASIS"),
            "psis": ("r.PSIS", "L.PSIS"),
            "c7": "C7",
            "clavicle": "Sternum",
            "acromion": ("R_Shoulder", "L_Shoulder"),
            "upper_arm": ("R_humerus", "L_humerus"),
            "elbow_lateral": ("R_elbow_lat", "L_elbow_lat"),
            "elbow_medial": ("R_elbow_med", "L_elbow_med"),
            "forearm": ("R_forearm", "L_forearm"),
            "wrist_radial": ("R_wrist_radius", "L_wrist_radius"),
            "wrist_ulnar": ("R_wrist_ulna", "L_wrist_ulna"),
            "thigh_wand": (
                "r_thigh1",
                "L_thigh1",
                "r_thigh2",
                "L_thigh2",
                "r_thigh3",
                "L_thigh3",
                "r_thigh4",
                "L_thigh4",
                "r_thigh5",
                "",
            ),
            "knee_lateral": ("r_knee", "L_knee"),
            "shank_wand": ("r_sh2", "L_sh2", "r_sh3", "L_sh3", "r_sh4", ""),
            "shank_front": ("r_shank_antsup", "L_shank_antsup"),
            "ankle_lateral": ("r_ankle", "L_ankle"),
            "heel": ("r_calc", "L_calc"),
            "first_toe": ("r_toe", "L_toe"),
            "fifth_metatarsal": ("r_5meta", "L_5meta"),
        }
    ),
}


def reported(marker_set: str) -> tuple[str, ...]:
    """Labels on legs, pelvis and trunk: marker error is measured over these; the rest is followed loosely."""
    return tuple(label for label, place in MARKER_SETS[marker_set].items() if place.noise < LOOSE_NOISE)
