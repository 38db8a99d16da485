"""Starting from a person's own squat: its cleanest repetition, kept in every detail that the limits allow."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.interpolate import CubicSpline
from scipy.signal import butter, find_peaks, sosfiltfilt

from generation.engine.body import COORDINATES
from generation.engine.guidance.candidates import Start
from generation.engine.guidance.curves import sample_phases
from generation.engine.guidance.planting import CALCN, resting_x
from generation.engine.guidance.posture import standing
from generation.engine.guidance.prior import Prior
from generation.engine.metrics import measure_phases

_INDEX = {name: i for i, name in enumerate(COORDINATES)}
_KNEES = [_INDEX["knee_angle_r"], _INDEX["knee_angle_l"]]
CUT_OFF_HZ = 6.0                 # low-pass of the person's motion, usual for squats (E)
LEAST_KNEE_DEG = 20.0            # a repetition bends the knees by at least this (E)
_AROUND_S = 0.3                  # of standing before and after that its tempo is measured with (E)
_STANDING_SHARE = 0.06           # of the knee's travel: below it the person stands


class NoRepetition(ValueError):
    """The file holds no whole squat."""


@dataclass
class Reference:
    """One repetition of the person, turned to face +x, feet midway at ``centre_x`` and z = 0; m and rad."""

    offsets: torch.Tensor        # (frame, channel) away from standing, as the prior's
    width: float
    toe_out: tuple[float, float]
    stagger: float
    knee_bend: float             # of the standing pose, rad
    centre_x: float              # of the feet
    start_s: float               # where in the file
    bottom_s: float
    end_s: float
    tempo: tuple[float, float, float] | None = None      # descent, pause, ascent, s; None if not measurable


def person_reference(body, prior: Prior, values: np.ndarray, frame_rate: float) -> Reference:
    """The deepest whole repetition in ``values`` (time, coordinate), rad and m. Raises NoRepetition."""
    smooth = _smooth(values, frame_rate)
    first, bottom, last = _deepest_repetition(np.degrees(smooth[:, _KNEES].mean(1)), frame_rate)
    curve = CubicSpline(np.arange(len(smooth)), smooth)
    at = np.interp(sample_phases(prior.frames, prior.bottom), [0, 0.5, 1], [first, bottom, last])
    q = torch.as_tensor(curve(at), dtype=body.lower.dtype)
    q, stance = _face_forward(body, q)
    width, toe_out, stagger = stance
    bend = float(q[0, _KNEES].mean().clamp(0.03, 0.5))
    pose = standing(body, torch.tensor(width, dtype=q.dtype), torch.tensor(toe_out, dtype=q.dtype),
                    torch.tensor(bend, dtype=q.dtype))
    height = _INDEX["pelvis_ty"]
    q[:, height] += pose[height] - q[0, height]              # the file's floor may be anywhere
    centre_x = resting_x(body)
    q[:, _INDEX["pelvis_tx"]] += centre_x
    offsets = (q - pose)[:, prior.columns]
    return Reference(offsets.to(prior.latents), width, toe_out, stagger, bend, centre_x,
                     first / frame_rate, bottom / frame_rate, last / frame_rate,
                     _tempo(smooth, frame_rate, first, last))


def person_tempo(values: np.ndarray, frame_rate: float) -> tuple[float, float, float] | None:
    """Descent, pause and ascent, s, of the repetition that :func:`person_reference` takes; None where they cannot be
    measured. Raises NoRepetition."""
    smooth = _smooth(values, frame_rate)
    first, _, last = _deepest_repetition(np.degrees(smooth[:, _KNEES].mean(1)), frame_rate)
    return _tempo(smooth, frame_rate, first, last)


def _tempo(smooth: np.ndarray, frame_rate: float, first: int, last: int) -> tuple[float, float, float] | None:
    around = slice(max(0, first - int(_AROUND_S * frame_rate)), last + int(_AROUND_S * frame_rate) + 1)
    height = smooth[around, _INDEX["pelvis_ty"]]
    try:
        phases = measure_phases(height, np.arange(len(height)) / frame_rate)
    except ValueError:
        return None
    return phases.descent_s, phases.pause_s, phases.ascent_s


def _smooth(values: np.ndarray, frame_rate: float) -> np.ndarray:
    if len(values) < 30:
        raise NoRepetition("the motion is too short to hold a squat")
    if frame_rate <= 4 * CUT_OFF_HZ:
        return values
    return sosfiltfilt(butter(2, CUT_OFF_HZ, fs=frame_rate, output="sos"), values, axis=0)


def reference_start(prior: Prior, reference: Reference, count: int, generator: torch.Generator) -> Start:
    """All candidates at the person's motion; they differ as one person's repetitions do, the first not at all."""
    with torch.no_grad():
        latent = prior.encode(reference.offsets[None])
        detail = reference.offsets[None] - prior.offsets(latent)
    latents = prior.again(latent, count, generator)[0]
    latents[0] = latent[0]
    like = latent.new_ones(count)
    return Start(latents, like.clone(), like * reference.width,
                 latent.new_tensor(reference.toe_out).expand(count, 2).clone(), like * reference.knee_bend,
                 like * reference.stagger, reference.centre_x, detail)


def _deepest_repetition(knee: np.ndarray, frame_rate: float) -> tuple[int, int, int]:
    travel = knee.max() - knee.min()
    if travel < LEAST_KNEE_DEG:
        raise NoRepetition(f"the knees bend by {travel:.0f} deg only; a squat needs {LEAST_KNEE_DEG:g}")
    peaks, _ = find_peaks(np.pad(knee, 1, constant_values=knee.min()), prominence=0.5 * travel,
                          distance=max(1, int(0.5 * frame_rate)))
    found = []
    for peak in peaks - 1:
        left, right = knee[:peak + 1], knee[peak:]
        before = np.flatnonzero(left < left.min() + _STANDING_SHARE * (knee[peak] - left.min()))
        after = np.flatnonzero(right < right.min() + _STANDING_SHARE * (knee[peak] - right.min()))
        if not len(before) or not len(after):
            continue
        first, last = int(before[-1]), int(peak + after[0])
        unlike = abs(knee[first] - knee[last]) / travel
        if min(knee[peak] - knee[first], knee[peak] - knee[last]) > 0.5 * travel:
            found.append((knee[peak] - 20 * unlike, first, int(peak), last))
    if not found:
        raise NoRepetition("no repetition begins and ends standing")
    return max(found)[1:]


def _face_forward(body, q: torch.Tensor) -> tuple[torch.Tensor, tuple[float, tuple[float, float], float]]:
    """q turned to face +x, its feet midway at the origin; their mean width, toe-out (right, left) and stagger."""
    with torch.no_grad():
        placed = body(q.to(body.lower))
    toes = placed.rotations[:, CALCN, :, 0].mean(0)                   # (2, 3) mean direction of each foot
    feet = placed.translations[:, CALCN, :].mean(0)
    headings = torch.atan2(-toes[:, 2], toes[:, 0])                    # yaw about y
    facing = torch.atan2(headings.sin().sum(), headings.cos().sum())
    q = q.clone()
    q[:, _INDEX["pelvis_rotation"]] -= facing
    c, s = facing.cos(), facing.sin()
    middle = feet.mean(0)
    x, z = q[:, _INDEX["pelvis_tx"]] - middle[0], q[:, _INDEX["pelvis_tz"]] - middle[2]
    q[:, _INDEX["pelvis_tx"]], q[:, _INDEX["pelvis_tz"]] = c * x - s * z, s * x + c * z
    apart = feet[0] - feet[1]                                          # right minus left
    ahead, aside = c * apart[0] - s * apart[2], s * apart[0] + c * apart[2]
    turn = headings - facing
    return q, (float(aside), (float(-turn[0]), float(turn[1])), float(ahead))
