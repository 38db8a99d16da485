"""Differentiable kinematics of one person's body in torch, equal to OpenSim's on the same scaled model.

Inside, arrays are laid out with the frames last, (3, 3, body, frame), because elementwise work on long rows is many
times faster on a processor than thousands of small matrix products.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from generation.engine.body.coordinates import BODIES, CONTACTS, COORDINATES, PACKED
from generation.engine.body.scaling import BodyScale, generic_scale

# Joint centre -> the body whose joint to its parent gives it. It is the joint's fixed point in the parent body.
JOINT_CENTRES = {
    **{f"{name}_{side}": f"{body}_{side}" for side in "rl" for name, body in (
        ("hip", "femur"), ("knee", "tibia"), ("ankle", "talus"), ("subtalar", "calcn"), ("mtp", "toes"),
        ("shoulder", "humerus"), ("elbow", "ulna"), ("wrist", "hand"))},
    "lumbar": "torso",
}

# The coordinates that place one foot, in the order of `foot_jacobian`'s columns.
FOOT_CHAIN = {
    side: tuple(name for name in COORDINATES if name.startswith("pelvis"))
    + tuple(f"{name}_{side}" for name in ("hip_flexion", "hip_adduction", "hip_rotation", "knee_angle", "ankle_angle",
                                          "subtalar_angle"))
    for side in "rl"
}


@dataclass(frozen=True)
class Kinematics:
    """Where the bodies are, in ground; any leading axes (...)."""

    q: Tensor  # (..., coordinate) radians and metres, as given
    translations: Tensor  # (..., body, 3) m, the bodies' origins
    rotations: Tensor  # (..., body, 3, 3), body to ground
    com: Tensor  # (..., 3) m, whole-body centre of mass


def _product(a: Tensor, b: Tensor) -> Tensor:
    """Matrix product of (3, 3, ...) with (3, 3, ...)."""
    (a0, a1, a2), (b0, b1, b2) = a.unsqueeze(2).unbind(1), b.unbind(0)  # unbind has the cheap gradient
    return a0 * b0 + a1 * b1 + a2 * b2


def _apply(a: Tensor, v: Tensor) -> Tensor:
    """(3, 3, ...) times (3, ...)."""
    (a0, a1, a2), (v0, v1, v2) = a.unbind(1), v.unbind(0)
    return a0 * v0 + a1 * v1 + a2 * v2


class TorchBody(torch.nn.Module):
    """Kinematics of the body `scale` (None: the generic model). See docs/architecture.md for the contract.

    `knee_angle_*_beta` (patella) always follows `knee_angle_*`: its own column of q is ignored.
    lower, upper: (coordinate,) the model's joint ranges, radians and metres.
    """

    coordinates, bodies = COORDINATES, BODIES

    def __init__(self, scale: BodyScale | None = None, dtype=torch.float32, device=None):
        super().__init__()
        self.scale = scale or generic_scale()
        factors = np.array([self.scale.factors[body] for body in BODIES])  # (body, 3)
        parent = PACKED["parent"]
        # the parent factor scales the joint's offset and its translation splines; ground is never scaled
        parent_factors = np.where(parent[:, None] >= 0, factors[parent], 1.0)
        mass = PACKED["mass"] * (self.scale.mass_kg / PACKED["mass"].sum())

        def keep(name, array, kind=dtype):
            self.register_buffer(name, torch.as_tensor(np.ascontiguousarray(array), dtype=kind, device=device), False)

        keep("lower", PACKED["lower"])
        keep("upper", PACKED["upper"])
        self._keep_values(keep, parent_factors)
        self._keep_rotations(keep)
        parent_rotation = PACKED["parent_rotation"]
        # translation axes in the parent body: (3, 3 axes, body, 1)
        keep("_slide", np.einsum("bij,bkj->ikb", parent_rotation, PACKED["axes"][:, 3:])[..., None])
        keep("_parent_position", (PACKED["parent_position"] * parent_factors).T[..., None])
        keep("_child_position", (PACKED["child_position"] * factors).T[..., None])
        keep("_mass_centre", (PACKED["mass_centre"] * factors).T[..., None])
        keep("_mass_share", mass[:, None] / mass.sum())
        keep("mass", mass)
        keep("_contact_offset", PACKED["contact_offset"] * factors[PACKED["contact_body"]])
        keep("_contact_body", PACKED["contact_body"], torch.long)
        self._keep_tree(keep, parent)
        self._neutral = None

    def _keep_values(self, keep, parent_factors):
        """The 6 axis values of each joint as lines and splines of the coordinates; translations carry the scale."""
        coordinate, spline = PACKED["axis_coordinate"], PACKED["axis_spline"]
        grow = np.ones((len(BODIES), 6))
        grow[:, 3:] = np.einsum("bkj,bj->bk", PACKED["axes"][:, 3:], parent_factors)  # as OpenSim's ScaleTool does
        source = PACKED["source"]
        flat = np.flatnonzero(spline >= 0)
        of = source[coordinate.ravel()[flat]]  # the patella's splines read knee_angle
        order = spline.ravel()[flat]
        table = PACKED["spline"][order] * grow.ravel()[flat][:, None, None]
        breaks = PACKED["breaks"]
        keep("_breaks", breaks)
        keep("_left", np.concatenate([breaks[:1], breaks]))
        keep("_spline_coordinate", of, torch.long)
        keep("_spline_row", np.arange(len(flat))[:, None], torch.long)
        keep("_spline", table)
        # a value is a column of [coordinates..., splines...] times a slope plus an intercept
        column = np.where(coordinate >= 0, source[coordinate], 0).ravel()
        slope = (PACKED["axis_slope"] * grow).ravel()
        column[flat] = len(COORDINATES) + np.arange(len(flat))
        slope[flat] = 1.0
        keep("_column", column.reshape(-1, 6).T.ravel(), torch.long)  # axis-major: (6 * body)
        keep("_gain", slope.reshape(-1, 6).T.reshape(-1, 1))
        keep("_bias", (PACKED["axis_intercept"] * grow).T.reshape(-1, 1))

    def _keep_rotations(self, keep):
        """Rotation about a fixed unit axis a is aa' + cos (1 - aa') + sin [a]x. The joint frames are folded in: the
        parent's before the first rotation, the child's after the last one."""
        axes = PACKED["axes"][:, :3]  # (body, 3, 3)
        cross = np.zeros((*axes.shape, 3))
        for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
            cross[..., i, j], cross[..., j, i] = -axes[..., k], axes[..., k]
        along = axes[..., :, None] * axes[..., None, :]
        parts = np.stack([along, np.eye(3) - along, cross])  # (part, body, 3 rotations, 3, 3)
        moved = PACKED["axis_coordinate"][:, :3] >= 0
        if np.any(PACKED["axis_intercept"][:, :3]):
            raise ValueError("a joint of the packed model has a constant rotation, which is not supported")
        several = moved[:, 1] | moved[:, 2]
        prefix = PACKED["parent_rotation"]
        suffix = PACKED["child_rotation"].transpose(0, 2, 1)
        first = np.einsum("bij,pbjk->pbik", prefix, parts[:, :, 0])
        third = np.einsum("pbij,bjk->pbik", parts[:, :, 2], suffix)
        single = np.einsum("pbij,bjk->pbik", first, suffix)
        first = np.where(several[:, None, None], first, single)
        many = np.flatnonzero(several)
        keep("_first", first.transpose(0, 2, 3, 1)[..., None])  # (part, 3, 3, body, 1)
        keep("_second", parts[:, many, 1].transpose(0, 2, 3, 1)[..., None])
        keep("_third", third[:, many].transpose(0, 2, 3, 1)[..., None])
        keep("_many", many, torch.long)
        # joints with several rotations are computed apart; this picks each body's rotation from [first..., products...]
        pick = np.arange(len(BODIES))
        pick[many] = len(BODIES) + np.arange(len(many))
        keep("_pick", pick, torch.long)
        # rotation axes before any rotation of the joint, for the Jacobian: (3, body, 3 rotations)
        keep("_axis", axes.transpose(2, 0, 1))
        keep("_parent_axis", np.einsum("bij,bj->ib", prefix, axes[:, 0]))

    def _keep_tree(self, keep, parent):
        depth = np.zeros(len(BODIES), int)
        for body, above in enumerate(parent):
            depth[body] = 0 if above < 0 else depth[above] + 1
        levels = [np.flatnonzero(depth == d) for d in range(depth.max() + 1)]
        self._levels = []
        for d, bodies in enumerate(levels):
            keep(f"_level_{d}", bodies, torch.long)
            if d:
                places = [int(np.flatnonzero(levels[d - 1] == parent[body])[0]) for body in bodies]
                keep(f"_above_{d}", places, torch.long)
        self._depth = len(levels)
        keep("_model_order", np.argsort(np.concatenate(levels)), torch.long)
        ancestors = np.eye(len(BODIES), dtype=bool)
        for body, above in enumerate(parent):
            if above >= 0:
                ancestors[body] |= ancestors[above]
        self._ancestors = ancestors  # (body, body): does the second carry the first?

    # ---- kinematics ----------------------------------------------------------------------------------------------

    def forward(self, q: Tensor) -> Kinematics:
        """Place the bodies. q (..., coordinate): radians and metres in the order of COORDINATES."""
        lead, flat = q.shape[:-1], q.reshape(-1, q.shape[-1]).T  # (coordinate, frame)
        values, _ = self._values(flat)
        local, _ = self._local_rotations(values)
        slide = torch.stack(values[3:])  # (3, body, frame)
        offset = (
            self._parent_position
            + _apply(self._slide, slide)
            - _apply(local, self._child_position)
        )
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
        com = ((position + _apply(rotation, self._mass_centre)) * self._mass_share).sum(1)
        return Kinematics(
            q=q,
            translations=position.permute(2, 1, 0).reshape(*lead, len(BODIES), 3),
            rotations=rotation.permute(3, 2, 0, 1).reshape(*lead, len(BODIES), 3, 3),
            com=com.T.reshape(*lead, 3),
        )

    def _values(self, flat: Tensor, slopes: bool = False) -> tuple[list[Tensor], Tensor | None]:
        """(coordinate, frame) -> the joints' six axis values (body, frame) and, if asked, their slopes."""
        angle = flat.index_select(0, self._spline_coordinate)
        piece = torch.bucketize(angle.detach().contiguous(), self._breaks, right=True)
        c0, c1, c2, c3 = self._spline[self._spline_row, piece].unbind(-1)
        u = angle - self._left[piece]
        spline = ((c3 * u + c2) * u + c1) * u + c0
        values = torch.cat([flat, spline]).index_select(0, self._column) * self._gain + self._bias
        values = list(values.reshape(6, len(BODIES), -1).unbind(0))
        if not slopes:
            return values, None
        slope = torch.cat([torch.ones_like(flat), (3 * c3 * u + 2 * c2) * u + c1])
        return values, (slope.index_select(0, self._column) * self._gain).reshape(6, len(BODIES), -1)

    def _local_rotations(self, values: list[Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Child to parent rotations (3, 3, body, frame), and the partial products of joints with several rotations."""
        def turn(parts, angle):
            return parts[0] + parts[1] * torch.cos(angle) + parts[2] * torch.sin(angle)

        first = turn(self._first, values[0])
        first_many = first.index_select(2, self._many)
        second = turn(self._second, values[1].index_select(0, self._many))
        third = turn(self._third, values[2].index_select(0, self._many))
        two = _product(first_many, second)
        return torch.cat([first, _product(two, third)], 2).index_select(2, self._pick), (first_many, two)

    def points(self, kinematics: Kinematics, body: str | int, offsets) -> Tensor:
        """Points fixed in one body, in ground. offsets (n, 3) m in the person's own body frame -> (..., n, 3)."""
        index = BODIES.index(body) if isinstance(body, str) else body
        offsets = torch.as_tensor(offsets, dtype=self.lower.dtype, device=self.lower.device)
        rotation = kinematics.rotations[..., index, :, :]
        return offsets @ rotation.transpose(-1, -2) + kinematics.translations[..., index, None, :]

    def foot_contacts(self, kinematics: Kinematics) -> Tensor:
        """Contact points of the soles in ground: (..., 2 [right, left], n, 3) m; n as in CONTACTS, one side."""
        rotation = kinematics.rotations.index_select(-3, self._contact_body)
        place = kinematics.translations.index_select(-2, self._contact_body)
        points = (rotation * self._contact_offset[:, None, :]).sum(-1) + place
        return points.unflatten(-2, (2, len(CONTACTS) // 2))

    def joint_centres(self, kinematics: Kinematics) -> dict[str, Tensor]:
        """Joint centres in ground, name -> (..., 3) m: the joint's fixed point in its parent body (JOINT_CENTRES)."""
        centres = {}
        for name, body in JOINT_CENTRES.items():
            index = BODIES.index(body)
            above = int(PACKED["parent"][index])
            rotation = kinematics.rotations[..., above, :, :]
            place = kinematics.translations[..., above, :]
            centres[name] = (rotation * self._parent_position[:, index, 0]).sum(-1) + place
        return centres

    def neutral(self) -> Tensor:
        """(coordinate,) upright with straight legs and hanging arms, the lowest contact point on y = 0."""
        if self._neutral is None:
            with torch.no_grad():
                q = torch.zeros_like(self.lower)
                q[COORDINATES.index("pelvis_ty")] = -self.foot_contacts(self(q))[..., 1].min()
            self._neutral = q
        return self._neutral.clone()

    # ---- Jacobians ------------------------------------------------------------------------------------------------

    def twists(self, kinematics: Kinematics, coordinates=COORDINATES) -> tuple[Tensor, Tensor]:
        """What a unit rate of each of the n named coordinates does to the bodies it carries.

        Returns the angular velocity (..., n, 3) in rad/s and the velocity (..., n, 3) in m/s of the carried point that
        is at the ground origin: a carried point x moves with `cross(angular, x) + linear`. The patella's coordinates
        give zero, and `knee_angle` gives the tibia's twist. Does not build a gradient.
        """
        row = {COORDINATES.index(name): i for i, name in enumerate(coordinates)}
        with torch.no_grad():
            q = kinematics.q
            lead, flat = q.shape[:-1], q.reshape(-1, q.shape[-1]).T
            values, slopes = self._values(flat, slopes=True)
            _, (first, two) = self._local_rotations(values)
            rotation = kinematics.rotations.reshape(-1, len(BODIES), 3, 3).permute(2, 3, 1, 0)  # (3, 3, body, frame)
            position = kinematics.translations.reshape(-1, len(BODIES), 3).permute(2, 1, 0)
            # the joint's moving frame coincides with the child's joint frame
            centre = position + _apply(rotation, self._child_position)
            ground = torch.eye(3, dtype=q.dtype, device=q.device)[:, :, None]
            angular = torch.zeros(len(row), 3, flat.shape[1], dtype=q.dtype, device=q.device)
            linear = torch.zeros_like(angular)
            many = self._many.tolist()
            for body, name in enumerate(BODIES):
                if name.startswith("patella"):
                    continue
                above = ground if PACKED["parent"][body] < 0 else rotation[:, :, PACKED["parent"][body]]
                for k in range(6):
                    coordinate = row.get(int(PACKED["axis_coordinate"][body, k]))
                    if coordinate is None:
                        continue
                    if k >= 3:
                        direction = _apply(above, self._slide[:, k - 3, body])
                        linear[coordinate] += direction * slopes[k, body]
                        continue
                    if k == 0:
                        axis = self._parent_axis[:, body, None]
                    else:
                        partial = (first if k == 1 else two)[:, :, many.index(body)]
                        axis = _apply(partial, self._axis[:, body, k, None])
                    spin = _apply(above, axis) * slopes[k, body]
                    angular[coordinate] += spin
                    linear[coordinate] += torch.linalg.cross(centre[:, body], spin, dim=0)
            shape = (*lead, len(row), 3)
            return angular.permute(2, 0, 1).reshape(shape), linear.permute(2, 0, 1).reshape(shape)

    def frame_jacobian(self, kinematics: Kinematics, body: str, coordinates) -> Tensor:
        """Geometric Jacobian of one body's frame (..., 6, n): angular then linear velocity of its origin, in ground,
        for unit rates of the n named coordinates. Does not build a gradient."""
        return self._at_origin(kinematics, body, coordinates, *self.twists(kinematics, coordinates))

    def foot_jacobian(self, kinematics: Kinematics) -> Tensor:
        """Jacobians of the calcanei (..., 2 [right, left], 6, 12): rows as in `frame_jacobian`, columns the six pelvis
        coordinates and that leg's six, as in FOOT_CHAIN[side]. Does not build a gradient."""
        names = tuple(dict.fromkeys(FOOT_CHAIN["r"] + FOOT_CHAIN["l"]))
        angular, linear = self.twists(kinematics, names)
        feet = []
        for side in "rl":
            columns = [names.index(name) for name in FOOT_CHAIN[side]]
            feet.append(self._at_origin(kinematics, f"calcn_{side}", FOOT_CHAIN[side],
                                        angular[..., columns, :], linear[..., columns, :]))
        return torch.stack(feet, -3)

    def _at_origin(self, kinematics, body, coordinates, angular, linear) -> Tensor:
        """Twists (..., n, 3) about the ground origin -> Jacobian (..., 6, n) of a body's frame at its own origin."""
        index = BODIES.index(body)
        origin = kinematics.translations.detach()[..., index, None, :]
        linear = linear + torch.linalg.cross(angular, origin.expand_as(angular), dim=-1)
        carried = [self._carries(COORDINATES.index(name), index) for name in coordinates]
        carried = torch.tensor(carried, dtype=angular.dtype, device=angular.device)[:, None]
        return torch.cat([angular * carried, linear * carried], -1).transpose(-1, -2)

    def _carries(self, coordinate: int, body: int) -> bool:
        moved = np.flatnonzero((PACKED["axis_coordinate"] == coordinate).any(1))
        return any(self._ancestors[body, m] for m in moved)
