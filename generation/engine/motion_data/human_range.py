"""How recorded people move through a squat: mean and spread of each joint angle, phase by phase.

Going down and coming up are each brought to the same length, so that a slow and a fast squat lie over each other. Every
person counts once, whatever the number of repetitions; left and right are taken together.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from generation.engine.body import COORDINATES
from generation.engine.motion_data.dataset import FOLDER, Repetition, write_checksum

FILE = FOLDER / "human_range.json"
POINTS = 41  # of each phase, both ends included; ours
# Coordinates shown on pages, without side where there are two.
PAIRED = ("knee_angle", "hip_flexion", "hip_adduction", "hip_rotation", "ankle_angle")
CENTRAL = ("pelvis_tilt", "lumbar_extension")
PHASES = ("descent", "ascent")


@dataclass(frozen=True)
class HumanRange:
    """`mean` and `sd`: phase -> coordinate (without side) -> (POINTS,) degrees; `sd` is the spread between people."""

    people: int
    repetitions: int
    mean: dict[str, dict[str, np.ndarray]]
    sd: dict[str, dict[str, np.ndarray]]


def human_range(repetitions: Iterable[Repetition], people: Iterable[str]) -> HumanRange:
    """Over the correctly performed repetitions of these people. Raises ValueError when fewer than two are left."""
    wanted = set(people)
    of_person: dict[str, list[Repetition]] = {}
    for repetition in repetitions:
        if repetition.correct and repetition.subject.name in wanted:
            of_person.setdefault(repetition.subject.name, []).append(repetition)
    if len(of_person) < 2:
        raise ValueError(f"a spread between people needs two of them; {len(of_person)} of those named have squats")
    mean, sd = {}, {}
    for phase in PHASES:
        curves = np.stack([np.mean([_curves(r, phase) for r in own], axis=0) for own in of_person.values()])
        names = (*PAIRED, *CENTRAL)
        mean[phase] = dict(zip(names, curves.mean(axis=0), strict=True))
        sd[phase] = dict(zip(names, curves.std(axis=0, ddof=1), strict=True))
    return HumanRange(len(of_person), sum(map(len, of_person.values())), mean, sd)


def _curves(repetition: Repetition, phase: str) -> np.ndarray:
    """(coordinate of PAIRED and CENTRAL, POINTS) degrees of one phase of one repetition."""
    part = repetition.values[: repetition.bottom + 1] if phase == "descent" else repetition.values[repetition.bottom :]
    at = np.linspace(0, len(part) - 1, POINTS)
    frames = np.arange(len(part))

    def curve(name: str) -> np.ndarray:
        return np.degrees(np.interp(at, frames, part[:, COORDINATES.index(name)]))

    return np.stack(
        [(curve(f"{name}_r") + curve(f"{name}_l")) / 2 for name in PAIRED] + [curve(name) for name in CENTRAL]
    )


def write(path: Path, found: HumanRange) -> None:
    """The file that pages read, with its checksum beside it; tenths of a degree."""
    rounded = {
        kind: {phase: {name: np.round(values, 1).tolist() for name, values in curves.items()}
               for phase, curves in getattr(found, kind).items()}
        for kind in ("mean", "sd")
    }
    document = {"people": found.people, "repetitions": found.repetitions, "points": POINTS, **rounded}
    path.write_text(json.dumps(document, separators=(",", ":")) + "\n")
    write_checksum(path)
