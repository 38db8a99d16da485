"""OpenSim's inverse kinematics of one recording, frame by frame, so that progress can be told."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import opensim as osim

from generation.engine.reference.model import drop_forces
from generation.engine.reference.process import DEFAULT_LIMIT_S, Progress, run_job

ACCURACY = 1e-7  # of OpenSim's search; at 1e-5 exact markers are missed by 3 mm, a knee by 1 degree (measured)


def inverse_kinematics(
    model: bytes,
    markers: Mapping[str, tuple[str, Sequence[float]]],
    weights: Mapping[str, float],
    positions: np.ndarray,
    frame_rate: float,
    start: Mapping[str, float] | None = None,
    *,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    limit_s: float = DEFAULT_LIMIT_S,
) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Joint angles that bring a model's markers nearest to measured ones.

    model: bytes of the `.osim`. markers: name -> (body, place (3,) m in its frame); they replace the model's own.
    weights: name -> weight, in the order of positions (time, marker, 3) m, NaN where lost, Y up. start: coordinate ->
    value at which the search begins. Returns coordinates, values (time, coordinate) radians and metres, and the marker
    error (time, marker) m, NaN where lost. Raises ReferenceFailed and Cancelled.
    """
    names = list(weights)
    places = np.array([markers[name][1] for name in names], float)
    found, facts = run_job(
        "ik", model, {"positions": positions, "places": places},
        {"markers": names, "bodies": [markers[name][0] for name in names], "rate": float(frame_rate),
         "weights": [float(weights[name]) for name in names], "start": dict(start or {})},
        progress=progress, cancelled=cancelled, limit_s=limit_s,
    )
    return tuple(facts["coordinates"]), found["values"], found["errors"]


def solve(path: Path, arrays: dict, options: dict, tell: Callable) -> tuple[dict[str, np.ndarray], dict]:
    """One job of `process.run_job`."""
    names, positions = options["markers"], arrays["positions"]
    model = osim.Model(str(path))
    drop_forces(model)
    own = model.updMarkerSet()
    own.clearAndDestroy()
    for name, body, place in zip(names, options["bodies"], arrays["places"], strict=True):
        model.addMarker(osim.Marker(name, model.getBodySet().get(body), osim.Vec3(*map(float, place))))
    coordinates = model.getCoordinateSet()
    found = [coordinates.get(i) for i in range(coordinates.getSize())]
    for coordinate in found:
        if coordinate.getName() in options["start"]:
            coordinate.setDefaultValue(options["start"][coordinate.getName()])
    state = model.initSystem()
    weights = osim.SetMarkerWeights()
    for name, weight in zip(names, options["weights"], strict=True):
        weights.cloneAndAppend(osim.MarkerWeight(name, weight))
    reference = osim.MarkersReference(_table(names, positions, options["rate"]), weights)
    solver = osim.InverseKinematicsSolver(model, reference, osim.SimTKArrayCoordinateReference())
    solver.setAccuracy(ACCURACY)
    values = np.empty((len(positions), len(found)))
    errors = np.empty(positions.shape[:2])
    for frame in range(len(positions)):
        state.setTime(frame / options["rate"])
        (solver.track if frame else solver.assemble)(state)
        values[frame] = [coordinate.getValue(state) for coordinate in found]
        model.realizePosition(state)
        placed = np.array([own.get(name).getLocationInGround(state).to_numpy() for name in names])
        errors[frame] = np.linalg.norm(placed - positions[frame], axis=-1)
        tell("inverse kinematics", (frame + 1) / len(positions), f"frame {frame + 1} of {len(positions)}")
    return {"values": values, "errors": errors}, {"coordinates": [coordinate.getName() for coordinate in found]}


def _table(names, positions: np.ndarray, rate: float) -> osim.TimeSeriesTableVec3:
    table = osim.TimeSeriesTableVec3()
    table.setColumnLabels(list(names))
    for frame, row in enumerate(positions):
        table.appendRow(frame / rate, osim.RowVectorVec3([osim.Vec3(*map(float, point)) for point in row]))
    table.addTableMetaDataString("DataRate", str(rate))
    table.addTableMetaDataString("Units", "m")
    return table
