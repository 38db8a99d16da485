"""What one motion does otherwise than another: in words, in degrees, and at which joint of the body."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from generation.alignment import at, instants, own_times
from generation.playback import Curves

# Smaller differences are left out. Ours (E): about what a recording without plates and laboratory can tell apart.
SMALLEST_DEG, SMALLEST_CM, SMALLEST_S = 5.0, 3.0, 0.3
MOST = 8

# coordinate -> (where, what more of it is called, what less of it is called, joint centre, sign of the number shown)
_PAIRED = {
    "knee_angle": ("knee", "bends {} more", "bends {} less", "knee", 1),
    "hip_flexion": ("hip", "bends {} more", "bends {} less", "hip", 1),
    "ankle_angle": ("ankle", "lets the shin lean {} further forward", "lets the shin lean {} less forward", "ankle", 1),
    "hip_adduction": ("knee", "stands {} further inwards", "stands {} further outwards", "hip", 1),
    "hip_rotation": ("thigh", "turns {} more inwards", "turns {} more outwards", "hip", 1),
}
_CENTRAL = {
    "lumbar_extension": ("The low back", "bends {} less forward", "bends {} further forward", "back", -1),
    "pelvis_tilt": ("The pelvis", "tips {} less forward", "tips {} further forward", "pelvis", -1),
    "pelvis_list": ("The pelvis", "is {} higher on the left", "is {} higher on the right", "pelvis", 1),
    "lumbar_bending": ("The trunk", "leans {} further right", "leans {} further left", "back", 1),
}


@dataclass(frozen=True)
class Difference:
    """`size` orders: how many times the smallest difference worth a sentence."""

    text: str
    size: float
    joint: str = ""         # name of a joint centre of the playback document
    degrees: float = 0.0    # at the bottom, of the motion less the reference

    @property
    def callout(self) -> dict | None:
        """As the player takes it."""
        if not self.joint or abs(self.degrees) < SMALLEST_DEG:
            return None
        return {"joint": self.joint, "text": f"{abs(self.degrees):.0f}°", "title": self.text,
                "tone": "more" if self.degrees > 0 else "less"}


def differences(reference: Curves, motion: Curves) -> list[Difference]:
    """What stands out in `motion` against `reference`, largest first; both at their lowest, and over equal phases."""
    found = [*_joints(reference, motion), *_depth(reference, motion), *_tempo(reference, motion),
             *_sides(reference, motion)]
    return sorted(found, key=lambda one: -one.size)[:MOST]


def callouts(found: list[Difference]) -> list[dict]:
    """One for each joint centre, that of the largest difference."""
    at_joint: dict[str, dict] = {}
    for one in found:
        if one.callout:
            at_joint.setdefault(one.joint, one.callout)
    return list(at_joint.values())


def bottom(motion: Curves) -> int:
    """The frame in which the hips are lowest."""
    return int(hip_height(motion).argmin())


def hip_height(motion: Curves) -> np.ndarray:
    """(time,) m, mean of both hip joint centres."""
    return (motion.joints["hip_r"][:, 1] + motion.joints["hip_l"][:, 1]) / 2


def hip_drop_cm(motion: Curves) -> float:
    height = hip_height(motion)
    return 100 * float(height[0] - height.min())


def _rows(reference: Curves, motion: Curves):
    rows = [(f"{name}_{letter}", f"The {side} {words[0]}", words[1], words[2], f"{words[3]}_{letter}", words[4])
            for name, words in _PAIRED.items() for letter, side in (("r", "right"), ("l", "left"))]
    rows += [(name, *words) for name, words in _CENTRAL.items()]
    return [row for row in rows if row[0] in reference.names and row[0] in motion.names]


def _joints(reference: Curves, motion: Curves) -> list[Difference]:
    times = own_times(reference, motion)
    lowest = bottom(reference), bottom(motion)
    found = []
    for name, where, more, less, joint, sign in _rows(reference, motion):
        before, after = float(reference.of(name)[lowest[0]]), float(motion.of(name)[lowest[1]])
        change = after - before
        way = at(motion, name, times) - reference.of(name)
        largest = float(way[np.abs(way).argmax()])
        if max(abs(change), abs(largest)) < SMALLEST_DEG:
            continue
        if abs(change) >= SMALLEST_DEG:
            words = (more if change > 0 else less).format(f"{abs(change):.0f}°")
            text = f"{where} {words} at the bottom: {sign * after:.0f}° against {sign * before:.0f}°."
        else:
            words = (more if largest > 0 else less).format(f"up to {abs(largest):.0f}°")
            text = f"{where} {words} on the way, about the same at the bottom."
        place = joint if joint in motion.joints else ""
        found.append(Difference(text, abs(largest) / SMALLEST_DEG, place, sign * change))
    return found


def _depth(reference: Curves, motion: Curves) -> list[Difference]:
    before, after = hip_drop_cm(reference), hip_drop_cm(motion)
    change = after - before
    if abs(change) < SMALLEST_CM:
        return []
    deep = "deeper" if change > 0 else "less deep"
    return [Difference(f"{abs(change):.0f} cm {deep}: the hips go down {after:.0f} cm against {before:.0f} cm.",
                       abs(change) / SMALLEST_CM)]


def _tempo(reference: Curves, motion: Curves) -> list[Difference]:
    before, after = instants(reference.phases), instants(motion.phases)
    if not before or not after:
        return []
    found = []
    for words, first, last in (("Going down takes", 0, 1), ("The hold lasts", 1, 2), ("Coming up takes", 2, 3)):
        own, other = after[0][last] - after[0][first], before[0][last] - before[0][first]
        if abs(own - other) >= SMALLEST_S:
            change = "longer" if own > other else "less long"
            found.append(Difference(f"{words} {abs(own - other):.1f} s {change}: {own:.1f} s against {other:.1f} s.",
                                    abs(own - other) / SMALLEST_S))
    return found


def _sides(reference: Curves, motion: Curves) -> list[Difference]:
    found = []
    for name, words in (("knee_angle", "knees"), ("hip_flexion", "hips")):
        if not {f"{name}_r", f"{name}_l"} <= set(motion.names) & set(reference.names):
            continue
        own, other = (float(np.abs(m.of(f"{name}_r") - m.of(f"{name}_l")).max()) for m in (motion, reference))
        if abs(own - other) >= SMALLEST_DEG:
            uneven = "less even" if own > other else "more even"
            found.append(Difference(f"The {words} move {uneven}: left and right are up to {own:.0f}° apart, "
                                    f"against {other:.0f}°.", abs(own - other) / SMALLEST_DEG))
    return found
