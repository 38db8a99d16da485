"""OpenSim's own answers on a model file, for the tests of the fast route."""

from pathlib import Path

import numpy as np
import opensim

opensim.Logger.setLevelString("Off")
opensim.Logger.removeFileSink()


def write_table(path: Path, times, labels, values) -> Path:
    """A storage file in radians and metres."""
    head = ["table", "version=1", f"nRows={len(times)}", f"nColumns={len(labels) + 1}", "inDegrees=no", "endheader"]
    rows = ["\t".join(f"{x:.17g}" for x in (time, *row)) for time, row in zip(times, values, strict=True)]
    path.write_text("\n".join([*head, "\t".join(["time", *labels]), *rows]) + "\n")
    return path


def inverse_dynamics(osim: Path, folder: Path, coordinates, q, frame_rate, wrenches=()) -> np.ndarray:
    """Generalised forces (time, coordinate) from OpenSim's InverseDynamicsTool, which differentiates q itself."""
    times = np.arange(len(q)) / frame_rate
    tool = opensim.InverseDynamicsTool()
    model = opensim.Model(str(osim))
    tool.setModel(model)
    tool.setCoordinatesFileName(str(write_table(folder / "q.mot", times, coordinates, q)))
    tool.setStartTime(times[0])
    tool.setEndTime(times[-1])
    excluded = opensim.ArrayStr()
    excluded.append("Muscles")
    tool.setExcludedForces(excluded)
    if wrenches:
        loads = opensim.ExternalLoads()
        labels, columns = [], []
        for i, (body, force, moment) in enumerate(wrenches):
            for kind, values in (("v", force), ("p", np.zeros_like(force)), ("m", moment)):
                labels += [f"w{i}_{kind}{axis}" for axis in "xyz"]
                columns.append(values)
            one = opensim.ExternalForce()
            one.setName(f"w{i}")
            one.set_applied_to_body(body)
            one.set_force_expressed_in_body("ground")
            one.set_point_expressed_in_body("ground")
            one.set_force_identifier(f"w{i}_v")
            one.set_point_identifier(f"w{i}_p")
            one.set_torque_identifier(f"w{i}_m")
            loads.cloneAndAppend(one)
        loads.setDataFileName(str(write_table(folder / "loads.mot", times, labels, np.concatenate(columns, 1))))
        loads.printToXML(str(folder / "loads.xml"))
        tool.setExternalLoadsFileName(str(folder / "loads.xml"))
    tool.setResultsDir(str(folder))
    tool.setOutputGenForceFileName("id.sto")
    assert tool.run()
    table = opensim.TimeSeriesTable(str(folder / "id.sto"))
    labels = list(table.getColumnLabels())
    found = table.getMatrix().to_numpy()
    suffixes = ("_moment", "_force")
    column = [next(labels.index(name + s) for s in suffixes if name + s in labels) for name in coordinates]
    return found[:, column]
