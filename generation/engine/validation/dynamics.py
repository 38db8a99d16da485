"""The fast route's joint moments against OpenSim's inverse dynamics, on the same motion and forces."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from generation.engine.body import BodyModel, TorchBody
from generation.engine.physics import differentiate, inverse_dynamics

FLEXIONS = tuple(f"{name}_{side}" for name in ("hip_flexion", "knee_angle", "ankle_angle") for side in "rl")
GRAVITY = 9.80665


@dataclass(frozen=True)
class Agreement:
    """One quantity over the frames of a motion: root mean square and worst difference, in its unit, and R2."""

    rmse: float
    worst: float
    r2: float


def agreement(theirs: np.ndarray, ours: np.ndarray) -> Agreement:
    """Both (time,). R2 of a quantity that does not vary is 1 when they are equal to a millionth, else 0."""
    error, spread = ours - theirs, np.square(theirs - theirs.mean()).sum()
    square = np.square(error).sum()
    r2 = 1 - square / spread if spread > 1e-12 * max(1.0, np.square(theirs).sum()) else float(square <= 1e-12)
    return Agreement(float(np.sqrt(np.mean(error**2))), float(np.abs(error).max()), float(r2))


def compare_moments(model: BodyModel, q: np.ndarray, frame_rate: float,
                    wrenches: Sequence[tuple[str, np.ndarray, np.ndarray]] = (),
                    dtype=torch.float32) -> dict[str, Agreement]:
    """Moments of the motion q (time, coordinate; already smoothed) by both routes, name of coordinate -> Agreement.

    wrenches: as for `inverse_dynamics`, arrays (time, 3). Both are given the same speeds and accelerations, those of
    the spline that OpenSim's own tool would take (`differentiate` is held to it by the tests).
    """
    body = TorchBody(model, dtype)
    exact = differentiate(torch.tensor(q, dtype=torch.float64), frame_rate, None)
    source, slope = model.packed["source"], model.packed["copy_slope"]
    pose, speed, change = (part.numpy()[:, source] * slope for part in exact)
    pose = pose + model.packed["copy_intercept"]
    with torch.no_grad():
        ours = inverse_dynamics(body, *(torch.tensor(part).to(dtype) for part in (pose, speed, change)),
                                [(name, *(torch.tensor(part).to(dtype) for part in wrench))
                                 for name, *wrench in wrenches]).double().numpy()
    theirs = opensim_moments(model, pose, speed, change, frame_rate, wrenches)
    return {name: agreement(theirs[:, i], ours[:, i]) for i, name in enumerate(model.coordinates)}


def opensim_moments(model: BodyModel, q, u, udot, frame_rate, wrenches=()) -> np.ndarray:
    """(time, coordinate) from OpenSim's InverseDynamicsSolver."""
    import opensim

    from generation.engine.reference.model import add_wrenches, prepare

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.osim"
        path.write_bytes(model.osim)
        prepared = prepare(path, model.coordinates, with_muscles=False)
        times = np.arange(len(q)) / frame_rate
        add_wrenches(prepared, Path(folder), times, list(wrenches))
        prepared.initialise()
        solver = opensim.InverseDynamicsSolver(prepared.model)
        found = np.empty_like(q)
        for frame, time in enumerate(times):
            prepared.place(time, q[frame], u[frame])
            tree = opensim.Vector(udot[frame][prepared.tree_order].tolist())
            found[frame, prepared.tree_order] = solver.solve(prepared.state, tree).to_numpy()
    return found


def table(found: dict[str, Agreement], mass_kg: float, height_m: float, names: Sequence[str] = FLEXIONS) -> list[str]:
    """Lines to print: RMSE and worst in % of body weight x height, and R2."""
    unit = mass_kg * GRAVITY * height_m / 100
    return [f"{name}: RMSE {found[name].rmse / unit:.4f} % of body weight x height, worst "
            f"{found[name].worst / unit:.4f} %, R2 {found[name].r2:.6f}" for name in names if name in found]
