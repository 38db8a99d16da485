"""Where muscles pull: the net force of a unit tension on the femur, the tibia and the patella.

What a joint carries is what the motion asks of the limb beyond it, less what the muscles do to that limb. A muscle's
tension acts on a limb along the straight pieces of its path that lead into it (where it lies on a bone, bone and muscle
push each other and cancel). These directions are taken from the exact paths (`MusclePaths`) in many poses and fitted by
polynomials of the coordinates that the muscle crosses, each in the frame of the body it pulls: smooth, differentiable
and a few matrix products for all muscles.
"""

from collections.abc import Mapping
from functools import cache
from itertools import combinations_with_replacement

import numpy as np
import torch
from torch import Tensor

from generation.engine.body import BodyModel
from generation.engine.physics.chain import apply_transposed, constants
from generation.engine.physics.muscle_paths import MusclePaths
from generation.engine.physics.reserves import LEG_COORDINATES

PULLED = ("femur", "tibia", "patella")  # the child bodies of hip, tibiofemoral and patellofemoral joint
POSES = 1200
DEGREES = {1: 9, 2: 7, 3: 6}  # of the polynomials in so many variables; 5 in more
# Poses to fit to, degrees: what squats, lunges and sitting down use of each joint with a margin (E), cut to the model's
# own range.
RANGES = {"hip_flexion": (-25, 130), "hip_adduction": (-45, 25), "hip_rotation": (-35, 35), "knee_angle": (-2, 150),
          "ankle_angle": (-40, 40), "subtalar_angle": (-20, 20)}
SMALLEST = 1e-6  # a pull below it everywhere is none


class MusclePulls(torch.nn.Module):
    """Pulls of the muscles of one body. fitted: what `fit_pulls` gives for its model."""

    def __init__(self, fitted: Mapping[str, np.ndarray], dtype=torch.float32, device=None):
        super().__init__()
        self.bodies = [str(name) for name in fitted["body"]]  # one for each group
        for number in range(len(self.bodies)):
            for name, kind in (("middle", dtype), ("half", dtype), ("coefficients", dtype), ("column", torch.long),
                               ("muscle", torch.long)):
                value = torch.tensor(fitted[f"{name}_{number}"], dtype=kind, device=device)
                self.register_buffer(f"_{name}_{number}", value, persistent=False)

    def forward(self, q: Tensor, tension: Tensor) -> dict[str, Tensor]:
        """q (coordinate, frame), tension (muscle, frame) N -> body name -> (3, frame) N: what all muscles do to the
        limb that the body carries, in the body's frame."""
        total: dict[str, Tensor] = {}
        for number, body in enumerate(self.bodies):
            middle, half, coefficients, column, muscle = (
                getattr(self, f"_{name}_{number}") for name in ("middle", "half", "coefficients", "column", "muscle"))
            x = (q.index_select(0, column) - middle) / half
            direction = (coefficients @ _terms(x)).unflatten(0, (3, -1))
            pull = (direction * tension.index_select(0, muscle)).sum(1)
            total[body] = total[body] + pull if body in total else pull
        return total


def fit_pulls(model: BodyModel) -> dict[str, np.ndarray]:
    """Fit to the exact paths of `model`; about a second.

    Muscles of one leg that pull on the same body and cross the same coordinates make a group: `body` (group,) names,
    and for group i `column_i` the coordinates, `middle_i` and `half_i` what scales them to -1..1, `muscle_i`,
    `coefficients_i` (3 * muscle, term), and `error_i`, the RMS error of each muscle's direction (no unit).
    """
    paths = MusclePaths(model)
    q = _poses(model)
    found = unit_pulls(paths, model.muscles, torch.tensor(q))
    names, coordinates = list(paths.names), list(model.coordinates)
    groups: list[tuple[str, dict]] = []
    for side in "rl":
        leg = [coordinates.index(f"{n}_{side}") for n in LEG_COORDINATES if f"{n}_{side}" in coordinates]
        for kind in PULLED:
            body = f"{kind}_{side}"
            if body not in found:
                continue
            pulls = found[body].numpy()  # (3, muscle, frame)
            crossing: dict[tuple, list[int]] = {}
            for muscle in np.flatnonzero(np.abs(pulls).max((0, 2)) > SMALLEST):
                if names[muscle].endswith(f"_{side}"):
                    used = tuple(c for c in leg if paths.crosses[muscle, c])
                    crossing.setdefault(used, []).append(int(muscle))
            for used, muscles in crossing.items():
                low, high = q[:, used].min(0), q[:, used].max(0)
                middle, half = (low + high)[:, None] / 2, np.maximum(high - low, 1e-3)[:, None] / 2
                terms = _terms(torch.tensor((q[:, used].T - middle) / half)).numpy()
                target = pulls[:, muscles].reshape(-1, len(q))
                fit = np.linalg.lstsq(terms.T, target.T, rcond=None)[0].T
                error = np.sqrt(((fit @ terms - target) ** 2).reshape(3, len(muscles), -1).sum(0).mean(-1))
                groups.append((body, {"middle": middle, "half": half, "coefficients": fit, "column": np.array(used),
                                      "muscle": np.array(muscles), "error": error}))
    fitted = {"body": np.array([body for body, _ in groups])}
    return fitted | {f"{name}_{i}": value for i, (_, group) in enumerate(groups) for name, value in group.items()}


@torch.no_grad()
def unit_pulls(paths: MusclePaths, muscles, q: Tensor) -> dict[str, Tensor]:
    """Exact pulls of a unit tension: q (frame, coordinate) -> body name -> (3, muscle, frame), in the body's frame.
    muscles: the packed muscles of `paths`."""
    body = paths.body
    *geometry, _, rotation = paths._geometry(q)
    geometry = [part.clone().requires_grad_() for part in geometry]
    with torch.enable_grad():
        push, shift, _ = torch.autograd.grad(paths._lengths(*geometry, sliding=False)[0].sum(), geometry)
    force = -torch.cat([push, shift], 1)  # (3, points and cylinders, frame) on the body of each
    place = np.array([body.bodies.index(name) if name in body.bodies else -1 for name in muscles["path_bodies"]])
    part_body = place[np.concatenate([muscles["point_body"], muscles["wrap_body"][muscles["use_wrap"]]])]
    points = np.diff(muscles["point_start"])
    part_muscle = torch.tensor(np.concatenate([np.repeat(np.arange(len(points)), points), muscles["use_muscle"]]))
    beyond = constants(body).beyond.bool().cpu().numpy()
    found = {}
    for name in (f"{kind}_{side}" for side in "rl" for kind in PULLED):
        if name not in body.bodies:
            continue
        index = body.bodies.index(name)
        on = torch.tensor(np.flatnonzero(beyond[index][part_body]))
        net = force.new_zeros(3, len(points), force.shape[-1])
        net.index_add_(1, part_muscle[on], force.index_select(1, on))
        found[name] = apply_transposed(rotation[:, :, index, None], net)
    return found


def _poses(model: BodyModel) -> np.ndarray:
    """(pose, coordinate) spread evenly over RANGES by a fixed random sequence; both legs take the same."""
    random = np.random.default_rng(0)
    q = np.zeros((POSES, len(model.coordinates)))
    for name, (low, high) in RANGES.items():
        # more weight on the ends, where polynomials stray (the density of Chebyshev's nodes)
        spread = 0.5 - 0.5 * np.cos(np.pi * random.uniform(size=POSES))
        for side in "rl":
            if f"{name}_{side}" in model.coordinates:
                index = model.coordinates.index(f"{name}_{side}")
                bottom = max(np.radians(low), min(model.packed["lower"][index], 0.0))
                top = min(np.radians(high), max(model.packed["upper"][index], 0.0))
                q[:, index] = bottom + (top - bottom) * spread
    return q


@cache
def _powers(variables: int) -> tuple[tuple[int, ...], ...]:
    """All products of up to DEGREES of the variables, as tuples of their indices, shorter ones first."""
    degrees = range(DEGREES.get(variables, 5) + 1)
    return tuple(term for degree in degrees for term in combinations_with_replacement(range(variables), degree))


def _terms(x: Tensor) -> Tensor:
    """x (variable, frame) -> (term, frame)."""
    powers = _powers(len(x))
    known = {(): torch.ones_like(x[0])}
    for term in powers[1:]:
        known[term] = known[term[:-1]] * x[term[-1]]
    return torch.stack([known[term] for term in powers])
