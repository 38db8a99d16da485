"""A movement of the 21 learned channels placed on somebody's body: as a baseline does it, without any model.

It starts from the standing pose of a training person. The depth is reached by the size of the movement, the tempo by
stretching descent and ascent evenly. Where ``planted`` both feet are then put flat on the floor in every frame, by the
same code that plants the generator's motions, and arms hang as the generator's do: what is left to compare is the
movement itself.
"""
from __future__ import annotations

import numpy as np
import torch
from scipy.interpolate import CubicSpline
from torch import Tensor

from generation.engine.body import COORDINATES, TorchBody
from generation.engine.evaluation.motions import BOTTOM, FRAME_RATE, FRAMES, LEARNED
from generation.engine.guidance.planting import CALCN, Stance, flat_height, plant, tidy
from generation.engine.guidance.posture import Arms
from generation.engine.motion_model.channels import channel_units

_KNEES = [COORDINATES.index(f"knee_angle_{side}") for side in "rl"]
_HEIGHT = COORDINATES.index("pelvis_ty")
SIZES = (0.3, 1.4)               # of a recorded movement: beyond that it is another one (E)


def leg_length(body: TorchBody) -> float:
    """Hip centre to ankle centre along thigh and shin, m."""
    with torch.no_grad():
        centres = body.joint_centres(body(body.neutral()))
    return float((centres["hip_r"] - centres["knee_r"]).norm() + (centres["knee_r"] - centres["ankle_r"]).norm())


def times_of(descent_s: float, ascent_s: float) -> np.ndarray:
    """Of the frames, as places in a movement of FRAMES samples."""
    times = np.arange(round((descent_s + ascent_s) * FRAME_RATE) + 1) / FRAME_RATE
    return np.interp(times, [0, descent_s, descent_s + ascent_s], [0, BOTTOM, FRAMES - 1])


def resized(size: float, pose: np.ndarray, values: np.ndarray, knee_deg: float) -> float:
    """How large a movement away from ``pose`` has to be for the knees to reach ``knee_deg``, judging by how far they go
    in the motion ``values`` (time, coordinate) that it gave at ``size``."""
    stood = np.degrees(pose[_KNEES].mean())
    factor = (knee_deg - stood) / max(np.degrees(values[:, _KNEES].mean(1).max()) - stood, 10.0)
    return float(np.clip(size * factor, *SIZES))


@torch.no_grad()
def place(body: TorchBody, pose: np.ndarray, channels: np.ndarray, at: np.ndarray, planted: bool) -> np.ndarray:
    """Motion (time, coordinate) of the movement (FRAMES, channel) away from standing in ``pose`` (coordinate,), at
    places ``at`` (time,) in it. body in float64. Planted feet stand where they are in that pose."""
    like = body.lower
    movement = like.new_tensor(CubicSpline(np.arange(FRAMES), channels)(at))
    q = like.new_tensor(on_floor(body, pose)).expand(len(at), -1).clone()
    if planted:
        stance = stance_of(body, q[0])
    q[:, LEARNED] += movement * channel_units(leg_length(body), like)[0]
    if planted:
        q, _ = plant(body, q[None], stance, flat_height(body), 20, 1e-9)
        q = q[0]
    else:
        q = tidy(q)
    return Arms(body)(q).numpy()


@torch.no_grad()
def on_floor(body: TorchBody, pose: np.ndarray) -> np.ndarray:
    """The pose of another person on this body: its lowest sole point on the floor."""
    q = tidy(body.lower.new_tensor(pose))
    q[_HEIGHT] -= body.foot_contacts(body(q))[..., 1].min()
    return q.numpy()


@torch.no_grad()
def stance_of(body: TorchBody, q: Tensor) -> Stance:
    """Where the feet of a standing pose (coordinate,) facing +x are, batch of one."""
    placed = body(q)
    feet, toes = placed.translations[CALCN], placed.rotations[CALCN, :, 0]                  # right, left
    yaw = torch.atan2(-toes[:, 2], toes[:, 0]) * toes.new_tensor([-1.0, 1.0])
    middle = feet.mean(0)
    return Stance((feet[0, 2] - feet[1, 2])[None], yaw[None], (feet[0, 0] - feet[1, 0])[None], middle[None, 0],
                  middle[None, 2])


def closed(channels: Tensor) -> Tensor:
    """Movements (n, FRAMES, channel) that end where they begin, standing: the drift is taken out evenly."""
    ramp = torch.linspace(0, 1, channels.shape[1], dtype=channels.dtype)[:, None]
    first, last = channels[:, :1], channels[:, -1:]
    return channels - first * (1 - ramp) - last * ramp
