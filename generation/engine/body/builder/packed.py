"""Packs the squat model's skeleton into arrays, so that the run time needs no OpenSim.

Arrays of `genuflex.npz` (B bodies = B joints, joint i carries body i; C coordinates; F splines; K contact points):

    bodies (B,), coordinates (C,), contacts (K,) names
    lower, upper, default (C,)           joint ranges and default pose, radians or metres
    rotational (C,) bool                 angle or translation (OpenSim calls the patella's angle "coupled")
    locked (C,) bool
    source (C,)                          the coordinate this one copies (itself, or `knee_angle` for the patella)
    parent (B,)                          parent body, -1 for ground
    parent_position (B, 3), parent_rotation (B, 3, 3)    joint frame in the parent body
    child_position (B, 3), child_rotation (B, 3, 3)      joint frame in the child body
    axes (B, 6, 3)                       three body-fixed rotations in order, then three translations
    axis_coordinate (B, 6)               coordinate of the axis, -1 for a constant
    axis_slope, axis_intercept (B, 6)    value = slope * coordinate + intercept
    axis_spline (B, 6)                   index of the spline that replaces the line, or -1
    breaks (S,), spline (F, S + 1, 4)    common knots; cubic coefficients, lowest power first, in (angle - left knot);
                                         the first and last pieces are the straight ends
    mass (B,), mass_centre (B, 3), inertia (B, 6)        kg, m, kg m2: xx yy zz xy xz yz about the mass centre
    contact_body (K,), contact_offset (K, 3)
"""

from pathlib import Path

import numpy as np

from generation.engine.body.builder.osim import CONTACT_PREFIX, CONTACTS
from generation.engine.body.builder.source import as_array, rotation_array


def pack_model(osim: Path, target: Path) -> None:
    """Write the arrays of the model file `osim` to the `.npz` file `target`; ValueError for what it cannot pack."""
    import opensim

    model = opensim.Model(str(osim))
    model.initSystem()
    bodies = [model.getBodySet().get(i) for i in range(model.getBodySet().getSize())]
    names = [body.getName() for body in bodies]
    coordinates = [model.getCoordinateSet().get(i) for i in range(model.getCoordinateSet().getSize())]
    coordinate_names = [c.getName() for c in coordinates]
    joints = {}
    for i in range(model.getJointSet().getSize()):
        joint = model.getJointSet().get(i)
        joints[joint.getChildFrame().findBaseFrame().getName()] = joint

    arrays = {
        "bodies": np.array(names),
        "coordinates": np.array(coordinate_names),
        "lower": np.array([c.getRangeMin() for c in coordinates]),
        "upper": np.array([c.getRangeMax() for c in coordinates]),
        "default": np.array([c.getDefaultValue() for c in coordinates]),
        "rotational": np.array([c.getMotionType() != opensim.Coordinate.Translational for c in coordinates]),
        "locked": np.array([c.getDefaultLocked() for c in coordinates]),
        "source": np.array([coordinate_names.index(n.removesuffix("_beta")) for n in coordinate_names]),
        "mass": np.array([body.getMass() for body in bodies]),
        "mass_centre": np.array([as_array(body.getMassCenter()) for body in bodies]),
        "inertia": np.array(
            [np.concatenate([as_array(b.getInertia().getMoments()), as_array(b.getInertia().getProducts())])
             for b in bodies]
        ),
    }
    arrays |= _pack_frames(joints, names)
    arrays |= _pack_axes(joints, names, coordinate_names)
    markers = model.getMarkerSet()
    contacts = [markers.get(f"{CONTACT_PREFIX}{name}_{side}") for side in "rl" for name in CONTACTS]
    arrays["contacts"] = np.array([marker.getName().removeprefix(CONTACT_PREFIX) for marker in contacts])
    arrays["contact_body"] = np.array([names.index(m.getParentFrameName().rsplit("/", 1)[-1]) for m in contacts])
    arrays["contact_offset"] = np.array([as_array(marker.get_location()) for marker in contacts])
    np.savez_compressed(target, **arrays)


def _pack_frames(joints, names) -> dict[str, np.ndarray]:
    packed = {"parent": []} | {f"{end}_{part}": [] for end in ("parent", "child") for part in ("position", "rotation")}
    for name in names:
        ends = {"parent": joints[name].getParentFrame(), "child": joints[name].getChildFrame()}
        base = ends["parent"].findBaseFrame().getName()
        packed["parent"].append(-1 if base == "ground" else names.index(base))
        for end, frame in ends.items():
            transform = frame.findTransformInBaseFrame()
            packed[f"{end}_position"].append(as_array(transform.p()))
            packed[f"{end}_rotation"].append(rotation_array(transform.R()))
    if any(parent >= i for i, parent in enumerate(packed["parent"])):
        raise ValueError("a body comes before its parent in the model")
    return {key: np.array(value) for key, value in packed.items()}


def _pack_axes(joints, names, coordinate_names) -> dict[str, np.ndarray]:
    import opensim

    shape = (len(names), 6)
    axes = np.tile(np.eye(3)[[0, 1, 2, 0, 1, 2]], (len(names), 1, 1))
    coordinate, spline_of = np.full(shape, -1), np.full(shape, -1)
    slope, intercept = np.zeros(shape), np.zeros(shape)
    splines = []
    for body, name in enumerate(names):
        joint = joints[name]
        kind = joint.getConcreteClassName()
        if kind in ("PinJoint", "UniversalJoint"):  # about z; about x, then y
            for k, axis in enumerate([2] if kind == "PinJoint" else [0, 1]):
                axes[body, k] = np.eye(3)[axis]
                coordinate[body, k] = coordinate_names.index(joint.get_coordinates(k).getName())
                slope[body, k] = 1.0
            continue
        if kind != "CustomJoint":
            raise ValueError(f"joint {joint.getName()} is a {kind}, which cannot be packed")
        transform = opensim.CustomJoint.safeDownCast(joint).getSpatialTransform()
        for k in range(6):
            axis = transform.getTransformAxis(k)
            axes[body, k] = as_array(axis.getAxis()) / np.linalg.norm(as_array(axis.getAxis()))
            used = axis.getCoordinateNamesInArray()
            function = axis.getFunction()
            line, spline = opensim.LinearFunction.safeDownCast(function), opensim.SimmSpline.safeDownCast(function)
            if used.getSize():
                coordinate[body, k] = coordinate_names.index(used.get(0))
            if line:
                slope[body, k], intercept[body, k] = line.getSlope(), line.getIntercept()
            elif spline:
                spline_of[body, k] = len(splines)
                splines.append(spline)
            elif not used.getSize():
                intercept[body, k] = opensim.Constant.safeDownCast(function).getValue()
            else:
                raise ValueError(f"joint {joint.getName()}: {function.getConcreteClassName()} cannot be packed")
    knots = [np.array([s.getX(i) for i in range(s.getSize())]) for s in splines]
    breaks = max(knots, key=len)
    if any(not np.allclose(k, breaks[: len(k)], atol=1e-9) for k in knots):
        raise ValueError("the splines do not share their knots")
    return {
        "axes": axes, "axis_coordinate": coordinate, "axis_slope": slope, "axis_intercept": intercept,
        "axis_spline": spline_of, "breaks": breaks, "spline": np.array([_cubics(s, breaks) for s in splines]),
    }


def _cubics(spline, breaks) -> np.ndarray:
    """(S + 1, 4) coefficients of a SimmSpline: two values and two slopes fix each cubic piece exactly."""
    import opensim

    def at(x, order=0):
        where = opensim.Vector(1, float(x))
        if order == 0:
            return spline.calcValue(where)
        derivative = opensim.StdVectorInt()
        derivative.append(0)
        return spline.calcDerivative(derivative, where)

    value, slope = np.array([at(x) for x in breaks]), np.array([at(x, 1) for x in breaks])
    width, rise = np.diff(breaks), np.diff(value)
    second = (3 * rise / width - 2 * slope[:-1] - slope[1:]) / width
    third = (slope[:-1] + slope[1:] - 2 * rise / width) / width**2
    inner = np.stack([value[:-1], slope[:-1], second, third], axis=1)
    ends = [[value[i], slope[i], 0.0, 0.0] for i in (0, -1)]
    return np.concatenate([ends[:1], inner, ends[1:]])
