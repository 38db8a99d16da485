"""One person's body in torch: differentiable kinematics, equal to OpenSim's on the same scaled model."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from generation.engine.body.coordinates import COORDINATES
from generation.engine.body.model import BodyModel
from generation.engine.body.scaled import scaled_arrays
from generation.engine.body.scaling import BodyScale, generic_scale
from generation.engine.body.tree import JointTree

# Joint centre -> the body whose joint to its parent gives it. It is the joint's fixed point in the parent body.
JOINT_CENTRES = {
    **{f"{name}_{side}": f"{body}_{side}" for side in "rl" for name, body in (
        ("hip", "femur"), ("knee", "tibia"), ("ankle", "talus"), ("subtalar", "calcn"), ("mtp", "toes"),
        ("shoulder", "humerus"), ("elbow", "ulna"), ("wrist", "hand"))},
    "lumbar": "torso",
}


def foot_chain(coordinates: tuple[str, ...], side: str) -> tuple[str, ...]:
    """Of `coordinates` those that place one foot (side "r" or "l"), in the order of `foot_jacobian`'s columns."""
    leg = ("hip_flexion", "hip_adduction", "hip_rotation", "knee_angle", "knee_adduction", "knee_rotation",
           "ankle_angle", "subtalar_angle")
    return (tuple(name for name in coordinates if name.startswith("pelvis"))
            + tuple(f"{name}_{side}" for name in leg if f"{name}_{side}" in coordinates))


FOOT_CHAIN = {side: foot_chain(COORDINATES, side) for side in "rl"}  # of Genuflex's own skeleton


@dataclass(frozen=True)
class Kinematics:
    """Where the bodies are, in ground; any leading axes (...)."""

    q: Tensor  # (..., coordinate) radians and metres, as given
    translations: Tensor  # (..., body, 3) m, the bodies' origins
    rotations: Tensor  # (..., body, 3, 3), body to ground
    com: Tensor  # (..., 3) m, whole-body centre of mass


class TorchBody(torch.nn.Module):
    """Kinematics of a body: a `BodyScale` of Genuflex's own skeleton (None: the generic model) or any `BodyModel`.

    Coordinates that another one drives (`knee_angle_*_beta`, the patella, follows `knee_angle_*`) are copies: their own
    column of q is ignored. Gradients are of first order. coordinates, bodies: names, in the order of the axes;
    packed: the arrays (meanings in `packing.py`); lower, upper: (coordinate,) the model's joint ranges, radians and
    metres; mass: (body,) kg; scale: the BodyScale, or None for the body of an `.osim` file.
    """

    def __init__(self, body: BodyScale | BodyModel | None = None, dtype=torch.float32, device=None):
        super().__init__()
        self.scale = None if isinstance(body, BodyModel) else body or generic_scale()
        self.packed = body.packed if isinstance(body, BodyModel) else scaled_arrays(self.scale)
        self.coordinates = tuple(self.packed["coordinates"].tolist())
        self.bodies = tuple(self.packed["bodies"].tolist())
        self.contacts = tuple(self.packed["contacts"].tolist())
        self.tree = JointTree(self.packed, dtype, device)

        def keep(name, array, kind=dtype):
            self.register_buffer(name, torch.tensor(array, dtype=kind, device=device), persistent=False)

        for name in ("lower", "upper", "mass"):
            keep(name, self.packed[name])
        keep("_contact_offset", self.packed["contact_offset"])
        self.bone_scales = self.packed["bone_scale"].tolist()  # (body, 3) factors at which the bones are drawn
        self._neutral = None

    def forward(self, q: Tensor) -> Kinematics:
        """Place the bodies. q (..., coordinate): radians and metres in the order of `coordinates`."""
        lead = q.shape[:-1]
        position, rotation, com = self.tree(q.reshape(-1, q.shape[-1]).T)
        return Kinematics(
            q=q,
            translations=position.permute(2, 1, 0).reshape(*lead, len(self.bodies), 3),
            rotations=rotation.permute(3, 2, 0, 1).reshape(*lead, len(self.bodies), 3, 3),
            com=com.T.reshape(*lead, 3),
        )

    def points(self, kinematics: Kinematics, body: str | int, offsets) -> Tensor:
        """Points fixed in one body, in ground. offsets (n, 3) m in the person's own body frame -> (..., n, 3)."""
        index = self.bodies.index(body) if isinstance(body, str) else body
        offsets = torch.as_tensor(offsets, dtype=self.lower.dtype, device=self.lower.device)
        rotation = kinematics.rotations[..., index, :, :]
        return offsets @ rotation.transpose(-1, -2) + kinematics.translations[..., index, None, :]

    def foot_contacts(self, kinematics: Kinematics) -> Tensor:
        """Contact points of the soles in ground: (..., 2 [right, left], n, 3) m; n as in `contacts`, one side."""
        parts = []
        for body, offsets in self._contacts:
            x, y, z = kinematics.rotations[..., body, :, :].unsqueeze(-3).unbind(-1)  # (..., 1, 3) each
            place = kinematics.translations[..., body, :].unsqueeze(-2)
            parts.append(x * offsets[:, :1] + y * offsets[:, 1:2] + z * offsets[:, 2:] + place)
        return torch.cat(parts, -2).unflatten(-2, (2, len(self.contacts) // 2))

    def joint_centres(self, kinematics: Kinematics) -> dict[str, Tensor]:
        """Joint centres in ground, name -> (..., 3) m: the joint's fixed point in its parent body; those of
        JOINT_CENTRES that the model has."""
        centres = {}
        for name, body in JOINT_CENTRES.items():
            if body not in self.bodies:
                continue
            index = self.bodies.index(body)
            above = int(self.packed["parent"][index])
            rotation, place = kinematics.rotations[..., above, :, :], kinematics.translations[..., above, :]
            centres[name] = (rotation * self.tree.parent_position[:, index, 0]).sum(-1) + place
        return centres

    def neutral(self) -> Tensor:
        """(coordinate,) upright with straight legs and hanging arms, the lowest contact point on y = 0. Locked
        coordinates keep the model's value."""
        if self._neutral is None:
            with torch.no_grad():
                q = torch.as_tensor(np.where(self.packed["locked"], self.packed["default"], 0.0)).to(self.lower)
                q[self.coordinates.index("pelvis_ty")] = -self.foot_contacts(self(q))[..., 1].min()
            self._neutral = q
        return self._neutral.clone()

    @property
    def _contacts(self) -> list[tuple[int, Tensor]]:
        """The bodies with contact points and their offsets (n, 3), in the order of `contacts`."""
        bodies = self.packed["contact_body"]
        starts = [0, *(np.flatnonzero(np.diff(bodies)) + 1), len(bodies)]
        return [(int(bodies[a]), self._contact_offset[a:b]) for a, b in zip(starts[:-1], starts[1:], strict=True)]

    # ---- Jacobians, all without a gradient of their own ----------------------------------------------------------

    @torch.no_grad()
    def twists(self, kinematics: Kinematics, coordinates: Sequence[str] | None = None) -> tuple[Tensor, Tensor]:
        """What a unit rate of each of the n named coordinates (None: of all) does to the bodies it carries.

        Returns the angular velocity (..., n, 3) in rad/s and the velocity (..., n, 3) in m/s of the carried point that
        is at the ground origin: a carried point x moves with `cross(angular, x) + linear`. The patella's coordinates
        give zero, and `knee_angle` gives the tibia's twist.
        """
        lead, flat = kinematics.q.shape[:-1], kinematics.q.reshape(-1, len(self.coordinates)).T
        position = kinematics.translations.reshape(-1, len(self.bodies), 3).permute(2, 1, 0)
        rotation = kinematics.rotations.reshape(-1, len(self.bodies), 3, 3).permute(2, 3, 1, 0)
        wanted = {self.coordinates.index(name): row for row, name in enumerate(coordinates or self.coordinates)}
        slots = [(slot, wanted[coordinate]) for slot, (body, coordinate)
                 in enumerate(zip(self.tree.slot_body, self.tree.slot_coordinate, strict=True))
                 if coordinate in wanted and not self.bodies[body].startswith("patella")]
        slot, row = torch.tensor(slots, device=flat.device).reshape(-1, 2).unbind(1)

        def gather(part):
            rows = part.new_zeros(3, len(wanted), part.shape[-1]).index_add_(1, row, part.index_select(1, slot))
            return rows.permute(2, 1, 0).reshape(*lead, len(wanted), 3)

        angular, linear = self.tree.screws(flat, position, rotation)
        return gather(angular), gather(linear)

    def foot_jacobian(self, kinematics: Kinematics) -> Tensor:
        """Geometric Jacobians of the calcanei (..., 2 [right, left], 6, c): angular then linear velocity of the
        origin, in ground, for unit rates of the six pelvis coordinates and that leg's, as in
        `foot_chain(coordinates, side)`."""
        chains = {side: foot_chain(self.coordinates, side) for side in "rl"}
        names = tuple(dict.fromkeys(chains["r"] + chains["l"]))
        angular, linear = self.twists(kinematics, names)
        feet = []
        for side in "rl":
            columns = [names.index(name) for name in chains[side]]
            spin, drift = angular[..., columns, :], linear[..., columns, :]
            origin = kinematics.translations[..., self.bodies.index(f"calcn_{side}"), None, :]
            drift = drift + torch.linalg.cross(spin, origin.expand_as(spin), dim=-1)
            feet.append(torch.cat([spin, drift], -1).transpose(-1, -2))
        return torch.stack(feet, -3)
