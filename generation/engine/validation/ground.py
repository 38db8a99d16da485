"""Ground reaction without force plates against force plates: one healthy woman's squats and sit-to-stands.

Raw data: OpenCap LabValidation, subject 4 (markers, plates, expert-scaled model and kinematics; own terms, only figures
may be shown). The plates do not carry the seat: what lacks from the total is taken for it. "Truth" of the moments is
inverse dynamics with the plates on the model as it was scaled, at the mass that the plates weigh.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from generation.engine.analysis.plates import ground_from_plates
from generation.engine.body import TorchBody
from generation.engine.body.model import BodyModel, load_body
from generation.engine.formats.external_loads import read_external_loads
from generation.engine.formats.mot import read_mot
from generation.engine.physics.calibration import Calibration, Recording, calibrate
from generation.engine.physics.derivatives import differentiate
from generation.engine.physics.dynamics import inverse_dynamics
from generation.engine.physics.ground import STANDARD_GRAVITY, estimate_ground, total_wrench
from generation.engine.physics.ground_reaction import GroundReaction
from generation.engine.validation.kinematics import coordinates_of

FOLDER = "labvalidation-subject4"
CUTOFF_HZ = 6.0
OTHER_CUTOFFS_HZ = (4.0, 8.0, 12.0)
STANDING_DEG, BOTTOM_DEG = 10.0, 85.0  # knee flexion
WHOLE_DEG = 45.0  # a repetition whose knee moves less is cut off by the recording
SEATED = 0.05  # body weights on the seat from which a person sits
EDGE = 10  # frames left out at both ends of a recording
JOINTS = ("hip_flexion", "knee_angle", "ankle_angle", "hip_adduction")
R2_BAR = {"hip_flexion": 0.9, "knee_angle": 0.9, "ankle_angle": 0.7, "hip_adduction": 0.7}
SEX = "female"


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


@dataclass(frozen=True)
class _Trial:
    name: str
    model: BodyModel
    q: torch.Tensor
    u: torch.Tensor
    udot: torch.Tensor
    rate: float
    plates: GroundReaction
    moments: np.ndarray  # (time, coordinate) with plates
    use: np.ndarray  # (time,) bool: frames that count
    repetition: np.ndarray  # (time,) number of the repetition
    knee_deg: np.ndarray

    @property
    def motion(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        return self.q, self.u, self.udot

    def column(self, name: str) -> int:
        return self.model.coordinates.index(name)

    def recording(self, frames: np.ndarray, plates: bool) -> Recording:
        return Recording(*self.motion, self.rate, self.plates if plates else None, frames)


def ground_table(raw: Path | str, cache: Path | str | None = None,
                 tell: Callable[[str], None] = lambda text: None) -> list[GroundRow]:
    """Every figure of the ground reaction. raw: the folder that holds `labvalidation-subject4`, or that folder.

    tell: progress, one sentence each. Raises FileNotFoundError where the recordings are not there.
    """
    folder = Path(raw) if (Path(raw) / "ID").is_dir() else Path(raw) / FOLDER
    scale = _weighed(folder)
    unscaled = load_body(folder / "Models" / "manually_scaled.osim", cache)
    body = Calibration(masses_kg=_proportional(unscaled, scale)).apply(unscaled, cache)
    squats, rising = (_trial(folder, name, body) for name in ("squats1", "STS1"))
    rows = [GroundRow("standing", "none", "mass of the model less what the plates weigh", unscaled.mass_kg - scale,
                      "kg")]
    with torch.no_grad():
        for trial, other in ((squats, rising), (rising, squats)):
            tell(f"{trial.name}: plain lever rule")
            rows += _figures(trial, "lever rule", _lever_rule(trial))
            for name, calibration in _without_plates(body, squats).items():
                tell(f"{trial.name}: {name}")
                rows += _figures(trial, name, _estimated(trial, calibration, cache))
            tell(f"{trial.name}: plates, other repetitions")
            rows += _figures(trial, "plates, other repetitions", _crossed(trial, body, cache))
            tell(f"{trial.name}: plates, other task")
            learnt = calibrate(body, sex=SEX, plates=[other.recording(other.use, True)])
            rows += _figures(trial, "plates, other task", _estimated(trial, learnt, cache))
            for cutoff in OTHER_CUTOFFS_HZ:
                tell(f"{trial.name}: filter {cutoff:g} Hz")
                filtered = _trial(folder, "squats1" if trial is squats else "STS1", body, cutoff)
                rows += [row for row in _figures(filtered, f"published masses, filter {cutoff:g} Hz",
                                                 _estimated(filtered, calibrate(body, sex=SEX), cache))
                         if row.what.startswith(("vertical force, total", "moment"))]
    return rows


def ground_lines(rows: list[GroundRow]) -> Iterator[str]:
    """The table as text, one figure a line."""
    for row in rows:
        bar = "" if row.bar is None else f"  (asked: {'at least' if row.at_least else 'at most'} {row.bar:g})"
        mark = {True: "  reached", False: "  NOT reached", None: ""}[row.met]
        yield f"{row.motion:13s} {row.calibration:36s} {row.what:52s} {row.value:8.2f} {row.unit:7s}{bar}{mark}"


# ---- recordings ------------------------------------------------------------------------------------------------------


def _weighed(folder: Path) -> float:
    """Body mass in kg as the plates weigh it in the static recording: what a scale would say."""
    loads = read_external_loads(folder / "ID" / "static1_grf.mot", folder / "ID" / "static1_external_forces.xml")
    return float(np.mean(sum(force.force[:, 1] for force in loads.forces)) / STANDARD_GRAVITY)


def _proportional(body: BodyModel, mass_kg: float) -> dict[str, float]:
    return {name: float(mass * mass_kg / body.mass_kg)
            for name, mass in zip(body.bodies, body.packed["mass"], strict=True)}


def _trial(folder: Path, name: str, body: BodyModel, cutoff: float = CUTOFF_HZ) -> _Trial:
    motion = read_mot(folder / "IK" / f"{name}_manual_scaling_ik.mot")
    values, _ = coordinates_of(body, motion)
    torch_body = TorchBody(body, dtype=torch.float64)
    q, u, udot = differentiate(torch.as_tensor(values), motion.frame_rate, cutoff)
    loads = read_external_loads(folder / "ID" / f"{name}_grf.mot", folder / "ID" / f"{name}_external_forces.xml")
    plates, _ = ground_from_plates(loads, motion.start_s + motion.times, torch_body, values, cutoff)
    with torch.no_grad():
        moments = inverse_dynamics(torch_body, q, u, udot, plates.wrenches()).numpy()
        needed = total_wrench(torch_body, q, u, udot)[0][:, 1].numpy()
    knee = np.degrees(q[:, body.coordinates.index("knee_angle_r")].numpy())
    use = np.ones(len(q), bool)
    use[:EDGE] = use[-EDGE:] = False
    kind = "squats"
    if name.startswith("STS"):
        kind = "sit-to-stand"
        use &= _free_of_seat(needed, plates, body.mass_kg, knee)
    return _Trial(kind, body, q, u, udot, motion.frame_rate, plates, moments, use, _repetitions(knee), knee)


def _free_of_seat(needed, plates, mass_kg, knee) -> np.ndarray:
    """Frames in which the plates carry all: from seat-off until the next sitting down."""
    seat = needed - plates.force[:, :, 1].sum(1).numpy() > SEATED * mass_kg * STANDARD_GRAVITY
    return ~(seat & (knee > BOTTOM_DEG))


def _repetitions(knee: np.ndarray) -> np.ndarray:
    """The number of the repetition of each frame: a new one begins with each rising through half the range."""
    up = knee < 45.0
    return np.cumsum(np.r_[False, up[:-1] & ~up[1:]])


# ---- estimates -------------------------------------------------------------------------------------------------------


def _without_plates(body: BodyModel, squats: _Trial) -> dict[str, Calibration]:
    speed = squats.u[:, 6:].abs().amax(1).numpy()
    still = (squats.knee_deg < STANDING_DEG) & (speed < 0.3)
    return {
        "none": Calibration(),
        "published masses": calibrate(body, sex=SEX),
        "published masses, quiet standing": calibrate(body, sex=SEX, standing=squats.recording(still, False)),
    }


def _estimated(trial: _Trial, calibration: Calibration, cache) -> tuple[GroundReaction, np.ndarray]:
    body = TorchBody(calibration.apply(trial.model, cache), dtype=torch.float64)
    found = estimate_ground(body, *trial.motion, calibration, seat=trial.name != "squats")
    return found, inverse_dynamics(body, *trial.motion, found.wrenches()).numpy()


def _crossed(trial: _Trial, body: BodyModel, cache) -> tuple[GroundReaction, np.ndarray]:
    """Each repetition by what the other repetitions taught."""
    joined: dict[str, torch.Tensor] = {}
    moments = np.zeros_like(trial.moments)
    for number in np.unique(trial.repetition):
        here = trial.repetition == number
        learnt = calibrate(body, sex=SEX, plates=[trial.recording(trial.use & ~here, True)])
        found, found_moments = _estimated(trial, learnt, cache)
        parts = {name: getattr(found, name) for name in ("force", "point", "moment")}
        if found.seat is not None:
            parts |= {f"seat {name}": getattr(found.seat, name) for name in ("force", "point", "moment")}
        for name, part in parts.items():
            joined.setdefault(name, torch.zeros_like(part))[here] = part[here]
        moments[here] = found_moments[here]
    seat = GroundReaction.seat_of(*(joined[f"seat {name}"] for name in ("force", "point", "moment"))) \
        if "seat force" in joined else None
    return GroundReaction(joined["force"], joined["point"], joined["moment"], "estimated", seat), moments


def _lever_rule(trial: _Trial) -> tuple[GroundReaction, np.ndarray]:
    """The usual simple way: the sum acts at its centre of pressure, each foot carries by its distance from it."""
    body = TorchBody(trial.model, dtype=torch.float64)
    force, moment = total_wrench(body, *trial.motion)
    place = torch.stack([moment[:, 2], torch.zeros(len(moment)).double(), -moment[:, 0]], -1) / force[:, 1:2]
    soles = body.foot_contacts(body(trial.q)).mean(-2)
    between = soles[:, 0] - soles[:, 1]
    between[:, 1] = 0
    right = (((place - soles[:, 1]) * between).sum(-1) / between.square().sum(-1)).clamp(0, 1)
    share = torch.stack([right, 1 - right], -1)
    middle = (share[..., None] * soles).sum(1)
    point = soles + (place - middle)[:, None]
    point[..., 1] = 0
    both = share[..., None] * force[:, None]
    twist = moment - torch.linalg.cross(point, both, dim=-1).sum(1)
    found = GroundReaction(both, point, share[..., None] * twist[:, None], "estimated")
    return found, inverse_dynamics(body, *trial.motion, found.wrenches()).numpy()


# ---- figures ---------------------------------------------------------------------------------------------------------


def _figures(trial: _Trial, calibration: str, estimate: tuple[GroundReaction, np.ndarray]) -> list[GroundRow]:
    found, moments = estimate
    use, plates = trial.use, trial.plates
    weight = trial.model.mass_kg * STANDARD_GRAVITY
    squats = trial.name == "squats"
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


def _peak_error(trial: _Trial, truth: np.ndarray, ours: np.ndarray) -> float:
    """Mean over repetitions of |peak - true peak|, % of their mean true peak, in the direction of the largest."""
    way = np.sign(truth[trial.use][np.abs(truth[trial.use]).argmax()])
    errors, peaks = [], []
    for number in np.unique(trial.repetition):
        here = trial.use & (trial.repetition == number)
        if here.any() and np.ptp(trial.knee_deg[here]) > WHOLE_DEG:
            errors.append(abs((way * ours[here]).max() - (way * truth[here]).max()))
            peaks.append((way * truth[here]).max())
    return 100 * float(np.mean(errors) / abs(np.mean(peaks)))


def _seat_off(trial: _Trial, found: GroundReaction, weight: float) -> np.ndarray:
    """|error| in s of each moment at which the seat stops carrying, ours against total less plates."""
    needed = found.total()[0][:, 1] - trial.plates.force[..., 1].sum(-1)
    bent = trial.knee_deg > BOTTOM_DEG - 10
    true, ours = (_ends(series.numpy() / weight > SEATED, bent) for series in (needed, found.seat.force[:, 1]))
    return np.array([np.abs(ours - moment).min() for moment in true]) / trial.rate


def _ends(seated: np.ndarray, bent: np.ndarray) -> np.ndarray:
    """Frames in which sitting ends because the person rises: of those runs that lasted 0.2 s, the last frames."""
    ends = np.flatnonzero(seated[:-1] & ~seated[1:] & bent[1:])
    return np.array([end for end in ends if seated[max(0, end - 20):end].all()])
