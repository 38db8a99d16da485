"""Inverse dynamics, static optimisation and joint reactions of one motion, each by OpenSim's own code."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import opensim as osim

from generation.engine.reference.model import Prepared, add_reserves, add_wrenches, contact_joints, prepare

CONVERGENCE = 1e-5  # of OpenSim's optimiser; at its default, 1e-4, single activations still move by 0.01
ITERATIONS = 200
TINY_ARM = 1e-4  # metres; a muscle whose arm stays below does not count as crossing a joint
SPAN_SAMPLES = 5  # frames in which is looked for the muscles that cross a joint


def solve(path: Path, arrays: dict, options: dict, tell: Callable) -> tuple[dict[str, np.ndarray], dict]:
    """One job of `process.run_job`.

    arrays: time (time,), q, u, udot (time, coordinate), frames (n,) the indices to be solved, and for each wrench i
    force_i, moment_i (time, 3). options: coordinates, wrench_bodies, reserves {coordinate: Nm or N at control 1},
    demand [coordinates whose capacity is wanted]. Returns the arrays of `opensim_route.Solved`.
    """
    names = tuple(options["coordinates"])
    time, q, u, udot = (arrays[key] for key in ("time", "q", "u", "udot"))
    wrenches = [(body, arrays[f"force_{i}"], arrays[f"moment_{i}"]) for i, body in enumerate(options["wrench_bodies"])]
    frames = arrays["frames"]
    folder = path.parent

    plain = prepare(path, names, with_muscles=False)
    add_wrenches(plain, folder, time, wrenches)
    plain.initialise()
    found = _inverse_dynamics(plain, time, q, u, udot)
    tell("moments", 0.05, "inverse dynamics done")

    full = prepare(path, names, with_muscles=True)
    driven = add_reserves(full, options["reserves"])
    add_wrenches(full, folder, time, wrenches)
    optimiser = _optimiser(full)
    full.initialise()
    store = _states(full, time, q, u)
    optimiser.setStatesStore(store)
    capacity = _Capacity(full, options["demand"], q[frames])
    joints = contact_joints(full.model)
    forces, contacts, capable = [], {name: [] for name in joints}, []
    for step, frame in enumerate(frames):
        full.place(time[frame], q[frame], u[frame])
        capable.append(capacity.at())
        (optimiser.step(full.state, step) if step else optimiser.begin(full.state))
        row = _last(optimiser.getForceStorage())
        forces.append(row)
        for name, force in reactions(full, joints, row).items():
            contacts[name].append(force)
        tell("muscles", 0.05 + 0.95 * (step + 1) / len(frames), f"{time[frame]:.2f} of {time[frames[-1]]:.2f} s")
    labels = _labels(optimiser.getForceStorage())
    controls = np.array([_row(optimiser.getActivationStorage(), i) for i in range(len(frames))])
    forces = np.array(forces)
    muscle = [labels.index(name) for name in full.muscles]
    found |= {
        "activations": controls[:, muscle], "muscle_forces": forces[:, muscle],
        "reserves": _spread(forces, labels, driven, names), "capacity": np.array(capable),
        **{f"contact_{name}": np.array(values) for name, values in contacts.items()},
    }
    return found, {"muscles": list(full.muscles), "contacts": list(joints), "removed": list(full.removed)}


def _inverse_dynamics(plain: Prepared, time, q, u, udot) -> dict[str, np.ndarray]:
    """Generalised forces (time, coordinate), centre of mass and its velocity (time, 3)."""
    solver = osim.InverseDynamicsSolver(plain.model)
    moments, com, velocity = [], [], []
    for frame in range(len(time)):
        plain.place(time[frame], q[frame], u[frame])
        tree = osim.Vector(udot[frame][plain.tree_order].tolist())
        moment = np.empty(len(plain.coordinates))
        moment[plain.tree_order] = solver.solve(plain.state, tree).to_numpy()
        moments.append(moment)
        com.append(plain.model.calcMassCenterPosition(plain.state).to_numpy())
        velocity.append(plain.model.calcMassCenterVelocity(plain.state).to_numpy())
    return {"moments": np.array(moments), "com": np.array(com), "com_velocity": np.array(velocity)}


def _optimiser(full: Prepared) -> osim.StaticOptimization:
    optimiser = osim.StaticOptimization()
    optimiser.setUseModelForceSet(True)
    optimiser.setUseMusclePhysiology(True)
    optimiser.setActivationExponent(2)
    optimiser.setConvergenceCriterion(CONVERGENCE)
    optimiser.setMaxIterations(ITERATIONS)
    full.model.addAnalysis(optimiser)
    full.keep.append(optimiser)
    return optimiser


def _states(full: Prepared, time, q, u) -> osim.Storage:
    """The motion as OpenSim's states; accelerations are taken from the spline through the speeds."""
    names = full.model.getStateVariableNames()
    names = [names.get(i) for i in range(names.getSize())]
    column = np.zeros((len(time), len(names)))
    for index, name in enumerate(full.coordinates):
        path = full.coordinate(name).getAbsolutePathString()
        column[:, names.index(f"{path}/value")] = q[:, index]
        column[:, names.index(f"{path}/speed")] = u[:, index]
    labels = osim.ArrayStr()
    for label in ("time", *names):
        labels.append(label)
    store = osim.Storage()
    store.setColumnLabels(labels)
    for moment, row in zip(time, column, strict=True):
        store.append(float(moment), osim.Vector(row.tolist()))
    full.keep.append(store)
    return store


class _Capacity:
    """The largest moments that the muscles can make about some coordinates in a pose at its speeds, both ways."""

    def __init__(self, full: Prepared, wanted: list[str], poses: np.ndarray):
        self.full, self.wanted = full, wanted
        self.crossing: dict[str, list[int]] = {name: [] for name in wanted}
        for name in wanted:
            side = name[-2:]
            for index, muscle in enumerate(full.muscles):
                if muscle.endswith(side) and self._crosses(index, name, poses):
                    self.crossing[name].append(index)

    def _crosses(self, index: int, name: str, poses: np.ndarray) -> bool:
        for pose in poses[np.linspace(0, len(poses) - 1, SPAN_SAMPLES).astype(int)]:
            self.full.place(0.0, pose, np.zeros_like(pose))
            if abs(self._arm(index, name)) > TINY_ARM:
                return True
        return False

    def _arm(self, index: int, name: str) -> float:
        return self.full.muscle(index).computeMomentArm(self.full.state, self.full.coordinate(name))

    def at(self) -> np.ndarray:
        """(wanted, 2 [negative, positive]) Nm at full activation, in the state that is set."""
        found = np.zeros((len(self.wanted), 2))
        force = {i: self.full.muscle(i).calcInextensibleTendonActiveFiberForce(self.full.state, 1.0)
                 for i in sorted({i for row in self.crossing.values() for i in row})}
        for row, name in enumerate(self.wanted):
            for index in self.crossing[name]:
                moment = self._arm(index, name) * force[index]
                found[row, int(moment > 0)] += moment
        return found


def reactions(full: Prepared, joints: dict, row: np.ndarray) -> dict[str, np.ndarray]:
    """Force (3,) N of the parent on the child at each joint, in the child's frame: what JointReaction computes."""
    model, state = full.model, full.state
    forces = model.getForceSet()
    actuator = 0
    for i in range(forces.getSize()):
        motor = osim.ScalarActuator.safeDownCast(forces.get(i))
        if motor is None:
            continue
        motor.overrideActuation(state, True)
        motor.setOverrideActuation(state, float(row[actuator]))
        actuator += 1
    model.realizeAcceleration(state)
    found = {}
    for name, joint in joints.items():
        force = joint.calcReactionOnChildExpressedInGround(state).get(1)
        child = joint.getChildFrame().findBaseFrame()
        found[name] = model.getGround().expressVectorInAnotherFrame(state, force, child).to_numpy()
    for i in range(forces.getSize()):
        motor = osim.ScalarActuator.safeDownCast(forces.get(i))
        if motor is not None:
            motor.overrideActuation(state, False)
    return found


def _spread(forces: np.ndarray, labels: list[str], driven: list[str], names: tuple[str, ...]) -> np.ndarray:
    """The reserves' moments on the caller's coordinates, 0 where there is none."""
    spread = np.zeros((len(forces), len(names)))
    for name in driven:
        spread[:, names.index(name)] = forces[:, labels.index(f"reserve_{name}")]
    return spread


def _labels(storage: osim.Storage) -> list[str]:
    labels = storage.getColumnLabels()
    return [labels.get(i) for i in range(1, labels.getSize())]


def _row(storage: osim.Storage, index: int) -> np.ndarray:
    row = storage.getStateVector(index).getData()
    return np.array([row.get(i) for i in range(row.getSize())])


def _last(storage: osim.Storage) -> np.ndarray:
    return _row(storage, storage.getSize() - 1)
