"""One person's body as scale factors of the generic model."""

from dataclasses import dataclass

from generation.engine.body.coordinates import BODIES, PACKED


@dataclass(frozen=True)
class BodyScale:
    """One person's body: per-body scale factors of the generic model, total mass and standing height."""

    factors: dict[str, tuple[float, float, float]]  # body -> (x, y, z), forward, up, right in the body's frame
    mass_kg: float
    height_m: float
    source: str


def generic_scale() -> BodyScale:
    """The generic model itself, factor 1 everywhere."""
    return BodyScale(dict.fromkeys(BODIES, (1.0, 1.0, 1.0)), float(PACKED["mass"].sum()), 1.70, "generic model")
