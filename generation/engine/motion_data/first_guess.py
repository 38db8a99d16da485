"""Where the search for a person's poses begins: angles read off the directions between markers."""

import numpy as np

from generation.engine.motion_data.markers import MARKER_SETS, PLACES
from generation.engine.motion_data.skeleton import Skeleton


def first_guess(generic: Skeleton, marker_set: str, labels, positions) -> np.ndarray:
    """Poses (frame, coordinate) from directions between markers: near enough for the least squares to find the rest."""
    at = {}
    for label, place in MARKER_SETS[marker_set].items():
        name = next(n for n, p in PLACES.items() if place in (p, p.mirrored()))
        if label in labels:
            at.setdefault(
                (name, place.side if place.body[-2:] in ("_r", "_l") or place.location[2] else "m"),
                positions[:, labels.index(label)],
            )
    asis = (at["asis", "r"] + at["asis", "l"]) / 2
    psis = (at["psis", "r"] + at["psis", "l"]) / 2
    across = at["asis", "r"] - at["asis", "l"]
    yaw = np.arctan2(-across[:, 0], across[:, 2])

    def pitch(vector):
        """Angle of a hanging vector in the walking plane, forward positive."""
        return np.arctan2(vector[:, 0] * np.cos(yaw) - vector[:, 2] * np.sin(yaw), -vector[:, 1])

    values = np.zeros((len(positions), len(generic.coordinates)))

    def put(name, value):
        values[:, generic.coordinates.index(name)] = value

    tilt = np.arctan2(asis[:, 1] - psis[:, 1], np.linalg.norm((asis - psis)[:, [0, 2]], axis=1)) + np.deg2rad(5)
    torso = pitch(psis - at["c7", "m"])
    put("pelvis_rotation", yaw)
    put("pelvis_tilt", tilt)
    middle = 0.4 * asis + 0.6 * psis
    for axis, name in enumerate(("pelvis_tx", "pelvis_ty", "pelvis_tz")):
        put(name, middle[:, axis])
    put("lumbar_extension", torso - tilt)
    for side in "rl":
        hip = asis + (at["asis", side] - asis) * 0.6 + np.array([0, -0.09, 0]) + (psis - asis) * 0.3
        thigh = pitch(at["knee_lateral", side] - hip)
        shank = pitch(at["ankle_lateral", side] - at["knee_lateral", side])
        put(f"hip_flexion_{side}", thigh - tilt)
        put(f"knee_angle_{side}", np.maximum(thigh - shank, 0.05))
        put(f"ankle_angle_{side}", -shank)
        arm = pitch(at["elbow_lateral", side] - at["acromion", side])
        put(f"arm_flex_{side}", np.mod(arm - torso + np.pi / 2, 2 * np.pi) - np.pi / 2)
        put(f"elbow_flex_{side}", 0.4)
        put(f"pro_sup_{side}", 1.2)
    return np.clip(values, generic.lower, generic.upper)
