"""What a delivered motion does differently from the person's own, joint by joint, in words and degrees."""
from __future__ import annotations

import numpy as np

from generation.engine.body import COORDINATES

_INDEX = {name: i for i, name in enumerate(COORDINATES)}
SMALLEST_DEG = 1.0             # smaller changes are not worth a sentence (E)

# coordinate -> (joint, what more of it means, what less of it means)
_WORDS = {
    "knee_angle": ("knee", "bends {0} more", "bends {0} less"),
    "hip_flexion": ("hip", "bends {0} more", "bends {0} less"),
    "hip_adduction": ("hip", "is {0} further inwards", "is {0} further outwards"),
    "hip_rotation": ("thigh", "turns {0} more inwards", "turns {0} more outwards"),
    "ankle_angle": ("ankle", "bends up {0} more", "bends up {0} less"),
}
_CENTRAL_WORDS = {
    "pelvis_tilt": ("Pelvis", "tips {0} less forward", "tips {0} further forward"),
    "pelvis_list": ("Pelvis", "is {0} higher on the left", "is {0} higher on the right"),
    "lumbar_extension": ("Low back", "bends {0} less forward", "bends {0} further forward"),
    "lumbar_bending": ("Low back", "leans {0} further right", "leans {0} further left"),
}


def changes_in_words(own: np.ndarray, delivered: np.ndarray) -> list[dict]:
    """Largest change first; both (time, coordinate) in radians, at the same phases.

    ``at_bottom_deg`` compares the deepest frame of each, ``largest_deg`` is the largest difference at any phase.
    """
    height = _INDEX["pelvis_ty"]
    bottoms = own[int(own[:, height].argmin())], delivered[int(delivered[:, height].argmin())]
    rows = []
    for coordinate, words in _WORDS.items():
        for letter, side in (("r", "Right"), ("l", "Left")):
            rows.append((f"{coordinate}_{letter}", f"{side} {words[0]}", words[1], words[2]))
    rows += [(coordinate, *words) for coordinate, words in _CENTRAL_WORDS.items()]
    found = []
    for coordinate, joint, more, less in rows:
        column = _INDEX[coordinate]
        before, after = (float(np.degrees(pose[column])) for pose in bottoms)
        difference = np.degrees(delivered[:, column] - own[:, column])
        largest = float(difference[np.abs(difference).argmax()])
        if max(abs(after - before), abs(largest)) < SMALLEST_DEG:
            continue
        change = after - before
        words = (more if change > 0 else less).format(f"{abs(change):.0f} deg")
        text = f"{joint} {words} at the bottom ({before:.0f} to {after:.0f} deg)"
        if abs(change) < SMALLEST_DEG:
            text = f"{joint} moves up to {abs(largest):.0f} deg differently on the way, the same at the bottom"
        found.append({"coordinate": coordinate, "text": text, "own_bottom_deg": before, "new_bottom_deg": after,
                      "at_bottom_deg": change, "largest_deg": largest})
    return sorted(found, key=lambda row: -abs(row["largest_deg"]))
