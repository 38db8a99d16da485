"""The recordings that the figures come from: raw ones, which stay outside the project, and the shipped motions."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from generation.engine.body import COORDINATES, BodyModel, load_body, scale_body, write_osim
from generation.engine.formats import ExternalLoads, Motion, read_external_loads, read_mot
from generation.engine.motion_data import load_repetitions

_SUBJECT4, _OPENCAP = "labvalidation-subject4", "cmbbe2024/Demo1_OpenCap/OpenSimData"
# name -> model, kinematics, forces and their set-up
RAW = {
    "subject 4, squats": (
        f"{_SUBJECT4}/Models/manually_scaled.osim", f"{_SUBJECT4}/IK/squats1_manual_scaling_ik.mot",
        f"{_SUBJECT4}/ID/squats1_grf.mot", f"{_SUBJECT4}/ID/squats1_external_forces.xml"),
    "OpenCap 2024, squats": (
        f"{_OPENCAP}/Model/LaiUhlrich2022_scaled.osim", f"{_OPENCAP}/Kinematics/Squats.mot", None, None),
    "OpenCap, squats": (
        "opencap-squat/LaiUhlrich2022.osim", "opencap-squat/squats1_videoAndMocap.mot", None, None),
    "Kirsten, squats": ("kirsten-squat/final.osim", "kirsten-squat/DLS01_ik.mot", None, None),
}
# Sex, age, height, mass: a small woman, the generic man's neighbour, a tall heavy man. Genuflex's own model.
PEOPLE = (("female", 70.0, 1.52, 52.0), ("male", 40.0, 1.75, 78.0), ("male", 30.0, 1.95, 110.0))


@dataclass(frozen=True, eq=False)
class Recording:
    """One person's movement in that person's model; forces where plates measured them."""

    name: str
    body: BodyModel
    motion: Motion
    forces: ExternalLoads | None


def raw_recordings(data: Path, cache: Path | None = None) -> Iterator[Recording]:
    """Those of RAW that the folder holds."""
    for name, files in RAW.items():
        model, kinematics, forces, setup = (data / part if part else None for part in files)
        if not (model.is_file() and kinematics.is_file()):
            continue
        body = load_body(model, cache)
        loads = read_external_loads(forces, setup) if forces is not None and forces.is_file() else None
        yield Recording(name, body, read_mot(kinematics), loads)


def shipped_bodies(folder: Path, cache: Path | None = None) -> list[tuple[str, BodyModel]]:
    """Genuflex's own model in the sizes of PEOPLE."""
    found = []
    for sex, age, height, mass in PEOPLE:
        path = write_osim(scale_body(sex, age, height, mass), folder / f"{sex}_{height:g}.osim")
        found.append((f"{sex}, {height:g} m, {mass:g} kg", load_body(path, cache, height_m=height)))
    return found


def shipped_motion(share: float = 1.0, most: int | None = None) -> Motion:
    """Every frame of the shipped squats one after the other, or evenly chosen ones: poses, not a movement."""
    values = np.concatenate([repetition.values for repetition in load_repetitions()])
    count = min(len(values), most or len(values), int(share * len(values)))
    chosen = np.linspace(0, len(values) - 1, count).round().astype(int)
    return Motion(COORDINATES, values[chosen].astype(float), 60.0)


def one_squat(seconds: float | None = None) -> Motion:
    """A recorded squat of the shipped data, the one of median length; seconds: its speed is changed to last so long."""
    repetitions = sorted(load_repetitions(), key=lambda repetition: len(repetition.values))
    values = repetitions[len(repetitions) // 2].values.astype(float)
    rate = 60.0
    if seconds is not None:
        at = np.linspace(0, len(values) - 1, int(round(seconds * rate)) + 1)
        values = np.column_stack([np.interp(at, np.arange(len(values)), column) for column in values.T])
    return Motion(COORDINATES, values, rate)
