"""Ground reaction without force plates against force plates: one healthy woman's squats and sit-to-stands.

"Truth" of the moments is inverse dynamics with the plates on the model as it was scaled, at the mass that the plates
weigh. Data and ways of estimating: `ground_trials.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from generation.engine.body.model import load_body
from generation.engine.physics.calibration import Calibration, calibrate
from generation.engine.physics.ground import STANDARD_GRAVITY
from generation.engine.physics.ground_reaction import GroundReaction
from generation.engine.validation.ground_trials import (
    BOTTOM_DEG,
    FOLDER,
    RISING,
    SEATED,
    SEX,
    SQUATS,
    Trial,
    crossed,
    estimated,
    lever_rule,
    proportional,
    read_trial,
    standing_still,
    weighed,
    without_plates,
)

OTHER_CUTOFFS_HZ = (4.0, 8.0, 12.0)
STANDING_DEG = 10.0  # knee flexion
WHOLE_DEG = 45.0  # a repetition whose knee moves less is cut off by the recording
JOINTS = ("hip_flexion", "knee_angle", "ankle_angle", "hip_adduction")
R2_BAR = {"hip_flexion": 0.9, "knee_angle": 0.9, "ankle_angle": 0.7, "hip_adduction": 0.7}
# Without plates each step has all of the ones before it: the scale, the sex, some seconds of quiet standing, the
# movement. Quiet standing is what a clinic can always record, so that step is judged.
NO_PLATES = "+ quiet standing"
OTHER_REPETITIONS, OTHER_TASK = "plates, other repetitions", "plates, other task"


@dataclass(frozen=True)
class GroundRow:
    """One figure. `bar`: what is asked, None where nothing is; `met`: whether it is reached."""

    motion: str  # squats, sit-to-stand
    calibration: str
    what: str
    value: float
    unit: str
    bar: float | None = None
    at_least: bool = False  # the bar is a floor, not a ceiling

    @property
    def met(self) -> bool | None:
        if self.bar is None:
            return None
        return self.value >= self.bar if self.at_least else abs(self.value) <= self.bar


def ground_table(raw: Path | str, cache: Path | str | None = None,
                 tell: Callable[[str], None] = lambda text: None) -> list[GroundRow]:
    """Every figure of the ground reaction. raw: the folder that holds `labvalidation-subject4`, or that folder.

    tell: progress, one sentence each. Raises FileNotFoundError where the recordings are not there.
    """
    folder = Path(raw) if (Path(raw) / "ID").is_dir() else Path(raw) / FOLDER
    scale = weighed(folder)
    unscaled = load_body(folder / "Models" / "manually_scaled.osim", cache)
    body = Calibration(masses_kg=proportional(unscaled, scale)).apply(unscaled, cache)
    rows = [GroundRow("standing", "none", "mass of the model less what the plates weigh", unscaled.mass_kg - scale,
                      "kg")]
    with torch.no_grad():
        standing = standing_still(folder, body)
        trials = {name: read_trial(folder, name, body) for name in (SQUATS, RISING)}
        for name, trial in trials.items():
            other = trials[RISING if name == SQUATS else SQUATS]
            tell(f"{name}: lever rule")
            rows += _figures(trial, "lever rule", lever_rule(trial))
            for step, calibration in without_plates(trial, standing).items():
                tell(f"{name}: {step}")
                rows += _figures(trial, step, estimated(trial, calibration, cache))
            tell(f"{name}: {OTHER_REPETITIONS}")
            rows += _figures(trial, OTHER_REPETITIONS, crossed(trial, cache))
            tell(f"{name}: {OTHER_TASK}")
            learnt = calibrate(body, sex=SEX, plates=[other.recording(other.use, plates=True)], cache=cache)
            rows += _figures(trial, OTHER_TASK, estimated(trial, learnt, cache))
            for cutoff in OTHER_CUTOFFS_HZ:
                tell(f"{name}: filter {cutoff:g} Hz")
                filtered = read_trial(folder, name, body, cutoff)
                rows += _figures(filtered, f"{NO_PLATES}, {cutoff:g} Hz",
                                 estimated(filtered, without_plates(filtered, standing)[NO_PLATES], cache))
    return rows


def _figures(trial: Trial, calibration: str, estimate: tuple[GroundReaction, np.ndarray]) -> list[GroundRow]:
    found, moments = estimate
    use, plates = trial.use, trial.plates
    weight = trial.model.mass_kg * STANDARD_GRAVITY
    squats = trial.name == SQUATS
    rows = []

    def add(what, value, unit, bar=None, at_least=False):
        rows.append(GroundRow(trial.name, calibration, what, float(value), unit, bar, at_least))

    wrong = (found.force - plates.force).numpy()[use]
    add("vertical force, total, RMSE", 100 * _rms(wrong[:, :, 1].sum(1)) / weight, "% BW", 2.0 if squats else 5.0)
    for side, name in enumerate(("right", "left")):
        add(f"vertical force, {name} foot, RMSE", 100 * _rms(wrong[:, side, 1]) / weight, "% BW",
            3.0 if squats else 6.0)
    share = (found.share() - plates.share()).numpy()[use]
    add("right foot's share, RMSE", 100 * _rms(share), "%")
    for side, name in enumerate(("right", "left")):
        outward = 1 - 2 * side
        mean = outward * -plates.force.numpy()[use, side, 2].mean()
        add(f"outward shear, {name} foot, measured mean", mean, "N")
        add(f"outward shear, {name} foot, error of the mean", -outward * wrong[:, side, 2].mean(), "N",
            15.0 if squats else None)
        add(f"outward shear, {name} foot, RMSE", _rms(wrong[:, side, 2]), "N")
    add("fore-aft force, both feet, RMSE", _rms(wrong[:, :, 0].sum(1)), "N")
    place = 100 * (_place(found) - _place(plates))
    bar = 1.5 if squats else None
    add("centre of pressure fore-aft, RMSE", _rms(place[use]), "cm", bar)
    add("centre of pressure fore-aft, mean error standing", place[use & (trial.knee_deg < STANDING_DEG)].mean(), "cm")
    add("centre of pressure fore-aft, mean error at the bottom",
        place[use & (trial.knee_deg > BOTTOM_DEG)].mean(), "cm")
    for side, name in enumerate(("right", "left")):
        loaded = use & (plates.force[:, side, 1].numpy() > 0.1 * weight)
        for axis, way in ((0, "fore-aft"), (2, "sideways")):
            add(f"centre of pressure {way}, {name} foot, RMSE",
                _rms(100 * (found.point - plates.point).numpy()[loaded, side, axis]), "cm")
    for joint in JOINTS:
        for side in "rl":
            column = trial.column(f"{joint}_{side}")
            truth, ours = trial.moments[:, column], moments[:, column]
            r2 = 1 - np.square(ours - truth)[use].sum() / np.square(truth - truth[use].mean())[use].sum()
            add(f"moment {joint}_{side}, R2", r2, "", R2_BAR[joint], at_least=True)
            add(f"moment {joint}_{side}, RMSE", _rms((ours - truth)[use]), "Nm")
            add(f"moment {joint}_{side}, error of the peaks", _peak_error(trial, truth, ours), "%",
                15.0 if joint in ("hip_flexion", "knee_angle") else None)
    if found.seat is not None:
        off = _seat_off(trial, found, weight)
        add("seat-off, worst error", off.max(), "s", 0.1)
        add("seat-off, mean absolute error", off.mean(), "s")
    return rows


def _place(ground: GroundReaction) -> np.ndarray:
    """(time,) fore-aft centre of pressure of both feet together, m."""
    vertical = ground.force[..., 1]
    return ((ground.point[..., 0] * vertical).sum(1) / vertical.sum(1).clamp_min(1.0)).numpy()


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def _peak_error(trial: Trial, truth: np.ndarray, ours: np.ndarray) -> float:
    """Mean over repetitions of |peak - true peak|, % of their mean true peak, in the direction of the largest."""
    way = np.sign(truth[trial.use][np.abs(truth[trial.use]).argmax()])
    errors, peaks = [], []
    for number in np.unique(trial.repetition):
        here = trial.use & (trial.repetition == number)
        if here.any() and np.ptp(trial.knee_deg[here]) > WHOLE_DEG:
            errors.append(abs((way * ours[here]).max() - (way * truth[here]).max()))
            peaks.append((way * truth[here]).max())
    return 100 * float(np.mean(errors) / abs(np.mean(peaks)))


def _seat_off(trial: Trial, found: GroundReaction, weight: float) -> np.ndarray:
    """|error| in s of each moment at which the seat stops carrying, ours against total less plates."""
    needed = found.total()[0][:, 1] - trial.plates.force[..., 1].sum(-1)
    bent = trial.knee_deg > BOTTOM_DEG - 10
    true, ours = (_ends(series.numpy() / weight > SEATED, bent) for series in (needed, found.seat.force[:, 1]))
    return np.array([np.abs(ours - moment).min() for moment in true]) / trial.rate


def _ends(seated: np.ndarray, bent: np.ndarray) -> np.ndarray:
    """Frames in which sitting ends because the person rises: of those runs that lasted 0.2 s, the last frames."""
    ends = np.flatnonzero(seated[:-1] & ~seated[1:] & bent[1:])
    return np.array([end for end in ends if seated[max(0, end - 20):end].all()])
