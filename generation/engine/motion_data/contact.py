"""Which parts of the feet are on the floor, and toes that do not go through it.

No marker is on the toes: inverse kinematics keeps them in line with the foot, and when a heel is up they would point
into the floor y = 0. They bend there as the floor bends them.
"""

import numpy as np
import torch
from scipy.signal import butter, sosfiltfilt

from generation.engine.body import COORDINATES, TorchBody
from generation.engine.motion_data.placing import soles
from generation.engine.motion_data.sources import CUTOFF_HZ, FRAME_RATE

NEAR_FLOOR = 0.025  # metres over y = 0 within which a part of the sole may be on the floor; ours (E)
STILL = 0.25  # metres a second: a part that moves faster is not on the floor; ours (E)
HALVINGS = 20
SOLE_PARTS = (slice(0, 2), slice(2, 4), slice(4, 6))  # heel, ball and toe tips among the points of a sole


def parts(points: np.ndarray) -> np.ndarray:
    """(frame, foot, 2 [heel, forefoot], 3) metres: the heel, and of ball and toe tips the lower one.

    points: (frame, foot, point, 3) as `placing.soles` gives them.
    """
    heel, ball, tips = (points[:, :, part].mean(axis=2) for part in SOLE_PARTS)
    return np.stack([heel, np.where(tips[..., 1:2] < ball[..., 1:2], tips, ball)], axis=2)


def contacts(values: np.ndarray, body: TorchBody) -> np.ndarray:
    """(frame, foot [right, left], 2 [heel, forefoot]) True where that part of the sole is on the floor and still."""
    points = soles(body, values)
    speed = np.linalg.norm(np.gradient(points, axis=0), axis=-1) * FRAME_RATE
    slowest = np.stack([speed[:, :, :2].min(axis=2), speed[:, :, 2:].min(axis=2)], axis=2)
    return (parts(points)[..., 1] < NEAR_FLOOR) & (slowest < STILL)


def bend_toes(values: np.ndarray, body: TorchBody) -> np.ndarray:
    """Values (frame, coordinate) with toes bent upward, inside the joint's range, where their tips would otherwise be
    under the floor.
    """
    bent = values.copy()
    names = [f"mtp_angle_{side}" for side in "rl"]
    columns = [COORDINATES.index(name) for name in names]
    bent[:, columns] = 0.0
    with torch.no_grad():
        placed = body(torch.as_tensor(bent, dtype=torch.float64))
        tips = body.foot_contacts(placed)[:, :, SOLE_PARTS[2]].mean(2)
        axis, drift = body.twists(placed, names)  # (frame, foot, 3)
        pace = torch.linalg.cross(axis, tips, dim=-1) + drift  # of the tips for a unit rate of their hinge
        turn = torch.linalg.cross(axis, pace, dim=-1)
    height, pace, turn = (x[..., 1].numpy() for x in (tips, pace, turn))  # (frame, foot)
    for foot, column in enumerate(columns):

        def clearance(angle, foot=foot):
            return height[:, foot] + np.sin(angle) * pace[:, foot] + (1 - np.cos(angle)) * turn[:, foot]

        ends = [float(body.lower[column]), float(body.upper[column])]
        up = max(ends, key=lambda end, rises=clearance: rises(end).mean())  # which end lifts the tips is the model's
        low, high = np.zeros(len(values)), np.full(len(values), up)
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            clear = clearance(middle) >= 0
            low, high = np.where(clear, low, middle), np.where(clear, middle, high)
        angle = np.where(height[:, foot] < 0, high, 0.0)
        angle = sosfiltfilt(butter(2, CUTOFF_HZ, fs=FRAME_RATE, output="sos"), angle, padlen=min(15, len(angle) - 1))
        bent[:, column] = np.clip(angle, *ends)
    return bent
