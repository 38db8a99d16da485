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
    for name, value in person.pose.items():  # the search starts at a pose that this person really took
        coordinate = model.getCoordinateSet().get(name)
        coordinate.setDefaultValue(value)
        coordinate.setDefaultLocked(name in LOCKED)
    model.initSystem()

    tool = osim.InverseKinematicsTool()
    tool.setModel(model)
    tasks = tool.get_IKTaskSet()
    for label in used:
        task = osim.IKMarkerTask()
        task.setName(label)
        task.setApply(True)
        task.setWeight((REFERENCE_NOISE / places[label].noise) ** 2)
        tasks.cloneAndAppend(task)
    with tempfile.TemporaryDirectory() as folder:
        markers, motion = Path(folder) / "markers.trc", Path(folder) / "motion.mot"
        write_trc(markers, used, data, FRAME_RATE / EVERY)
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
