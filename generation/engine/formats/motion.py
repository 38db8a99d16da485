"""A movement: coordinates over time."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Motion:
    """Joint coordinates of one movement, evenly sampled.

    values: (time, coordinate), radians for angles and metres for translations; frame_rate in Hz; notes: what a reader
    had to assume, one sentence each; start_s: the file's own time of the first frame, by which forces are found.
    """

    coordinates: tuple[str, ...]
    values: np.ndarray
    frame_rate: float
    notes: tuple[str, ...] = ()
    start_s: float = 0.0

    def __post_init__(self):
        if self.values.ndim != 2 or self.values.shape[1] != len(self.coordinates):
            raise ValueError(f"values has shape {self.values.shape}; {len(self.coordinates)} coordinates were named")
        if not self.frame_rate > 0:
            raise ValueError(f"frame_rate must be positive, got {self.frame_rate}")

    @property
    def times(self) -> np.ndarray:
        """(time,) s, from 0"""
        return np.arange(len(self.values)) / self.frame_rate

    @property
    def duration_s(self) -> float:
        """From the first frame to the last one."""
        return max(len(self.values) - 1, 0) / self.frame_rate

    def column(self, coordinate: str) -> np.ndarray:
        """(time,) of one coordinate. Raises KeyError when the motion lacks it."""
        if coordinate not in self.coordinates:
            raise KeyError(coordinate)
        return self.values[:, self.coordinates.index(coordinate)]


def is_translation(coordinate: str) -> bool:
    """Whether a coordinate is a length and not an angle: OpenSim names those `..._tx`, `..._ty`, `..._tz`."""
    return coordinate.endswith(("_tx", "_ty", "_tz"))


def copied_from(coordinate: str) -> str | None:
    """The coordinate that this one always equals: the patella's `knee_angle_r_beta` follows `knee_angle_r`."""
    return coordinate.removesuffix("_beta") if coordinate.endswith("_beta") else None
