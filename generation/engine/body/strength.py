"""How strong a person's leg muscles are: expected from sex, age, height and mass, then as measured.

Expected. A muscle's force is its volume over the length of its fibres. The volume of the leg muscles follows height x
mass (Handsfield et al. 2014, MRI of young adults), here as a ratio to the man whom the generic model stands for; it is
less in women (Janssen et al. 2000) and in age (Kemmler et al. 2018). Fibre lengths come with the scaled model.

Measured. A group's greatest isometric moment at one angle, in Nm or as percent of the expected one, scales the muscles
of that group on that side until the model's moment is the measured one.

What to know. The generic model's muscles are stronger than a dynamometer finds people to be (its man reaches about 300
Nm in knee extension; young men are measured at 200-250 Nm, R), and the expected ones inherit that: without measurement
the demand on a person is told too low.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from generation.engine.profile import ProfileError, StrengthMeasure

# Volume of the muscles of one leg, cm3 = PER_KG_M * mass_kg * height_m + BASE. Handsfield GG et al. 2014, J Biomech
# 47:631, 24 healthy people. V: the coefficients as an open implementation of it gives them (Kneerav/biomechanics).
VOLUME_PER_KG_M, VOLUME_BASE_CM3 = 47.0, 1285.0
# Janssen I et al. 2000, J Appl Physiol 89:81 (V): "the contribution of SM to weight gain decreased with increasing body
# weight". Mass beyond this body mass index (kg/m2) adds no muscle (E).
MUSCLE_BODY_MASS_INDEX = 30.0
# Janssen (V): women have 33 % less lower-body muscle than men, at 68.6 and 85.9 kg. Handsfield's volumes for those
# masses at 1.63 and 1.77 m (heights R) differ by 22 %; the rest, 0.67 / 0.78, is the sex. The generic model is a man.
SEX_FACTOR = {"male": 1.0, "female": 0.86, "other": 0.93}
# Kemmler W et al. 2018, Front Physiol 9:1524, isokinetic leg extension of 362 men of 19-91 years (V): 0.15 % a year
# until 52, 1.3 % after. Taken for all leg muscles and for women too (E; a review, sykpathway.com, says that losses in
# percent are similar in both sexes, V). Counted from 25 years, the age of Handsfield's people (R); under 25 size alone.
AGE_FROM, AGE_BREAK, YEARLY_BEFORE, YEARLY_AFTER = 25.0, 52.0, 0.0015, 0.013
LEAST_AGE_FACTOR = 0.3  # E, nobody over 91 was measured

FACTORS = (0.01, 5.0)  # of a measured group to its expected strength (E): beyond is another unit; 0 would stop OpenSim
CLOSE = 1e-3           # a measured moment is met within this share


@dataclass(frozen=True)
class Group:
    """Muscles that are measured together. `at_deg` is the angle of `angle_sign` * `coordinate`, the moment acts along
    `direction` * `coordinate`; `pose` is the rest of the usual test position, degrees. All E: textbook prime movers."""

    muscles: tuple[str, ...]
    coordinate: str
    direction: int
    at_deg: float
    angle: str
    angle_sign: int = 1
    pose: tuple[tuple[str, float], ...] = ()


_HAMSTRINGS = ("bflh", "semimem", "semiten")
_GLUTEUS = ("glmax1", "glmax2", "glmax3")
_SEATED = (("hip_flexion", 85.0),)
GROUPS = {
    "hip_flexion": Group(("psoas", "iliacus", "recfem", "sart", "tfl"), "hip_flexion", 1, 45, "hip flexion",
                         pose=(("knee_angle", 45.0),)),
    "hip_extension": Group((*_GLUTEUS, *_HAMSTRINGS, "addmagIsch", "addmagDist"), "hip_flexion", -1, 45, "hip flexion",
                           pose=(("knee_angle", 45.0),)),
    "hip_abduction": Group(("glmed1", "glmed2", "glmed3", "glmin1", "glmin2", "glmin3", "tfl"), "hip_adduction", -1, 0,
                           "hip abduction", -1),
    "hip_adduction": Group(("addbrev", "addlong", "addmagDist", "addmagIsch", "addmagMid", "addmagProx", "grac"),
                           "hip_adduction", 1, 0, "hip abduction", -1),
    "hip_internal_rotation": Group(("glmed1", "glmin1", "glmin2", "tfl"), "hip_rotation", 1, 0, "hip internal rotation",
                                   pose=(("hip_flexion", 45.0), ("knee_angle", 90.0))),
    "hip_external_rotation": Group((*_GLUTEUS, "piri", "glmed3"), "hip_rotation", -1, 0, "hip internal rotation",
                                   pose=(("knee_angle", 90.0),)),
    "knee_extension": Group(("recfem", "vasint", "vaslat", "vasmed"), "knee_angle", -1, 60, "knee flexion",
                            pose=_SEATED),
    "knee_flexion": Group((*_HAMSTRINGS, "bfsh", "grac", "sart", "gaslat", "gasmed"), "knee_angle", 1, 60,
                          "knee flexion", pose=_SEATED),
    "ankle_plantarflexion": Group(("gaslat", "gasmed", "soleus", "tibpost", "fdl", "fhl", "perbrev", "perlong"),
                                  "ankle_angle", -1, 0, "ankle dorsiflexion"),
    "ankle_dorsiflexion": Group(("tibant", "edl", "ehl"), "ankle_angle", 1, 0, "ankle dorsiflexion"),
}


def expected_factor(sex: str, age_years: float, height_m: float, mass_kg: float, generic: Mapping) -> float:
    """Volume of the leg muscles against the generic model's man (`anthropometry()["generic"]`)."""
    def volume(height, mass):
        return VOLUME_PER_KG_M * height * min(mass, MUSCLE_BODY_MASS_INDEX * height**2) + VOLUME_BASE_CM3

    size = volume(height_m, mass_kg) / volume(generic["height_m"], generic["mass_kg"])
    return size * SEX_FACTOR[sex] * age_factor(age_years)


def age_factor(age_years: float) -> float:
    """Strength against that at AGE_FROM."""
    before = max(0.0, min(age_years, AGE_BREAK) - AGE_FROM)
    after = max(0.0, age_years - AGE_BREAK)
    return max(LEAST_AGE_FACTOR, 1 - YEARLY_BEFORE * before - YEARLY_AFTER * after)


def set_expected(model, generic, factor: float) -> None:
    """Give the muscles of a scaled `opensim.Model` the forces of muscles of `factor` times the volume of those of the
    unscaled model `generic`."""
    for i in range(model.getMuscles().getSize()):
        muscle = model.getMuscles().get(i)
        before = generic.getMuscles().get(muscle.getName())
        stretch = muscle.get_optimal_fiber_length() / before.get_optimal_fiber_length()
        muscle.set_max_isometric_force(before.get_max_isometric_force() * factor / stretch)


def set_measured(model, measures: Iterable[StrengthMeasure]) -> list[str]:
    """Scale the muscles of an `opensim.Model` to what was measured; its forces before are what is expected. Returns
    sentences on what was done. Raises ProfileError naming the field."""
    measures = list(measures)
    if not measures:
        return []
    state = model.initSystem()
    rows = [_unit_moments(model, state, measure) for measure in measures]
    names = sorted({name for row in rows for name in row})
    unit = np.array([[row.get(name, 0.0) for name in names] for row in rows])  # (measure, muscle) Nm per N
    force = np.array([model.getMuscles().get(name).get_max_isometric_force() for name in names])
    expected = unit @ force
    target = np.array([m.value if m.unit == "nm" else m.value / 100 * expected[i] for i, m in enumerate(measures)])
    for measure, wanted, usual in zip(measures, target, expected, strict=True):
        if wanted > FACTORS[1] * usual:
            raise ProfileError(measure.path, f"{wanted:.0f} Nm is {wanted / usual:.1f} times what is expected of this "
                               f"person ({usual:.0f} Nm); at most {FACTORS[1]:g} times is accepted: check the unit")
    scale = _solve(unit, force, target)
    for name, factor in zip(names, scale, strict=True):
        model.getMuscles().get(name).set_max_isometric_force(float(factor * force[names.index(name)]))
    return [_sentence(*row) for row in zip(measures, target, expected, unit @ (force * scale), strict=True)]


def group_moment(model, group: str, side: str, at_deg: float | None = None) -> float:
    """Greatest isometric moment in Nm of a group (GROUPS) of an `opensim.Model` on side "right" or "left"."""
    row = _unit_moments(model, model.initSystem(), StrengthMeasure("", group, side, "nm", 0.0, at_deg))
    return sum(value * model.getMuscles().get(name).get_max_isometric_force() for name, value in row.items())


def _solve(unit: np.ndarray, force: np.ndarray, target: np.ndarray) -> np.ndarray:
    """(muscle,) factors: each group has one, a muscle of several groups takes their geometric mean."""
    member = unit != 0
    group = np.ones(len(unit))
    scale = np.ones(len(force))
    for _ in range(500):
        scale = np.exp((member * np.log(group)[:, None]).sum(0) / member.sum(0))
        moment = unit @ (force * scale)
        if np.all(np.abs(moment - target) <= 0.01 * CLOSE * np.maximum(target, 1.0)):
            break
        group = np.clip(group * np.maximum(target, 1e-9) / moment, *FACTORS)
    return scale


def _unit_moments(model, state, measure: StrengthMeasure) -> dict[str, float]:
    """Muscle -> Nm for each N of its maximum isometric force, fully active, at rest, in the group's test position.

    Tendons are rigid, as in the analysis; the moment arm is the derivative of the muscle's length.
    """
    import opensim

    group, side = GROUPS[measure.group], measure.side[0]
    coordinates = model.getCoordinateSet()
    at = group.at_deg if measure.at_deg is None else measure.at_deg
    moved = coordinates.get(f"{group.coordinate}_{side}")
    angle = np.radians(at) * group.angle_sign
    if not moved.getRangeMin() - 1e-6 <= angle <= moved.getRangeMax() + 1e-6:
        raise ProfileError(f"{measure.path}.at_deg", f"{at:g} degrees of {group.angle} is outside the range of the "
                           "body model")
    for i in range(coordinates.getSize()):
        coordinates.get(i).setValue(state, 0.0, False)
    for name, degrees in group.pose:
        _set(coordinates, state, f"{name}_{side}", np.radians(degrees))

    def lengths(value):
        _set(coordinates, state, moved.getName(), value)
        model.realizePosition(state)
        return np.array([muscle.getLength(state) for muscle in muscles])

    muscles = [model.getMuscles().get(f"{name}_{side}") for name in group.muscles
               if model.getMuscles().contains(f"{name}_{side}")]
    step = np.radians(0.5)
    arms = -(lengths(angle + step) - lengths(angle - step)) / (2 * step)
    found = {}
    for muscle, arm, whole in zip(muscles, arms, lengths(angle), strict=True):
        curve = opensim.Millard2012EquilibriumMuscle.safeDownCast(muscle).getActiveForceLengthCurve()
        optimal = muscle.get_optimal_fiber_length()
        along = max(whole - muscle.get_tendon_slack_length(), 1e-3 * optimal)
        fibre = np.hypot(along, optimal * np.sin(muscle.get_pennation_angle_at_optimal()))
        moment = group.direction * arm * curve.calcValue(fibre / optimal) * along / fibre
        if moment > 0:
            found[muscle.getName()] = float(moment)
    if not found:
        raise ProfileError(measure.path, f"the body model has no muscles for {measure.group}")
    return found


def _set(coordinates, state, name: str, value: float) -> None:
    """Set a coordinate and, of the knee, the patella that follows it."""
    for one in (name, f"{name}_beta"):
        if coordinates.contains(one):
            coordinates.get(one).setValue(state, float(value), False)


def _sentence(measure: StrengthMeasure, target: float, expected: float, reached: float) -> str:
    what = f"{measure.group.replace('_', ' ').capitalize()}, {measure.side}"
    if abs(reached - target) > CLOSE * max(target, 1.0) + FACTORS[0] * expected:
        return (f"{what}: {target:.0f} Nm was measured, the model reaches {reached:.0f} Nm: its muscles also serve "
                "other groups that were measured.")
    share = 100 * target / expected
    return f"{what}: muscles scaled to {target:.0f} Nm, {share:.0f} % of the expected {expected:.0f} Nm."
