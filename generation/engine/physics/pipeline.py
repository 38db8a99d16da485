"""The fast route from end to end: joint angles in, activations and contact forces out, batched and differentiable."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from generation.engine.body import BodyModel, TorchBody
from generation.engine.body.cache import Cache
from generation.engine.physics.derivatives import differentiate
from generation.engine.physics.dynamics import inverse_dynamics, knee_moments
from generation.engine.physics.ground import estimate_ground
from generation.engine.physics.ground_reaction import GroundReaction
from generation.engine.physics.joint_loads import JointLoads
from generation.engine.physics.muscle_curves import MuscleCurves
from generation.engine.physics.muscle_geometry import MuscleGeometry
from generation.engine.physics.muscle_paths import MusclePaths
from generation.engine.physics.pulls import MusclePulls, fit_pulls
from generation.engine.physics.reserves import is_reserve
from generation.engine.physics.static_optimisation import StaticOptimisation

# What the fitted muscle geometry depends on, from the folder of `body`: a change makes kept fits stale.
_CODE = tuple(f"../physics/{name}" for name in (
    "muscle_geometry", "muscle_sections", "muscle_paths", "wrapping", "chain", "pulls"))


FRAMES = 2048  # worked on at a time: more would not stay in a processor's cache
# With gradients a frame's intermediate results take 0.25 MB. More frames than these are computed twice instead, a piece
# at a time: half the memory for twice the time.
FRAMES_IN_MEMORY = 8192
_LOAD = "load:"


@dataclass(frozen=True)
class FastBody:
    """One person's body with everything that the fast route needs of it, in one precision on one device."""

    model: BodyModel
    kinematics: TorchBody
    geometry: MuscleGeometry
    curves: MuscleCurves
    optimiser: StaticOptimisation
    loads: JointLoads


@dataclass(frozen=True)
class FastResult:
    """Tensors (..., time, ...), coordinates and muscles in the body's order. All are differentiable in the motion."""

    com: Tensor  # (..., time, 3) m
    com_velocity: Tensor  # (..., time, 3) m/s
    moments: Tensor  # (..., time, coordinate) Nm, N on translations
    activations: Tensor  # (..., time, muscle)
    muscle_forces: Tensor  # (..., time, muscle) N
    reserves: Tensor  # (..., time, coordinate) Nm, N on translations
    loads: Mapping[str, Tensor]  # as `JointLoads`: (..., time, 3) N, scalars (..., time) N
    capacity: Tensor  # (..., time, coordinate, 2 [negative, positive]) Nm, all muscles at full activation


def fast_body(model: BodyModel, dtype=torch.float32, device=None, cache: Path | str | None = None) -> FastBody:
    """Make a body ready: seconds for one that was never seen, kept on disk by the model's content afterwards.

    cache: folder; None takes GENUFLEX_CACHE or the user's cache folder, as in `load_body`.
    """
    kept = Cache(cache, "muscle_geometry", _CODE)
    geometry = kept.arrays(model.key, lambda: dict(MuscleGeometry.fit(MusclePaths(model)).arrays))
    pulls = kept.arrays(f"pulls{model.key}", lambda: fit_pulls(model))
    kinematics = TorchBody(model, dtype, device)
    return FastBody(
        model, kinematics, MuscleGeometry(geometry, dtype=dtype, device=device),
        MuscleCurves(model.muscles, dtype, device), StaticOptimisation(model.muscles, model.coordinates),
        JointLoads(kinematics, model.muscles, MusclePulls(pulls, dtype, device)),
    )


def fast_motion(fast: FastBody, q: Tensor, frame_rate: float, cutoff_hz: float | None = 6.0,
                calibration=None) -> FastResult:
    """From joint angles alone: smoothed, differentiated, the ground reaction estimated.

    q: (..., time, coordinate) radians and metres, in the body's order, soles on y = 0.
    """
    q, u, udot = differentiate(q, frame_rate, cutoff_hz)
    ground = estimate_ground(fast.kinematics, q, u, udot, calibration)
    return fast_analysis(fast, q, u, udot, ground, frame_rate)


def fast_analysis(fast: FastBody, q: Tensor, u: Tensor, udot: Tensor, ground: GroundReaction,
                  frame_rate: float) -> FastResult:
    """Everything that follows from a motion and the forces of the ground.

    q, u, udot: (..., time, coordinate) as `differentiate` gives them; ground: over the same axes. Nothing depends on
    the batch; a frame's neighbours enter through `differentiate` only.
    """
    lead = q.shape[:-1]
    wrenches = [(name, force.to(q), moment.to(q)) for name, force, moment in ground.wrenches()]
    frames = lead.numel()
    if frames <= FRAMES:
        found = _framewise(fast, q, u, udot, wrenches)
    else:
        found = _in_pieces(fast, q, u, udot, wrenches)
    com = found.pop("com")
    loads = {name.removeprefix(_LOAD): found.pop(name) for name in list(found) if name.startswith(_LOAD)}
    return FastResult(com=com, com_velocity=differentiate(com, frame_rate, None)[1], loads=loads, **found)


def _in_pieces(fast: FastBody, *motion) -> dict[str, Tensor]:
    """`_framewise` for many frames, FRAMES at a time. With gradients of more than FRAMES_IN_MEMORY each piece is
    computed again on the way back, so that only one piece's intermediate results are in memory at any time."""
    *motion, wrenches = motion
    again = torch.is_grad_enabled() and motion[0].shape[:-1].numel() > FRAMES_IN_MEMORY
    lead = motion[0].shape[:-1]
    parts = [part.reshape(-1, part.shape[-1]).split(FRAMES) for part in motion]
    pulls = [(name, *(part.reshape(-1, 3).split(FRAMES) for part in wrench)) for name, *wrench in wrenches]
    pieces = []
    for piece in range(len(parts[0])):
        own = [(name, force[piece], moment[piece]) for name, force, moment in pulls]
        arguments = (fast, *(part[piece] for part in parts), own)
        pieces.append(checkpoint(_framewise, *arguments, use_reentrant=False) if again else _framewise(*arguments))
    joined = {name: torch.cat([piece[name] for piece in pieces]) for name in pieces[0]}
    return {name: part.reshape(*lead, *part.shape[1:]) for name, part in joined.items()}


def _framewise(fast: FastBody, q: Tensor, u: Tensor, udot: Tensor, wrenches) -> dict[str, Tensor]:
    """What a frame's own pose, speeds, accelerations and outer forces say: the entries of `FastResult`."""
    body = fast.kinematics
    moments = inverse_dynamics(body, q, u, udot, wrenches)
    needed = knee_moments(body, moments)
    lengths, arms = fast.geometry.lengths_and_arms(q)  # (..., muscle), (..., muscle, coordinate)
    speeds = -(arms @ u.unsqueeze(-1)).squeeze(-1)
    strength = fast.curves.capacity(lengths, speeds)
    solution = fast.optimiser.solve(needed, arms, strength)
    forces = solution.activations * strength
    pull = arms * strength.unsqueeze(-1)  # Nm of each muscle at full activation
    loads = fast.loads(q, u, udot, wrenches, forces, arms)
    return {
        "com": body(q).com, "moments": moments, "activations": solution.activations, "muscle_forces": forces,
        "reserves": _all_reserves(body, needed, arms, forces, solution.reserves),
        "capacity": torch.stack([pull.clamp(max=0).sum(-2), pull.clamp(min=0).sum(-2)], -1),
        **{f"{_LOAD}{name}": load for name, load in loads.items()},
    }


def _all_reserves(body: TorchBody, needed: Tensor, arms: Tensor, forces: Tensor, reserves: Tensor) -> Tensor:
    """The reserves of the legs, and the motors of all other coordinates: they carry what muscles do not."""
    rest = needed - (arms * forces.unsqueeze(-1)).sum(-2)
    own = torch.tensor([is_reserve(name) for name in body.coordinates], device=needed.device)
    copies = torch.tensor([name.endswith("_beta") for name in body.coordinates], device=needed.device)
    return torch.where(own, reserves, rest).masked_fill(copies, 0.0)
