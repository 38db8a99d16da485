"""The reference: OpenSim itself places the bodies of a model file."""

from pathlib import Path

import numpy as np
import opensim

from generation.engine.body import BODIES, CONTACTS, COORDINATES

opensim.Logger.setLevelString("Off")


class OpenSimModel:
    """An `.osim` file whose coordinates can all be set freely."""

    def __init__(self, path: Path | str):
        self.model = opensim.Model(str(path))
        self.coordinates = [self.model.getCoordinateSet().get(name) for name in COORDINATES]
        for coordinate in self.coordinates:
            coordinate.setDefaultLocked(False)
            coordinate.setDefaultClamped(False)
        self.state = self.model.initSystem()

    def place(self, q: np.ndarray) -> None:
        """Set the pose q (coordinate,), the patella's coordinates to their knee's."""
        for name, coordinate, value in zip(COORDINATES, self.coordinates, q, strict=True):
            source = COORDINATES.index(name.removesuffix("_beta"))
            coordinate.setValue(self.state, float(q[source] if name.endswith("_beta") else value), False)
        self.model.realizePosition(self.state)

    def origins(self) -> np.ndarray:
        """(body, 3) m"""
        return np.array([_xyz(self.model.getBodySet().get(name).getPositionInGround(self.state)) for name in BODIES])

    def rotations(self) -> np.ndarray:
        """(body, 3, 3)"""
        frames = [self.model.getBodySet().get(name).getTransformInGround(self.state).R() for name in BODIES]
        return np.array([[[frame.get(i, j) for j in range(3)] for i in range(3)] for frame in frames])

    def com(self) -> np.ndarray:
        """(3,) m"""
        return _xyz(self.model.calcMassCenterPosition(self.state))

    def contacts(self) -> np.ndarray:
        """(2, n, 3) m"""
        markers = self.model.getMarkerSet()
        points = [_xyz(markers.get(f"contact_{name}").getLocationInGround(self.state)) for name in CONTACTS]
        return np.array(points).reshape(2, -1, 3)

    def joint_centre(self, joint: str) -> np.ndarray:
        """(3,) m: the origin of the joint's frame in its parent."""
        frame = self.model.getJointSet().get(joint).getParentFrame()
        return _xyz(frame.getPositionInGround(self.state))


def random_poses(count: int, lower, upper, seed: int = 0) -> np.ndarray:
    """(count, coordinate) poses over the whole joint ranges, the pelvis within half a unit of upright."""
    poses = np.random.default_rng(seed).uniform(lower, upper, (count, len(COORDINATES)))
    pelvis = [name.startswith("pelvis") for name in COORDINATES]
    poses[:, pelvis] = np.random.default_rng(seed + 1).uniform(-0.5, 0.5, (count, sum(pelvis)))
    return poses


def _xyz(vector) -> np.ndarray:
    return np.array([vector[i] for i in range(3)])
