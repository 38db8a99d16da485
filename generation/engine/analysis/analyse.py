"""The one entry: a motion and a body in, an `Analysis` out, by either route."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from generation.engine.analysis import measures
from generation.engine.analysis.plates import ground_from_plates
from generation.engine.analysis.result import Analysis, Route
from generation.engine.body import BodyModel, TorchBody
from generation.engine.formats import ExternalLoads, FormatError, Motion
from generation.engine.physics import differentiate
from generation.engine.physics.derivatives import SHORTEST
from generation.engine.physics.ground import estimate_ground
from generation.engine.physics.ground_reaction import GroundReaction
from generation.engine.physics.pipeline import fast_analysis, fast_body
from generation.engine.physics.reserves import DEEPEST_KNEE_DEG, is_reserve, reserve_forces, reserve_share, too_deep
from generation.engine.reference import (
    CONTACTS,
    FLEXIONS,
    Cancelled,
    Progress,
    Solved,
    analyse_with_opensim,
    moco_inverse,
)

CUTOFF_HZ = 6.0  # of motion and forces alike (E; usual for squats)
FLOOR_TOLERANCE_M = 0.005  # E: soles this near to y = 0 stand on the floor


def analyse(
    motion: Motion,
    body: BodyModel,
    *,
    route: Route,
    forces: ExternalLoads | GroundReaction | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    cutoff_hz: float | None = CUTOFF_HZ,
    every: int = 1,
    moco: bool = False,
    calibration=None,
    seat: bool = False,
) -> Analysis:
    """What `motion` does to `body`.

    motion: any coordinates in any order; those that the body has and the motion lacks stay at the model's default and
    are named in the notes. route: "fast" (torch) or "opensim" (OpenSim 4.6's own tools, about 0.25 s a frame).
    forces: measured ground forces, or a ground reaction over the motion's frames; None: estimated. every: only each
    n-th frame is analysed, after smoothing and differentiating all. moco: MocoInverse in place of static optimisation
    (opensim only; minutes). calibration: of this person's mass distribution, for the estimate.
    seat: a seat may carry too (sit-to-stand), for the estimate.
    progress(stage, fraction, detail) is told, cancelled() is asked between steps. Raises FormatError, ReferenceFailed,
    Cancelled, ValueError for a wrong route.
    """
    if route not in ("fast", "opensim"):
        raise ValueError(f"route must be fast or opensim, got {route!r}")
    if moco and route != "opensim":
        raise ValueError("MocoInverse belongs to the route opensim")
    tell = progress or (lambda stage, fraction, detail: None)
    ask = cancelled or (lambda: False)
    body = calibration.apply(body) if calibration is not None else body
    notes = [*motion.notes, *body.notes]
    values, missing = motion_in(body, motion)
    if missing:
        notes.append(f"Not in the motion, kept at the model's default: {', '.join(missing)}.")
    if len(values) < SHORTEST:
        raise FormatError(f"The motion has {len(values)} frames; at least {SHORTEST} are needed.")
    torch_body = TorchBody(body, dtype=torch.float64)
    if forces is None:
        values, told = _on_floor(torch_body, values)
        notes += told
    q, u, udot = differentiate(torch.as_tensor(values), motion.frame_rate, cutoff_hz)
    times = motion.start_s + motion.times
    tell("ground reaction", 0.0, "measured" if forces is not None else "estimating")
    ground = forces
    if isinstance(forces, ExternalLoads):
        ground, told = ground_from_plates(forces, times, torch_body, q.numpy(), cutoff_hz)
        notes += told
    elif forces is None:
        with torch.no_grad():
            ground = estimate_ground(torch_body, q, u, udot, calibration, seat=seat)
    if ask():
        raise Cancelled
    frames = np.arange(0, len(values), every)
    moved = _Moved(body, torch_body, times, q, u, udot, motion.frame_rate, frames)
    if route == "opensim":
        solved, more = _by_opensim(moved, ground, moco, tell, cancelled)
    else:
        solved, more = _fast(moved, ground, tell)
    if deep := int(too_deep(q[frames][:, _knees(body)]).sum()):
        notes.append(f"In {deep} of {len(frames)} frames a knee is bent beyond {DEEPEST_KNEE_DEG:g} degrees, where the "
                     "model's quadriceps leave their path: they are not trusted.")
    if solved.removed:
        notes.append(f"Of the model's forces these were left out: {', '.join(solved.removed)}.")
    solver = "MocoInverse" if moco else "static optimisation"
    return _join(moved, route, solver, cutoff_hz, ground, solved, more, tuple(dict.fromkeys(notes)))


def motion_in(body: BodyModel, motion: Motion) -> tuple[np.ndarray, list[str]]:
    """The motion as (time, coordinate) of the body and the coordinates that it lacks, kept at the model's default.
    Copies (the patella's) take their driver's value. Raises FormatError when it has none of them."""
    column = {name: motion.values[:, i] for i, name in enumerate(motion.coordinates)}
    names, source = body.coordinates, body.packed["source"]
    values, missing = np.tile(np.asarray(body.packed["default"], float), (len(motion.values), 1)), []
    for i, name in enumerate(names):
        driver = names[source[i]]
        if driver in column:
            values[:, i] = column[driver]
        else:
            missing.append(name)
    if len(missing) == len(names):
        raise FormatError("None of the model's coordinates is a column of the motion.")
    return values, missing


@dataclass(frozen=True, eq=False)
class _Moved:
    """The body in motion: what both routes start from."""

    body: BodyModel
    torch_body: TorchBody
    times: np.ndarray  # (time,)
    q: torch.Tensor  # (time, coordinate), smoothed
    u: torch.Tensor
    udot: torch.Tensor
    frame_rate: float
    frames: np.ndarray  # (n,) indices of the frames that the result has


def _by_opensim(moved: _Moved, ground: GroundReaction, moco: bool, tell,
                cancelled) -> tuple[Solved, dict[str, np.ndarray]]:
    """OpenSim's answers, and the loads that OpenSim does not compute, from its muscle forces."""
    q, u, udot = (part.numpy() for part in (moved.q, moved.u, moved.udot))
    coordinates = moved.body.coordinates
    wrenches = [(name, _array(force), _array(moment)) for name, force, moment in ground.wrenches()]
    reserves = reserve_forces(coordinates)
    solved = analyse_with_opensim(moved.body.osim, coordinates, moved.times, q, u, udot, wrenches, reserves,
                                  frames=moved.frames, progress=tell, cancelled=cancelled)
    if moco:
        solved = moco_inverse(moved.body.osim, coordinates, moved.times, q, u, wrenches, reserves, solved,
                              progress=tell, cancelled=cancelled)
    fast = fast_body(moved.body, dtype=torch.float64)
    at = moved.frames
    wrenches = [(name, force[at], moment[at]) for name, force, moment in ground.at(slice(None)).wrenches()]
    with torch.no_grad():
        loads = fast.loads(moved.q[at], moved.u[at], moved.udot[at], wrenches, torch.as_tensor(solved.muscle_forces),
                           fast.geometry.arms(moved.q[at]))
    return solved, {name: _array(load) for name, load in loads.items() if name not in solved.contacts}


def _fast(moved: _Moved, ground: GroundReaction, tell) -> tuple[Solved, dict[str, np.ndarray]]:
    tell("muscles", 0.1, "preparing the body's muscle geometry")
    fast = fast_body(moved.body, dtype=torch.float64)
    tell("muscles", 0.5, "solving all frames")
    with torch.no_grad():
        result = fast_analysis(fast, moved.q, moved.u, moved.udot, ground, moved.frame_rate)
    at = moved.frames
    rows = {name: moved.body.coordinates.index(name) for name in FLEXIONS if name in moved.body.coordinates}
    tell("muscles", 1.0, "done")
    loads = {name: _array(load)[at] for name, load in result.loads.items()}
    contacts = {name: load for name, load in loads.items() if name in CONTACTS}
    solved = Solved(
        at, _array(result.com), _array(result.com_velocity), _array(result.moments),
        tuple(str(name) for name in moved.body.muscles["muscle_names"]), _array(result.activations)[at],
        _array(result.muscle_forces)[at], _array(result.reserves)[at],
        contacts, {name: _array(result.capacity)[at][:, row] for name, row in rows.items()}, (),
    )
    return solved, {name: load for name, load in loads.items() if name not in CONTACTS}


def _join(moved: _Moved, route: Route, solver, cutoff_hz, ground: GroundReaction, solved: Solved,
          more: dict[str, np.ndarray], notes) -> Analysis:
    at, coordinates = moved.frames, moved.body.coordinates
    q, u, udot = (part.numpy()[at] for part in (moved.q, moved.u, moved.udot))
    speed = torch.as_tensor(solved.com_velocity)
    acceleration = differentiate(speed, moved.frame_rate, None)[1].numpy()
    com, velocity, moments = solved.com[at], solved.com_velocity[at], solved.moments[at]
    rate = moved.frame_rate / (at[1] - at[0]) if len(at) > 1 else moved.frame_rate
    ground = ground.at(at)
    shares = {name: np.asarray(reserve_share(_needed(coordinates, moments, name), solved.reserves[:, i]))
              for i, name in enumerate(coordinates) if is_reserve(name)}
    return Analysis(
        route=route, solver=solver, model_key=moved.body.key, mass_kg=moved.body.mass_kg, coordinates=coordinates,
        muscles=solved.muscles, frame_rate=rate, cutoff_hz=cutoff_hz, time=moved.times[at], q=q, u=u, udot=udot,
        com=com, com_velocity=velocity, com_acceleration=acceleration[at],
        **measures.balance(moved.torch_body, q, com, velocity),
        ground=ground, moments=moments, powers=moments * u, activations=solved.activations,
        muscle_forces=solved.muscle_forces, reserves=solved.reserves, reserve_share=shares,
        contacts=dict(solved.contacts) | {name: load for name, load in more.items() if load.ndim == 2},
        loads={name: load for name, load in more.items() if load.ndim == 1},
        demand=measures.demand(coordinates, moments, solved.capacity),
        asymmetries=measures.asymmetries(coordinates, q, moments, _array(ground.force), solved.contacts),
        smoothness=measures.smoothness(coordinates, moved.q.numpy(), solved.com_velocity, moved.frame_rate),
        notes=notes,
    )


def _on_floor(torch_body: TorchBody, values: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """The motion with its soles on y = 0, where the estimate of the ground reaction expects the floor."""
    with torch.no_grad():
        soles = torch_body.foot_contacts(torch_body(torch.as_tensor(values)))[..., 1]
    floor = float(soles.amin(-1).amin(-1).median())
    if abs(floor) <= FLOOR_TOLERANCE_M:
        return values, []
    moved = values.copy()
    moved[:, torch_body.coordinates.index("pelvis_ty")] -= floor
    return moved, [f"The soles stand at {100 * floor:.1f} cm: the motion was moved onto the floor at 0."]


def _needed(coordinates, moments: np.ndarray, name: str) -> np.ndarray:
    """(T,) what muscles and reserve of a coordinate have to make: the knee's with the patella's."""
    patella = f"{name}_beta"
    extra = moments[:, coordinates.index(patella)] if patella in coordinates else 0.0
    return moments[:, coordinates.index(name)] + extra


def _knees(body: BodyModel) -> list[int]:
    return [i for i, name in enumerate(body.coordinates) if name in ("knee_angle_r", "knee_angle_l")]


def _array(values) -> np.ndarray:
    return values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else np.asarray(values)
