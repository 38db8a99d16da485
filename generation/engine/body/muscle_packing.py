"""Packs the muscles of an OpenSim model into arrays: their paths over the bones and what their force curves need.

The paths of the Rajagopal2015, LaiArnold and LaiUhlrich families are made of points fixed in a body and of cylinders to
wrap over, and of nothing else (the patella is a body of its own, so no point moves). Other parts are refused by name
rather than left out: a path without them would be a wrong path.

Arrays of `pack_muscles` (M muscles, P path points, W cylinders, V uses of a cylinder by a path; metres, radians,
newtons, all in the size of the given model; no array needs pickle):

    muscle_names (M,), path_bodies (B,)  names; every `*_body` below is an index into `path_bodies`
    point_start (M + 1,)                 the points of muscle m are rows point_start[m] : point_start[m + 1]
    point_body (P,), point_offset (P, 3) a point in its body's frame
    wrap_names (W,), wrap_body (W,)
    wrap_position (W, 3), wrap_rotation (W, 3, 3)        the cylinder's frame in its body; its axis is its own z
    wrap_radius, wrap_length (W,)
    wrap_axis, wrap_sign (W,)            the side it may be wrapped on: -1 or +1 of axis 0 (x) or 1 (y); sign 0: any
    use_muscle, use_wrap (V,)            in the order in which the path names its cylinders
    use_first, use_last (V,)             the points between which it may wrap, counted within the muscle
    maximum_isometric_force, optimal_fiber_length, tendon_slack_length (M,)
    pennation_at_optimal, maximum_pennation (M,)         rad
    maximum_contraction_velocity (M,)    optimal fibre lengths per second
    fiber_damping, minimum_fiber_length, minimum_activation, minimum_control, maximum_control (M,)
    activation_time, deactivation_time (M,)              s
    rigid_tendon (M,) bool               the model's own `ignore_tendon_compliance`
    active_*, velocity_*, passive_*, tendon_* (M,)       the constants of the four Millard 2012 curves, as in use
"""

import numpy as np

from generation.engine.body.builder.source import as_array, rotation_array

_PARAMETERS = {
    "maximum_isometric_force": "get_max_isometric_force",
    "optimal_fiber_length": "get_optimal_fiber_length",
    "tendon_slack_length": "get_tendon_slack_length",
    "pennation_at_optimal": "get_pennation_angle_at_optimal",
    "maximum_pennation": "get_maximum_pennation_angle",
    "maximum_contraction_velocity": "get_max_contraction_velocity",
    "fiber_damping": "get_fiber_damping",
    "minimum_fiber_length": "getMinimumFiberLength",
    "minimum_activation": "get_minimum_activation",
    "minimum_control": "get_min_control",
    "maximum_control": "get_max_control",
    "activation_time": "get_activation_time_constant",
    "deactivation_time": "get_deactivation_time_constant",
}

# array prefix -> the muscle's getter of the curve, and the curve's getters. "InUse" is what OpenSim computes for a
# constant that the file leaves open.
_CURVES = {
    "active": ("getActiveForceLengthCurve", {
        "minimum_length": "getMinActiveFiberLength", "transition_length": "getTransitionFiberLength",
        "maximum_length": "getMaxActiveFiberLength", "shallow_slope": "getShallowAscendingSlope",
        "minimum_value": "getMinValue"}),
    "velocity": ("getForceVelocityCurve", {
        "concentric_slope_at_vmax": "getConcentricSlopeAtVmax", "concentric_slope_near_vmax":
        "getConcentricSlopeNearVmax", "isometric_slope": "getIsometricSlope",
        "eccentric_slope_at_vmax": "getEccentricSlopeAtVmax", "eccentric_slope_near_vmax": "getEccentricSlopeNearVmax",
        "maximum_eccentric_force": "getMaxEccentricVelocityForceMultiplier",
        "concentric_curviness": "getConcentricCurviness", "eccentric_curviness": "getEccentricCurviness"}),
    "passive": ("getFiberForceLengthCurve", {
        "strain_at_zero_force": "getStrainAtZeroForce", "strain_at_one_force": "getStrainAtOneNormForce",
        "stiffness_at_low_force": "getStiffnessAtLowForceInUse", "stiffness_at_one_force":
        "getStiffnessAtOneNormForceInUse", "curviness": "getCurvinessInUse"}),
    "tendon": ("getTendonForceLengthCurve", {
        "strain_at_one_force": "getStrainAtOneNormForce", "stiffness_at_one_force": "getStiffnessAtOneNormForceInUse",
        "force_at_toe_end": "getNormForceAtToeEndInUse", "curviness": "getCurvinessInUse"}),
}


def pack_muscles(model) -> dict[str, np.ndarray]:
    """The muscles that `model` (an `opensim.Model` after `initSystem()`) applies, as the arrays described above.

    Raises ValueError that names the muscle for what cannot be packed: other muscle classes than Millard 2012, path
    points that move or come and go, wrapping surfaces other than cylinders, methods other than "hybrid".
    """
    import opensim  # slow to load, and only needed when a body is made

    muscles = [model.getMuscles().get(i) for i in range(model.getMuscles().getSize())]
    muscles = [muscle for muscle in muscles if muscle.get_appliesForce()]
    millard = []
    for muscle in muscles:
        one = opensim.Millard2012EquilibriumMuscle.safeDownCast(muscle)
        if one is None:
            raise ValueError(f"muscle {muscle.getName()} is a {muscle.getConcreteClassName()}; only "
                             "Millard2012EquilibriumMuscle can be used")
        millard.append(one)
    bodies = ["ground", *(model.getBodySet().get(i).getName() for i in range(model.getBodySet().getSize()))]
    return {
        "muscle_names": np.array([muscle.getName() for muscle in muscles], dtype=str),
        "path_bodies": np.array(bodies, dtype=str),
        **_pack_paths(muscles, bodies),
        **_pack_parameters(millard),
    }


def _pack_paths(muscles, bodies) -> dict[str, np.ndarray]:
    points, starts, wraps, uses = [], [0], {}, []
    for number, muscle in enumerate(muscles):
        path, name = muscle.getGeometryPath(), muscle.getName()
        point_set, wrap_set = path.getPathPointSet(), path.getWrapSet()
        for i in range(point_set.getSize()):
            points.append(_point(point_set.get(i), name, bodies))
        starts.append(len(points))
        count = point_set.getSize()
        for i in range(wrap_set.getSize()):
            use = wrap_set.get(i)
            if not use.getWrapObject().get_active():
                continue
            if use.getMethodName() != "hybrid":
                raise ValueError(f"muscle {name} wraps by the method {use.getMethodName()!r}; only 'hybrid' can be "
                                 "used")
            key = use.getWrapObject().getAbsolutePathString()
            if key not in wraps:
                wraps[key] = _cylinder(use.getWrapObject(), name, bodies)
            first, last = use.get_range(0), use.get_range(1)  # from 1; below 1 stands for the path's own end
            uses.append((number, list(wraps).index(key), max(first, 1) - 1, (last if last >= 1 else count) - 1))
    wraps, uses = list(wraps.values()), np.array(uses, dtype=int).reshape(-1, 4)
    names = ("wrap_names", "wrap_body", "wrap_position", "wrap_rotation", "wrap_radius", "wrap_length", "wrap_axis",
             "wrap_sign")
    shapes = {"wrap_position": (-1, 3), "wrap_rotation": (-1, 3, 3)}
    packed = {name: np.array([wrap[k] for wrap in wraps]).reshape(shapes.get(name, (-1,)))
              for k, name in enumerate(names)}
    if not wraps:  # without rows numpy cannot tell what the columns hold
        packed |= {"wrap_names": np.array([], dtype=str)}
        packed |= {name: np.array([], dtype=int) for name in ("wrap_body", "wrap_axis", "wrap_sign")}
    return {
        "point_start": np.array(starts),
        "point_body": np.array([body for body, _ in points]),
        "point_offset": np.array([offset for _, offset in points]).reshape(-1, 3),
        **packed,
        "use_muscle": uses[:, 0], "use_wrap": uses[:, 1], "use_first": uses[:, 2], "use_last": uses[:, 3],
    }


def _point(point, muscle: str, bodies) -> tuple[int, np.ndarray]:
    import opensim

    if point.getConcreteClassName() != "PathPoint":
        raise ValueError(f"muscle {muscle} has a {point.getConcreteClassName()} ({point.getName()}); only points fixed "
                         "in a body can be used")
    frame = point.getParentFrame()
    place = frame.findTransformInBaseFrame()
    offset = opensim.PathPoint.safeDownCast(point).get_location()
    offset = as_array(place.p()) + rotation_array(place.R()) @ as_array(offset)
    return bodies.index(frame.findBaseFrame().getName()), offset


def _cylinder(wrap, muscle: str, bodies):
    import opensim

    cylinder = opensim.WrapCylinder.safeDownCast(wrap)
    if cylinder is None:
        raise ValueError(f"muscle {muscle} wraps over a {wrap.getConcreteClassName()} ({wrap.getName()}); only "
                         "cylinders can be used")
    quadrant = wrap.get_quadrant().lower()
    side = quadrant.lstrip("+-")
    if quadrant != "all" and side not in ("x", "y"):
        raise ValueError(f"the cylinder {wrap.getName()} has the quadrant {quadrant!r}; only all, x and y can be used")
    sign = 0 if quadrant == "all" else -1 if quadrant.startswith("-") else 1
    turn = opensim.Rotation()
    turn.setRotationToBodyFixedXYZ(wrap.get_xyz_body_rotation())
    base = wrap.getFrame().findTransformInBaseFrame()
    return (
        wrap.getName(), bodies.index(wrap.getFrame().findBaseFrame().getName()),
        as_array(base.p()) + rotation_array(base.R()) @ as_array(wrap.get_translation()),
        rotation_array(base.R()) @ rotation_array(turn), cylinder.get_radius(), cylinder.get_length(),
        "xy".find(side), sign,
    )


def _pack_parameters(muscles) -> dict[str, np.ndarray]:
    packed = {name: np.array([getattr(muscle, getter)() for muscle in muscles], dtype=float)
              for name, getter in _PARAMETERS.items()}
    packed["rigid_tendon"] = np.array([muscle.get_ignore_tendon_compliance() for muscle in muscles], dtype=bool)
    for prefix, (curve, constants) in _CURVES.items():
        for name, getter in constants.items():
            values = [getattr(getattr(muscle, curve)(), getter)() for muscle in muscles]
            packed[f"{prefix}_{name}"] = np.array(values, dtype=float)
    return packed
