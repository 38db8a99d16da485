"""Left-right mirroring of motions in the model's coordinates."""

import numpy as np

from generation.engine.body import COORDINATES

# Leaning, turning and shifting to the right become the same to the left.
MIRROR_NEGATED = ("pelvis_list", "pelvis_rotation", "pelvis_tz", "lumbar_bending", "lumbar_rotation")


def _swapped(name: str) -> str:
    for right, left in (("_r", "_l"), ("_r_beta", "_l_beta")):
        if name.endswith(right):
            return name.removesuffix(right) + left
        if name.endswith(left):
            return name.removesuffix(left) + right
    return name


def mirror_plan(coordinates: tuple[str, ...] = COORDINATES) -> tuple[np.ndarray, np.ndarray]:
    """(order, sign), both (coordinate,): `values[..., order] * sign` is the mirrored motion. Twice gives the motion
    back.
    """
    order = np.array([coordinates.index(_swapped(name)) for name in coordinates])
    sign = np.array([-1.0 if name in MIRROR_NEGATED else 1.0 for name in coordinates])
    return order, sign


def mirror(values: np.ndarray, coordinates: tuple[str, ...] = COORDINATES) -> np.ndarray:
    """Mirror values (..., coordinate) left to right."""
    order, sign = mirror_plan(coordinates)
    return values[..., order] * sign
