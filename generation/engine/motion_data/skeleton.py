"""The body model as OpenSim sees it, reduced to what inverse kinematics needs: bodies, joints, markers.

OpenSim is the reference here: every position comes from its own kinematics, and a person is a scaled copy made by its
own `Model.scale`. Muscles, patellae and contact shapes carry no marker and are left out, which makes solving several
times faster.
"""

import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import opensim as osim

osim.Logger.setLevelString("Error")
osim.Logger.removeFileSink()

DROPPED_SETS = ("ForceSet", "ConstraintSet", "ContactGeometrySet", "ControllerSet", "ProbeSet", "MarkerSet")

# Scale parameters of one person. Left and right share them: nothing in a squat recording separates a longer left femur
# from a marker placed lower. Each is (bodies, axes).
SCALE_GROUPS: dict[str, tuple[tuple[str, ...], tuple[int, ...]]] = {
    "pelvis_depth": (("pelvis",), (0,)),
    "pelvis_height": (("pelvis",), (1,)),
    "pelvis_width": (("pelvis",), (2,)),
    "femur_length": (("femur_r", "femur_l"), (1,)),
    "femur_girth": (("femur_r", "femur_l", "patella_r", "patella_l"), (0, 2)),
    "tibia_length": (("tibia_r", "tibia_l"), (1,)),
    "tibia_girth": (("tibia_r", "tibia_l"), (0, 2)),
    "foot_length": (("talus_r", "calcn_r", "toes_r", "talus_l", "calcn_l", "toes_l"), (0,)),
    "foot_girth": (("talus_r", "calcn_r", "toes_r", "talus_l", "calcn_l", "toes_l"), (1, 2)),
    "torso_depth": (("torso",), (0,)),
    "torso_height": (("torso",), (1,)),
    "torso_width": (("torso",), (2,)),
    "upper_arm": (("humerus_r", "humerus_l"), (0, 1, 2)),
    "forearm": (tuple(f"{b}_{s}" for b in ("ulna", "radius", "hand") for s in "rl"), (0, 1, 2)),
}
SCALE_NAMES = tuple(SCALE_GROUPS)


def lean_xml(path: str | Path) -> bytes:
    """The `.osim` at `path` as XML without muscles, patellae, constraints, contact shapes and markers."""
    full = osim.Model(str(path))
    with tempfile.TemporaryDirectory() as folder:
        lean = Path(folder) / "lean.osim"
        full.printToXML(str(lean))  # the current file format, whatever the source's
        tree = ET.parse(lean)  # noqa: S314 - the project's own artefact
    model = tree.getroot().find("Model")
    for name in DROPPED_SETS:
        objects = model.find(f"{name}/objects")
        if objects is not None:
            objects.clear()
    for name, prefix in (("JointSet", "patellofemoral"), ("BodySet", "patella")):
        objects = model.find(f"{name}/objects")
        for child in [c for c in objects if c.get("name", "").startswith(prefix)]:
            objects.remove(child)
    return ET.tostring(tree.getroot())


def lean_model(path: str | Path) -> osim.Model:
    """An OpenSim model of `lean_xml`."""
    with tempfile.TemporaryDirectory() as folder:
        lean = Path(folder) / "lean.osim"
        lean.write_bytes(lean_xml(path))
        return osim.Model(str(lean))


def scale_factors(parameters: dict[str, float]) -> dict[str, tuple[float, float, float]]:
    """Body scale factors {body: (x, y, z)} from one value for each of SCALE_NAMES."""
    factors: dict[str, list[float]] = {}
    for name, (bodies, axes) in SCALE_GROUPS.items():
        for body in bodies:
            for axis in axes:
                factors.setdefault(body, [1.0, 1.0, 1.0])[axis] = float(parameters[name])
    return {body: (f[0], f[1], f[2]) for body, f in factors.items()}


class Skeleton:
    """A scaled lean model with fast repeated kinematics.

    `model` and `state` stay referenced for the life of the object: OpenSim crashes when Python drops a model in use.
    """

    def __init__(self, model: osim.Model, parameters: dict[str, float] | None = None):
        self.model = osim.Model(model)  # a copy: scaling changes it
        self.parameters = dict(parameters) if parameters else {name: 1.0 for name in SCALE_NAMES}
        self.state = self.model.initSystem()
        if parameters:
            scales = osim.ScaleSet()
            for body, (x, y, z) in scale_factors(self.parameters).items():
                if not self.model.getBodySet().contains(body):
                    continue
                scale = osim.Scale()
                scale.setSegmentName(body)
                scale.setScaleFactors(osim.Vec3(x, y, z))
                scale.setApply(True)
                scales.cloneAndAppend(scale)
            self.model.scale(self.state, scales, False)
            self.state = self.model.initSystem()
        coordinates = self.model.getCoordinateSet()
        self.coordinates = tuple(coordinates.get(i).getName() for i in range(coordinates.getSize()))
        self._coordinates = [coordinates.get(i) for i in range(coordinates.getSize())]
        for coordinate in self._coordinates:
            coordinate.setLocked(self.state, False)
        self.lower = np.array([c.getRangeMin() for c in self._coordinates])
        self.upper = np.array([c.getRangeMax() for c in self._coordinates])
        bodies = self.model.getBodySet()
        self.bodies = tuple(bodies.get(i).getName() for i in range(bodies.getSize()))
        self._bodies = [bodies.get(i) for i in range(bodies.getSize())]

    def hip_centre(self, femur: str) -> np.ndarray:
        """(3,) the hip joint's centre in the pelvis frame, metres, at this skeleton's scale."""
        values = np.zeros((1, len(self.coordinates)))
        positions, _ = self.transforms(values)
        return positions[0, self.bodies.index(femur)] - positions[0, self.bodies.index("pelvis")]

    def transforms(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Positions (frame, body, 3) in metres and rotations (frame, body, 3, 3) for values (frame, coordinate) in
        radians.
        """
        positions = np.empty((len(values), len(self._bodies), 3))
        rotations = np.empty((len(values), len(self._bodies), 3, 3))
        for frame, row in enumerate(values):
            for coordinate, value in zip(self._coordinates, row, strict=True):
                coordinate.setValue(self.state, float(value), False)
            self.model.realizePosition(self.state)
            for index, body in enumerate(self._bodies):
                transform = body.getTransformInGround(self.state)
                positions[frame, index] = transform.p().to_numpy()
                rotation = transform.R()
                rotations[frame, index] = [[rotation.get(i, j) for j in range(3)] for i in range(3)]
        return positions, rotations
