"""The joints of a body as a chain of single axes: how fast each body turns and moves, and what a force on it asks of
each coordinate.

OpenSim's joints are made of up to three translations along axes of the parent and then up to three rotations, each a
line or a spline of one coordinate. Taken apart into these axes ("slots"), every one is a screw fixed in what comes
before it, so velocities and accelerations are sums over the slots before, and joint forces are sums over the bodies
behind. All is written in ground, about the ground origin; arrays have the frames last (see `body/tree.py`).

Against OpenSim 4.6 this is exact at rest, in acceleration, and at any speed of joints without splines. The velocity
terms of its CustomJoint whose rotations are splines (the knee) differ by up to 0.9 N at 5 rad/s, 0.2 N in a squat. Ours
balance the energy (the tests check power against its rate), so we keep them.
"""

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Constants:
    """The slots of one body model (S slots; slides before turns within a joint) and its masses (B bodies)."""

    source: Tensor  # (S,) the coordinate a slot reads (the patella's read knee_angle)
    slope: Tensor  # (S, 1) of the lines; 0 for splines
    intercept: Tensor  # (S, 1)
    spline_slot: Tensor  # (K,) slots that are splines
    spline: Tensor  # (K, pieces, degree + 1) coefficients, lowest power first
    breaks: Tensor
    left: Tensor
    turn: Tensor  # slots that are rotations
    slide: Tensor  # slots that are translations
    turn_body: Tensor
    slide_parent: Tensor  # the parent body; the number of bodies for ground
    slide_axis: Tensor  # (3, slides, 1) in the parent body
    after: Tensor  # (2, turns) the rotation slots that follow within the joint, nearest first; its own where none
    later_angle: Tensor  # (2, turns, 1) 1 where such a rotation follows, else 0
    turn_axis: Tensor  # (3, turns, 1) in its own joint frame
    later_axis: Tensor  # (2, 3, turns, 1) of the rotations that follow
    child_rotation: Tensor  # (3, 3, turns, 1) joint frame to child body
    child_position: Tensor  # (3, B, 1)
    before: Tensor  # (S, S) 1 where the column's slot comes before the row's
    carries: Tensor  # (B, S) 1 where the slot moves the body
    beyond: Tensor  # (B, B) 1 where the row's body carries the column's, or is it
    coordinate: Tensor  # (S,) the coordinate whose generalised force a slot adds to
    mass: Tensor  # (B, 1)
    mass_centre: Tensor  # (3, B, 1)
    inertia: Tensor  # (3, 3, B, 1) about the mass centre, in the body
    gravity: Tensor  # (3, 1, 1)


_KNOWN: WeakKeyDictionary = WeakKeyDictionary()


def constants(body) -> Constants:
    """The chain of a `TorchBody`, made once for each body, precision and device."""
    kept = _KNOWN.setdefault(body, {})
    key = (body.lower.dtype, body.lower.device)
    if key not in kept:
        kept[key] = _constants(body.packed, *key)
    return kept[key]


def _constants(packed, dtype, device) -> Constants:
    bodies, parent = len(packed["bodies"]), packed["parent"]
    moved = packed["axis_coordinate"] >= 0
    slots = [(b, k) for b in range(bodies) for k in (3, 4, 5, 0, 1, 2) if moved[b, k]]
    body, axis = np.array(slots).T
    carries = np.zeros((bodies, len(slots)))
    for b in range(bodies):
        carries[b] = (body == b) + (carries[parent[b]] if parent[b] >= 0 else 0)
    beyond = np.eye(bodies)
    for b in range(bodies):  # a body comes after its parent
        if parent[b] >= 0:
            beyond[:, b] += beyond[:, parent[b]]
    before = carries[body] * (np.arange(len(slots))[None, :] < np.arange(len(slots))[:, None])
    coordinate, spline = packed["axis_coordinate"][body, axis], packed["axis_spline"][body, axis]
    splined = np.flatnonzero(spline >= 0)
    turn, slide = np.flatnonzero(axis < 3), np.flatnonzero(axis >= 3)
    axes = packed["axes"][body, axis]
    if np.any(packed["axis_intercept"][:, :3][~moved[:, :3]]):
        raise ValueError("a joint has a constant rotation, which is not supported")
    index = {slot: i for i, slot in enumerate(slots)}
    after, follows = np.zeros((2, len(turn)), int), np.zeros((2, len(turn)))
    for i, s in enumerate(turn):
        later = [index[body[s], k] for k in range(axis[s] + 1, 3) if moved[body[s], k]]
        after[:, i] = (later + [s, s])[:2]
        follows[: len(later), i] = 1.0

    def real(array):
        return torch.tensor(array, dtype=dtype, device=device)

    def whole(array):
        return torch.tensor(array, dtype=torch.long, device=device)

    breaks = packed["breaks"]
    slide_axis = np.einsum("sij,sj->is", packed["parent_rotation"][body[slide]], axes[slide])
    return Constants(
        source=whole(packed["source"][coordinate]),
        slope=real(np.where(spline >= 0, 0.0, packed["axis_slope"][body, axis])[:, None]),
        intercept=real(np.where(spline >= 0, 0.0, packed["axis_intercept"][body, axis])[:, None]),
        spline_slot=whole(splined), spline=real(packed["spline"][spline[splined]]), breaks=real(breaks),
        left=real(np.concatenate([breaks[:1], breaks])),
        turn=whole(turn), slide=whole(slide), turn_body=whole(body[turn]),
        slide_parent=whole(np.where(parent[body[slide]] < 0, bodies, parent[body[slide]])),
        slide_axis=real(slide_axis[..., None]),
        after=whole(after), later_angle=real(follows[..., None]),
        turn_axis=real(axes[turn].T[..., None]),
        later_axis=real(axes[after].transpose(0, 2, 1)[..., None]),
        child_rotation=real(packed["child_rotation"][body[turn]].transpose(1, 2, 0)[..., None]),
        child_position=real(packed["child_position"].T[..., None]),
        before=real(before), carries=real(carries), beyond=real(beyond), coordinate=whole(coordinate),
        mass=real(packed["mass"][:, None]), mass_centre=real(packed["mass_centre"].T[..., None]),
        inertia=real(packed["inertia"].transpose(1, 2, 0)[..., None]),
        gravity=real(packed["gravity"][:, None, None]),
    )


def screws(c: Constants, flat: Tensor, position: Tensor, rotation: Tensor):
    """Unit screws of the slots and how their values depend on the coordinates.

    flat (coordinate, frame), position (3, B, frame), rotation (3, 3, B, frame). Returns angular (3, S, frame), linear
    (3, S, frame; velocity of the carried point at the ground origin), slope (S, frame) and curvature (S, frame): first
    and second derivative of the slot's value by its coordinate.
    """
    angle = flat.index_select(0, c.source)
    at = angle.index_select(0, c.spline_slot)
    piece = torch.bucketize(at.detach().contiguous(), c.breaks, right=True)
    row = torch.arange(len(c.spline_slot), device=flat.device)[:, None]
    x, coefficients = at - c.left[piece], c.spline[row, piece].unbind(-1)
    bent = [torch.zeros_like(x) for _ in range(3)]  # value, first and half the second derivative, by Horner's rule
    for coefficient in reversed(coefficients):
        bent = [bent[0] * x + coefficient, bent[1] * x + bent[0], bent[2] * x + bent[1]]
    value = (c.slope * angle + c.intercept).index_copy(0, c.spline_slot, bent[0])
    slope = c.slope.expand_as(angle).index_copy(0, c.spline_slot, bent[1])
    curvature = torch.zeros_like(angle).index_copy(0, c.spline_slot, 2 * bent[2])

    # a rotation's axis, turned back by the rotations that follow it, is in the joint frame of the child
    direction = c.turn_axis
    for step in range(2):
        back = -value.index_select(0, c.after[step]) * c.later_angle[step]
        direction = _turned(direction, c.later_axis[step], back)
    direction = apply(rotation.index_select(2, c.turn_body), apply(c.child_rotation, direction))
    centre = (position + apply(rotation, c.child_position)).index_select(1, c.turn_body)
    ground = torch.eye(3, dtype=flat.dtype, device=flat.device)[:, :, None, None].expand(3, 3, 1, flat.shape[1])
    parent = torch.cat([rotation, ground], 2).index_select(2, c.slide_parent)
    slide = apply(parent, c.slide_axis)
    shape = (3, len(c.source), flat.shape[1])
    angular = flat.new_zeros(shape).index_copy(1, c.turn, direction)
    linear = flat.new_zeros(shape).index_copy(1, c.turn, cross(centre, direction)).index_copy(1, c.slide, slide)
    return angular, linear, slope, curvature


def _turned(vector: Tensor, axis: Tensor, angle: Tensor) -> Tensor:
    """Vectors (3, n, frame) turned by angles (n, frame) about unit axes (3, n, 1)."""
    cos = torch.cos(angle)
    along = dot(vector, axis.expand_as(vector)) * (1 - cos)
    return vector * cos + cross(axis.expand_as(vector), vector) * torch.sin(angle) + axis * along


def apply(a: Tensor, v: Tensor) -> Tensor:
    """(3, 3, ...) times (3, ...)."""
    return a[:, 0] * v[0] + a[:, 1] * v[1] + a[:, 2] * v[2]


def apply_transposed(a: Tensor, v: Tensor) -> Tensor:
    """The transpose of (3, 3, ...) times (3, ...)."""
    return a[0] * v[0] + a[1] * v[1] + a[2] * v[2]


def dot(a: Tensor, b: Tensor) -> Tensor:
    """(3, ...) with (3, ...) over the first axis."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def cross(a: Tensor, b: Tensor) -> Tensor:
    """Cross product over the first axis."""
    return torch.stack([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]])
