"""Beside the movement: how somebody stands, where the feet are, and how long down and up take.

One repetition has `DESCRIBED` numbers of these. Lengths are shares of leg length, so that they fit another person.
Sideways numbers come as a mean of both feet and a difference (right minus left): mirroring turns the differences round
and keeps the rest.
"""

import numpy as np
import torch
from torch import Tensor

from generation.engine.body import BODIES, COORDINATES, BodyScale, TorchBody
from generation.engine.metrics.phases import measure_phases
from generation.engine.motion_data.dataset import Repetition, Subject
from generation.engine.motion_data.mirror import mirror_plan
from generation.engine.motion_model.channels import LEARNED_COORDINATES, TRANSLATIONS

POSED = tuple(name for i, name in enumerate(LEARNED_COORDINATES) if i not in TRANSLATIONS)  # of the standing pose, rad
STANCE = ("width", "toe_out", "toe_out_difference", "stagger")  # leg lengths, rad, rad, leg lengths
TEMPO = ("descent_s", "ascent_s")  # natural logarithms of seconds
DESCRIBED = (*POSED, *STANCE, *TEMPO)
BODY = ("height_m", "leg_share", "thigh_share")  # m, leg length by height, thigh by leg
_NEGATED = ("toe_out_difference", "stagger")
_CALCN = [BODIES.index(f"calcn_{side}") for side in "rl"]
_ANY_MASS_KG = 70.0  # kinematics do not depend on it



def body_numbers(body: TorchBody, leg_length_m: float) -> Tensor:
    """(BODY,) what a prior might know of a body made from a `BodyScale`."""
    with torch.no_grad():
        centres = body.joint_centres(body(body.neutral()))
        thigh = float((centres["hip_r"] - centres["knee_r"]).norm())
    return torch.tensor([body.scale.height_m, leg_length_m / body.scale.height_m, thigh / leg_length_m])


def describe(repetitions: list[Repetition]) -> tuple[Tensor, Tensor]:
    """(repetition, DESCRIBED), and BODY (repetition, 3) of each repetition's person."""
    rows, bodies, known = [], [], {}
    for repetition in repetitions:
        subject = repetition.subject
        if subject.name not in known:
            body = TorchBody(BodyScale(subject.factors, _ANY_MASS_KG, subject.height_m, "motion data"),
                             dtype=torch.float64)
            known[subject.name] = body, body_numbers(body, subject.leg_length_m)
        body, features = known[subject.name]
        rows.append([*_pose(subject), *_stance(body, subject, repetition.values), *_tempo(repetition)])
        bodies.append(features)
    return torch.tensor(rows, dtype=torch.float32), torch.stack(bodies)


def mirror_described(described: Tensor) -> Tensor:
    """(..., DESCRIBED) of the mirrored repetitions."""
    order, sign = mirror_plan(POSED)
    sign = [*sign, *(-1.0 if name in _NEGATED else 1.0 for name in (*STANCE, *TEMPO))]
    order = [*order, *range(len(POSED), len(DESCRIBED))]
    return described[..., order] * torch.tensor(sign, dtype=described.dtype, device=described.device)


def _pose(subject: Subject) -> list[float]:
    pose = [float(subject.standing[COORDINATES.index(name)]) for name in POSED]
    pose[POSED.index("pelvis_rotation")] = 0.0  # where a camera stood
    return pose


def _stance(body: TorchBody, subject: Subject, values: np.ndarray) -> list[float]:
    with torch.no_grad():
        placed = body(torch.as_tensor(values[[0, len(values) // 2, -1]]))
    toes = placed.rotations[:, _CALCN, :, 0].mean(0)
    feet = placed.translations[:, _CALCN, :].mean(0)
    apart = feet[0] - feet[1]  # right minus left; repetitions face +X
    yaw = torch.atan2(toes[:, 2], toes[:, 0])  # + is to the right
    right, left = float(yaw[0]), float(-yaw[1])
    return [float(apart[2]) / subject.leg_length_m, (right + left) / 2, right - left,
            float(apart[0]) / subject.leg_length_m]


def _tempo(repetition: Repetition) -> list[float]:
    frames = len(repetition.values)
    height = repetition.values[:, COORDINATES.index("pelvis_ty")]
    times = np.arange(frames) / repetition.frame_rate
    try:
        phases = measure_phases(height, times)
        seconds = phases.descent_s, phases.ascent_s
    except ValueError:  # the pelvis does not go down and up in this movement
        seconds = repetition.bottom / repetition.frame_rate, (frames - 1 - repetition.bottom) / repetition.frame_rate
    return [float(np.log(max(value, 0.1))) for value in seconds]
