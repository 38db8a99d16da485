"""The fast route's kinematics against OpenSim's on the same model."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from generation.engine.body import JOINT_CENTRES, BodyModel, TorchBody
from generation.engine.body.osim_file import open_osim
from generation.engine.formats.motion import Motion


@dataclass(frozen=True)
class KinematicsComparison:
    """Distances in metres between the two routes over the frames of one motion."""

    frames: int
    joint_centre_m: float                 # worst of all joints and frames
    joint_centres_m: dict[str, float]     # worst of each joint
    com_m: float                          # worst of the whole-body centre of mass
    mass_kg: float                        # difference of the total mass
    missing: tuple[str, ...]              # coordinates of the model that the motion has not, taken at their default


def compare_with_opensim(body: BodyModel, motion: Motion, dtype=torch.float32,
                         most_frames: int | None = None) -> KinematicsComparison:
    """Place `body` in every frame of `motion` (its own coordinates, any order) by torch and by OpenSim.

    most_frames: no more than so many, evenly chosen. ValueError when the motion has none of the body's coordinates.
    """
    q, missing = coordinates_of(body, motion)
    if most_frames is not None and len(q) > most_frames:
        q = q[np.linspace(0, len(q) - 1, most_frames).round().astype(int)]
    torch_body = TorchBody(body, dtype=dtype)
    with torch.no_grad():
        placed = torch_body(torch.as_tensor(q, dtype=dtype))
        centres = {name: place.double().numpy() for name, place in torch_body.joint_centres(placed).items()}
        com = placed.com.double().numpy()
    reference, reference_com, mass = _opensim_places(body, q, list(centres))
    worst = {name: float(np.linalg.norm(centres[name] - reference[name], axis=1).max()) for name in centres}
    return KinematicsComparison(
        frames=len(q), joint_centre_m=max(worst.values()), joint_centres_m=worst,
        com_m=float(np.linalg.norm(com - reference_com, axis=1).max()), mass_kg=abs(mass - body.mass_kg),
        missing=tuple(missing))


def coordinates_of(body: BodyModel, motion: Motion) -> tuple[np.ndarray, list[str]]:
    """The motion as (time, coordinate) of the body, and the coordinates that it lacks, taken at the model's default.
    Copies (the patella's) follow their driver. ValueError when it has none of them."""
    column = {name: motion.values[:, i] for i, name in enumerate(motion.coordinates)}
    names, packed = body.coordinates, body.packed
    if not set(names) & set(column):
        raise ValueError("the motion has none of the body's coordinates")
    q, missing = np.tile(packed["default"], (len(motion.values), 1)), []
    for i, name in enumerate(names):
        driver = names[packed["source"][i]]
        if driver in column:
            q[:, i] = packed["copy_slope"][i] * column[driver] + packed["copy_intercept"][i]
        else:
            missing.append(name)
    return q, missing


def _opensim_places(body: BodyModel, q: np.ndarray, wanted: Sequence[str]):
    """Joint centres {name: (frame, 3)}, centres of mass (frame, 3) and the mass, by OpenSim."""
    model = open_osim(body.osim)
    coordinate_set = model.getCoordinateSet()
    coordinates = [coordinate_set.get(name) for name in body.coordinates]
    for coordinate in coordinates:
        coordinate.setDefaultLocked(False)
        coordinate.setDefaultClamped(False)
    state = model.initSystem()
    joints = {}
    for i in range(model.getJointSet().getSize()):
        joint = model.getJointSet().get(i)
        joints[joint.getChildFrame().findBaseFrame().getName()] = joint.getParentFrame()
    centres = {name: np.empty((len(q), 3)) for name in wanted}
    com = np.empty((len(q), 3))
    for frame, row in enumerate(q):
        for coordinate, value in zip(coordinates, row, strict=True):
            coordinate.setValue(state, float(value), False)
        model.realizePosition(state)
        for name in wanted:
            place = joints[JOINT_CENTRES[name]].getPositionInGround(state)
            centres[name][frame] = [place[i] for i in range(3)]
        place = model.calcMassCenterPosition(state)
        com[frame] = [place[i] for i in range(3)]
    return centres, com, model.getTotalMass(state)
