"""What one motion does otherwise than another: in words, in degrees, and at which joint of the body."""
from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from generation.alignment import at, instants, own_times
from generation.playback import Curves

# Smaller differences are left out. Ours (E): about what a recording without plates and laboratory can tell apart.
SMALLEST_DEG, SMALLEST_CM, SMALLEST_S = 5.0, 3.0, 0.3
ALIKE_DEG = 2.0         # both sides are said in one sentence when they differ by less (E)
MOST = 8

# coordinate -> (where, both of them, what more of it is called, what less of it is called, joint centre)
_PAIRED = {
    "knee_angle": ("knee", "knees", "bends {} more", "bends {} less", "knee"),
    "hip_flexion": ("hip", "hips", "bends {} more", "bends {} less", "hip"),
    "ankle_angle": ("ankle", "ankles", "bends {} further up", "bends {} less far up", "ankle"),
    "hip_adduction": ("thigh", "thighs", "points {} further inwards", "points {} further outwards", "hip"),
    "hip_rotation": ("thigh", "thighs", "turns {} more inwards", "turns {} more outwards", "hip"),
}
# coordinate -> (where, more, less, joint centre, sign of the number that is said)
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
    # Joint centre of the playback document -> degrees at the bottom, of the motion less the reference.
    joints: dict[str, float] = field(default_factory=dict)

    @property
    def callouts(self) -> list[dict]:
        """As the player takes them."""
        return [{"joint": joint, "text": f"{abs(degrees):.0f}°", "title": self.text,
                 "tone": "more" if degrees > 0 else "less"}
                for joint, degrees in self.joints.items() if abs(degrees) >= SMALLEST_DEG]


def differences(reference: Curves, motion: Curves) -> list[Difference]:
    """What stands out in `motion` against `reference`, largest first; both at their lowest, and over equal phases."""
    found = [*_joints(reference, motion), *_depth(reference, motion), *_tempo(reference, motion),
             *_sides(reference, motion)]
    return sorted(found, key=lambda one: -one.size)[:MOST]


def callouts(found: list[Difference]) -> list[dict]:
    """One for each joint centre, that of the largest difference."""
    at_joint: dict[str, dict] = {}
    for one in found:
        for callout in one.callouts:
            at_joint.setdefault(callout["joint"], callout)
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


@dataclass(frozen=True)
class _Change:
    """Of one coordinate, degrees: at the lowest point of each, and the largest at equal phases."""

    before: float
    after: float
    largest: float

    @property
    def at_bottom(self) -> float:
        return self.after - self.before

    @property
    def matters(self) -> bool:
        return max(abs(self.at_bottom), abs(self.largest)) >= SMALLEST_DEG


def _change(reference: Curves, motion: Curves, name: str) -> _Change | None:
    if name not in reference.names or name not in motion.names:
        return None
    way = at(motion, name, own_times(reference, motion)) - reference.of(name)
    return _Change(float(reference.of(name)[bottom(reference)]), float(motion.of(name)[bottom(motion)]),
                   float(way[np.abs(way).argmax()]))


def _joints(reference: Curves, motion: Curves) -> list[Difference]:
    found = []
    for name, (one, both, more, less, joint) in _PAIRED.items():
        changes = {side: change for side in "rl" if (change := _change(reference, motion, f"{name}_{side}"))}
        if len(changes) == 2 and _alike(*changes.values()):
            mean = _Change(*(np.mean([getattr(c, end) for c in changes.values()])
                             for end in ("before", "after", "largest")))
            found.append((mean, f"The {both}", _plural(more), _plural(less), 1,
                          {f"{joint}_{side}": change.at_bottom for side, change in changes.items()}))
            continue
        found += [(change, f"The {'right' if side == 'r' else 'left'} {one}", more, less, 1,
                   {f"{joint}_{side}": change.at_bottom}) for side, change in changes.items()]
    for name, (where, more, less, joint, sign) in _CENTRAL.items():
        if change := _change(reference, motion, name):
            found.append((change, where, more, less, sign, {joint: sign * change.at_bottom}))
    return [_said(*row, motion) for row in found if row[0].matters]


def _said(change: _Change, where: str, more: str, less: str, sign: int, joints: dict, motion: Curves) -> Difference:
    if abs(change.at_bottom) >= SMALLEST_DEG:
        words = (more if change.at_bottom > 0 else less).format(f"{abs(change.at_bottom):.0f}°")
        text = f"{where} {words} at the bottom: {sign * change.after:.0f}° against {sign * change.before:.0f}°."
    else:
        words = (more if change.largest > 0 else less).format(f"up to {abs(change.largest):.0f}°")
        text = f"{where} {words} on the way, about the same at the bottom."
    return Difference(text, abs(change.largest) / SMALLEST_DEG,
                      {joint: degrees for joint, degrees in joints.items() if joint in motion.joints})


def _alike(right: _Change, left: _Change) -> bool:
    """Both sides change, and by nearly the same."""
    return right.matters and left.matters and all(
        abs(getattr(right, end) - getattr(left, end)) < ALIKE_DEG for end in ("before", "after", "largest"))


def _plural(words: str) -> str:
    """"bends {} more" of several."""
    verb, rest = words.split(" ", 1)
    return f"{verb.removesuffix('s')} {rest}"


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
