"""Segments of a person: their share of the body's mass by sex, and lengths that were measured.

Mass. de Leva (1996, J Biomech 29:1223, adjustments to Zatsiorsky-Seluyanov) gives segment masses of young women and
men. The model's bodies are cut elsewhere (its thigh is lighter than theirs, its pelvis heavier), so the shares
themselves are not taken over: each body of the generic model, a man, keeps its own share times the ratio of the sex's
share to the man's. The mass centres of thigh and shank move along the bone by the ratio of the sexes in the same way;
the others, and the shape of the inertias, stay the generic model's, stretched. Fat is not placed.

Length. A measured length replaces the survey's prediction: the segment is stretched along its own axis until the
model's joint centres lie that far apart.
"""

import math
from collections.abc import Mapping

import numpy as np

from generation.engine.body.coordinates import BODIES, PACKED

# Percent of body mass. Whole segments: V, as reproduced at exrx.net/Kinesiology/Segments. The parts of the trunk: R,
# but they add up to the trunk's 42.57 and 43.46.
_SHARES = {
    "female": {"head": 6.68, "upper_trunk": 15.45, "middle_trunk": 14.65, "lower_trunk": 12.47, "upper_arm": 2.55,
               "forearm": 1.38, "hand": 0.56, "thigh": 14.78, "shank": 4.81, "foot": 1.29},
    "male": {"head": 6.94, "upper_trunk": 15.96, "middle_trunk": 16.33, "lower_trunk": 11.17, "upper_arm": 2.71,
             "forearm": 1.62, "hand": 0.61, "thigh": 14.16, "shank": 4.33, "foot": 1.37},
}
# Body of the model -> the segments that stand for it (E).
_SEGMENTS = {
    "pelvis": ("lower_trunk",), "torso": ("head", "upper_trunk", "middle_trunk"), "femur": ("thigh",),
    "patella": ("thigh",), "tibia": ("shank",), "talus": ("foot",), "calcn": ("foot",), "toes": ("foot",),
    "humerus": ("upper_arm",), "ulna": ("forearm",), "radius": ("forearm",), "hand": ("hand",),
}

# Mass centre from the upper joint, share of the segment's length, de Leva 1996 (V, as open implementations have it).
# Only of the segments whose ends are the model's joints.
_CENTRES = {"female": {"femur": 0.3612, "tibia": 0.4416}, "male": {"femur": 0.4095, "tibia": 0.4459}}

# Lengths that can be measured: name -> whether each side has its own.
LENGTHS = {"thigh": True, "shank": True, "foot": True, "trunk": False, "pelvis_width": False}
LENGTH_FACTOR = (0.7, 1.4)  # of a measured length to the predicted one (E); outside it is another measure or unit
SIDES = {"right": "r", "left": "l"}

Factors = dict[str, list[float]]  # body -> [x, y, z]


def body_kind(body: str) -> str:
    """`femur_r` -> `femur`."""
    return body.removesuffix("_r").removesuffix("_l")


def masses_of(sex: str, mass_kg: float) -> dict[str, float]:
    """Body -> kg, to `mass_kg` in all; `other` takes the mean of both sexes' shares."""
    sexes = ("female", "male") if sex == "other" else (sex,)
    mass = {}
    for body, generic in zip(BODIES, PACKED["mass"], strict=True):
        segments = _SEGMENTS[body_kind(body)]
        man = sum(_SHARES["male"][segment] for segment in segments)
        ratio = np.mean([sum(_SHARES[one][segment] for segment in segments) / man for one in sexes])
        mass[body] = float(generic * ratio)
    total = sum(mass.values())
    return {body: one * mass_kg / total for body, one in mass.items()}


def centres_of(sex: str, factors: Mapping) -> dict[str, tuple[float, float, float]]:
    """Body -> mass centre in m in the body's frame, for a person of these scale factors; `other` takes the mean."""
    sexes = ("female", "male") if sex == "other" else (sex,)
    centres = {}
    for body, generic in zip(BODIES, PACKED["mass_centre"], strict=True):
        kind = body_kind(body)
        man = _CENTRES["male"].get(kind)
        ratio = np.mean([_CENTRES[one][kind] / man for one in sexes]) if man else 1.0
        centres[body] = tuple(float(one) for one in generic * np.array(factors[body]) * [1, ratio, 1])
    return centres


def length(name: str, side: str | None, factors: Mapping) -> float:
    """A length of the scaled model in m, straight knee; side "right" or "left", None for what has no side.

    thigh: hip to knee centre; shank: knee to ankle centre; trunk: lumbar joint to the middle between the shoulder
    joints; pelvis_width: between the hip centres; upper_arm: shoulder to elbow; forefoot: calcn's origin to mtp joint.
    """
    body, vector, _ = _span(name, side)
    return float(np.linalg.norm(vector * np.array(factors[body])))


def set_length(name: str, side: str | None, metres: float, factors: Factors) -> None:
    """Stretch one body of `factors` along its axis until `length` is `metres`."""
    body, vector, axis = _span(name, side)
    stretched = vector * np.array(factors[body])
    rest = float((stretched**2).sum() - stretched[axis] ** 2)
    factors[body][axis] = math.sqrt(max(metres**2 - rest, 1e-6)) / abs(float(vector[axis]))


def use_measured(measured: Mapping[str, float | Mapping[str, float]], factors: Factors,
                 foot_length_m: float) -> set[str]:
    """Put measured lengths into `factors`; returns the bodies whose heights are now known. foot_length_m: heel to
    longest toe of a foot with the given factors. Raises ValueError that begins with the name of the field."""
    fixed = set()
    for name, value in measured.items():
        if name not in LENGTHS:
            raise ValueError(f"segment_lengths_m.{name[:60]} is no segment; use {', '.join(LENGTHS)}")
        sides = ("right", "left") if LENGTHS[name] else (None,)
        if isinstance(value, Mapping) and not LENGTHS[name]:
            raise ValueError(f"segment_lengths_m.{name} has no sides; give one number")
        for side in sides:
            metres = value.get(side) if isinstance(value, Mapping) else value
            if metres is None:
                continue
            path = f"segment_lengths_m.{name}" + (f".{side}" if isinstance(value, Mapping) else "")
            expected = foot_length_m if name == "foot" else length(name, side, factors)
            low, high = (factor * expected for factor in LENGTH_FACTOR)
            if not low <= metres <= high:
                raise ValueError(f"{path} is {metres:g} m; a person of this sex, height and mass is expected to have "
                                 f"{expected:.3f} m, and {low:.3f} to {high:.3f} m is accepted: check the unit and "
                                 "what was measured")
            if name == "foot":
                for body in ("talus", "calcn", "toes"):
                    factors[f"{body}_{SIDES[side]}"][0] *= metres / foot_length_m
            else:
                set_length(name, side, metres, factors)
                if name != "pelvis_width":
                    fixed.add(_span(name, side)[0])
    return fixed


def _span(name: str, side: str | None) -> tuple[str, np.ndarray, int]:
    """The body that makes a length, the (3,) vector in it at factor 1, and the axis along which it is stretched."""
    suffix = SIDES.get(side or "", "")
    parent, child = PACKED["parent_position"], PACKED["child_position"]
    index = BODIES.index
    if name == "thigh":
        return f"femur_{suffix}", parent[index(f"tibia_{suffix}")] - child[index(f"femur_{suffix}")], 1
    if name == "shank":
        return f"tibia_{suffix}", parent[index(f"talus_{suffix}")] - child[index(f"tibia_{suffix}")], 1
    if name == "trunk":
        shoulders = (parent[index("humerus_r")] + parent[index("humerus_l")]) / 2
        return "torso", shoulders - child[index("torso")], 1
    if name == "pelvis_width":
        return "pelvis", parent[index("femur_r")] - parent[index("femur_l")], 2
    if name == "upper_arm":
        return f"humerus_{suffix}", parent[index(f"ulna_{suffix}")] - child[index(f"humerus_{suffix}")], 1
    if name == "forefoot":
        return f"calcn_{suffix}", parent[index(f"toes_{suffix}")] - child[index(f"calcn_{suffix}")], 0
    raise KeyError(name)
