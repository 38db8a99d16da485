"""The force-plate recordings of one healthy woman, and every way to estimate their ground reaction.

Raw data: OpenCap LabValidation, subject 4 (markers, plates, expert-scaled model and kinematics; own terms, only figures
may be shown). The plates do not carry the seat: what lacks from the total is taken for it.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from generation.engine.analysis.plates import ground_from_plates
from generation.engine.body import TorchBody
from generation.engine.body.model import BodyModel
from generation.engine.formats.external_loads import read_external_loads
from generation.engine.formats.mot import read_mot
from generation.engine.physics.calibration import UNBIASED, Calibration, Recording, calibrate
from generation.engine.physics.derivatives import differentiate
from generation.engine.physics.dynamics import inverse_dynamics
from generation.engine.physics.ground import STANDARD_GRAVITY, estimate_ground, total_wrench
from generation.engine.physics.ground_reaction import GroundReaction
from generation.engine.validation.kinematics import coordinates_of

FOLDER = "labvalidation-subject4"
SEX = "female"
SQUATS, RISING = "squats", "sit-to-stand"
RECORDINGS = {SQUATS: "squats1", RISING: "STS1"}
STANDING_S = (1.0, 2.0, 3.0, 4.0)  # moments of the static recording
CUTOFF_HZ = 6.0
BOTTOM_DEG = 85.0  # knee flexion
SEATED = 0.05  # body weights on the seat from which a person sits
EDGE = 10  # frames left out at both ends of a recording
HALF_DEG = 45.0  # knee flexion at which one repetition ends and the next begins


@dataclass(frozen=True)
class Trial:
    """One recording, (time, ...); `moments`: inverse dynamics with the plates, the truth."""

    name: str
    model: BodyModel
    q: torch.Tensor
    u: torch.Tensor
    udot: torch.Tensor
    rate: float
    plates: GroundReaction
    moments: np.ndarray  # (time, coordinate) Nm
    use: np.ndarray  # (time,) bool: frames that count: the feet carry all
    repetition: np.ndarray  # (time,) number of the repetition
    knee_deg: np.ndarray

    @property
    def motion(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        return self.q, self.u, self.udot

    def column(self, name: str) -> int:
        return self.model.coordinates.index(name)

    def recording(self, frames: np.ndarray, plates: bool) -> Recording:
        return Recording(*self.motion, self.rate, self.plates if plates else None, frames)


def standing_still(folder: Path, body: BodyModel) -> Recording:
    """The static recording as a motion of `body`: OpenSim's inverse kinematics of its markers at some moments."""
    import opensim

    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "body.osim"
        path.write_bytes(body.osim)
        opensim.Logger.setLevelString("Error")
        opensim.Logger.removeFileSink()
        model = opensim.Model(str(path))
        markers = opensim.MarkersReference(str(folder / "MarkerData" / "static1.trc"), opensim.SetMarkerWeights())
        state = model.initSystem()
        solver = opensim.InverseKinematicsSolver(model, markers, opensim.SimTKArrayCoordinateReference(), float("inf"))
        solver.setAccuracy(1e-5)
        poses = []
        for moment in STANDING_S:
            state.setTime(moment)
            solver.track(state) if poses else solver.assemble(state)
            poses.append([model.getCoordinateSet().get(name).getValue(state) for name in body.coordinates])
    q = torch.tensor(poses, dtype=torch.float64)
    return Recording(q, torch.zeros_like(q), torch.zeros_like(q), 1.0 / float(np.diff(STANDING_S).mean()))


def weighed(folder: Path) -> float:
    """Body mass in kg as the plates weigh it in the static recording: what a scale would say."""
    loads = read_external_loads(folder / "ID" / "static1_grf.mot", folder / "ID" / "static1_external_forces.xml")
    return float(np.mean(sum(force.force[:, 1] for force in loads.forces)) / STANDARD_GRAVITY)


def proportional(body: BodyModel, mass_kg: float) -> dict[str, float]:
    return {name: float(mass * mass_kg / body.mass_kg)
            for name, mass in zip(body.bodies, body.packed["mass"], strict=True)}


def read_trial(folder: Path, name: str, body: BodyModel, cutoff: float = CUTOFF_HZ) -> Trial:
    recording = RECORDINGS[name]
    motion = read_mot(folder / "IK" / f"{recording}_manual_scaling_ik.mot")
    values, _ = coordinates_of(body, motion)
    torch_body = TorchBody(body, dtype=torch.float64)
    q, u, udot = differentiate(torch.as_tensor(values), motion.frame_rate, cutoff)
    forces = folder / "ID" / recording
    loads = read_external_loads(f"{forces}_grf.mot", f"{forces}_external_forces.xml")
    plates, _ = ground_from_plates(loads, motion.start_s + motion.times, torch_body, values, cutoff)
    with torch.no_grad():
        moments = inverse_dynamics(torch_body, q, u, udot, plates.wrenches()).numpy()
        needed = total_wrench(torch_body, q, u, udot)[0][:, 1].numpy()
    knee = np.degrees(q[:, body.coordinates.index("knee_angle_r")].numpy())
    use = np.ones(len(q), bool)
    use[:EDGE] = use[-EDGE:] = False
    if name == RISING:
        use &= _free_of_seat(needed, plates, body.mass_kg, knee)
    return Trial(name, body, q, u, udot, motion.frame_rate, plates, moments, use, _repetitions(knee), knee)


def _free_of_seat(needed, plates, mass_kg, knee) -> np.ndarray:
    """Frames in which the plates carry all: from seat-off until the next sitting down."""
    seat = needed - plates.force[:, :, 1].sum(1).numpy() > SEATED * mass_kg * STANDARD_GRAVITY
    return ~(seat & (knee > BOTTOM_DEG))


def _repetitions(knee: np.ndarray) -> np.ndarray:
    """The number of the repetition of each frame: a new one begins with each rising through half the range."""
    up = knee < HALF_DEG
    return np.cumsum(np.r_[False, up[:-1] & ~up[1:]])


def without_plates(trial: Trial, standing: Recording) -> dict[str, Calibration]:
    """What can be learnt without plates: name -> calibration, each with all of the one before."""
    given = {"sex": SEX}
    found = {"none": Calibration(), "published masses": calibrate(trial.model, **given, torso=UNBIASED),
             "+ typical torso": calibrate(trial.model, **given)}
    given["standing"] = standing
    found["+ quiet standing"] = calibrate(trial.model, **given)
    given["moving"] = [trial.recording(trial.use, plates=False)]
    found["+ calm centre of pressure"] = calibrate(trial.model, **given)
    return found


def estimated(trial: Trial, calibration: Calibration, cache) -> tuple[GroundReaction, np.ndarray]:
    body = TorchBody(calibration.apply(trial.model, cache), dtype=torch.float64)
    found = estimate_ground(body, *trial.motion, calibration, seat=trial.name == RISING)
    return found, inverse_dynamics(body, *trial.motion, found.wrenches()).numpy()


def crossed(trial: Trial, cache) -> tuple[GroundReaction, np.ndarray]:
    """Each repetition by what the other repetitions taught."""
    joined: dict[str, torch.Tensor] = {}
    moments = np.zeros_like(trial.moments)
    for number in np.unique(trial.repetition):
        here = trial.repetition == number
        learnt = calibrate(trial.model, sex=SEX, plates=[trial.recording(trial.use & ~here, True)], cache=cache)
        found, found_moments = estimated(trial, learnt, cache)
        parts = {name: getattr(found, name) for name in ("force", "point", "moment")}
        if found.seat is not None:
            parts |= {f"seat {name}": getattr(found.seat, name) for name in ("force", "point", "moment")}
        for name, part in parts.items():
            joined.setdefault(name, torch.zeros_like(part))[here] = part[here]
        moments[here] = found_moments[here]
    seat = GroundReaction.seat_of(*(joined[f"seat {name}"] for name in ("force", "point", "moment"))) \
        if "seat force" in joined else None
    return GroundReaction(joined["force"], joined["point"], joined["moment"], "estimated", seat), moments


def lever_rule(trial: Trial) -> tuple[GroundReaction, np.ndarray]:
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
