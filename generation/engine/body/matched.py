"""Genuflex's own skeleton in the size of another model, for the generator."""

import numpy as np

from generation.engine.body.coordinates import BODIES, PACKED
from generation.engine.body.model import BodyModel
from generation.engine.body.scaling import BodyScale, standing_height
from generation.engine.body.segments import SIDES, Factors, length, set_length

DRAWN = (0.5, 2.0)  # factors of a mesh outside this range are not those of a person's bone (E): 1 is taken


def matched_scale(body: BodyModel) -> BodyScale:
    """The scale of the generic model whose joint centres are as far apart as those of `body`.

    Exact: thigh, shank, trunk (lumbar joint to shoulders), hip distance, forefoot and upper arm, each side for itself;
    masses and mass centres of bodies of the same name. Thicknesses follow the factors at which the model draws its
    bones, and the rest of the feet its heel's height.
    """
    factors: Factors = {}
    for name in BODIES:
        drawn = body.packed["bone_scale"][body.bodies.index(name)] if name in body.bodies else np.ones(3)
        factors[name] = [float(one) if DRAWN[0] <= one <= DRAWN[1] else 1.0 for one in drawn]
    for side, letter in SIDES.items():
        _match_heel(body, letter, factors)
        for name in ("thigh", "shank", "upper_arm", "forefoot"):
            metres = _length(body, name, letter)
            if metres is not None:
                set_length(name, side, metres, factors)
        factors[f"toes_{letter}"] = [factors[f"toes_{letter}"][0], factors[f"calcn_{letter}"][1],
                                     factors[f"calcn_{letter}"][2]]
    for name in ("trunk", "pelvis_width"):
        metres = _length(body, name, "")
        if metres is not None:
            set_length(name, None, metres, factors)
    masses, centres = {}, {}
    for name, generic in zip(BODIES, PACKED["mass_centre"], strict=True):
        centre = generic * np.array(factors[name])
        if name in body.bodies:
            row = body.bodies.index(name)
            masses[name], centre = float(body.packed["mass"][row]), body.packed["mass_centre"][row]
        centres[name] = tuple(float(one) for one in centre)
    share = body.mass_kg / PACKED["mass"].sum()
    for name, generic in zip(BODIES, PACKED["mass"], strict=True):
        masses.setdefault(name, float(generic * share))
    scaled = {name: tuple(factor) for name, factor in factors.items()}
    return BodyScale(scaled, body.mass_kg, standing_height(scaled), "matched to the supplied model", masses, centres)


def scale_error(body: BodyModel, scale: BodyScale) -> dict[str, float]:
    """Differences in m between the lengths of `body` and those of the generic model at `scale`."""
    found = {}
    for name, side, letter in [(name, side, letter) for name in ("thigh", "shank", "upper_arm", "forefoot")
                               for side, letter in SIDES.items()] + [("trunk", None, ""), ("pelvis_width", None, "")]:
        metres = _length(body, name, letter)
        if metres is not None:
            found[name + (f"_{letter}" if letter else "")] = abs(length(name, side, scale.factors) - metres)
    return found


def _match_heel(body: BodyModel, letter: str, factors: Factors) -> None:
    """Talus and calcn as high as the model's subtalar joint lets the heel hang under the ankle."""
    theirs = _origin_in_parent(body.packed, body.bodies, f"calcn_{letter}")
    ours = _origin_in_parent(PACKED, BODIES, f"calcn_{letter}")
    if theirs is not None and ours[1] and DRAWN[0] <= theirs[1] / ours[1] <= DRAWN[1]:
        for name in ("talus", "calcn"):
            factors[f"{name}_{letter}"][1] = float(theirs[1] / ours[1])


def _length(body: BodyModel, name: str, letter: str) -> float | None:
    """A length as `segments.length` defines it, of any model in its neutral pose; None where it lacks a joint."""
    joint = {
        "thigh": (f"femur_{letter}", f"tibia_{letter}", None), "shank": (f"tibia_{letter}", f"talus_{letter}", None),
        "upper_arm": (f"humerus_{letter}", f"ulna_{letter}", None),
        "forefoot": (f"calcn_{letter}", f"toes_{letter}", None),
        "trunk": ("torso", "humerus_r", "humerus_l"), "pelvis_width": ("femur_l", "femur_r", None),
    }[name]
    if any(one is not None and one not in body.bodies for one in joint):
        return None
    index = [body.bodies.index(one) for one in joint if one is not None]
    parent, at, own = (body.packed[key] for key in ("parent", "parent_position", "child_position"))
    if name == "pelvis_width":
        return float(np.linalg.norm(at[index[1]] - at[index[0]]))
    if any(parent[one] != index[0] for one in index[1:]):
        return None
    far = np.mean([at[one] for one in index[1:]], axis=0)
    return float(np.linalg.norm(far - own[index[0]]))


def _origin_in_parent(packed, bodies, name: str) -> np.ndarray | None:
    if name not in bodies:
        return None
    index = list(bodies).index(name)
    return packed["parent_position"][index] - packed["child_position"][index]
