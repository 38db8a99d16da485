"""What a motion asks of a person's body, as variables of the registry: moments, muscle activity, joint forces, demand
on strength, load on each foot. By the fast route of `physics`; the same code serves guidance and delivered files.

A series is (..., 2, time), right before left, in the unit of the registry; a single number (..., 2) or (...).
"""
from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from generation.engine.body import COORDINATES, BodyModel
from generation.engine.metrics.phases import Phases
from generation.engine.physics import (
    GroundReaction,
    differentiate,
    estimate_ground,
    inverse_dynamics,
    is_reserve,
    knee_moments,
    reserve_share,
)
from generation.engine.physics.chain import apply_transposed, constants, cross
from generation.engine.physics.dynamics import body_forces, outer_forces
from generation.engine.physics.pipeline import fast_body
from generation.engine.physics.reserves import trusted_frames
from generation.engine.variables import (
    ACTIVATIONS,
    CONTACT_FORCES,
    DEMANDS,
    JOINT_MOMENTS,
    LOAD_VARIABLES,
    MUSCLE_GROUPS,
    SIDES,
    VARIABLES,
)

GRAVITY = 9.80665          # m/s2
CUTOFF_HZ = 6.0            # of the delivered motion, as in every analysis
LEAST_CAPACITY_NM = 1.0    # below it a joint has no muscles to speak of in that direction (E)
_FLOOR_TOLERANCE_M = 0.005     # soles this near to y = 0 stand on the floor (E)

_ACTIVATIONS = {f"{group}_activation_peak": group for group in ACTIVATIONS}
_MOMENTS = {f"{name}_moment_peak": name for name in JOINT_MOMENTS}
_CONTACTS = {f"{name}_force_peak": load for name, (_, load) in CONTACT_FORCES.items()}
_DEMANDS = {f"{name}_demand_peak": name for name in DEMANDS}
_ADDUCTION, _SHARE, _MEAN_SHARE, _ACCELERATION = (
    "knee_adduction_moment_peak", "foot_load_share", "foot_load_share_mean", "com_acceleration_peak")
MUSCLE_VARIABLES = frozenset({*_ACTIVATIONS, *_CONTACTS})      # which rest on how muscles share the work
# coordinate whose moment stands behind a variable -> its error among those of the ground reaction
_MOMENT_OF = {name: JOINT_MOMENTS[moment][1] for name, moment in (_MOMENTS | _DEMANDS).items()}


@dataclass(frozen=True)
class Trust:
    """How far the muscles of one motion can be believed, frame by frame as `physics.reserves.trusted_frames` says."""

    frames: int
    trusted: int
    largest_reserve_share: float
    coordinate: str            # whose reserve that is


@dataclass(frozen=True)
class Loads:
    """The load variables of one motion: ``series``, ``single`` and ``behind`` as in `Measured`; ``errors``: variable ->
    known error of its estimate in the variable's unit (root mean square); ``ground``: the source of the ground
    reaction and how wrong it may be; ``peak_frames``: muscle group -> frame of its greatest activation by side."""

    series: dict[str, Tensor]
    single: dict[str, Tensor]
    behind: dict[str, Tensor] = field(repr=False)
    trust: Trust
    errors: dict[str, float]
    ground: dict = field(repr=False)
    peak_frames: dict[str, tuple[int, int]] = field(repr=False)

    def peaks(self) -> dict[str, float | dict[str, float]]:
        """Variable -> its number, by side where it has sides; of a series its range."""
        found: dict[str, float | dict[str, float]] = {}
        for name, values in self.single.items():
            found[name] = (dict(zip(SIDES, values.tolist(), strict=True)) if VARIABLES[name].sided else values.item())
        for name, values in self.series.items():
            found[f"{name}_lowest"] = dict(zip(SIDES, values.amin(-1).tolist(), strict=True))
            found[f"{name}_highest"] = dict(zip(SIDES, values.amax(-1).tolist(), strict=True))
        return found


class LoadMeter:
    """Measures load variables on one person's body. Motions come in COORDINATES; what the body has beyond those stays
    at its default."""

    def __init__(self, model: BodyModel, dtype: torch.dtype = torch.float32, device=None, cache=None) -> None:
        self.fast = fast_body(model, dtype, device, cache)
        self.body = self.fast.kinematics
        like = self.body.lower
        names = list(model.coordinates)
        drivers = [names[i] for i in model.packed["source"]]
        known = [name in COORDINATES for name in drivers]
        places = [COORDINATES.index(name) if name in COORDINATES else 0 for name in drivers]
        self._from = torch.tensor(places, device=like.device)
        self._known = torch.tensor(known, device=like.device)
        self._default = torch.tensor(np.asarray(model.packed["default"], float)).to(like)
        self._height = names.index("pelvis_ty")
        self._at = {name: i for i, name in enumerate(names)}
        self._reserves = [name for name in names if is_reserve(name)]
        muscles = [str(name) for name in model.muscles["muscle_names"]]
        force = torch.tensor(np.asarray(model.muscles["maximum_isometric_force"], float)).to(like)
        self._groups = {}
        for group, (_, parts) in ACTIVATIONS.items():
            share = torch.zeros(2, len(muscles)).to(like)
            for row, side in enumerate("rl"):
                for name in parts:
                    if f"{name}_{side}" in muscles:
                        share[row, muscles.index(f"{name}_{side}")] = force[muscles.index(f"{name}_{side}")]
            if bool((share.sum(1) > 0).all()):
                self._groups[group] = share / share.sum(1, keepdim=True)
        self.mass_kg = model.mass_kg

    # ---- delivered motions ----------------------------------------------------------------------------------------

    @torch.no_grad()
    def measure(self, motions: Sequence[np.ndarray], frame_rate: float,
                phases: Sequence[Phases | None]) -> list[Loads]:
        """Every load variable of each motion (time, COORDINATES), radians and metres; frames of all motions are solved
        side by side, a motion's result does not depend on the others."""
        parts = [self._moved(values, frame_rate) for values in motions]
        q, u, udot = (torch.cat(part) for part in zip(*(part[:3] for part in parts), strict=True))
        ground = estimate_ground(self.body, q, u, udot)
        frames = self.frames(q, u, udot, LOAD_VARIABLES, ground)
        found, start = [], 0
        for (own, _, _, acceleration), when in zip(parts, phases, strict=True):
            stop = start + len(own)
            found.append(self._loads(own, {name: part[start:stop] for name, part in frames.items()}, acceleration,
                                     ground.uncertainty, _moving(when, len(own), frame_rate)))
            start = stop
        return found

    def _moved(self, values: np.ndarray, frame_rate: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        q = self.own(torch.as_tensor(values).to(self._default))
        floor = self.body.foot_contacts(self.body(q))[..., 1].amin(-1).amin(-1).median()
        if abs(float(floor)) > _FLOOR_TOLERANCE_M:      # a supplied model's soles may lie otherwise than our skeleton's
            q[:, self._height] -= floor
        q, u, udot = differentiate(q, frame_rate, CUTOFF_HZ)
        return q, u, udot, differentiate(self.body(q).com, frame_rate, None)[2]

    def _loads(self, q: Tensor, frames: Mapping[str, Tensor], acceleration: Tensor, uncertainty: Mapping,
               moving: slice) -> Loads:
        series = self.series(frames, LOAD_VARIABLES)
        share = series.pop(_SHARE)
        single = {name: values.amax(-1) for name, values in series.items()}
        single[_MEAN_SHARE] = share[..., moving].mean(-1)
        behind = {**series, _MEAN_SHARE: share, _ACCELERATION: acceleration.norm(dim=-1)}
        single[_ACCELERATION] = behind[_ACCELERATION].amax(-1)
        shares = torch.stack([reserve_share(frames["moments"][:, self._at[name]], frames["reserves"][:, self._at[name]])
                              for name in self._reserves], -1)
        trusted = trusted_frames(shares, q[:, [self._at[f"knee_angle_{side}"] for side in "rl"]])
        worst = int(shares.argmax()) % len(self._reserves)
        peak_frames = {group: tuple(series[name].argmax(-1).tolist()) for name, group in _ACTIVATIONS.items()
                       if name in series and group in MUSCLE_GROUPS}
        trust = Trust(len(trusted), int(trusted.sum()), float(shares.max()), self._reserves[worst])
        ground = {"source": "estimated", "uncertainty": dict(uncertainty)}
        return Loads({_SHARE: share.double()}, {name: value.double() for name, value in single.items()},
                     {name: value.double() for name, value in behind.items()}, trust,
                     self._errors(series, frames, uncertainty), ground, peak_frames)

    def _errors(self, series: Mapping[str, Tensor], frames: Mapping[str, Tensor],
                uncertainty: Mapping) -> dict[str, float]:
        """What is known: the error of the estimated ground reaction against force plates, carried over."""
        moments = uncertainty["moment_nm_per_kg"]
        errors = {_SHARE: uncertainty["share_percent"], _MEAN_SHARE: uncertainty["share_percent"]}
        for name, coordinate in _MOMENT_OF.items():
            errors[name] = moments[coordinate]
            if name in _DEMANDS:       # at the frame of the greatest demand, on the side that has it
                side, frame = divmod(int(series[name].argmax()), series[name].shape[-1])
                able = self._able(frames["capacity"], _DEMANDS[name])[side, frame]
                errors[name] = 100 * moments[coordinate] * self.mass_kg / float(able)
        return errors

    # ---- frames ---------------------------------------------------------------------------------------------------

    def own(self, q: Tensor) -> Tensor:
        """(..., COORDINATES) in the order of the person's body; copies take their driver's value. Differentiable."""
        return torch.where(self._known, q.index_select(-1, self._from), self._default)

    def frames(self, q: Tensor, u: Tensor, udot: Tensor, wanted: Collection[str],
               ground: GroundReaction | None = None) -> dict[str, Tensor]:
        """What the physics gives on frames (..., time, own coordinate), as far as ``wanted`` variables need it: share
        and adduction (..., time, 2), moments (the knee's with the patella's), capacity, activations, reserves, and
        contact forces by name."""
        fast, body = self.fast, self.body
        ground = ground or estimate_ground(body, q, u, udot)
        found = {"share": torch.stack([ground.share(), 1 - ground.share()], -1)}
        forces, muscles = wanted & _CONTACTS.keys(), wanted & _ACTIVATIONS.keys()
        wrenches = [(name, force.to(q), moment.to(q)) for name, force, moment in ground.wrenches()]
        if _ADDUCTION in wanted:
            found["adduction"] = self._adduction(q, u, udot, wrenches)
        if not (forces or muscles or wanted & _MOMENT_OF.keys()):
            return found
        found["moments"] = needed = knee_moments(body, inverse_dynamics(body, q, u, udot, wrenches))
        if not (forces or muscles or wanted & _DEMANDS.keys()):
            return found
        lengths, arms = fast.geometry.lengths_and_arms(q)
        strength = fast.curves.capacity(lengths, -(arms @ u.unsqueeze(-1)).squeeze(-1))
        pull = arms * strength.unsqueeze(-1)
        found["capacity"] = torch.stack([pull.clamp(max=0).sum(-2), pull.clamp(min=0).sum(-2)], -1)
        if not (forces or muscles):
            return found
        solution = fast.optimiser.solve(needed, arms, strength)
        found["activations"], found["reserves"] = solution.activations, solution.reserves
        if forces:
            loads = fast.loads(q, u, udot, wrenches, solution.activations * strength, arms)
            found |= {name: loads[name] for name in (f"{_CONTACTS[one]}_{side}" for one in forces for side in "rl")
                      if name in loads}
        return found

    def series(self, frames: Mapping[str, Tensor], wanted: Collection[str]) -> dict[str, Tensor]:
        """(..., 2, time) of each wanted variable whose greatest value, or every value, counts. What the body has no
        muscles or joints for is left out."""
        found = {}
        if _SHARE in wanted or _MEAN_SHARE in wanted:
            found[_SHARE] = 100 * frames["share"].transpose(-1, -2)
        if _ADDUCTION in wanted:
            found[_ADDUCTION] = frames["adduction"].transpose(-1, -2) / self.mass_kg
        for name in sorted(wanted & _ACTIVATIONS.keys()):
            if _ACTIVATIONS[name] not in self._groups:
                continue
            found[name] = 100 * (self._groups[_ACTIVATIONS[name]] @ frames["activations"].transpose(-1, -2))
        for name in sorted(wanted & _MOMENT_OF.keys()):
            _, coordinate, sign = JOINT_MOMENTS[(_MOMENTS | _DEMANDS)[name]]
            moment = sign * torch.stack([frames["moments"][..., self._at[f"{coordinate}_{side}"]] for side in "rl"], -2)
            found[name] = (100 * moment / self._able(frames["capacity"], _DEMANDS[name]) if name in _DEMANDS
                           else moment / self.mass_kg)
        for name in sorted(wanted & _CONTACTS.keys()):
            if any(f"{_CONTACTS[name]}_{side}" not in frames for side in "rl"):
                continue
            size = [frames[f"{_CONTACTS[name]}_{side}"].square().sum(-1).clamp_min(1e-6).sqrt() for side in "rl"]
            found[name] = torch.stack(size, -2) / (self.mass_kg * GRAVITY)
        return found

    def _able(self, capacity: Tensor, moment: str) -> Tensor:
        """(..., 2, time) Nm that the muscles of a direction could make."""
        _, coordinate, sign = JOINT_MOMENTS[moment]
        able = [capacity[..., self._at[f"{coordinate}_{side}"], int(sign > 0)].abs() for side in "rl"]
        return torch.stack(able, -2).clamp_min(LEAST_CAPACITY_NM)

    def _adduction(self, q: Tensor, u: Tensor, udot: Tensor, wrenches) -> Tensor:
        """(..., time, 2) Nm, the external moment about the tibia's forward axis through its origin, the knee's centre.

        Femur and soft tissue answer shank and foot with as much, the other way; + presses the knee into varus.
        """
        c, lead = constants(self.body), q.shape[:-1]
        flat, rate, change = (x.reshape(-1, q.shape[-1]).T.contiguous() for x in (q, u, udot))
        position, rotation, _ = self.body.tree(flat)
        force, moment, _ = body_forces(c, flat, rate, change, position, rotation)
        force, moment = outer_forces(self.body, lead, wrenches, force, moment)
        force, moment = torch.matmul(c.beyond, force), torch.matmul(c.beyond, moment)
        sides = []
        for side, sign in (("r", -1.0), ("l", 1.0)):
            tibia = list(self.body.bodies).index(f"tibia_{side}")
            about = moment[:, tibia] - cross(position[:, tibia], force[:, tibia])
            sides.append(sign * apply_transposed(rotation[:, :, tibia], about)[0].reshape(lead))
        return torch.stack(sides, -1)


def _moving(phases: Phases | None, frames: int, frame_rate: float) -> slice:
    if phases is None:
        return slice(0, frames)
    first, last = (round(at * frame_rate) for at in (phases.descent_start, phases.repetitions[-1].ascent_end))
    return slice(min(first, frames - 1), min(last, frames - 1) + 1)
