"""The joint tree of a scaled body: where the bodies are for given coordinates, and the exact gradient of that.

Arrays are laid out with the frames last, (3, 3, body, frame), because elementwise work on long rows is many times
faster on a processor than thousands of small matrix products. The gradient is written by hand, as the forces and
moments that the gradients on the bodies pass down the tree to the joints.
"""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


class JointTree(torch.nn.Module):
    """The skeleton of the arrays `packed` (meanings in `packing.py`)."""

    def __init__(self, packed: Mapping[str, np.ndarray], dtype, device):
        super().__init__()
        self._bodies, self._coordinates = len(packed["bodies"]), len(packed["coordinates"])

        def keep(name, array, kind=dtype):
            self.register_buffer(name, torch.tensor(np.ascontiguousarray(array), dtype=kind, device=device), False)

        for name in ("parent_position", "child_position", "mass_centre"):
            keep(name, packed[name].T[..., None])
        keep("mass_share", (packed["mass"] / packed["mass"].sum())[:, None])
        self._keep_values(keep, packed)
        self._keep_rotations(keep, packed)
        self._keep_levels(keep, packed["parent"])
        self._keep_slots(keep, packed)

    # ---- constants -----------------------------------------------------------------------------------------------

    def _keep_values(self, keep, packed):
        """The 6 axis values of each joint as lines and piecewise polynomials of the coordinates."""
        coordinate, spline, source = packed["axis_coordinate"], packed["axis_spline"], packed["source"]
        flat = np.flatnonzero(spline >= 0)
        breaks = packed["breaks"]
        keep("_breaks", breaks)
        keep("_left", np.concatenate([breaks[:1], breaks]))
        keep("_spline_coordinate", source[coordinate.ravel()[flat]], torch.long)  # the patella's read knee_angle
        keep("_spline_row", np.arange(len(flat))[:, None], torch.long)
        keep("_spline", packed["spline"][spline.ravel()[flat]])
        # a value is a row of [coordinates..., splines...] times a gain plus a bias; rows are axis-major: (6 * body)
        row = np.where(coordinate >= 0, source[coordinate], 0).ravel()
        gain = packed["axis_slope"].ravel().copy()
        row[flat] = self._coordinates + np.arange(len(flat))
        gain[flat] = 1.0
        keep("_row", row.reshape(-1, 6).T.ravel(), torch.long)
        keep("_gain", gain.reshape(-1, 6).T.reshape(-1, 1))
        keep("_bias", packed["axis_intercept"].T.reshape(-1, 1))

    def _keep_rotations(self, keep, packed):
        """Rotation about a fixed unit axis a is aa' + cos (1 - aa') + sin [a]x. The joint frames are folded in: the
        parent's before the first rotation, the child's after the last one."""
        axes = packed["axes"][:, :3]  # (body, 3 rotations, 3)
        cross = np.zeros((*axes.shape, 3))
        for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
            cross[..., i, j], cross[..., j, i] = -axes[..., k], axes[..., k]
        along = axes[..., :, None] * axes[..., None, :]
        parts = np.stack([along, np.eye(3) - along, cross])  # (part, body, 3 rotations, 3, 3)
        prefix, suffix = packed["parent_rotation"], packed["child_rotation"].transpose(0, 2, 1)
        first = np.einsum("bij,pbjk->pbik", prefix, parts[:, :, 0])
        third = np.einsum("pbij,bjk->pbik", parts[:, :, 2], suffix)
        several = (packed["axis_coordinate"][:, 1:3] >= 0).any(1)
        first = np.where(several[:, None, None], first, np.einsum("pbij,bjk->pbik", first, suffix))
        many = np.flatnonzero(several)
        keep("_many", many, torch.long)
        keep("_first", first.transpose(0, 2, 3, 1)[..., None])  # (part, 3, 3, body, 1)
        keep("_second", parts[:, many, 1].transpose(0, 2, 3, 1)[..., None])
        keep("_third", third[:, many].transpose(0, 2, 3, 1)[..., None])
        # joints with several rotations are computed apart; this picks each body's rotation from [first..., products...]
        pick = np.arange(self._bodies)
        pick[many] = self._bodies + np.arange(len(many))
        keep("_pick", pick, torch.long)
        # translation axes in the parent body: (3, 3 axes, body, 1)
        keep("_slide", np.einsum("bij,bkj->ikb", prefix, packed["axes"][:, 3:])[..., None])

    def _keep_levels(self, keep, parent):
        """Bodies of the same depth are placed together."""
        ancestors = np.eye(self._bodies, dtype=bool)  # (body, body): is the first one carried by the second, or it?
        for body, above in enumerate(parent):
            if above >= 0:
                ancestors[body] |= ancestors[above]
        self.ancestors = ancestors
        keep("_carried", ancestors.T)
        depth = ancestors.sum(1) - 1
        levels = [np.flatnonzero(depth == d) for d in range(depth.max() + 1)]
        self._depth = len(levels)
        for d, bodies in enumerate(levels):
            keep(f"_level_{d}", bodies, torch.long)
            if d:
                keep(f"_above_{d}", np.searchsorted(levels[d - 1], parent[bodies]), torch.long)
        keep("_model_order", np.argsort(np.concatenate(levels)), torch.long)
        keep("_parent", np.where(parent < 0, self._bodies, parent), torch.long)

    def _keep_slots(self, keep, packed):
        """The joints' moving axes in a row: the last rotation of every joint, the first one of joints with several, the
        middle one of joints with three, then the translations. The last rotation's axis is fixed in the child too, so
        it needs the child's rotation only."""
        moved, axes = packed["axis_coordinate"] >= 0, packed["axes"]
        last = np.where(moved[:, 2], 2, np.where(moved[:, 1], 1, 0))
        many, three = np.flatnonzero(last > 0), np.flatnonzero(last == 2)
        slides = [(body, k) for body in range(self._bodies) for k in (3, 4, 5) if moved[body, k]]
        turns = [*enumerate(last), *((body, 0) for body in many), *((body, 1) for body in three)]
        body, axis = np.array(turns + slides).T
        # a joint that does not turn keeps a slot whose slope is 0 and whose coordinate is -1
        self.slot_body, self.slot_coordinate, self.turns = body, packed["axis_coordinate"][body, axis], len(turns)
        keep("_turn_body", body[: len(turns)], torch.long)
        keep("_slide_body", body[len(turns):], torch.long)
        keep("_slide_parent", self._parent[body[len(turns):]], torch.long)
        keep("_many_parent", self._parent[many], torch.long)
        keep("_three", three, torch.long)
        keep("_three_of_many", np.searchsorted(many, three), torch.long)
        keep("_slot_value", axis * self._bodies + body, torch.long)
        keep("_slot_source", np.where(self.slot_coordinate >= 0, packed["source"][self.slot_coordinate], 0), torch.long)
        everyone = np.arange(self._bodies)
        keep("_axis_last", np.einsum("bij,bj->ib", packed["child_rotation"], axes[everyone, last])[..., None])
        keep("_axis_first", np.einsum("bij,bj->ib", packed["parent_rotation"][many], axes[many, 0])[..., None])
        keep("_axis_middle", axes[three, 1].T[..., None])
        sliding, k = np.array(slides, dtype=int).reshape(-1, 2).T
        keep("_axis_slide", np.einsum("sij,sj->is", packed["parent_rotation"][sliding], axes[sliding, k])[..., None])

    # ---- kinematics ----------------------------------------------------------------------------------------------

    def forward(self, flat: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Coordinates (coordinate, frame) -> positions (3, body, frame) and rotations (3, 3, body, frame) of the bodies
        in ground and the centre of mass (3, frame). First derivatives only."""
        return _Place.apply(flat, self)

    def place(self, flat: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """`forward` without a gradient."""
        values, _ = self._values(flat)
        local = self._local_rotations(values)
        slide = values[3:].reshape(3, self._bodies, -1)
        offset = self.parent_position + _apply(self._slide, slide) - _apply(local, self.child_position)
        rotation, position = local.index_select(2, self._level_0), offset.index_select(1, self._level_0)
        rotations, positions = [rotation], [position]
        for d in range(1, self._depth):
            level, above = getattr(self, f"_level_{d}"), getattr(self, f"_above_{d}")
            rotation, position = rotation.index_select(2, above), position.index_select(1, above)
            position = position + _apply(rotation, offset.index_select(1, level))
            rotation = _product(rotation, local.index_select(2, level))
            rotations.append(rotation)
            positions.append(position)
        rotation = torch.cat(rotations, 2).index_select(2, self._model_order)
        position = torch.cat(positions, 1).index_select(1, self._model_order)
        com = torch.matmul(self.mass_share.T, position + _apply(rotation, self.mass_centre))[:, 0]
        return position, rotation, com

    def screws(self, flat: Tensor, position: Tensor, rotation: Tensor) -> tuple[Tensor, Tensor]:
        """What a unit rate of the coordinate of each slot does: angular velocity (3, slot, frame) and velocity of the
        carried point at the ground origin (3, slot, frame). `slot_body` and `slot_coordinate` say whose they are."""
        turns, slides = self._axes(flat, rotation)
        centre = (position + _apply(rotation, self.child_position)).index_select(1, self._turn_body)
        return torch.cat([turns, torch.zeros_like(slides)], 1), torch.cat([_cross(centre, turns), slides], 1)

    def _axes(self, flat: Tensor, rotation: Tensor) -> tuple[Tensor, Tensor]:
        """Axes in ground (3, slot, frame), each times its slope: of the rotations, of the translations."""
        values, slopes = self._values(flat)
        angle = values[0].index_select(0, self._many)
        first = _turn(self._first.index_select(3, self._many), angle)
        ground = torch.eye(3, dtype=flat.dtype, device=flat.device)[:, :, None, None].expand(3, 3, 1, flat.shape[1])
        rotations = torch.cat([rotation, ground], 2)  # a body without parent hangs on the last one
        parent = rotations.index_select(2, self._many_parent)
        middle = _apply(first.index_select(2, self._three_of_many), self._axis_middle)
        slope = slopes.reshape(6 * self._bodies, -1).index_select(0, self._slot_value)
        turns = torch.cat([
            _apply(rotation, self._axis_last),
            _apply(parent, self._axis_first),
            _apply(parent.index_select(2, self._three_of_many), middle),
        ], 1)
        slides = _apply(rotations.index_select(2, self._slide_parent), self._axis_slide)
        return turns * slope[: self.turns], slides * slope[self.turns:]

    def _values(self, flat: Tensor) -> tuple[Tensor, Tensor]:
        """(coordinate, frame) -> the joints' axis values (6, body, frame) and their slopes."""
        angle = flat.index_select(0, self._spline_coordinate)
        piece = torch.bucketize(angle.contiguous(), self._breaks, right=True)
        *lower, highest = self._spline[self._spline_row, piece].unbind(-1)
        u = angle - self._left[piece]
        spline, slope = highest, torch.zeros_like(highest)
        for coefficient in reversed(lower):
            slope = torch.addcmul(spline, slope, u)
            spline = torch.addcmul(coefficient, spline, u)
        values = torch.cat([flat, spline]).index_select(0, self._row) * self._gain + self._bias
        slopes = torch.cat([torch.ones_like(flat), slope]).index_select(0, self._row) * self._gain
        return values.reshape(6, self._bodies, -1), slopes.reshape(6, self._bodies, -1)

    def _local_rotations(self, values: Tensor) -> Tensor:
        """Child to parent rotations (3, 3, body, frame)."""
        first = _turn(self._first, values[0])
        second = _turn(self._second, values[1].index_select(0, self._many))
        third = _turn(self._third, values[2].index_select(0, self._many))
        several = _product(_product(first.index_select(2, self._many), second), third)
        return torch.cat([first, several], 2).index_select(2, self._pick)


class _Place(torch.autograd.Function):
    """`JointTree.place` with its gradient."""

    @staticmethod
    def forward(ctx, flat, tree):
        position, rotation, com = tree.place(flat)
        ctx.save_for_backward(flat, position, rotation)
        ctx.tree = tree
        return position, rotation, com

    @staticmethod
    @once_differentiable
    def backward(ctx, to_position, to_rotation, to_com):
        flat, position, rotation = ctx.saved_tensors
        tree = ctx.tree
        to_rotation = to_rotation.contiguous()  # it comes in the layout of the outside
        weight = to_com[:, None] * tree.mass_share
        force = to_position + weight
        moment = _cross(_apply(rotation, tree.mass_centre), weight) + _cross(position, force)
        for column in range(3):
            moment += _cross(rotation[:, column], to_rotation[:, column])
        # what acts on a body acts on all that carry it; the moments are taken about the ground origin, then the joint's
        force, moment = torch.matmul(tree._carried, force), torch.matmul(tree._carried, moment)
        moment -= _cross(position + _apply(rotation, tree.child_position), force)
        turns, slides = tree._axes(flat, rotation)
        gradient = torch.cat([
            _dot(turns, moment.index_select(1, tree._turn_body)),
            _dot(slides, force.index_select(1, tree._slide_body)),
        ])
        return torch.zeros_like(flat).index_add_(0, tree._slot_source, gradient), None


def _turn(parts: Tensor, angle: Tensor) -> Tensor:
    """Constants (3 parts, 3, 3, body, 1) and angles (body, frame) -> rotations (3, 3, body, frame)."""
    return torch.addcmul(parts[0] + parts[1] * torch.cos(angle), parts[2], torch.sin(angle))


def _product(a: Tensor, b: Tensor) -> Tensor:
    """Matrix product of (3, 3, ...) with (3, 3, ...)."""
    return (a[:, 0, None] * b[0]).addcmul_(a[:, 1, None], b[1]).addcmul_(a[:, 2, None], b[2])


def _apply(a: Tensor, v: Tensor) -> Tensor:
    """(3, 3, ...) times (3, ...)."""
    return (a[:, 0] * v[0]).addcmul_(a[:, 1], v[1]).addcmul_(a[:, 2], v[2])


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """(3, ...) with (3, ...) over the first axis."""
    return (a[0] * b[0]).addcmul_(a[1], b[1]).addcmul_(a[2], b[2])


def _cross(a: Tensor, b: Tensor) -> Tensor:
    """Cross product over the first axis."""
    return torch.stack([a[i] * b[j] - a[j] * b[i] for i, j in ((1, 2), (2, 0), (0, 1))])
