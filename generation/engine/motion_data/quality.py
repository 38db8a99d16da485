"""Says of each repetition whether it may be learned from, and if not, why. All limits are ours (E)."""

from dataclasses import dataclass

import numpy as np

from generation.engine.body import COORDINATES, TorchBody
from generation.engine.motion_data.dataset import Repetition
from generation.engine.motion_data.movements import MOVEMENTS, SIDES, flat_feet_of
from generation.engine.motion_data.placing import soles
from generation.engine.motion_data.sources import Trial

MARKER_RMS_MM = 20.0  # median over the repetition, legs, pelvis and trunk
MARKER_PEAK_MM = 40.0  # worst frame
FOOT_TRAVEL_MM = 50.0  # how far the ball of a foot may be from its median place: beyond, the foot stepped or slid
HEEL_RISE_MM = 40.0  # heel over ball of the foot, worst frame: beyond, the person rises on the toes
HEEL_BLOCK_MM = 20.0  # heel over ball of the foot, median: beyond, something lies under the heels
AT_LIMIT_SHARE = 0.15  # of the frames at the end of a joint's range: inverse kinematics was cut off there
AT_LIMIT_RAD = 0.004
DURATION_S = (0.8, 8.0)

# Ends of range that are a normal place to be: a straight knee when standing.
NORMAL_ENDS = (("knee_angle_r", "lower"), ("knee_angle_l", "lower"))
# Where a movement itself takes a joint to the end of the model's range: a pointed foot over the hurdle, the rear hip
# and ankle of a lunge, hips and ankles of a wide stance.
MOVEMENT_ENDS = {
    "hurdle step": (("ankle_angle_r", "lower"), ("ankle_angle_l", "lower")),
    "inline lunge": tuple(
        (f"{name}_{side}", end)
        for side in "rl"
        for name, end in (("hip_flexion", "lower"), ("subtalar_angle", "lower"), ("subtalar_angle", "upper"))
    ),
    "side lunge": tuple(
        (f"{name}_{side}", end)
        for side in "rl"
        for name, end in (("hip_adduction", "lower"), ("subtalar_angle", "lower"), ("subtalar_angle", "upper"))
    ),
}
CHECKED_PREFIXES = (
    "pelvis_tilt",
    "pelvis_list",
    "hip_",
    "knee_angle_r",
    "knee_angle_l",
    "ankle_",
    "subtalar_",
    "lumbar_",
)


@dataclass(frozen=True)
class Quality:
    """Measures of one repetition; `reasons` is empty when it is kept."""

    marker_rms_mm: float  # NaN where the source has no markers
    marker_peak_mm: float
    foot_travel_mm: float
    heel_rise_mm: float
    foot_roll_deg: float  # worst sideways tilt of a sole on the floor; reported, not judged
    knee_peak_deg: float
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """One repetition found in the raw data, kept or left out (`repetition` is None)."""

    trial: str
    subject: str
    source: str
    quality: Quality
    repetition: Repetition | None
    movement: str = "squat"
    side: str = ""


def nothing_found(trial: Trial, movement: str = "squat") -> Found:
    """A recording in which no repetition was found."""
    return Found(
        trial.name,
        trial.subject,
        trial.source,
        Quality(*([float("nan")] * 6), (f"no {movement} was found",)),
        None,
        movement,
    )


def check(
    values: np.ndarray,
    error: np.ndarray,
    body: TorchBody,
    incomplete: str,
    movement: str = "deep squat",
    side: str = "",
) -> Quality:
    """Judge one repetition: values (frame, coordinate) facing +X, marker error (frame,) in metres, the body, what the
    repetition lacks in words or "", the movement and the side that leads it.

    Feet are judged that stay on the floor in this movement: not the one that steps, and of the rear one of a lunge,
    whose heel is up, only the place of the toes.
    """
    kind = MOVEMENTS["deep squat" if movement == "squat" else movement]
    flat = flat_feet_of(kind, side)
    points = soles(body, values)  # (frame, foot, point, 3): two each of heel, ball and toe tips
    ball, heel = points[:, :, 2:4].mean(axis=2), points[:, :, :2].mean(axis=2)
    kept_still = [ball[:, foot] for foot in flat]
    if kind.flat == "leading":
        kept_still += [points[:, foot, 4:].mean(axis=1) for foot in (0, 1) if foot not in flat]
    travel = 1000 * max(np.linalg.norm((p - np.median(p, axis=0))[:, [0, 2]], axis=1).max() for p in kept_still)
    over = 1000 * (heel - ball)[:, flat, 1]
    rise, block = float(over.max()), float(np.median(over, axis=0).max())
    across = (points[:, :, 1] - points[:, :, 0])[:, flat]
    roll = float(np.rad2deg(np.abs(np.arcsin(across[..., 1] / np.linalg.norm(across, axis=-1)))).max())
    rms, peak = (1000 * float(f(error)) for f in (np.median, np.max))
    knees = [COORDINATES.index(f"knee_angle_{s}") for s in (side or SIDES)]
    knee_peak = float(np.rad2deg(values[:, knees].mean(axis=1).max()))
    seconds = (len(values) - 1) / 60.0

    reasons = [incomplete] if incomplete else []
    if rms > MARKER_RMS_MM or peak > MARKER_PEAK_MM:
        reasons.append(f"marker error {rms:.0f} mm, worst frame {peak:.0f} mm")
    if travel > FOOT_TRAVEL_MM:
        reasons.append(f"a foot moved {travel:.0f} mm")
    if block > HEEL_BLOCK_MM:
        reasons.append(f"the heels stand {block:.0f} mm higher than the balls of the feet throughout")
    elif rise > HEEL_RISE_MM:
        reasons.append(f"a heel rose {rise:.0f} mm")
    if knee_peak < kind.knee_deg:
        reasons.append(f"{'leading knee' if side else 'knees'} bent only {knee_peak:.0f} deg")
    if not DURATION_S[0] <= seconds <= DURATION_S[1]:
        reasons.append(f"lasts {seconds:.1f} s")
    for i, name in enumerate(COORDINATES):
        if name.endswith("_beta") or not name.startswith(CHECKED_PREFIXES):
            continue
        for end, sign in (("lower", 1.0), ("upper", -1.0)):
            share = float(np.mean(sign * (values[:, i] - float(getattr(body, end)[i])) < AT_LIMIT_RAD))
            normal = NORMAL_ENDS + MOVEMENT_ENDS.get(kind.name, ())
            if share > AT_LIMIT_SHARE and (name, end) not in normal:
                reasons.append(f"{name} at its {end} end in {100 * share:.0f} % of the frames")
    return Quality(rms, peak, float(travel), rise, roll, knee_peak, tuple(reasons))
