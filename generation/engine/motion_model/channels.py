"""What the motion model sees of a squat: 21 channels, 128 frames, relative to how this person stands.

- Person taken out: every channel is the difference from the person's own standing pose; the pelvis's path is divided
  by leg length. What is left is the movement, which people share more than poses.
- Time taken out: frame 0 is upright, BOTTOM the lowest pelvis, the last frame upright again, evenly spaced in each
  half. The published system (Maheshwari et al. 2025) repeats a short repetition until 196 frames of 60 Hz are full;
  then the model must spend codes on tempo and on seams. Tempo here is an exact parameter of its own, applied when the
  motion is re-timed.
- Arms are not learned: the recordings hold them overhead or forward by instruction.
"""

import numpy as np
import torch
from scipy.interpolate import CubicSpline
from torch import Tensor

from generation.engine.body import COORDINATES
from generation.engine.motion_data.mirror import mirror_plan

FRAMES = 128
BOTTOM = 64  # the frame of the lowest pelvis

LEARNED_COORDINATES: tuple[str, ...] = (
    "pelvis_tilt",
    "pelvis_list",
    "pelvis_rotation",
    "pelvis_tx",
    "pelvis_ty",
    "pelvis_tz",
    "hip_flexion_r",
    "hip_adduction_r",
    "hip_rotation_r",
    "knee_angle_r",
    "ankle_angle_r",
    "subtalar_angle_r",
    "hip_flexion_l",
    "hip_adduction_l",
    "hip_rotation_l",
    "knee_angle_l",
    "ankle_angle_l",
    "subtalar_angle_l",
    "lumbar_extension",
    "lumbar_bending",
    "lumbar_rotation",
)
LEARNED = [COORDINATES.index(name) for name in LEARNED_COORDINATES]
TRANSLATIONS = [LEARNED_COORDINATES.index(f"pelvis_t{axis}") for axis in "xyz"]


def channel_units(leg_length: Tensor | float, like: Tensor) -> Tensor:
    """(..., 1, channel): metres for one unit of a translation channel, 1 for angles."""
    leg_length = torch.as_tensor(leg_length, dtype=like.dtype, device=like.device)
    is_translation = torch.zeros(len(LEARNED), dtype=torch.bool, device=like.device)
    is_translation[TRANSLATIONS] = True
    return torch.where(
        is_translation, leg_length[..., None, None], torch.ones((), dtype=like.dtype, device=like.device)
    )


def to_learned(values: Tensor, standing: Tensor, leg_length: Tensor | float) -> Tensor:
    """Motion values to channels.

    values (..., time, coordinate) radians and metres, all COORDINATES; standing (..., coordinate); leg_length (...)
    metres. Returns (..., time, channel): radians from standing, translations in leg lengths from standing.
    """
    return (values[..., LEARNED] - standing[..., None, LEARNED]) / channel_units(leg_length, values)


def normalise_phase(values: np.ndarray, bottom: int) -> np.ndarray:
    """Resample one repetition (time, coordinate) to (FRAMES, coordinate) with its frame `bottom` at BOTTOM."""
    times = np.concatenate(
        [np.linspace(0, bottom, BOTTOM + 1), np.linspace(bottom, len(values) - 1, FRAMES - BOTTOM)[1:]]
    )
    return CubicSpline(np.arange(len(values)), values)(times)


def mirror_channels(channels: Tensor) -> Tensor:
    """Mirror channels (..., channel) left to right."""
    order, sign = mirror_plan(LEARNED_COORDINATES)
    return channels[..., order.tolist()] * torch.as_tensor(sign, dtype=channels.dtype, device=channels.device)


def symmetric(pose: np.ndarray) -> np.ndarray:
    """The pose (coordinate,) halfway to its own mirror image."""
    order, sign = mirror_plan(COORDINATES)
    return (pose + pose[order] * sign) / 2
