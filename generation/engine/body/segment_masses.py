"""Where people carry their mass: published shares and centres of the segments by sex, laid onto a model's bodies.

The generic model's torso has its mass centre as high as when the arms still belonged to it, and its thighs are light;
a centre of pressure computed from it swings forward as a person squats. P. de Leva (1996), "Adjustments to
Zatsiorsky-Seluyanov's segment inertia parameters", Journal of Biomechanics 29:1223-1230, table 4, measured 115 young
people by gamma rays; the numbers were read in a public transcription of that table (V), the page in print was not seen.

The torso's centre is then lowered by TORSO_SHIFT_M: the model's torso is rigid and carries the head, people round their
back and look ahead when they bend. Without it the centre of pressure of a squat swings by centimetres too far forward.
Where fat sits is not known.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class _Table:
    """Shares of body mass; centres as a share of the segment from its first end; heights of the trunk's parts over the
    middle of the hip joints, m, of a person `stature_m` tall."""

    share: Mapping[str, float]
    thigh_centre: float  # from the hip
    shank_centre: float  # from the knee
    stature_m: float
    midtrunk_m: float
    upper_trunk_m: float
    head_m: float


def _table(stature, head, upper, mid, lower, arm, forearm, hand, thigh, shank, foot, centres, lengths) -> _Table:
    (c_head, c_upper, c_mid, c_thigh, c_shank) = centres
    (l_head, l_trunk, l_upper, l_mid, l_lower) = lengths
    return _Table(
        {"head": head, "upper": upper, "mid": mid, "pelvis": lower, "humerus": arm, "forearm": forearm, "hand": hand,
         "femur": thigh, "tibia": shank, "foot": foot},
        c_thigh, c_shank, stature, l_lower + (1 - c_mid) * l_mid,
        l_lower + l_mid + (1 - c_upper) * l_upper, l_trunk + (1 - c_head) * l_head)


# Head with neck from the vertex to C7, whole trunk from C7 to the middle of the hips (the table's second definitions);
# upper trunk to the xiphoid, middle to the navel, lower to the hips.
TABLES = {
    "female": _table(1.735, 0.0668, 0.1545, 0.1465, 0.1247, 0.0255, 0.0138, 0.0056, 0.1478, 0.0481, 0.0129,
                     (0.4841, 0.2077, 0.4512, 0.3612, 0.4416),
                     (0.2437, 0.6148, 0.1425, 0.2053, 0.1815)),
    "male": _table(1.741, 0.0694, 0.1596, 0.1633, 0.1117, 0.0271, 0.0162, 0.0061, 0.1416, 0.0433, 0.0137,
                   (0.5002, 0.2999, 0.4502, 0.4095, 0.4459),
                   (0.2429, 0.6033, 0.1707, 0.2155, 0.1457)),
}
LEG_PER_STATURE = 0.477  # hip to knee to ankle; the mean of both sexes in the same table (female 0.462, male 0.492)
# bodies of one part of the table; each keeps its own proportion of that part
# Median of the ten people of the shipped squats by their own movement, no plates (`torso_of_people` prints -0.107 and a
# spread of 0.024; E: no other source is known to us). The plates of an eleventh person say 0.11 too.
TORSO_SHIFT_M = (0.0, -0.11)  # forward, up
PARTS = {"foot": ("talus", "calcn", "toes"), "forearm": ("ulna", "radius"), "femur": ("femur", "patella")}


def published_masses(packed: Mapping[str, np.ndarray], sex: str) -> tuple[np.ndarray, np.ndarray]:
    """Masses (body,) kg and mass centres (body, 3) m of a model's bodies by de Leva, at the model's total mass.

    packed: `BodyModel.packed`. sex: female, male or other (the mean). Centres move along the segment only; bodies that
    the table does not know keep theirs. Raises ValueError for another sex.
    """
    if sex == "other":
        both = [published_masses(packed, one) for one in ("female", "male")]
        return tuple((a + b) / 2 for a, b in zip(*both, strict=True))
    if sex not in TABLES:
        raise ValueError(f"sex must be female, male or other, got {sex!r}")
    table, names = TABLES[sex], packed["bodies"].tolist()
    share = dict(table.share)
    share["torso"] = share.pop("head") + share.pop("upper") + share.pop("mid")
    mass, centre = packed["mass"].astype(float).copy(), packed["mass_centre"].astype(float).copy()
    for part, value in share.items():
        sides = ("",) if part in ("torso", "pelvis") else ("_r", "_l")
        for side in sides:
            members = [names.index(f"{name}{side}") for name in PARTS.get(part, (part,)) if f"{name}{side}" in names]
            if members:
                mass[members] *= value * packed["mass"].sum() / mass[members].sum()
    mass *= packed["mass"].sum() / mass.sum()
    for side in ("_r", "_l"):
        for part, below, at in (("femur", "tibia", table.thigh_centre), ("tibia", "talus", table.shank_centre)):
            if below + side in names:
                centre[names.index(part + side), 1] = at * _neutral(packed, names.index(below + side))[1]
    leg = -np.mean([_neutral(packed, names.index(f"{body}_{side}"))[1] for body in ("tibia", "talus") for side in "rl"
                    if f"{body}_{side}" in names]) * 2
    trunk = ((table.share["mid"] * table.midtrunk_m + table.share["upper"] * table.upper_trunk_m
              + table.share["head"] * table.head_m) / share["torso"])
    torso = names.index("torso")
    lumbar = _neutral(packed, torso)[1] - np.mean([_neutral(packed, names.index(f"femur_{side}"))[1] for side in "rl"])
    centre[torso, 1] = trunk * leg / LEG_PER_STATURE / table.stature_m - lumbar
    return mass, centre


def typical_masses(packed: Mapping[str, np.ndarray], sex: str) -> tuple[np.ndarray, np.ndarray]:
    """`published_masses` with the torso's centre where it acts in people who squat."""
    mass, centre = published_masses(packed, sex)
    centre[packed["bodies"].tolist().index("torso"), :2] += TORSO_SHIFT_M
    return mass, centre


def has_typical_masses(packed: Mapping[str, np.ndarray]) -> bool:
    """Does a body carry its mass as `typical_masses` says, for any sex?"""
    for sex in (*TABLES, "other"):
        mass, centre = typical_masses(packed, sex)
        if np.allclose(mass, packed["mass"], rtol=1e-5) and np.allclose(centre, packed["mass_centre"], atol=1e-5):
            return True
    return False


def _neutral(packed, body: int) -> np.ndarray:
    """Origin of a body in its parent with all coordinates at zero, m; joints with aligned frames."""
    shift = packed["parent_position"][body] - packed["child_position"][body]
    for axis in (3, 4, 5):
        value = packed["axis_intercept"][body, axis]
        function = packed["axis_spline"][body, axis]
        if function >= 0:
            value = _at_zero(packed["breaks"], packed["spline"][function])
        shift = shift + value * packed["axes"][body, axis]
    return shift


def _at_zero(breaks: np.ndarray, spline: np.ndarray) -> float:
    piece = int(np.searchsorted(breaks, 0.0, side="right"))
    return float(np.polynomial.polynomial.polyval(0.0 - breaks[max(piece - 1, 0)], spline[piece]))
