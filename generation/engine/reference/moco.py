"""MocoInverse: the muscle problem of one motion solved over all its frames at once, with activation dynamics.

Slow (minutes), so it is an option for one motion. Muscles become DeGroote-Fregly muscles with rigid tendons and without
passive fibre forces, so that what differs from static optimisation is the dynamics of activation and the solver.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import opensim as osim

from generation.engine.formats import PlateForce, write_external_loads, write_storage
from generation.engine.reference.model import MOCO_BOUND, Prepared, add_reserves, add_wrenches, contact_joints, prepare
from generation.engine.reference.static import reactions

MESH_S = 0.05  # s between mesh points, E: a squat has no faster change of muscle forces
TOLERANCE = 1e-3  # of IPOPT, convergence and constraints (E)
WIDTH = 1.5  # of the active force-length curve, OpenSim's own advice for DeGroote-Fregly muscles (R)


def solve(path: Path, arrays: dict, options: dict, tell: Callable) -> tuple[dict[str, np.ndarray], dict]:
    """One job of `process.run_job`; arguments as `static.solve`, results on the same frames."""
    names = tuple(options["coordinates"])
    time, q, u = arrays["time"], arrays["q"], arrays["u"]
    frames, folder = arrays["frames"], path.parent
    full = prepare(path, names, with_muscles=True)
    driven = add_reserves(full, options["reserves"], MOCO_BOUND)
    full.model.initSystem()
    solution, inverse = _run(full, folder, time, q, _outside(folder, time, arrays, options["wrench_bodies"]),
                             float(time[frames[-1]] - time[frames[0]]), float(time[frames[0]]))
    tell("muscles", 0.8, "MocoInverse done")
    grid = np.array(solution.getTime().to_numpy())
    labels = [f"/forceset/{name}" for name in full.muscles]
    activations = _states(solution, [f"{label}/activation" for label in labels])
    tendon = inverse.analyze(solution, _strings([r".*\|tendon_force"]))
    columns = list(tendon.getColumnLabels())
    forces = np.column_stack([_column(tendon, columns.index(f"{label}|tendon_force")) for label in labels])
    reserves = np.zeros((len(grid), len(names)))
    for name in driven:
        control = solution.getControl(f"/forceset/reserve_{name}").to_numpy()
        reserves[:, names.index(name)] = control * options["reserves"][name]

    def resampled(values: np.ndarray) -> np.ndarray:
        return np.column_stack([np.interp(time[frames], grid, column) for column in values.T])

    activations, forces, reserves = (resampled(values) for values in (activations, forces, reserves))
    tell("muscles", 0.9, "forces read")
    contacts = _contacts(path, names, options, arrays, time, q, u, forces, reserves, driven)
    return ({"activations": activations, "muscle_forces": forces, "reserves": reserves, **contacts},
            {"muscles": list(full.muscles), "contacts": [key.removeprefix("contact_") for key in contacts],
             "mesh_s": MESH_S, "success": bool(solution.success())})


def _outside(folder: Path, time, arrays, bodies: Sequence[str]) -> Path | None:
    if not bodies:
        return None
    zero = np.zeros((len(time), 3))
    return write_external_loads(folder, "outside", time, [
        PlateForce(f"outside_{i}", body, arrays[f"force_{i}"], zero, arrays[f"moment_{i}"])
        for i, body in enumerate(bodies)])


def _run(full: Prepared, folder: Path, time, q, outside: Path | None, span: float, start: float):
    processor = osim.ModelProcessor(full.model)
    if outside is not None:
        processor.append(osim.ModOpAddExternalLoads(str(outside)))
    processor.append(osim.ModOpIgnoreTendonCompliance())
    processor.append(osim.ModOpReplaceMusclesWithDeGrooteFregly2016())
    processor.append(osim.ModOpIgnorePassiveFiberForcesDGF())
    processor.append(osim.ModOpScaleActiveFiberForceCurveWidthDGF(WIDTH))
    kinematics = folder / "kinematics.sto"
    labels = [f"{full.model.getCoordinateSet().get(name).getAbsolutePathString()}/value" for name in full.coordinates]
    write_storage(kinematics, "kinematics", time, labels, q)
    inverse = osim.MocoInverse()
    inverse.setModel(processor)
    inverse.setKinematics(osim.TableProcessor(str(kinematics)))
    inverse.set_initial_time(start)
    inverse.set_final_time(start + span)
    inverse.set_mesh_interval(MESH_S)
    inverse.set_convergence_tolerance(TOLERANCE)
    inverse.set_constraint_tolerance(TOLERANCE)
    inverse.set_minimize_sum_squared_activations(True)
    inverse.set_max_iterations(1000)
    found = inverse.solve()
    solution = found.getMocoSolution()
    if not solution.success():
        raise RuntimeError(f"MocoInverse did not converge: {solution.getStatus()}")
    study = inverse.initialize()
    full.keep += [inverse, found, study]
    return solution, study


def _contacts(path, names, options, arrays, time, q, u, forces, reserves, driven) -> dict[str, np.ndarray]:
    model = prepare(path, names, with_muscles=True)
    add_reserves(model, {name: 1.0 for name in driven})
    add_wrenches(model, path.parent, time, [(body, arrays[f"force_{i}"], arrays[f"moment_{i}"])
                                            for i, body in enumerate(options["wrench_bodies"])])
    model.initialise()
    joints = contact_joints(model.model)
    found = {name: [] for name in joints}
    motors = [names.index(name) for name in driven]
    for row, frame in enumerate(arrays["frames"]):
        model.place(time[frame], q[frame], u[frame])
        for name, force in reactions(model, joints, np.concatenate([forces[row], reserves[row, motors]])).items():
            found[name].append(force)
    return {f"contact_{name}": np.array(values) for name, values in found.items()}


def _states(solution, names: Sequence[str]) -> np.ndarray:
    return np.column_stack([solution.getState(name).to_numpy() for name in names])


def _column(table: osim.TimeSeriesTable, index: int) -> np.ndarray:
    return table.getDependentColumnAtIndex(index).to_numpy()


def _strings(values: Sequence[str]) -> osim.StdVectorString:
    found = osim.StdVectorString()
    for value in values:
        found.append(value)
    return found
