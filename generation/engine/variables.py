"""What can be limited and measured: the registry of variables.

Each variable has one unit. A limit on a variable of kind ``range`` holds at every instant; on the other kinds it holds
for the one number that a repetition gives, or one phase of it where the variable has phases. Angles of joints carry the
signs of the OpenSim model (Rajagopal et al. 2016), except where the name says another direction (``lumbar_flexion`` =
- ``lumbar_extension``).
"""
from __future__ import annotations

import math
from dataclasses import dataclass

RIGHT, LEFT, BOTH = "right", "left", "both"
SIDES = (RIGHT, LEFT)
PHASES = ("descent", "bottom", "ascent")


@dataclass(frozen=True)
class Variable:
    """One measurable quantity. ``lowest`` and ``highest`` bound what a limit on it may sensibly say (ours, E)."""

    name: str
    unit: str
    sided: bool
    kind: str            # "range": every instant | one number: "peak", "lowest", "mean", "duration", "smoothness"
    label: str           # plain language, for pages
    meaning: str         # exactly what is measured
    lowest: float
    highest: float

    @property
    def phases(self) -> tuple[str, ...]:
        """The phases in which it can be limited: those in which it has a meaning of its own."""
        if self.kind == "duration" or self.name in _WHOLE_ONLY:
            return ()
        return ("descent", "ascent") if self.kind == "smoothness" else PHASES


# What is measured from the standing first frame, and what holds for the soles throughout.
_WHOLE_ONLY = frozenset({"pelvis_drop", "pelvis_drop_percent", "lumbar_flexion_change", "foot_slide",
                         "floor_penetration", "joint_range_margin"})

_ALL = (
    # joint angles, at every instant
    Variable("knee_flexion", "deg", True, "range", "Knee bend",
             "OpenSim knee_angle at every instant; + is flexion, 0 is straight.", -10, 170),
    Variable("hip_flexion", "deg", True, "range", "Hip bend",
             "OpenSim hip_flexion at every instant: thigh relative to pelvis; + is flexion.", -40, 150),
    Variable("hip_adduction", "deg", True, "range", "Hip adduction",
             "OpenSim hip_adduction at every instant; + is towards the midline, - is abduction.", -70, 50),
    Variable("hip_internal_rotation", "deg", True, "range", "Hip internal rotation",
             "OpenSim hip_rotation at every instant; + is internal, - is external.", -70, 70),
    Variable("ankle_dorsiflexion", "deg", True, "range", "Ankle dorsiflexion",
             "OpenSim ankle_angle at every instant; + is dorsiflexion (shin forward over the foot).", -60, 60),
    Variable("foot_inversion", "deg", True, "range", "Foot inversion",
             "OpenSim subtalar_angle at every instant; + is inversion (sole turned towards the midline).", -40, 40),
    Variable("lumbar_flexion", "deg", False, "range", "Low-back flexion",
             "Minus OpenSim lumbar_extension at every instant: trunk against pelvis; + is forward bending.", -60, 100),
    Variable("lumbar_bending", "deg", False, "range", "Low-back side bending",
             "OpenSim lumbar_bending at every instant; + is to the right.", -60, 60),
    Variable("lumbar_rotation", "deg", False, "range", "Low-back rotation",
             "OpenSim lumbar_rotation at every instant; + is to the left.", -60, 60),
    Variable("pelvis_tilt", "deg", False, "range", "Pelvic tilt",
             "OpenSim pelvis_tilt at every instant; - is forward (anterior), as in the model.", -100, 60),
    Variable("pelvis_list", "deg", False, "range", "Pelvic drop to one side",
             "OpenSim pelvis_list at every instant; + is the left side higher.", -45, 45),
    Variable("pelvis_rotation", "deg", False, "range", "Pelvic rotation",
             "OpenSim pelvis_rotation at every instant, against the way the feet point; + is to the left.", -90, 90),
    Variable("shoulder_flexion", "deg", True, "range", "Shoulder flexion",
             "OpenSim arm_flex at every instant: upper arm against trunk; + is forward and up.", -90, 190),
    Variable("shoulder_adduction", "deg", True, "range", "Shoulder adduction",
             "OpenSim arm_add at every instant; + is towards the midline, - is abduction.", -180, 120),
    Variable("shoulder_internal_rotation", "deg", True, "range", "Shoulder internal rotation",
             "OpenSim arm_rot at every instant; + is internal, - is external.", -120, 120),
    Variable("elbow_flexion", "deg", True, "range", "Elbow bend",
             "OpenSim elbow_flex at every instant; + is flexion, 0 is straight.", -10, 160),
    Variable("trunk_forward_lean", "deg", False, "range", "Trunk lean, forward",
             "Angle of the torso's long axis from the vertical in the plane the person faces, at every instant; "
             "+ is forward.", -40, 100),
    Variable("trunk_lateral_lean", "deg", False, "range", "Trunk lean, sideways",
             "Size of the angle of the torso's long axis from the vertical in the frontal plane, either side.", 0, 60),
    # one number for the motion
    Variable("knee_flexion_peak", "deg", True, "peak", "Depth: greatest knee bend",
             "The greatest knee_flexion of the motion.", 0, 170),
    Variable("thigh_inclination_peak", "deg", True, "peak", "Depth: thigh from the vertical",
             "The greatest angle of the hip-to-knee line from the vertical; 90 is thigh parallel to floor.", 0, 130),
    Variable("seat_height", "cm", False, "lowest", "Depth: height of the seat that is touched",
             "The least height of the seat that the person would touch: height of the lower hip centre minus 11 % of "
             "the leg length, where the sitting bones are (11 % is ours, E).", 0, 120),
    Variable("trunk_forward_lean_peak", "deg", False, "peak", "Greatest forward trunk lean",
             "The greatest trunk_forward_lean of the motion.", -20, 100),
    Variable("lumbar_flexion_change", "deg", False, "peak", "Low-back flexion, change from standing",
             "The greatest lumbar_flexion of the motion minus its value in the standing first frame.", 0, 100),
    Variable("pelvis_drop", "cm", False, "peak", "Depth: how far the pelvis goes down",
             "Height of the pelvis origin in the first frame minus its lowest height.", 0, 120),
    Variable("pelvis_drop_percent", "%", False, "peak", "Depth: pelvis drop, of leg length",
             "pelvis_drop divided by leg length (hip centre to ankle centre along thigh and shin).", 0, 100),
    Variable("knee_flexion_asymmetry", "deg", False, "mean", "Left-right difference, knee",
             "Mean over time of the size of the left-right difference of knee flexion (as in BIGE, PMLR 283, Table 1).",
             0, 90),
    Variable("hip_flexion_asymmetry", "deg", False, "mean", "Left-right difference, hip",
             "Mean over time of the size of the left-right difference of hip flexion.", 0, 90),
    Variable("ankle_dorsiflexion_asymmetry", "deg", False, "mean", "Left-right difference, ankle",
             "Mean over time of the size of the left-right difference of ankle dorsiflexion.", 0, 90),
    # knees, feet, balance
    Variable("knee_medial_displacement", "cm", True, "range", "Knee inside the foot line",
             "How far the knee centre lies towards the midline from the vertical plane through the ankle centre along "
             "the foot, at every instant; + is inwards (valgus), - is outwards.", -40, 40),
    Variable("heel_height", "cm", True, "range", "Heel above the floor",
             "Height of the lowest heel contact point above the floor, at every instant.", -1, 20),
    Variable("foot_slide", "mm", True, "peak", "Foot sliding",
             "The greatest horizontal distance of a sole contact point from where it was in the first frame.", 0, 500),
    Variable("floor_penetration", "mm", True, "peak", "Sole below the floor",
             "The greatest depth of a sole contact point below the floor.", 0, 100),
    Variable("static_balance_margin", "cm", False, "range", "Centre of mass inside the feet",
             "Distance of the centre of mass, seen from above, inside the edge of the base of support (convex outline "
             "of both soles), at every instant; negative is outside.", -50, 30),
    Variable("joint_range_margin", "deg", False, "range", "Inside the model's joint ranges",
             "The smallest distance of any joint angle to the end of the body model's range, at every instant.", 0, 90),
    Variable("margin_of_stability", "cm", False, "range", "Margin of stability",
             "Distance of the extrapolated centre of mass inside the edge of the base of support, at every instant; "
             "negative is outside (Hof et al. 2005, J Biomech 38:1). The inverted pendulum behind it is an "
             "approximation in deep flexion.", -50, 30),
    # speed and time
    Variable("com_speed_peak", "m/s", False, "peak", "Greatest speed of the centre of mass",
             "The greatest speed of the whole-body centre of mass.", 0, 5),
    Variable("knee_flexion_speed_peak", "deg/s", True, "peak", "Greatest knee speed",
             "The greatest size of the knee's angular speed.", 0, 1000),
    Variable("hip_flexion_speed_peak", "deg/s", True, "peak", "Greatest hip speed",
             "The greatest size of the hip's angular speed in flexion and extension.", 0, 1000),
    Variable("ankle_dorsiflexion_speed_peak", "deg/s", True, "peak", "Greatest ankle speed",
             "The greatest size of the ankle's angular speed.", 0, 1000),
    Variable("trunk_forward_lean_speed_peak", "deg/s", False, "peak", "Greatest speed of the trunk's lean",
             "The greatest size of the rate at which trunk_forward_lean changes.", 0, 1000),
    Variable("sparc", "1", False, "smoothness", "Smoothness: spectral arc length (SPARC)",
             "Spectral arc length of the speed of the centre of mass, mean of descent and ascent; nearer to 0 is "
             "smoother, about -1.4 is as smooth as can be (Balasubramanian et al. 2015, J NeuroEng Rehabil 12:112).",
             -20, 0),
    Variable("log_dimensionless_jerk", "1", False, "smoothness", "Smoothness: log dimensionless jerk (LDLJ)",
             "Log dimensionless jerk of the speed of the centre of mass, mean of descent and ascent; nearer to 0 is "
             "smoother (Balasubramanian et al. 2015).", -30, 0),
    Variable("descent_s", "s", False, "duration", "Time going down",
             "From the moment the pelvis starts to sink to the moment it stops (vertical speed above 5 % of its peak).",
             0.2, 20),
    Variable("pause_s", "s", False, "duration", "Time at the bottom",
             "Between the end of the descent and the start of the ascent.", 0, 20),
    Variable("ascent_s", "s", False, "duration", "Time coming up",
             "From the moment the pelvis starts to rise to the moment it stops (vertical speed above 5 % of its peak).",
             0.2, 20),
    Variable("repetition_s", "s", False, "duration", "Time of one repetition",
             "descent_s + pause_s + ascent_s.", 0.5, 60),
)


# ---- what the motion asks of the body: computed by the fast route of the physics, see `metrics/loads.py` ----------

# group -> (plain name, muscles of the body model)
MUSCLE_GROUPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "quadriceps": ("quadriceps", ("recfem", "vasint", "vaslat", "vasmed")),
    "vasti": ("vasti", ("vasint", "vaslat", "vasmed")),
    "vastus_medialis": ("vastus medialis", ("vasmed",)),
    "vastus_lateralis": ("vastus lateralis", ("vaslat",)),
    "vastus_intermedius": ("vastus intermedius", ("vasint",)),
    "rectus_femoris": ("rectus femoris", ("recfem",)),
    "hamstrings": ("hamstrings", ("bflh", "bfsh", "semimem", "semiten")),
    "gluteus_maximus": ("gluteus maximus", ("glmax1", "glmax2", "glmax3")),
    "gluteus_medius": ("gluteus medius", ("glmed1", "glmed2", "glmed3")),
    "hip_adductors": ("hip adductors", ("addbrev", "addlong", "addmagDist", "addmagIsch", "addmagMid", "addmagProx")),
    "iliopsoas": ("iliopsoas", ("iliacus", "psoas")),
    "gastrocnemius": ("gastrocnemius", ("gaslat", "gasmed")),
    "soleus": ("soleus", ("soleus",)),
    "tibialis_anterior": ("tibialis anterior", ("tibant",)),
}
# muscle of the model, without its side -> plain name
MUSCLES: dict[str, str] = {
    "addbrev": "adductor brevis", "addlong": "adductor longus", "addmagDist": "adductor magnus, distal part",
    "addmagIsch": "adductor magnus, ischial part", "addmagMid": "adductor magnus, middle part",
    "addmagProx": "adductor magnus, proximal part", "bflh": "biceps femoris, long head",
    "bfsh": "biceps femoris, short head", "edl": "extensor digitorum longus", "ehl": "extensor hallucis longus",
    "fdl": "flexor digitorum longus", "fhl": "flexor hallucis longus", "gaslat": "gastrocnemius, lateral head",
    "gasmed": "gastrocnemius, medial head", "glmax1": "gluteus maximus, upper part",
    "glmax2": "gluteus maximus, middle part", "glmax3": "gluteus maximus, lower part",
    "glmed1": "gluteus medius, front part", "glmed2": "gluteus medius, middle part",
    "glmed3": "gluteus medius, back part", "glmin1": "gluteus minimus, front part",
    "glmin2": "gluteus minimus, middle part", "glmin3": "gluteus minimus, back part", "grac": "gracilis",
    "iliacus": "iliacus", "perbrev": "peroneus brevis", "perlong": "peroneus longus", "piri": "piriformis",
    "psoas": "psoas", "recfem": "rectus femoris", "sart": "sartorius", "semimem": "semimembranosus",
    "semiten": "semitendinosus", "soleus": "soleus", "tfl": "tensor fasciae latae", "tibant": "tibialis anterior",
    "tibpost": "tibialis posterior", "vasint": "vastus intermedius", "vaslat": "vastus lateralis",
    "vasmed": "vastus medialis",
}
# what an activation window can be set on: groups, and each muscle of the model by itself
ACTIVATIONS: dict[str, tuple[str, tuple[str, ...]]] = MUSCLE_GROUPS | {
    muscle: (label, (muscle,)) for muscle, label in MUSCLES.items()}
# moment -> (plain name, coordinate, its direction); that of knee_adduction_moment has no coordinate in the model
JOINT_MOMENTS: dict[str, tuple[str, str, int]] = {
    "hip_extension": ("hip extension", "hip_flexion", -1), "hip_flexion": ("hip flexion", "hip_flexion", 1),
    "knee_extension": ("knee extension", "knee_angle", -1), "knee_flexion": ("knee flexion", "knee_angle", 1),
    "ankle_plantarflexion": ("ankle plantarflexion", "ankle_angle", -1),
    "ankle_dorsiflexion": ("ankle dorsiflexion", "ankle_angle", 1),
    "hip_abduction": ("hip abduction", "hip_adduction", -1), "hip_adduction": ("hip adduction", "hip_adduction", 1),
}
DEMANDS = ("hip_extension", "knee_extension", "ankle_plantarflexion")
# contact -> (plain name, name among the joint loads)
CONTACT_FORCES = {"hip": ("hip", "hip"), "tibiofemoral": ("knee (tibiofemoral)", "tibiofemoral_free_body"),
                  "patellofemoral": ("kneecap (patellofemoral)", "patellofemoral_free_body")}


def _load_variables() -> tuple[Variable, ...]:
    found = [Variable(
        f"{group}_activation_peak", "%", True, "peak",
        f"Muscle activity: {label}{'' if group in MUSCLE_GROUPS else f' ({group})'}, greatest",
        f"The greatest activation of the {label} in the motion, in percent of full activation: mean over "
        f"{', '.join(muscles)}, weighted by their maximum isometric force. Least-effort static optimisation, not an "
        "EMG." if group in MUSCLE_GROUPS else
        f"The greatest activation of OpenSim's {group} ({label}) in the motion, in percent of full activation. "
        "Least-effort static optimisation, not an EMG.", 0, 100) for group, (label, muscles) in ACTIVATIONS.items()]
    found += [Variable(
        f"{name}_moment_peak", "Nm/kg", True, "peak", f"Moment: {label}, greatest",
        f"The greatest internal {label} moment of the motion, for each kilogram of body mass, from inverse dynamics; "
        "negative where the moment never acts that way.", -5, 10) for name, (label, _, _) in JOINT_MOMENTS.items()]
    found.append(Variable(
        "knee_adduction_moment_peak", "Nm/kg", True, "peak", "Moment: knee adduction, greatest",
        "The greatest external moment that presses the knee into varus (about the shin's forward axis through the "
        "knee's centre), for each kilogram of body mass; negative where it always acts towards valgus.", -5, 5))
    found += [Variable(
        f"{name}_force_peak", "body weights", True, "peak", f"Joint force: {label}, greatest",
        f"The greatest contact force at the {label} in multiples of body weight, from static optimisation"
        f"{'' if name == 'hip' else '; with the kneecap in equilibrium between quadriceps, tendon and thigh bone'}.",
        0, 30) for name, (label, _) in CONTACT_FORCES.items()]
    found += [Variable(
        f"{name}_demand_peak", "%", True, "peak", f"Demand on strength: {JOINT_MOMENTS[name][0]}, greatest",
        f"The greatest share of the person's own strength that the motion needs: {JOINT_MOMENTS[name][0]} moment over "
        "what the muscles of that direction could make in that pose at that speed, all fully active.", 0, 300)
        for name in DEMANDS]
    found += [
        Variable("foot_load_share", "%", True, "range", "Share of the load on one foot",
                 "That foot's share of the vertical force of both feet, at every instant; 50 is even.", 0, 100),
        Variable("foot_load_share_mean", "%", True, "mean", "Share of the load on one foot, mean",
                 "Mean of foot_load_share from the start of the descent to the end of the ascent; 50 is even.",
                 0, 100),
        Variable("com_acceleration_peak", "m/s2", False, "peak", "Greatest acceleration of the centre of mass",
                 "The greatest size of the acceleration of the whole-body centre of mass.", 0, 50),
    ]
    return tuple(found)


_LOADS = _load_variables()
LOAD_VARIABLES = frozenset(variable.name for variable in _LOADS)
_ALL = (*_ALL, *_LOADS)

VARIABLES: dict[str, Variable] = {variable.name: variable for variable in _ALL}

# Other spellings that a profile may use: (variable, side).
_OPENSIM = {"knee_angle": "knee_flexion", "hip_flexion": "hip_flexion", "hip_adduction": "hip_adduction",
            "hip_rotation": "hip_internal_rotation", "ankle_angle": "ankle_dorsiflexion",
            "subtalar_angle": "foot_inversion", "arm_flex": "shoulder_flexion", "arm_add": "shoulder_adduction",
            "arm_rot": "shoulder_internal_rotation", "elbow_flex": "elbow_flexion"}
ALIASES: dict[str, tuple[str, str]] = {
    f"{coordinate}_{letter}": (name, side)
    for coordinate, name in _OPENSIM.items() for letter, side in (("r", RIGHT), ("l", LEFT))
}
for _muscle in MUSCLES:
    for _letter, _side in (("r", RIGHT), ("l", LEFT)):
        ALIASES[f"{_muscle}_{_letter}_activation_peak"] = (f"{_muscle}_activation_peak", _side)
for _variable in _ALL:
    if _variable.sided:
        for _ending, _side in (("_r", RIGHT), ("_l", LEFT), ("_right", RIGHT), ("_left", LEFT)):
            ALIASES.setdefault(_variable.name + _ending, (_variable.name, _side))

_FACTORS = {      # (from, to) -> factor
    ("rad", "deg"): 180 / math.pi, ("rad/s", "deg/s"): 180 / math.pi,
    ("m", "cm"): 100.0, ("mm", "cm"): 0.1, ("m", "mm"): 1000.0, ("cm", "mm"): 10.0,
    ("ms", "s"): 0.001, ("min", "s"): 60.0, ("cm/s", "m/s"): 0.01, ("mm/s", "m/s"): 0.001,
    ("cm/s2", "m/s2"): 0.01,
}
_SPELLINGS = {"degree": "deg", "degrees": "deg", "°": "deg", "radian": "rad", "radians": "rad", "percent": "%",
              "sec": "s", "second": "s", "seconds": "s", "metre": "m", "meter": "m", "degrees/s": "deg/s",
              "nm/kg": "Nm/kg", "bw": "body weights", "body weight": "body weights", "m/s^2": "m/s2", "m/s²": "m/s2"}


class UnitMismatch(ValueError):
    """The unit does not measure this variable."""


def unit_factor(unit: str, variable: Variable) -> float:
    """Factor that brings ``unit`` to the variable's own unit; raises :class:`UnitMismatch`."""
    unit = _SPELLINGS.get(unit.strip().lower(), unit.strip().lower())
    if unit == variable.unit:
        return 1.0
    factor = _FACTORS.get((unit, variable.unit))
    if factor is None:
        fitting = sorted({variable.unit, *(a for a, b in _FACTORS if b == variable.unit)})
        raise UnitMismatch(f"'{unit[:20]}' does not fit {variable.name}; use {' or '.join(fitting)}")
    return factor


def resolve(name: str) -> tuple[Variable, str | None]:
    """Variable and side (None when the name carries none) of a name or an alias; raises KeyError."""
    if name in VARIABLES:
        return VARIABLES[name], None
    variable, side = ALIASES[name]
    return VARIABLES[variable], side
