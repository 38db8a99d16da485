"""Cuts a recording into repetitions: upright, down, lowest point, up, upright. Written for squats; other movements
give other curves (`movements.py`).

The lowest point is the lowest pelvis. Start and end come from knee flexion, because a person who rises on the toes
after the squat still lifts the pelvis when the squat is over: a repetition starts at the last frame before the lowest
point, and ends at the first one after it, at which the knees hardly move and are nearly as straight as this person's
get when standing.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.signal import find_peaks, savgol_filter

MIN_DROP = 0.10  # of leg length: a smaller sinking of the pelvis is no squat; ours (E)
QUIET_SPEED = 0.06  # of the fastest knee speed of the repetition: slower counts as standing still; ours (E)
UPRIGHT_SHARE = 0.15  # of the repetition's knee excursion: straighter than this counts as upright; ours (E)
INCOMPLETE_SHARE = 0.20  # of it: a cut edge further from upright than this makes the repetition incomplete; ours (E)
SMOOTH_FRAMES = 21  # Savitzky-Golay window, order 3, as in the published system (Maheshwari et al. 2025)


@dataclass(frozen=True)
class Segment:
    """Frames of one repetition; `end` is its last frame. `incomplete` says in words what is missing, or is empty."""

    start: int
    bottom: int
    end: int
    incomplete: str = ""


def degrees_of_flexion(angle: float) -> str:
    """A knee angle in words."""
    return f"{np.rad2deg(angle):.0f} deg of knee flexion"


def find_repetitions(
    pelvis_height: np.ndarray,
    knee: np.ndarray,
    leg_length: float,
    standing_knee: float,
    min_drop: float = MIN_DROP,
    said: Callable[[float], str] = degrees_of_flexion,
) -> list[Segment]:
    """Segments of one recording, in order.

    pelvis_height: (frame,) metres; knee: (frame,) mean flexion of both knees, radians; leg_length: metres;
    standing_knee: this person's knee flexion when upright, radians; min_drop: the least sinking, in leg lengths; said:
    a value of `knee` in words.
    """
    window = min(SMOOTH_FRAMES, len(knee) - 1 + len(knee) % 2)
    if window < 5:
        return []
    smooth = savgol_filter(knee, window, 3)
    speed = np.abs(np.gradient(smooth))
    padded = np.concatenate([[pelvis_height.max()], pelvis_height, [pelvis_height.max()]])
    bottoms = find_peaks(-padded, prominence=min_drop * leg_length)[0] - 1
    segments = []
    for i, bottom in enumerate(bottoms):
        # between two lowest points the recording belongs to the one on its own side of the straightest knees
        first = bottoms[i - 1] + int(np.argmin(smooth[bottoms[i - 1] : bottom + 1])) if i else 0
        last = bottom + int(np.argmin(smooth[bottom : bottoms[i + 1] + 1])) if i + 1 < len(bottoms) else len(knee) - 1
        excursion = max(smooth[bottom] - standing_knee, 1e-6)
        straight = smooth < standing_knee + UPRIGHT_SHARE * excursion
        start, found_start = _edge(smooth, speed, straight, range(bottom, first - 1, -1))
        end, found_end = _edge(smooth, speed, straight, range(bottom, last + 1))
        missing = []
        for name, frame, found in (("start", start, found_start), ("end", end, found_end)):
            if not found and smooth[frame] > standing_knee + INCOMPLETE_SHARE * excursion:
                missing.append(f"{name} is cut off at {said(smooth[frame])}")
        if min(bottom - start, end - bottom) < 10:
            missing.append("less than 10 frames on one side of the lowest point")
        segments.append(Segment(int(start), int(bottom), int(end), "; ".join(missing)))
    return segments


def _edge(smooth, speed, straight, frames) -> tuple[int, bool]:
    """First frame away from the lowest point that is upright and still; else the straightest, as not found."""
    frames = np.array(frames)
    fastest = speed[frames].max()
    for position, frame in enumerate(frames):
        if straight[frame] and (speed[frame] < QUIET_SPEED * fastest or _turns(smooth, frames, position)):
            return int(frame), True
    return int(frames[np.argmin(smooth[frames])]), False


def _turns(smooth, frames, position) -> bool:
    """Do the knees stop straightening here and bend again further out?"""
    return 0 < position < len(frames) - 1 and smooth[frames[position]] <= smooth[frames[position + 1]]
