"""The generic model's arrays in one person's size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from generation.engine.body.coordinates import BODIES, PACKED

if TYPE_CHECKING:
    from generation.engine.body.scaling import BodyScale


def scaled_arrays(scale: BodyScale) -> dict[str, np.ndarray]:
    """The arrays of `packing.pack_model` for the generic model scaled to `scale`, equal to those of the file that
    `write_osim` writes.

    Lengths scale as OpenSim's ScaleTool does: joint frames, translation functions and contact points with their body,
    and mass centres where the scale gives none. Masses are `body_masses`, inertias follow from masses and factors
    (`scaled_inertia`).
    """
    factors = np.array([scale.factors[body] for body in BODIES])
    parent = PACKED["parent"]
    # the parent's factor scales the joint's offset and its translations; ground is never scaled
    parent_factors = np.where(parent[:, None] >= 0, factors[parent], 1.0)
    grow = np.ones((len(BODIES), 6))
    grow[:, 3:] = np.einsum("bkj,bj->bk", PACKED["axes"][:, 3:], parent_factors)
    spline, owned = PACKED["spline"].copy(), PACKED["axis_spline"]
    spline[owned[owned >= 0]] *= grow[owned >= 0][:, None, None]
    mass = body_masses(scale)
    return dict(PACKED) | {
        "parent_position": PACKED["parent_position"] * parent_factors,
        "child_position": PACKED["child_position"] * factors,
        "axis_slope": PACKED["axis_slope"] * grow,
        "axis_intercept": PACKED["axis_intercept"] * grow,
        "spline": spline,
        "mass": mass,
        "mass_centre": np.array([scale.mass_centres[body] for body in BODIES]) if scale.mass_centres
        else PACKED["mass_centre"] * factors,
        "inertia": scaled_inertia(PACKED["inertia"], factors, mass / PACKED["mass"]),
        "contact_offset": PACKED["contact_offset"] * factors[PACKED["contact_body"]],
        "bone_scale": factors,
    }


def body_masses(scale: BodyScale) -> np.ndarray:
    """(body,) kg: the scale's own masses, or the generic model's proportions, to `scale.mass_kg` in all."""
    mass = np.array([scale.masses[body] for body in BODIES]) if scale.masses else PACKED["mass"]
    return mass * (scale.mass_kg / mass.sum())


def scaled_inertia(inertia: np.ndarray, factors: np.ndarray, mass_ratio: np.ndarray) -> np.ndarray:
    """Inertias (body, 3, 3) of bodies stretched by `factors` (body, 3) whose masses grow by `mass_ratio` (body,).

    Every particle moves with the stretch: the second moments J = tr(I)/2 - I become D J D, D the diagonal of factors.
    """
    eye = np.eye(3)
    second = np.trace(inertia, axis1=1, axis2=2)[:, None, None] / 2 * eye - inertia
    second = second * factors[:, :, None] * factors[:, None, :] * mass_ratio[:, None, None]
    return np.trace(second, axis1=1, axis2=2)[:, None, None] * eye - second
