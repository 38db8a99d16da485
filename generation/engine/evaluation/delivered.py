"""The generator's own output: profiles in, files out, kept, and read again by a reader of its own.

Nothing of the generator's memory is used afterwards: what is measured is what stands in the files.
"""
from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from generation.engine.body import COORDINATES
from generation.engine.evaluation.store import Store
from generation.engine.generate import LimitConflict, ProfileError, generate
from generation.engine.motion_model import MotionModel
from generation.engine.profile import Profile

_NOT_IN_DEGREES = tuple(name for name in COORDINATES if name.startswith("pelvis_t") and name != "pelvis_tilt") + tuple(
    name for name in COORDINATES if name.endswith("_beta"))


@dataclass(frozen=True)
class Delivery:
    """One generation as files. ``accepted`` are paths of `.mot` files that may be shown; ``report`` as in
    docs/report.md ({} where the profile was refused, and ``refused`` says why)."""

    folder: Path
    report: dict
    accepted: tuple[Path, ...]
    refused: str = ""
    seconds: float = 0.0

    @property
    def model(self) -> Path:
        return self.folder / "model.osim"


def deliver(store: Store, name: str, profile: Profile, candidates: int, seed: int, model: MotionModel,
            device: str | None) -> Delivery:
    """Generate, or take what is kept under ``name``."""
    def fill(folder: Path) -> None:
        began = time.perf_counter()
        outcome = {"refused": ""}
        try:
            generate(profile, candidates=candidates, seed=seed, device=device, model=model).write(folder)
        except (LimitConflict, ProfileError) as error:
            outcome["refused"] = str(error)
        outcome["seconds"] = time.perf_counter() - began
        (folder / "outcome.json").write_text(json.dumps(outcome))

    folder = store.folder_of(name, fill)
    outcome = json.loads((folder / "outcome.json").read_text())
    if outcome["refused"]:
        return Delivery(folder, {}, (), outcome["refused"], outcome["seconds"])
    report = json.loads((folder / "report.json").read_text())
    accepted = tuple(folder / one["file"] for one in report["candidates"] if one["accepted"])
    return Delivery(folder, report, accepted, "", outcome["seconds"])


def read_delivered(path: Path) -> np.ndarray:
    """(time, coordinate) of COORDINATES in radians and metres at 60 Hz, from the written numbers alone.

    Shares no line with the writer, so that an error of the writer is seen. Raises ValueError.
    """
    head, _, body = path.read_text().partition("endheader\n")
    if "inDegrees=yes" not in head:
        raise ValueError(f"{path.name}: angles are not said to be in degrees")
    labels, *rows = body.strip().split("\n")
    names = labels.split("\t")
    table = np.array([[float(number) for number in row.split("\t")] for row in rows])
    if names[0] != "time" or set(names[1:]) != set(COORDINATES) or table.shape[1] != len(names):
        raise ValueError(f"{path.name}: columns are not time and the model's coordinates")
    if not np.isfinite(table).all() or np.abs(np.diff(table[:, 0]) - 1 / 60).max() > 1e-4:
        raise ValueError(f"{path.name}: not 60 even frames a second")
    values = np.stack([table[:, names.index(name)] for name in COORDINATES], axis=1)
    angles = [name not in _NOT_IN_DEGREES for name in COORDINATES]
    values[:, angles] *= np.pi / 180
    return values
