"""A model file made ready for OpenSim's tools: muscles, reserves, and the forces that the world puts on it."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import opensim as osim

from generation.engine.formats import write_storage
from generation.engine.reference.opensim_route import CONTACTS

osim.Logger.setLevelString("Off")
osim.Logger.removeFileSink()

UNBOUNDED = 1e6  # control of a reserve, in its optimal forces: no bound that a movement could reach
MOCO_BOUND = 10.0  # the same where a solver scales by its bounds: 10 kNm of a motor, 100 Nm of a reserve (E)


@dataclass
class Prepared:
    """A model with the names that index its arrays. It is held here because OpenSim crashes when Python drops it."""

    model: osim.Model
    coordinates: tuple[str, ...]  # in the order of the caller's arrays
    muscles: tuple[str, ...]
    coupled: frozenset[str]  # coordinates that a constraint drives: the patella's
    removed: tuple[str, ...]  # forces of the file that are left out
    keep: list = field(default_factory=list)  # what OpenSim refers to without owning it
    state: osim.State | None = None

    def initialise(self) -> None:
        self.state = self.model.initSystem()
        found = self.model.getCoordinateSet()
        self._coordinates = [found.get(name) for name in self.coordinates]
        self._muscles = [self.model.getMuscles().get(name) for name in self.muscles]
        for index, coordinate in enumerate(self._coordinates):  # OpenSim's solvers count in the order of the tree
            coordinate.setSpeedValue(self.state, float(index + 1))
        self.tree_order = self.state.getU().to_numpy().round().astype(int) - 1

    def place(self, time: float, q: np.ndarray, u: np.ndarray) -> None:
        """Set pose and speeds (coordinate,) in radians, metres and seconds, and realise velocity."""
        self.state.setTime(float(time))
        for coordinate, value, speed in zip(self._coordinates, q, u, strict=True):
            coordinate.setValue(self.state, float(value), False)
            coordinate.setSpeedValue(self.state, float(speed))
        self.model.realizeVelocity(self.state)

    def muscle(self, index: int) -> osim.Muscle:
        return self._muscles[index]

    def coordinate(self, name: str) -> osim.Coordinate:
        return self._coordinates[self.coordinates.index(name)]


def prepare(path: Path, coordinates: tuple[str, ...], with_muscles: bool) -> Prepared:
    """Load a model without anything that acts but its muscles; every coordinate free.

    The torque motors of trunk and arms are replaced by reserves; springs, bushings and contact forces of a foreign
    model are left out, because inverse dynamics asks for the whole moment. Raises ValueError when the model's
    coordinates are not `coordinates`.
    """
    model = osim.Model(str(path))
    found = model.getCoordinateSet()
    names = [found.get(i).getName() for i in range(found.getSize())]
    if sorted(names) != sorted(coordinates):
        different = sorted(set(names) ^ set(coordinates))
        raise ValueError(f"the model and the motion differ in the coordinates {', '.join(different)}")
    for i in range(found.getSize()):
        found.get(i).setDefaultLocked(False)
        found.get(i).setDefaultClamped(False)
    forces, removed = model.updForceSet(), []
    for i in reversed(range(forces.getSize())):
        force = forces.get(i)
        muscle = osim.Muscle.safeDownCast(force) is not None
        if not (muscle and with_muscles):
            if not muscle and osim.CoordinateActuator.safeDownCast(force) is None:
                removed.append(force.getName())
            forces.remove(i)
    model.updControllerSet().clearAndDestroy()
    model.finalizeConnections()
    muscles = model.getMuscles()
    return Prepared(
        model, tuple(coordinates), tuple(muscles.get(i).getName() for i in range(muscles.getSize())),
        frozenset(_coupled(model)), tuple(reversed(removed)),
    )


def drop_forces(model: osim.Model) -> None:
    """Leave out all that pushes or pulls: inverse kinematics asks for none of it."""
    model.updForceSet().clearAndDestroy()
    model.updControllerSet().clearAndDestroy()
    model.finalizeConnections()


def add_reserves(prepared: Prepared, optimal: dict[str, float], bound: float = UNBOUNDED) -> list[str]:
    """A torque motor on each named coordinate; optimal: Nm or N at control 1. Returns their coordinates in order."""
    added = []
    for name in prepared.coordinates:
        if name in prepared.coupled or name not in optimal:
            continue
        motor = osim.CoordinateActuator(name)
        motor.setName(f"reserve_{name}")
        motor.setOptimalForce(float(optimal[name]))
        motor.setMinControl(-bound)
        motor.setMaxControl(bound)
        prepared.model.addForce(motor)
        added.append(name)
    return added


def add_wrenches(prepared: Prepared, folder: Path, times, wrenches: list[tuple[str, np.ndarray, np.ndarray]]) -> None:
    """Forces from outside: (body, force (time, 3) N, moment about the ground origin (time, 3) Nm), all in ground."""
    if not wrenches:
        return
    labels, columns = [], []
    for index, (_, force, moment) in enumerate(wrenches):
        for kind, values in (("v", force), ("p", np.zeros_like(force)), ("m", moment)):
            labels += [f"outside_{index}_{kind}{axis}" for axis in "xyz"]
            columns.append(values)
    path = folder / "outside.sto"
    write_storage(path, "outside", times, labels, np.concatenate(columns, axis=1))
    storage = osim.Storage(str(path))
    prepared.keep.append(storage)
    for index, (body, _, _) in enumerate(wrenches):
        name = f"outside_{index}"
        force = osim.ExternalForce(storage, f"{name}_v", f"{name}_p", f"{name}_m", body, "ground", "ground")
        force.setName(name)
        prepared.model.addForce(force)
        prepared.keep.append(force)


def contact_joints(model: osim.Model) -> dict[str, osim.Joint]:
    """The joints of CONTACTS that the model has."""
    by_body = {}
    joints = model.getJointSet()
    for i in range(joints.getSize()):
        by_body[joints.get(i).getChildFrame().findBaseFrame().getName()] = joints.get(i)
    return {name: by_body[body] for name, body in CONTACTS.items() if body in by_body}


def _coupled(model: osim.Model) -> list[str]:
    constraints = model.getConstraintSet()
    found = []
    for i in range(constraints.getSize()):
        coupler = osim.CoordinateCouplerConstraint.safeDownCast(constraints.get(i))
        if coupler is not None:
            found.append(coupler.getDependentCoordinateName())
    return found
