"""Reading a playback document (the format stands in docs/architecture.md) without the engine."""
from __future__ import annotations

import base64
import gzip
import json
from dataclasses import dataclass

import numpy as np

from generation.models import CandidateMotion


@dataclass(frozen=True)
class Curves:
    """Joint angles of a motion over time; angles in degrees, translations in metres."""

    names: tuple[str, ...]
    values: np.ndarray          # (time, coordinate)
    frame_rate: float
    phases: list[dict]

    @property
    def times(self) -> np.ndarray:
        return np.arange(len(self.values)) / self.frame_rate

    def of(self, name: str) -> np.ndarray:
        return self.values[:, self.names.index(name)]

    def phase_seconds(self, name: str) -> float:
        """Length of the first phase of this name; 0 when there is none."""
        for phase in self.phases:
            if phase["name"] == name:
                return phase["end_s"] - phase["start_s"]
        return 0.0


def curves(candidate: CandidateMotion) -> Curves:
    document = json.loads(gzip.decompress(candidate.playback_gzip))
    names = tuple(document["coordinates"]["names"])
    flat = np.frombuffer(base64.b64decode(document["coordinates"]["degrees"]), dtype="<f4")
    return Curves(names, flat.reshape(document["frames"], len(names)), document["frame_rate"], document["phases"])
