"""Reading and storing what the player shows (docs/player.md), without torch."""
from __future__ import annotations

import gzip
import json
from dataclasses import dataclass

import numpy as np

from generation.engine.formats.playback import series
from generation.models import CandidateMotion

COMPRESSION = 6


@dataclass(frozen=True)
class Curves:
    """A motion over time: joint angles in degrees, translations in metres, joint centres in ground in metres."""

    names: tuple[str, ...]
    values: np.ndarray          # (time, coordinate)
    frame_rate: float
    phases: list[dict]
    joints: dict[str, np.ndarray]       # (time, 3), Y up

    @property
    def times(self) -> np.ndarray:
        return np.arange(len(self.values)) / self.frame_rate

    def of(self, name: str) -> np.ndarray:
        return self.values[:, self.names.index(name)]

    def thigh_inclination_peak_deg(self) -> float:
        """The greatest angle of a thigh (hip to knee) from the vertical; 90 is level."""
        thighs = [self.joints[f"hip_{side}"] - self.joints[f"knee_{side}"] for side in "rl"]
        return max(float(np.degrees(np.arccos(t[:, 1] / np.linalg.norm(t, axis=1))).max()) for t in thighs)

    def phase_seconds(self, name: str) -> float:
        """Length of the first phase of this name; 0 when there is none."""
        for phase in self.phases:
            if phase["name"] == name:
                return phase["end_s"] - phase["start_s"]
        return 0.0


def curves(candidate: CandidateMotion) -> Curves:
    document = json.loads(gzip.decompress(candidate.playback_gzip))
    places = series(document, "joint_centres")
    joints = {name: places[:, i] for i, name in enumerate(document["joint_centres"]["names"])}
    return Curves(tuple(document["coordinates"]["names"]), series(document, "degrees"), document["frame_rate"],
                  document["phases"], joints)


def compressed(document: dict) -> bytes:
    """A document as it is stored and sent: JSON, gzip."""
    return gzip.compress(json.dumps(document, allow_nan=False, separators=(",", ":")).encode(), COMPRESSION, mtime=0)
