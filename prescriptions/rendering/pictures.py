"""Five pictures that tell a squat on paper: standing, half way down, the bottom, half way up, standing again."""
from __future__ import annotations

from dataclasses import dataclass

from prescriptions.rendering.film import VIEWS
from prescriptions.rendering.studio import Studio

NAMES = ("stand_start", "mid_descent", "bottom", "mid_ascent", "stand_end")
SIZE = (840, 624)       # from the front and from the side, next to each other


@dataclass(frozen=True)
class Picture:
    """A moment of the first repetition (s) as JPEG."""

    name: str
    seconds: float
    jpeg: bytes


def key_moments(document: dict) -> dict[str, float]:
    """Name -> time (s) of the five moments, in the first repetition of a playback document."""
    phases = document["phases"]
    end = document["duration_s"]
    spans = {}
    for phase in phases:
        spans.setdefault(phase["name"], (phase["start_s"], min(phase["end_s"], end)))
    down = spans.get("descent", (0.0, end / 2))
    up = spans.get("ascent", (down[1], end))
    return {
        "stand_start": down[0], "mid_descent": sum(down) / 2,
        "bottom": sum(spans["bottom"]) / 2 if "bottom" in spans else down[1],
        "mid_ascent": sum(up) / 2, "stand_end": up[1],
    }


def key_pictures(studio: Studio, document: dict) -> list[Picture]:
    """The five, drawn in an open studio."""
    studio.show(VIEWS["both"], *SIZE)
    return [Picture(name, seconds, studio.picture(seconds)) for name, seconds in key_moments(document).items()]
