"""OpenSim inverse kinematics of one trial with one person's scaled model and calibrated markers."""

import tempfile
from pathlib import Path

import numpy as np
import opensim as osim
from scipy.interpolate import CubicSpline

from generation.engine.motion_data.fit import LOCKED, Person
from generation.engine.motion_data.markers import MARKER_SETS, reported
from generation.engine.motion_data.skeleton import Skeleton
from generation.engine.motion_data.sources import FRAME_RATE

ACCURACY = 1e-5  # of OpenSim's search; at 1e-3 the marker error is three times as large
EVERY = 2  # every second frame is solved: 30 Hz holds all of a signal low-passed at 6 Hz, and costs half
FLAT_SIDE = 0.10  # metres beside each foot of a made-up point that keeps the sole from rolling sideways; ours (E)
FLAT_NOISE = 0.005  # metres, how closely it is followed; ours (E)
REFERENCE_NOISE = 0.010  # a marker with this much skin motion weighs 1; weight falls with its square; ours (E)


def write_trc(path: Path, labels, positions: np.ndarray, rate: float) -> None:
    """Write markers (frame, marker, 3) in metres as an OpenSim `.trc`; a lost marker (NaN) is left out of its frame."""
    table = osim.TimeSeriesTableVec3()
    table.setColumnLabels(list(labels))
    for frame, row in enumerate(positions):
        table.appendRow(frame / rate, osim.RowVectorVec3([osim.Vec3(*map(float, point)) for point in row]))
    table.addTableMetaDataString("DataRate", str(rate))
    table.addTableMetaDataString("Units", "m")
    osim.TRCFileAdapter.write(table, str(path))


def flat_feet(person: Person, labels, positions: np.ndarray) -> dict[str, tuple[str, np.ndarray, np.ndarray]]:
    """A point beside each foot that keeps its sole level from side to side.

    Heel and toe markers leave the foot free to roll about their line, and a knee that caves in then turns the sole off
    the floor. These feet stand, so a point FLAT_SIDE beside the middle of heel and toe marker has to stay level with
    them, whatever the pitch. Returns {name: (body, place (3,) in that body, positions (frame, 3))}, metres.
    """
    places = MARKER_SETS[person.marker_set]
    points = {}
    for side, sign in (("r", 1.0), ("l", -1.0)):
        heel, toe = (
            next(label for label, p in places.items() if p.side == side and p.body == f"calcn_{side}" and keep(p))
            for keep in (lambda p: p.location[0] < 0, lambda p: p.location[0] > 0.15)
        )
        local = np.array([person.offsets[heel], person.offsets[toe]])
        ground = positions[:, [labels.index(heel), labels.index(toe)]]

        def beside(pair, sign=sign):
            along = (pair[..., 1, :] - pair[..., 0, :]) * [1, 0, 1]
            along = along / np.linalg.norm(along, axis=-1, keepdims=True)
            across = np.stack([-along[..., 2], np.zeros_like(along[..., 0]), along[..., 0]], axis=-1)
            return pair.mean(axis=-2) + sign * FLAT_SIDE * across

        points[f"flat_{side}"] = (f"calcn_{side}", beside(local), beside(ground))
    return points


def solve(generic: Skeleton, person: Person, labels, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Joint angles of one trial.

    positions: (frame, marker, 3) metres at 60 Hz. Solved at 60 / EVERY Hz and interpolated back. Returns values
    (frame, coordinate) in radians and metres, in the order of `generic.coordinates`, and the marker error (frame,) in
    metres: RMS over the markers of legs, pelvis and trunk.
    """
    skeleton = Skeleton(generic.model, person.parameters)
    model = skeleton.model
    places = MARKER_SETS[person.marker_set]
    used = [label for label in places if label in labels and label in person.offsets]
    data = positions[::EVERY, [labels.index(label) for label in used]]
    for label in used:
        body = model.getBodySet().get(places[label].body)
        model.addMarker(osim.Marker(label, body, osim.Vec3(*person.offsets[label])))
    flat = flat_feet(person, labels, positions[::EVERY])
    for name, (body, place, _) in flat.items():
        model.addMarker(osim.Marker(name, model.getBodySet().get(body), osim.Vec3(*place)))
    for name, value in person.pose.items():  # the search starts at a pose that this person really took
        coordinate = model.getCoordinateSet().get(name)
        coordinate.setDefaultValue(value)
        coordinate.setDefaultLocked(name in LOCKED)
    model.initSystem()

    tool = osim.InverseKinematicsTool()
    tool.setModel(model)
    tasks = tool.get_IKTaskSet()
    noise = {label: places[label].noise for label in used} | dict.fromkeys(flat, FLAT_NOISE)
    for label, value in noise.items():
        task = osim.IKMarkerTask()
        task.setName(label)
        task.setApply(True)
        task.setWeight((REFERENCE_NOISE / value) ** 2)
        tasks.cloneAndAppend(task)
    with tempfile.TemporaryDirectory() as folder:
        markers, motion = Path(folder) / "markers.trc", Path(folder) / "motion.mot"
        followed = np.concatenate([data, np.stack([point for _, _, point in flat.values()], axis=1)], axis=1)
        write_trc(markers, [*used, *flat], followed, FRAME_RATE / EVERY)
        tool.setMarkerDataFileName(str(markers))
        tool.setStartTime(0.0)
        tool.setEndTime((len(data) - 1) * EVERY / FRAME_RATE)
        tool.setOutputMotionFileName(str(motion))
        tool.setResultsDir(folder)
        tool.set_report_errors(False)
        tool.set_accuracy(ACCURACY)
        if not tool.run():
            raise RuntimeError("OpenSim's inverse kinematics did not finish")
        table = osim.TimeSeriesTable(str(motion))
        solved = table.getMatrix().to_numpy().copy()
        columns = list(table.getColumnLabels())
    values = np.zeros((len(solved), len(generic.coordinates)))
    for i, name in enumerate(generic.coordinates):
        values[:, i] = solved[:, columns.index(name)]
        if name not in ("pelvis_tx", "pelvis_ty", "pelvis_tz"):
            values[:, i] = np.deg2rad(values[:, i])

    shown = [i for i, label in enumerate(used) if label in reported(person.marker_set)]
    bodies = [generic.bodies.index(places[used[i]].body) for i in shown]
    local = np.array([person.offsets[used[i]] for i in shown])
    p, R = Skeleton(generic.model, person.parameters).transforms(values)
    placed = p[:, bodies] + np.einsum("fmij,mj->fmi", R[:, bodies], local)
    squared = ((placed - data[: len(values), shown]) ** 2).sum(axis=-1)
    error = np.sqrt(np.nanmean(squared, axis=1))
    solved_at, wanted = np.arange(len(values)) * EVERY, np.arange((len(values) - 1) * EVERY + 1)
    return CubicSpline(solved_at, values)(wanted), np.interp(wanted, solved_at, error)
