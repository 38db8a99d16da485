"""The OpenSim route: what OpenSim 4.6 itself answers for one motion of one body."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from generation.engine.reference.process import DEFAULT_LIMIT_S, Progress, run_job

FLEXIONS = tuple(f"{name}_{side}" for name in ("hip_flexion", "knee_angle", "ankle_angle") for side in "rl")
# Joint -> the body at its distal end; the joint is found by it, whatever a model family calls it.
CONTACTS = {
    "hip_r": "femur_r", "hip_l": "femur_l", "tibiofemoral_r": "tibia_r", "tibiofemoral_l": "tibia_l",
    "patellofemoral_r": "patella_r", "patellofemoral_l": "patella_l", "lumbar": "torso",
}
Wrench = tuple[str, np.ndarray, np.ndarray]  # body, force (time, 3) N, moment about the ground origin (time, 3) Nm


@dataclass(frozen=True, eq=False)
class Solved:
    """Moments and centre of mass in all frames, the muscles' answers in the n frames asked for; coordinates in the
    caller's order.

    contacts: force of the parent on the child at a joint, N, in the child body's frame (x forward, y up, z right).
    capacity: the largest moment that the muscles can make in that pose at its speed, in the negative and the positive
    direction. reserves: what the torque motors add to the muscles.
    """

    frames: np.ndarray  # (n,) indices into the motion
    com: np.ndarray  # (time, 3) m
    com_velocity: np.ndarray  # (time, 3) m/s
    moments: np.ndarray  # (time, coordinate) Nm, N on translations
    muscles: tuple[str, ...]
    activations: np.ndarray  # (n, muscle) 0 to 1
    muscle_forces: np.ndarray  # (n, muscle) N, along the tendon
    reserves: np.ndarray  # (n, coordinate) Nm, N on translations
    contacts: Mapping[str, np.ndarray]  # name -> (n, 3) N
    capacity: Mapping[str, np.ndarray]  # coordinate -> (n, 2) Nm, negative and positive
    removed: tuple[str, ...]  # forces of the model file that were left out


def analyse_with_opensim(
    model: bytes,
    coordinates: Sequence[str],
    time: np.ndarray,
    q: np.ndarray,
    u: np.ndarray,
    udot: np.ndarray,
    wrenches: Sequence[Wrench],
    reserves: Mapping[str, float],
    *,
    frames: np.ndarray | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    limit_s: float = DEFAULT_LIMIT_S,
) -> Solved:
    """Inverse dynamics, static optimisation (activations squared, rigid tendons) and joint reactions, by OpenSim.

    model: bytes of the `.osim`. q, u, udot: (time, coordinate) in radians, metres, seconds, already smoothed and
    differentiated; coordinates names their columns. reserves: optimal force, Nm or N, of the torque motor on each
    coordinate that has one. frames: indices in which muscles are solved; None: all. About 0.25 s a frame.
    Raises ReferenceFailed (one sentence) and Cancelled.
    """
    frames = np.arange(len(time)) if frames is None else np.asarray(frames)
    present = [name for name in FLEXIONS if name in coordinates]
    arrays = {"time": time, "q": q, "u": u, "udot": udot, "frames": frames}
    for index, (_, force, moment) in enumerate(wrenches):
        arrays |= {f"force_{index}": force, f"moment_{index}": moment}
    found, facts = run_job(
        "static", model, arrays,
        {"coordinates": list(coordinates), "wrench_bodies": [body for body, _, _ in wrenches],
         "reserves": {name: float(value) for name, value in reserves.items()}, "demand": present},
        progress=progress, cancelled=cancelled, limit_s=limit_s,
    )
    return Solved(
        frames, found["com"], found["com_velocity"], found["moments"], tuple(facts["muscles"]), found["activations"],
        found["muscle_forces"], found["reserves"],
        {name: found[f"contact_{name}"] for name in facts["contacts"]},
        {name: found["capacity"][:, row] for row, name in enumerate(present)}, tuple(facts["removed"]),
    )


def moco_inverse(
    model: bytes,
    coordinates: Sequence[str],
    time: np.ndarray,
    q: np.ndarray,
    u: np.ndarray,
    wrenches: Sequence[Wrench],
    reserves: Mapping[str, float],
    solved: Solved,
    *,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    limit_s: float = DEFAULT_LIMIT_S,
) -> Solved:
    """`solved` with activations, muscle forces, reserves and contact forces by MocoInverse in place of static
    optimisation, on the same frames. Minutes for one squat. Raises ReferenceFailed and Cancelled."""
    arrays = {"time": time, "q": q, "u": u, "frames": solved.frames}
    for index, (_, force, moment) in enumerate(wrenches):
        arrays |= {f"force_{index}": force, f"moment_{index}": moment}
    found, facts = run_job(
        "moco", model, arrays,
        {"coordinates": list(coordinates), "wrench_bodies": [body for body, _, _ in wrenches],
         "reserves": {name: float(value) for name, value in reserves.items()}},
        progress=progress, cancelled=cancelled, limit_s=limit_s,
    )
    return replace(
        solved, muscles=tuple(facts["muscles"]), activations=found["activations"],
        muscle_forces=found["muscle_forces"], reserves=found["reserves"],
        contacts={name: found[f"contact_{name}"] for name in facts["contacts"]},
    )
