"""One person's body as scale factors of the generic model, predicted from sex, height and mass.

For each body and axis a measure that stands for it is predicted from ANSUR II (`models/body/anthropometry.json`) for
this person and for the person the generic model stands for, a man of its own height and mass; the factor is their
ratio. The ratio is used, not the measure of the model's own bones, because a caliper on skin and a vertex of a mesh are
different landmarks: the ratio gives factor 1 to the generic man by construction. All heights are then stretched by one
common factor, so that the model stands exactly as tall as the person.

Lengths that were measured replace the predicted ones; the common factor then stretches the rest. Masses of the segments
and their mass centres depend on sex (`segment_masses.py`).

What this is not: a measured body. ANSUR II is 17-58 year-old soldiers; `age_years` is only checked, because age adds at
most 0.02 to the explained variance of any measure there.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from generation.engine.body.coordinates import BODIES, MODELS, PACKED
from generation.engine.body.scaled import scaled_arrays
from generation.engine.body.segment_masses import typical_masses
from generation.engine.body.segments import body_kind, use_measured

SEXES = ("female", "male", "other")

# Accepted input; E, wide enough for adults and adolescents, narrow enough to catch a wrong unit.
AGE_YEARS = (12.0, 110.0)
HEIGHT_M = (1.30, 2.20)
MASS_KG = (30.0, 220.0)
BODY_MASS_INDEX = (11.0, 75.0)
# Fat changes what a caliper reads and not the skeleton: beyond these body mass indices (kg/m2) more or less mass leaves
# the skeleton as it is (E; the generic model's own index is 26.6).
SKELETAL_BODY_MASS_INDEX = (18.5, 27.0)

# Body -> the measures that scale its x (forward), y (up) and z (right) axes. Length follows the segment's own length.
# Breadth of long bones has no measure of its own: the nearest bony breadth or girth stands for it (E), and pelvis depth
# follows pelvis breadth (E). The head is part of the torso in this model and takes the torso's factors.
MAPPING = {
    "pelvis": ("pelvis_breadth", "pelvis_height", "pelvis_breadth"),
    "femur": ("ankle_breadth", "thigh_length", "ankle_breadth"),
    "patella": ("ankle_breadth", "ankle_breadth", "ankle_breadth"),
    "tibia": ("ankle_breadth", "shank_length", "ankle_breadth"),
    "talus": ("foot_length", "foot_height", "foot_breadth"),
    "calcn": ("foot_length", "foot_height", "foot_breadth"),
    "toes": ("foot_length", "foot_height", "foot_breadth"),
    "torso": ("chest_depth", "trunk_height", "shoulder_breadth"),
    "humerus": ("wrist_girth", "upper_arm_length", "wrist_girth"),
    "ulna": ("wrist_girth", "forearm_length", "wrist_girth"),
    "radius": ("wrist_girth", "forearm_length", "wrist_girth"),
    "hand": ("hand_breadth", "hand_length", "hand_breadth"),
}
STANDING = ("pelvis", "femur", "tibia", "talus", "calcn", "toes", "torso")  # bodies whose y makes up standing height
STRETCH = (0.8, 1.25)  # of the unmeasured heights, when measured lengths leave them the rest of the standing height (E)


@dataclass(frozen=True)
class BodyScale:
    """One person's body: per-body scale factors of the generic model, total mass and standing height.

    masses: body -> kg, or None for the generic model's proportions. mass_centres: body -> (x, y, z) in m in the body's
    frame, or None for the generic model's, scaled.
    """

    factors: dict[str, tuple[float, float, float]]  # body -> (x, y, z), forward, up, right in the body's frame
    mass_kg: float
    height_m: float
    source: str
    masses: dict[str, float] | None = None
    mass_centres: dict[str, tuple[float, float, float]] | None = None


def scale_body(sex: str, age_years: float, height_m: float, mass_kg: float,
               segment_lengths_m: Mapping[str, float | Mapping[str, float]] | None = None) -> BodyScale:
    """Predict the body of a person. `other` takes the mean of the female and the male prediction.

    segment_lengths_m: measured lengths, name (`segments.LENGTHS`) to metres or to {"right": m, "left": m}.
    Raises ValueError that begins with the name of the field that is out of range.
    """
    if sex not in SEXES:
        raise ValueError(f"sex must be one of {', '.join(SEXES)}, got {sex!r}")
    age_years = _checked("age_years", age_years, AGE_YEARS, "years")
    height_m = _checked("height_m", height_m, HEIGHT_M, "m")
    mass_kg = _checked("mass_kg", mass_kg, MASS_KG, "kg")
    index = mass_kg / height_m**2
    if not BODY_MASS_INDEX[0] <= index <= BODY_MASS_INDEX[1]:
        raise ValueError(f"mass_kg and height_m give a body mass index of {index:.1f} kg/m2; it must be between "
                         f"{BODY_MASS_INDEX[0]:g} and {BODY_MASS_INDEX[1]:g}: check the units")

    generic = anthropometry()["generic"]
    person = predict_measures(sex, height_m, mass_kg)
    reference = predict_measures(generic["sex"], generic["height_m"], generic["mass_kg"])
    factors = {}
    for body in BODIES:
        measures = MAPPING[body_kind(body)]
        factors[body] = [person[measure] / reference[measure] for measure in measures]
    measured = segment_lengths_m or {}
    fixed = use_measured(measured, factors, person["foot_length"])
    stretch = _stretch_to(height_m, factors, fixed)
    source = f"predicted from sex, height and mass (ANSUR II); heights stretched by {stretch:.4f} to fit"
    if measured:
        source += f"; measured: {', '.join(measured)}"
    size = BodyScale({body: tuple(map(float, factor)) for body, factor in factors.items()}, mass_kg, height_m, source)
    return with_masses(size, sex)


def with_masses(scale: BodyScale, sex: str) -> BodyScale:
    """The same size with the masses and mass centres that are typical of the sex (female, male, other)."""
    mass, centre = typical_masses(scaled_arrays(replace(scale, masses=None, mass_centres=None)), sex)
    return replace(scale, masses=dict(zip(BODIES, mass.tolist(), strict=True)),
                   mass_centres={body: tuple(place.tolist()) for body, place in zip(BODIES, centre, strict=True)})


def _stretch_to(height_m: float, factors: dict[str, list[float]], fixed: set[str]) -> float:
    """Stretch the heights of all bodies but `fixed` so that the model stands `height_m` tall; returns by how much."""
    total = 1.0
    for _ in range(20):  # once without measured lengths; unequal legs bend the line
        free = {body: list(factor) for body, factor in factors.items()}
        for body in BODIES:
            if body_kind(body) in STANDING and body not in fixed:
                free[body][1] *= 1.01
        height = standing_height(factors)
        slope = (standing_height(free) - height) / 0.01
        step = 1 + (height_m - height) / slope
        total *= step
        if fixed and not STRETCH[0] < total < STRETCH[1]:
            raise ValueError(f"segment_lengths_m do not fit height_m {height_m:g}: the rest of the body would have to "
                             f"be {total:.2f} times its usual height; check the lengths and the height")
        for body in BODIES:
            if body_kind(body) in STANDING and body not in fixed:
                factors[body][1] *= step
        if abs(step - 1) < 1e-12:
            break
    return total


def generic_scale() -> BodyScale:
    """The generic model itself, factor 1 everywhere."""
    generic = anthropometry()["generic"]
    return BodyScale(dict.fromkeys(BODIES, (1.0, 1.0, 1.0)), generic["mass_kg"], generic["height_m"], "generic model")


def predict_measures(sex: str, height_m: float, mass_kg: float) -> dict[str, float]:
    """Expected measures in m. Mass counts inside SKELETAL_BODY_MASS_INDEX only, outside as the nearest mass inside."""
    if sex == "other":
        female, male = (predict_measures(one, height_m, mass_kg) for one in ("female", "male"))
        return {name: (female[name] + male[name]) / 2 for name in female}
    survey = anthropometry()["sexes"][sex]
    low, high = (index * height_m**2 for index in SKELETAL_BODY_MASS_INDEX)
    mass = min(max(mass_kg, low), high)
    return {
        name: fit["intercept"] + fit["per_m"] * height_m + fit["per_kg"] * mass
        for name, fit in survey["measures"].items()
    }


def standing_height(factors: dict[str, tuple[float, float, float]]) -> float:
    """Height in m of the scaled model in its neutral pose, from the lowest contact point to the top of the head."""
    contacts = zip(PACKED["contact_body"], PACKED["contact_offset"][:, 1], strict=True)
    sole = min(_neutral_y(body, factors) + offset * factors[BODIES[body]][1] for body, offset in contacts)
    torso = BODIES.index("torso")
    head = anthropometry()["generic"]["head_top_in_torso_m"] * factors["torso"][1]
    return float(_neutral_y(torso, factors) + head - sole)


@cache
def anthropometry() -> dict:
    """The fitted survey, as `builder/anthropometry.py` wrote it."""
    return json.loads((MODELS / "anthropometry.json").read_text())


def _neutral_y(body: int, factors) -> float:
    """Height of a body's origin over the pelvis's in the neutral pose, where every joint's two frames are aligned."""
    parent = int(PACKED["parent"][body])
    if parent < 0:
        return 0.0
    y = np.array([PACKED["parent_position"][body, 1] * factors[BODIES[parent]][1],
                  -PACKED["child_position"][body, 1] * factors[BODIES[body]][1]])
    return _neutral_y(parent, factors) + float(y.sum())


def _checked(field: str, value, allowed: tuple[float, float], unit: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not math.isfinite(value):
        raise ValueError(f"{field} must be a number, got {value!r}")
    if not allowed[0] <= value <= allowed[1]:
        raise ValueError(f"{field} must be between {allowed[0]:g} and {allowed[1]:g} {unit}, got {value:g}")
    return float(value)
