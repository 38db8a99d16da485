"""Adapts Rajagopal2015 to deep squats: joint ranges, unlocked feet, patella beyond 120 degrees, contact points.

The source model is Rajagopal et al. 2016, IEEE Trans Biomed Eng 63:2068-2079. Every number here that the source does
not hold is ours (status E, an engineering default) unless a comment says otherwise.
"""

from pathlib import Path

import numpy as np

# (lowest, highest) in degrees, of the model and not of a person: wide enough for the movement data and for overhead
# arms, so that a limit of a patient or an exercise always lies inside. Signs as in the source: `mtp_angle` is negative
# in toe extension (heel rise), `arm_add` is negative in abduction, `subtalar_angle` is positive in inversion. All E.
RANGES_DEG = {
    "hip_flexion": (-30, 140),
    "hip_adduction": (-50, 30),
    "hip_rotation": (-45, 45),
    "knee_angle": (0, 160),
    "ankle_angle": (-40, 45),
    "subtalar_angle": (-25, 25),
    "mtp_angle": (-60, 30),
    "lumbar_extension": (-75, 40),
    "lumbar_bending": (-40, 40),
    "lumbar_rotation": (-50, 50),
    "arm_flex": (-60, 190),
    "arm_add": (-180, 90),
    "arm_rot": (-110, 110),
    "elbow_flex": (0, 150),
    "pro_sup": (-10, 160),
}
UNLOCKED = ("subtalar_angle", "mtp_angle")

# Plantar soft tissue under the lowest bone point, standing. With it the heel pad of the model is about 10 mm thick, the
# order of a loaded heel pad in the literature (R); the value itself is E.
SOLE_THICKNESS_M = 0.008

CONTACT_PREFIX = "contact_"
CONTACTS = ("heel_medial", "heel_lateral", "metatarsal_1", "metatarsal_5", "toe_1", "toe_5")


def adapt_model(source: Path, bones, target: Path) -> None:
    """Write the squat model made from the Rajagopal2015 file `source` to `target`.

    bones: what `source.bone_meshes` gives for that model; the contact points are placed under them.
    """
    import opensim

    model = opensim.Model(str(source))
    model.setName("genuflex")
    model.set_credits(f"{model.get_credits()} Adapted for deep squats by the Genuflex project: see PROVENANCE.md.")
    coordinates = model.updCoordinateSet()
    for i in range(coordinates.getSize()):
        coordinate = coordinates.get(i)
        base = coordinate.getName().removesuffix("_r").removesuffix("_l")
        if base in RANGES_DEG:
            low, high = np.radians(RANGES_DEG[base])
            coordinate.setRangeMin(float(low))
            coordinate.setRangeMax(float(high))
        if base in UNLOCKED:
            coordinate.setDefaultLocked(False)
    for side in "rl":
        beta = coordinates.get(f"knee_angle_{side}_beta")
        knee = coordinates.get(f"knee_angle_{side}")
        beta.setRangeMin(knee.getRangeMin())
        beta.setRangeMax(knee.getRangeMax())
        _extend_patella(model, side)
        for name, (body, point) in contact_points(bones, side).items():
            marker = opensim.Marker()
            marker.setName(f"{CONTACT_PREFIX}{name}_{side}")
            marker.setParentFrameName(f"/bodyset/{body}")
            marker.set_location(opensim.Vec3(*[float(x) for x in point.round(5)]))
            model.updMarkerSet().cloneAndAppend(marker)
    _mirror_wrapping_sides(model)
    pelvis_ty = coordinates.get("pelvis_ty")
    model.finalizeConnections()
    pelvis_ty.setDefaultValue(pelvis_ty.getDefaultValue() - _lowest_contact(model))
    model.finalizeConnections()
    model.printToXML(str(target))


def contact_points(bones, side: str) -> dict[str, tuple[str, np.ndarray]]:
    """Points of one sole: name -> (body, (3,) m in that body's frame), all on one plane parallel to the floor.

    The plane lies SOLE_THICKNESS_M under the lowest vertex of the two foot meshes in the neutral pose, where the frames
    of calcn and toes are parallel to ground. Medial is towards the other foot. Rules, not hand-picked numbers:
    heel: the medial and lateral edge of the calcaneus at the back of its plantar tuberosity (frame origin);
    metatarsal heads: lowest vertex of the front of the foot on the medial and on the lateral side;
    toes: most forward vertex of the great and of the little toe.
    """
    lateral = 1.0 if side == "r" else -1.0
    calcn = np.concatenate([vertices for _, vertices, _ in bones[f"calcn_{side}"]])
    toes = np.concatenate([vertices for _, vertices, _ in bones[f"toes_{side}"]])
    toes_offset = np.array([0.1788, -0.002, lateral * 0.00108])  # origin of toes in calcn, from the source's mtp joint
    sole = min(calcn[:, 1].min(), (toes + toes_offset)[:, 1].min()) - SOLE_THICKNESS_M

    heel = calcn[calcn[:, 0] < 0.03]
    front = calcn[calcn[:, 0] > 0.12]
    out = front[:, 2] * lateral
    first = front[out < -0.015]
    fifth = front[out > 0.035]
    toe_out = toes[:, 2] * lateral
    great, little = toes[toe_out < -0.01], toes[toe_out > 0.03]
    first = first[first[:, 1].argmin()]
    fifth = fifth[fifth[:, 1].argmin()]
    great = great[great[:, 0].argmax()]
    little = little[little[:, 0].argmax()]
    edges = np.sort(heel[:, 2] * lateral)[[0, -1]] * lateral
    on_calcn = {
        "heel_medial": (0.0, edges[0]),
        "heel_lateral": (0.0, edges[1]),
        "metatarsal_1": (first[0], first[2]),
        "metatarsal_5": (fifth[0], fifth[2]),
    }
    on_toes = {"toe_1": (great[0], great[2]), "toe_5": (little[0], little[2])}
    points = {name: (f"calcn_{side}", np.array([x, sole, z])) for name, (x, z) in on_calcn.items()}
    points |= {name: (f"toes_{side}", np.array([x, sole - toes_offset[1], z])) for name, (x, z) in on_toes.items()}
    return points


def _mirror_wrapping_sides(model) -> None:
    """Let every left muscle wrap on the same side of its cylinder as the right one does.

    The source forgets this for the short head of the left biceps femoris (`BF_at_gastroc_l` may be wrapped on any
    side): beyond 130 degrees of knee flexion its path flips to the other side and its knee arm changes sign.
    """
    bodies = model.updBodySet()
    sides = {}
    for i in range(bodies.getSize()):
        wraps = bodies.get(i).upd_WrapObjectSet()
        for k in range(wraps.getSize()):
            sides[wraps.get(k).getName()] = wraps.get(k)
    for name, wrap in sides.items():
        if name.endswith("_l") and f"{name[:-2]}_r" in sides:
            quadrant = sides[f"{name[:-2]}_r"].get_quadrant()
            if wrap.get_quadrant() != quadrant:
                wrap.set_quadrant(quadrant)


def _extend_patella(model, side: str, until_deg: int = 160) -> None:
    """Continue the patella's path beyond the source's last knot (120 degrees).

    The source's splines would go on in a straight line and lift the patella off the condyle. Ours keeps the last step's
    turn and length every 10 degrees, a circle arc round the condyle, and the last rotation rate. E: no data behind it;
    it moves the drawn patella and the quadriceps path only, never another body.
    """
    import opensim

    joint = opensim.CustomJoint.safeDownCast(model.updJointSet().get(f"patellofemoral_{side}"))
    transform = joint.updSpatialTransform()
    axes = {"rotation": 0, "x": 3, "y": 4}
    splines = {
        name: opensim.SimmSpline.safeDownCast(transform.getTransformAxis(i).getFunction()).clone()
        for name, i in axes.items()
    }
    last = splines["x"].getSize() - 1
    step = float(splines["x"].getX(last) - splines["x"].getX(last - 1))
    x, y, rotation = (np.array([s.getY(last - 2 + k) for k in range(3)]) for s in
                      (splines["x"], splines["y"], splines["rotation"]))
    before, direction = (complex(x[k + 1] - x[k], y[k + 1] - y[k]) for k in (0, 1))
    turn = (direction / before) / abs(direction / before)
    position, angle, rate = complex(x[2], y[2]), rotation[2], rotation[2] - rotation[1]
    at = float(splines["x"].getX(last))
    while at < np.radians(until_deg) - 1e-3:
        at, angle, direction = at + step, angle + rate, direction * turn
        position += direction
        for name, value in (("x", position.real), ("y", position.imag), ("rotation", angle)):
            splines[name].addPoint(at, round(float(value), 6))
    for name, i in axes.items():
        transform.updTransformAxis(i).set_function(splines[name])


def _lowest_contact(model) -> float:
    """Height in m of the lowest contact point in the model's default pose."""
    state = model.initSystem()
    markers = model.getMarkerSet()
    names = [markers.get(i).getName() for i in range(markers.getSize())]
    return min(markers.get(n).getLocationInGround(state)[1] for n in names if n.startswith(CONTACT_PREFIX))
