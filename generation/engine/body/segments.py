"""Segments of a person: lengths that were measured.

A measured length replaces the survey's prediction: the segment is stretched along its own axis until the
model's joint centres lie that far apart.
"""

import math
from collections.abc import Mapping

import numpy as np

from generation.engine.body.coordinates import BODIES, PACKED

# Lengths that can be measured: name -> whether each side has its own.
LENGTHS = {"thigh": True, "shank": True, "foot": True, "trunk": False, "pelvis_width": False}
LENGTH_FACTOR = (0.7, 1.4)  # of a measured length to the predicted one (E); outside it is another measure or unit
SIDES = {"right": "r", "left": "l"}

Factors = dict[str, list[float]]  # body -> [x, y, z]


def body_kind(body: str) -> str:
    """`femur_r` -> `femur`."""
    return body.removesuffix("_r").removesuffix("_l")


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
