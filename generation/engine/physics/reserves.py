"""The reserve actuators of static optimisation, chosen once for both routes.

Static optimisation minimises the sum of squared activations and of squared reserve controls; a reserve's control is its
moment over its optimal force. A small optimal force makes a reserve dear: muscles then saturate rather than leave it
any work. A large one makes it cheap: it works where muscles should, and the activations are too low.

The leg's six coordinates have a reserve of RESERVE_NM each. `validation/activations.py` prints what decides: over the
held-out people's squats, for each choice, how many muscles saturate and how much the reserves carry. From 1 to 5 Nm the
number of saturated muscles falls by two fifths while the reserves stay below 3 % of the flexion moments (root mean
squares); with 10 Nm they take 6 % of hip flexion, with 20 Nm 17 %, work that muscles can do. A moment that the model's
muscles cannot make (hip rotation in deep flexion) is carried by the reserve whatever its price, and shows as a frame
that is not trusted.

All other coordinates have a motor that costs next to nothing. Nothing but it acts on the pelvis (what it carries there
is the residual of the motion and the ground reaction), the trunk and the arms, so its price changes no activation. The
toes (`mtp_angle`) have one too: the ground reaction acts on the calcaneus in these analyses, while real toes press on
the floor, so the joint's moment is not known well enough to hold the toe flexors to it.
"""

import math
from collections.abc import Iterable, Mapping
from types import MappingProxyType

LEG_COORDINATES = ("hip_flexion", "hip_adduction", "hip_rotation", "knee_angle", "ankle_angle", "subtalar_angle")
RESERVE_NM = 5.0  # E
MOTOR = 1000.0  # E, Nm or N
RESERVES: Mapping[str, float] = MappingProxyType(dict.fromkeys(LEG_COORDINATES, RESERVE_NM))

# A frame is not trusted where a reserve carries more than this share of the moment (E; Hicks et al. 2015, J Biomech Eng
# 137:020905, advise reserves below 5 % of the net moment, R). Moments below the floor count as the floor: 10 % of a
# moment of 3 Nm means nothing (E).
UNTRUSTED_SHARE = 0.10
SMALL_MOMENT_NM = 20.0
# Nor where a knee is bent further: vastus lateralis and rectus femoris leave their cylinder at 138 to 143 degrees in
# every model that was tried, and from there on would flex the knee. E: 3 degrees before the first of them.
DEEPEST_KNEE_DEG = 135.0


def reserve_forces(coordinates: Iterable[str]) -> dict[str, float]:
    """Optimal force, Nm or N, of the actuator on each named coordinate but the patella's, which the knee drives."""
    return {name: RESERVES.get(_base(name), MOTOR) for name in coordinates if not name.endswith("_beta")}


def is_reserve(coordinate: str) -> bool:
    """Does muscle share this coordinate with the actuator (a reserve), or is the actuator alone there (a motor)?"""
    return _base(coordinate) in RESERVES


def reserve_share(moment, reserve):
    """How much of a joint moment (any shape, Nm; array or tensor) its reserve carries, as a share of 1."""
    return abs(reserve) / abs(moment).clip(min=SMALL_MOMENT_NM)


def too_deep(knees):
    """(time,) bool: a knee of (time, 2) rad (array or tensor) is bent beyond DEEPEST_KNEE_DEG."""
    return (knees > math.radians(DEEPEST_KNEE_DEG)).any(-1)


def trusted_frames(shares, knees):
    """(time,) bool: no reserve of (time, reserve) shares carries more than UNTRUSTED_SHARE, no knee is `too_deep`."""
    return (shares <= UNTRUSTED_SHARE).all(-1) & ~too_deep(knees)


def _base(coordinate: str) -> str:
    return coordinate[:-2] if coordinate.endswith(("_r", "_l")) else coordinate
