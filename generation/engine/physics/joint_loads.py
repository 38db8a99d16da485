"""What the joints carry: contact forces at hip, knee and kneecap, and the load of the low back.

A joint's force is what the motion, the weight and the outer forces ask of the limb beyond the joint, less what the
muscles do to that limb (`pulls.py`). That is OpenSim's joint reaction, and given so: the force of the parent on the
child (pelvis on femur, femur on tibia, femur on patella, pelvis on torso) in the child body's own frame, x forward, y
up, z right, in N. In a standing leg y is compression: the parent pushes the child down, y is negative.

**The kneecap.** In these models the quadriceps' path runs over the patella to the tibia with one tension, as over a
pulley without friction, and a coupler leads the patella along. A coupler is a constraint of coordinates: it gives the
patella whatever turning it needs and takes that from the knee's moment, without a force that the joint reaction could
see. The same knee moment needs another force in the patellar tendon: the moment of the quadriceps at the knee over the
lever of the tendon. With it the patella is in equilibrium between the quadriceps, the tendon and the femur, and the
tibia is pulled by the tendon and not by the quadriceps' own tension. `tibiofemoral_*` and `patellofemoral_*` are
OpenSim's, alike in both routes; `tibiofemoral_free_body_*` and `patellofemoral_free_body_*` are these, and the ones to
compare with measured joint forces. In real knees too the tendon carries less than the quadriceps in deep flexion (van
Eijden et al. 1986, J Biomech 19:219-229, R).

**The low back.** The model has no trunk muscles. `lumbar` is the joint force of weight and motion alone.
`lumbar_compression` adds the pull of one extensor that makes the extension moment on a lever of 6 cm: E, within the 5
to 7 cm that are given for the erector spinae at L4/L5 (R). Trunk muscles that work against one another and the pressure
in the abdomen are not in it: an estimate to compare motions with, not a measured load.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from generation.engine.physics.chain import Constants, apply, apply_transposed, constants, cross, dot
from generation.engine.physics.dynamics import body_forces, outer_forces
from generation.engine.physics.pulls import MusclePulls

JOINTS = {"hip": "femur", "tibiofemoral": "tibia", "patellofemoral": "patella"}  # joint -> child body, each with a side
QUADRICEPS = ("recfem", "vasint", "vaslat", "vasmed")
ERECTOR_LEVER_M = 0.06  # E
SHORTEST_LEVER_M = 0.01  # E: the tendon's lever is 3 to 5 cm; below this it is not believed


class JointLoads:
    """The joints of one body. body: its `TorchBody`; muscles: the packed muscles; pulls: fitted to the same model."""

    def __init__(self, body, muscles: Mapping, pulls: MusclePulls):
        self.body, self.pulls = body, pulls
        self.names = [str(name) for name in muscles["muscle_names"]]
        self.sides = [side for side in "rl" if f"tibia_{side}" in body.bodies]
        self.tendons = {side: tendon for side in self.sides if (tendon := self._tendon(muscles, side)) is not None}

    def _tendon(self, muscles, side):
        """Quadriceps of a side and the mean of the points that their tendon joins: in the patella, in the tibia."""
        bodies = [str(name) for name in muscles["path_bodies"]]
        index = [i for i, name in enumerate(self.names) if name in {f"{one}_{side}" for one in QUADRICEPS}]
        start, points, offsets = muscles["point_start"], muscles["point_body"], muscles["point_offset"]
        last = [start[i + 1] - 1 for i in index]
        if not index or any(bodies[points[k]] != f"tibia_{side}" or bodies[points[k - 1]] != f"patella_{side}"
                            for k in last):
            return None
        ends = [torch.tensor(offsets[[k - back for k in last]].mean(0)).to(self.body.lower)[:, None]
                for back in (1, 0)]
        return torch.tensor(index, device=self.body.lower.device), *ends

    def __call__(self, q: Tensor, u: Tensor, udot: Tensor, wrenches, forces: Tensor, arms: Tensor) -> dict[str, Tensor]:
        """Loads of a motion.

        q, u, udot (..., time, coordinate) and wrenches as for `inverse_dynamics`; forces (..., time, muscle) N of the
        muscles along their paths; arms (..., time, muscle, coordinate) m, -dL/dq. Returns name -> (..., time, 3) N as
        in the module's description, `lumbar_compression` (..., time) N, and for each side `patellar_tendon_*` (...,
        time) N, the force of the tendon. Differentiable.
        """
        body, lead = self.body, q.shape[:-1]
        c = constants(body)
        flat, rate, change = (x.reshape(-1, q.shape[-1]).T.contiguous() for x in (q, u, udot))
        position, rotation, _ = body.tree(flat)
        force, moment, axes = body_forces(c, flat, rate, change, position, rotation)
        force, moment = outer_forces(body, lead, wrenches, force, moment)
        beyond = torch.matmul(c.beyond, force)  # (3, body, frame) what the limb from each body on is asked for
        tension = forces.reshape(-1, forces.shape[-1]).T
        pulls = self.pulls(flat, tension)
        loads, at = {}, {name: i for i, name in enumerate(body.bodies)}

        def inside(name, vector):  # ground to body
            return apply_transposed(rotation[:, :, at[name]], vector)

        for side in self.sides:
            for joint, kind in JOINTS.items():
                name = f"{kind}_{side}"
                if name in at:
                    loads[f"{joint}_{side}"] = inside(name, beyond[:, at[name]]) - pulls[name]
        for side, (quadriceps, *ends) in self.tendons.items():
            tibia, patella = at[f"tibia_{side}"], at[f"patella_{side}"]
            above, below = (apply(rotation[:, :, i], end) + position[:, i]
                            for i, end in zip((patella, tibia), ends, strict=True))
            along = above - below
            along = along / torch.sqrt(dot(along, along))
            knee = list(body.coordinates).index(f"knee_angle_{side}")
            lever = dot(self._speed(c, axes, tibia, knee, below), along)
            made = arms[..., knee].reshape(-1, len(self.names)).T.index_select(0, quadriceps)
            quads = tension.index_select(0, quadriceps)
            # both extend the knee: their levers are negative
            tendon = (-(quads * made).sum(0)).clamp(min=0.0) / (-lever).clamp(min=SHORTEST_LEVER_M)
            more = along * (tendon - quads.sum(0))  # what the tendon pulls beyond the quadriceps' own tension
            loads[f"tibiofemoral_free_body_{side}"] = (
                loads[f"tibiofemoral_{side}"] - inside(f"tibia_{side}", more))
            loads[f"patellofemoral_free_body_{side}"] = (
                loads[f"patellofemoral_{side}"] + inside(f"patella_{side}", more))
            loads[f"patellar_tendon_{side}"] = tendon[None]
        if "torso" in at:
            lumbar = inside("torso", beyond[:, at["torso"]])
            extension = self._moment(c, axes, moment, force, "lumbar_extension")
            loads["lumbar"] = lumbar
            loads["lumbar_compression"] = (lumbar[1] + extension.abs() / ERECTOR_LEVER_M)[None]
        return {name: (load.T.reshape(*lead, 3) if len(load) == 3 else load.reshape(lead))
                for name, load in loads.items()}

    @staticmethod
    def _speed(c: Constants, axes, body: int, coordinate: int, point: Tensor) -> Tensor:
        """(3, frame) how a point of a body moves for a unit rate of one coordinate alone."""
        angular, linear, slope = axes
        slots = torch.nonzero((c.coordinate == coordinate) & (c.carries[body] > 0))[:, 0]
        rates = slope.index_select(0, slots)
        turn = (angular.index_select(1, slots) * rates).sum(1)
        return (linear.index_select(1, slots) * rates).sum(1) + cross(turn, point)

    def _moment(self, c: Constants, axes, moment: Tensor, force: Tensor, coordinate: str) -> Tensor:
        """(frame,) the generalised force of one coordinate."""
        angular, linear, slope = axes
        slots = torch.nonzero(c.coordinate == list(self.body.coordinates).index(coordinate))[:, 0]
        carried = c.carries.T.index_select(0, slots)
        power = dot(angular.index_select(1, slots), torch.matmul(carried, moment)) \
            + dot(linear.index_select(1, slots), torch.matmul(carried, force))
        return (power * slope.index_select(0, slots)).sum(0)
