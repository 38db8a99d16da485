"""Any OpenSim model of a person as arrays: what the torch kinematics and dynamics read instead of the model.

Arrays (B bodies = B joints, joint i carries body i; C coordinates; F functions; K contact points):

    bodies (B,), coordinates (C,), contacts (K,) names; a body comes after its parent
    lower, upper, default (C,)           joint ranges and default pose, radians or metres
    rotational (C,) bool                 angle or translation (OpenSim calls the patella's angle "coupled")
    locked (C,) bool
    source (C,)                          the coordinate that drives this one: itself, or `knee_angle` for the patella
    copy_slope, copy_intercept (C,)      value = slope * driver + intercept; the axes below count from the driver
    parent (B,)                          parent body, -1 for ground
    parent_position (B, 3), parent_rotation (B, 3, 3)    joint frame in the parent body
    child_position (B, 3), child_rotation (B, 3, 3)      joint frame in the child body
    axes (B, 6, 3)                       three body-fixed rotations in order, then three translations; unit vectors
    axis_coordinate (B, 6)               coordinate of the axis, -1 for a constant; what moves comes first
    axis_slope, axis_intercept (B, 6)    value = slope * coordinate + intercept
    axis_spline (B, 6)                   index of the function that replaces the line, or -1
    breaks (S,), spline (F, S + 1, D+1)  common knots; polynomial coefficients, lowest power first, in (value - left
                                         knot); the first piece is counted from the first knot
    mass (B,), mass_centre (B, 3), inertia (B, 3, 3)     kg, m, kg m2 about the mass centre, in the body's axes
    contact_body (K,), contact_offset (K, 3)             all of the right sole, then as many of the left
    contact_source ()                    "markers", "spheres" or "generic": where the soles come from (`contacts.py`)
    bone_scale (B, 3)                    factors at which the body's bones are drawn
    gravity (3,)                         m/s2
"""

import numpy as np

from generation.engine.body.builder.source import as_array, rotation_array
from generation.engine.body.contacts import sole_contacts
from generation.engine.body.functions import Pieces, common_breaks, line, read_function
from generation.engine.formats.errors import FormatError

PELVIS = tuple(f"pelvis_{name}" for name in ("tilt", "list", "rotation", "tx", "ty", "tz"))
NEEDED_COORDINATES = PELVIS + tuple(
    f"{name}_{side}" for side in "rl"
    for name in ("hip_flexion", "hip_adduction", "hip_rotation", "knee_angle", "ankle_angle"))
NEEDED_BODIES = ("pelvis", "torso", *(f"{name}_{side}" for side in "rl" for name in ("femur", "tibia", "calcn")))
TOTAL_MASS_KG = (10.0, 400.0)  # E: outside it is not a person in kilograms
SEGMENT_LENGTH_M = 2.0         # E: no joint of a person lies further from the body's origin
BONES_DRAWN_AT = {"hand_r": 0.85, "hand_l": 0.85}  # scale of a mesh in the generic model, which the shipped bones carry
MOST_BODIES = 200              # E: full-body models have 22 to 40


def pack_model(model) -> dict[str, np.ndarray]:
    """The arrays of an initialised `opensim.Model`. Raises FormatError naming the joint, body or coordinate."""
    bodies, joints = _ordered_bodies(model)
    names = [body.getName() for body in bodies]
    coordinate_set = model.getCoordinateSet()
    coordinates = [coordinate_set.get(i) for i in range(coordinate_set.getSize())]
    coordinate_names = [coordinate.getName() for coordinate in coordinates]
    _check_names(names, coordinate_names)
    arrays = {
        "bodies": np.array(names),
        "coordinates": np.array(coordinate_names),
        "lower": np.array([c.getRangeMin() for c in coordinates]),
        "upper": np.array([c.getRangeMax() for c in coordinates]),
        "default": np.array([c.getDefaultValue() for c in coordinates]),
        "rotational": np.array([not _translates(c) for c in coordinates]),
        "locked": np.array([c.getDefaultLocked() for c in coordinates]),
        "mass": np.array([body.getMass() for body in bodies]),
        "mass_centre": np.array([as_array(body.getMassCenter()) for body in bodies]),
        "inertia": np.array([_inertia(body) for body in bodies]),
        "gravity": as_array(model.getGravity()),
    }
    arrays |= _pack_frames(joints, names)
    couplers = _couplers(model, coordinate_names)
    driven = [couplers.get(name, (i, 1.0, 0.0)) for i, name in enumerate(coordinate_names)]
    for key, column in zip(("source", "copy_slope", "copy_intercept"), zip(*driven, strict=True), strict=True):
        arrays[key] = np.array(column)
    # a copy's range is its driver's
    ends = [arrays["copy_slope"] * arrays[end][arrays["source"]] + arrays["copy_intercept"]
            for end in ("lower", "upper")]
    arrays["lower"], arrays["upper"] = np.minimum(*ends), np.maximum(*ends)
    arrays |= _pack_axes(joints, names, coordinate_names, couplers, arrays)
    arrays["bone_scale"] = _bone_scales(bodies)
    _check_numbers(arrays)
    arrays |= sole_contacts(model, arrays)
    return arrays


# ---- tree -----------------------------------------------------------------------------------------------------------

def _ordered_bodies(model):
    """Bodies in model order, but each after its parent, and the joint of each."""
    joint_set, body_set = model.getJointSet(), model.getBodySet()
    if not joint_set.getSize():
        raise FormatError("The model has no joints: its JointSet is missing or empty.")
    if body_set.getSize() > MOST_BODIES:
        raise FormatError(f"The model has {body_set.getSize()} bodies; at most {MOST_BODIES} are read.")
    joints = {}
    for i in range(joint_set.getSize()):
        joint = joint_set.get(i)
        child = joint.getChildFrame().findBaseFrame().getName()
        if child in joints:
            raise FormatError(f"Body {child} is carried by two joints, {joints[child].getName()} and "
                              f"{joint.getName()}; loops are not understood.")
        joints[child] = joint
    left = [body_set.get(i) for i in range(body_set.getSize())]
    for body in left:
        if body.getName() not in joints:
            raise FormatError(f"Body {body.getName()} is carried by no joint.")
    placed, done = [], {"ground"}
    while left:
        ready = [b for b in left if joints[b.getName()].getParentFrame().findBaseFrame().getName() in done]
        if not ready:
            raise FormatError(f"Body {left[0].getName()} hangs on itself: its joints form a loop.")
        first = ready[0]
        left.remove(first)
        placed.append(first)
        done.add(first.getName())
    return placed, joints


def _check_names(bodies: list[str], coordinates: list[str]) -> None:
    missing = [name for name in NEEDED_BODIES if name not in bodies]
    if missing:
        raise FormatError(f"The model has no body {missing[0]}; it must be of the Rajagopal, LaiArnold or LaiUhlrich "
                          f"family (missing bodies: {', '.join(missing)}).")
    missing = [name for name in NEEDED_COORDINATES if name not in coordinates]
    if missing:
        raise FormatError(f"The model has no coordinate {missing[0]}; it must be of the Rajagopal, LaiArnold or "
                          f"LaiUhlrich family (missing coordinates: {', '.join(missing)}).")


def _check_numbers(arrays: dict[str, np.ndarray]) -> None:
    bodies = arrays["bodies"]
    for key, what in (("mass", "mass"), ("mass_centre", "mass centre"), ("inertia", "inertia"),
                      ("parent_position", "joint"), ("child_position", "joint"), ("axes", "joint axis"),
                      ("axis_slope", "joint function"), ("axis_intercept", "joint function")):
        bad = ~np.isfinite(arrays[key].reshape(len(bodies), -1)).all(1)
        if bad.any():
            raise FormatError(f"Body {bodies[bad][0]}: its {what} is not a finite number.")
    for key in ("lower", "upper", "default"):
        bad = ~np.isfinite(arrays[key])
        if bad.any():
            raise FormatError(f"Coordinate {arrays['coordinates'][bad][0]}: its range or default is not finite.")
    if not np.isfinite(arrays["spline"]).all():
        raise FormatError("A joint function of the model has a value that is not finite.")
    if (arrays["mass"] < 0).any():
        raise FormatError(f"Body {bodies[arrays['mass'] < 0][0]} has a negative mass.")
    total = arrays["mass"].sum()
    if not TOTAL_MASS_KG[0] <= total <= TOTAL_MASS_KG[1]:
        raise FormatError(f"The bodies of the model weigh {total:g} kg together; between {TOTAL_MASS_KG[0]:g} and "
                          f"{TOTAL_MASS_KG[1]:g} kg is expected.")
    for key, what in (("parent_position", "parent's"), ("child_position", "own"), ("mass_centre", "mass centre and")):
        far = np.abs(arrays[key]).max(1) > SEGMENT_LENGTH_M
        if far.any():
            raise FormatError(f"Body {bodies[far][0]}: a distance to its {what} origin is above "
                              f"{SEGMENT_LENGTH_M:g} m; lengths must be in metres.")
    trace = np.trace(arrays["inertia"], axis1=1, axis2=2)
    if (trace < 0).any() or (trace > 100).any():
        raise FormatError(f"Body {bodies[(trace < 0) | (trace > 100)][0]}: its inertia is not that of a person's body "
                          "in kg m2.")
    crossed = arrays["lower"] > arrays["upper"]
    if crossed.any():
        raise FormatError(f"Coordinate {arrays['coordinates'][crossed][0]}: its range begins above its end.")


def _translates(coordinate) -> bool:
    import opensim

    return coordinate.getMotionType() == opensim.Coordinate.Translational


def _inertia(body) -> np.ndarray:
    inertia = body.getInertia()
    (xx, yy, zz), (xy, xz, yz) = as_array(inertia.getMoments()), as_array(inertia.getProducts())
    return np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])


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
    return {key: np.array(value) for key, value in packed.items()}


def _bone_scales(bodies) -> np.ndarray:
    """The scale factors of each body's first mesh against those of the generic model, 1 for a body without."""
    import opensim

    scales = np.ones((len(bodies), 3))
    for row, body in enumerate(bodies):
        meshes = [opensim.Mesh.safeDownCast(component) for component in body.getComponentsList()]
        first = next((mesh for mesh in meshes if mesh is not None), None)
        if first is not None:
            scales[row] = as_array(first.get_scale_factors()) / BONES_DRAWN_AT.get(body.getName(), 1.0)
    return scales


# ---- joints ---------------------------------------------------------------------------------------------------------

def _couplers(model, coordinate_names) -> dict[str, tuple[int, float, float]]:
    """Coordinate -> (the one it follows, slope, intercept)."""
    import opensim

    found = {}
    constraints = model.getConstraintSet()
    for i in range(constraints.getSize()):
        constraint = constraints.get(i)
        coupler = opensim.CoordinateCouplerConstraint.safeDownCast(constraint)
        name = constraint.getName()
        if coupler is None:
            raise FormatError(f"Constraint {name} is a {constraint.getConcreteClassName()}; only coordinate couplers "
                              "are understood.")
        if not coupler.get_isEnforced():
            continue
        leaders = coupler.getIndependentCoordinateNames()
        follower = coupler.getDependentCoordinateName()
        function = read_function(coupler.getFunction())
        if leaders.getSize() != 1 or function is None or not function.is_line or not function.coefficients[0, 1]:
            raise FormatError(f"Constraint {name}: {follower} must follow one other coordinate in a straight line.")
        if leaders.get(0) not in coordinate_names or follower not in coordinate_names:
            raise FormatError(f"Constraint {name} names a coordinate that the model has not.")
        factor = opensim.PropertyHelper.getValueDouble(coupler.getPropertyByName("scale_factor"))
        intercept, slope = function.coefficients[0, :2] * factor
        found[follower] = (coordinate_names.index(leaders.get(0)), float(slope), float(intercept))
    for follower, (leader, _, _) in found.items():
        if coordinate_names[leader] in found:
            raise FormatError(f"Coordinate {follower} follows {coordinate_names[leader]}, which follows another one.")
    return found


def _spatial(joint) -> list[tuple[np.ndarray, str | None, Pieces]]:
    """The six axes of a joint: direction, coordinate, function of it."""
    import opensim

    kind, unit, still = joint.getConcreteClassName(), np.eye(3), line(0.0, 0.0)
    axes = [(unit[k % 3], None, still) for k in range(6)]
    # which axes the coordinates of the simple joints move, in order (OpenSim's documentation of each class)
    simple = {"WeldJoint": (), "PinJoint": (2,), "SliderJoint": (3,), "UniversalJoint": (0, 1),
              "GimbalJoint": (0, 1, 2), "FreeJoint": (0, 1, 2, 3, 4, 5)}
    if kind in simple:
        for number, k in enumerate(simple[kind]):
            axes[k] = (unit[k % 3], joint.get_coordinates(number).getName(), line(1.0, 0.0))
        return axes
    if kind == "PlanarJoint":  # about z, along x, along y
        for number, k in enumerate((2, 3, 4)):
            axes[k] = (unit[k % 3], joint.get_coordinates(number).getName(), line(1.0, 0.0))
        return axes
    if kind != "CustomJoint":
        raise FormatError(f"Joint {joint.getName()} is a {kind}, which is not understood.")
    transform = opensim.CustomJoint.safeDownCast(joint).getSpatialTransform()
    for k in range(6):
        axis = transform.getTransformAxis(k)
        place = f"Joint {joint.getName()}, axis {k + 1}"
        direction, used = as_array(axis.getAxis()), axis.getCoordinateNamesInArray()
        if not np.linalg.norm(direction) > 1e-6:
            raise FormatError(f"{place} has no direction.")
        if used.getSize() > 1:
            raise FormatError(f"{place} depends on {used.getSize()} coordinates; one is understood.")
        function = read_function(axis.getFunction())
        if function is None:
            raise FormatError(f"{place}: a {axis.getFunction().getConcreteClassName()} is not understood.")
        axes[k] = (direction / np.linalg.norm(direction), used.get(0) if used.getSize() else None, function)
    return axes


def _pack_axes(joints, names, coordinate_names, couplers, arrays) -> dict[str, np.ndarray]:
    shape = (len(names), 6)
    axes = np.tile(np.eye(3)[[0, 1, 2, 0, 1, 2]], (len(names), 1, 1))
    coordinate, function_of = np.full(shape, -1), np.full(shape, -1)
    slope, intercept = np.zeros(shape), np.zeros(shape)
    functions: list[Pieces] = []
    for body, name in enumerate(names):
        spatial = _spatial(joints[name])
        spatial[:3], after = _moving_first(spatial[:3])
        arrays["child_rotation"][body] = arrays["child_rotation"][body] @ after.T
        for k, (direction, used, function) in enumerate(spatial):
            axes[body, k] = direction
            if used is not None and not function.coefficients[:, 1:].any():
                used, function = None, line(0.0, function.coefficients[0, 0])
            if used is None:
                intercept[body, k] = function.coefficients[0, 0]
                continue
            if used not in coordinate_names:
                raise FormatError(f"Joint {joints[name].getName()} moves with {used}, which is no coordinate of the "
                                  "model.")
            coordinate[body, k] = coordinate_names.index(used)
            if used in couplers:
                function = function.of_line(*couplers[used][1:])
            if function.is_line:
                intercept[body, k], slope[body, k] = function.coefficients[0, :2]
            else:
                function_of[body, k] = len(functions)
                functions.append(function)
    breaks = common_breaks(functions)
    if not len(breaks):
        breaks = np.zeros(1)
    degree = max([3, *(f.coefficients.shape[1] - 1 for f in functions)])
    rows = [f.at_breaks(breaks, degree) for f in functions]
    return {
        "axes": axes, "axis_coordinate": coordinate, "axis_slope": slope, "axis_intercept": intercept,
        "axis_spline": function_of, "breaks": breaks,
        "spline": np.array(rows).reshape(len(rows), len(breaks) + 1, degree + 1),
    }


def _moving_first(rotations):
    """Rotations that move before those that do not, and the constant rotation (3, 3) that comes after them all.

    R1(a) C R3(b) is R1(a) R3'(b) C with the third axis turned by C.
    """
    moving, after = [], np.eye(3)
    for direction, used, function in rotations:
        if used is None or not function.coefficients[:, 1:].any():
            after = after @ _turned(direction, function.coefficients[0, 0])
        else:
            moving.append((after @ direction, used, function))
    rest = [(np.eye(3)[k], None, line(0.0, 0.0)) for k in range(len(moving), 3)]
    return moving + rest, after


def _turned(axis: np.ndarray, angle: float) -> np.ndarray:
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    along = np.outer(axis, axis)
    return along + np.cos(angle) * (np.eye(3) - along) + np.sin(angle) * cross
