"""The shipped data: `models/motion_data/squats.npz` and `movements.npz`, one record for each repetition and person."""

import hashlib
import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

from generation.engine.body import COORDINATES

FOLDER = Path(__file__).resolve().parents[3] / "models" / "motion_data"
DATA_FILE = FOLDER / "squats.npz"
MOVEMENTS_FILE = FOLDER / "movements.npz"
SQUATS, ALL = "squat", "all"  # what `load_repetitions` takes beside the name of a movement
CHECKSUMS = "SHA256SUMS"
STEP = 1.5e-4  # radians and metres: values are stored as whole multiples in 16 bits, so off by at most half of it


class DataError(ValueError):
    """The data file is missing, altered or of another body model; the message says what to do."""


@dataclass(frozen=True)
class Subject:
    """One recorded person. `standing` is (coordinate,), the mean of the frames in which this person stands between
    squats.
    """

    name: str
    source: str
    factors: dict[str, tuple[float, float, float]]
    leg_length_m: float  # hip centre over the sole in the neutral pose of this person's scaled model
    height_m: float  # of the scaled model, an estimate: nobody measured these people
    marker_rms_mm: float  # median over the repetitions' frames; NaN where the source has no markers
    standing: np.ndarray = field(repr=False)


@dataclass(frozen=True)
class Repetition:
    """One repetition: furthest from its beginning at `bottom` (a squat's or lunge's lowest pelvis, a stepping foot's
    highest place), back at the last frame. 60 Hz.
    """

    name: str  # unique
    subject: Subject
    movement: str
    correct: bool  # as the source labels it: performed as instructed, or with a deliberate fault
    trial: str  # the raw file, relative to the raw folder
    bottom: int
    values: np.ndarray = field(repr=False)  # (time, coordinate) radians and metres, COORDINATES order
    frame_rate: float = 60.0
    side: str = ""  # leg that leads: "r" or "l" steps, stands in front or bends; "" where none does
    phases: tuple[tuple[str, int, int], ...] = ()  # (name, first frame, last frame)
    # (time, foot [right, left], 2 [heel, forefoot]) on the floor and still; None in squats.npz: both stand throughout
    contacts: np.ndarray | None = field(default=None, repr=False)


def save(path: Path, repetitions: list[Repetition]) -> None:
    """Write the data file and its checksum beside it."""
    subjects = sorted({r.subject.name: r.subject for r in repetitions}.values(), key=lambda s: s.name)
    bodies = tuple(subjects[0].factors)
    whole = np.concatenate([r.values for r in repetitions])
    stored = np.rint(whole / STEP)
    if np.abs(stored).max() > np.iinfo(np.int16).max:
        raise DataError(f"a value is beyond {STEP * np.iinfo(np.int16).max:.1f} rad or m and cannot be stored")
    labels = {}
    if any(r.contacts is not None for r in repetitions):
        contacts = np.concatenate([r.contacts for r in repetitions]).reshape(-1, 4)
        labels = {
            "side": np.array([r.side for r in repetitions]),
            "phases": np.array([json.dumps(r.phases) for r in repetitions]),
            "contacts": np.packbits(contacts, axis=1, bitorder="little")[:, 0],
        }
    np.savez_compressed(
        path,
        **labels,
        coordinates=np.array(COORDINATES),
        bodies=np.array(bodies),
        values=stored.astype(np.int16),
        length=np.array([len(r.values) for r in repetitions], np.int32),
        name=np.array([r.name for r in repetitions]),
        movement=np.array([r.movement for r in repetitions]),
        correct=np.array([r.correct for r in repetitions]),
        trial=np.array([r.trial for r in repetitions]),
        bottom=np.array([r.bottom for r in repetitions], np.int32),
        subject=np.array([[s.name for s in subjects].index(r.subject.name) for r in repetitions], np.int32),
        subject_name=np.array([s.name for s in subjects]),
        subject_source=np.array([s.source for s in subjects]),
        factors=np.array([[s.factors[b] for b in bodies] for s in subjects], np.float64),
        leg_length_m=np.array([s.leg_length_m for s in subjects]),
        height_m=np.array([s.height_m for s in subjects]),
        marker_rms_mm=np.array([s.marker_rms_mm for s in subjects]),
        standing=np.array([s.standing for s in subjects], np.float64),
    )
    write_checksum(path)


def write_checksum(path: Path) -> None:
    """Put the file's SHA-256 into the checksum file beside it (`sha256sum --check SHA256SUMS` reads it)."""
    listing = path.parent / CHECKSUMS
    lines = listing.read_text().splitlines() if listing.is_file() else []
    lines = [line for line in lines if line.split("  ")[-1] != path.name]
    listing.write_text("\n".join([*lines, f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}"]) + "\n")


def verify_checksum(path: Path) -> str:
    """SHA-256 of the file. Raises DataError when it is missing or is not the one that its checksum file names."""
    listing = path.parent / CHECKSUMS
    if not path.is_file() or not listing.is_file():
        raise DataError(
            f"{path if not path.is_file() else listing} is missing: restore it from version control or build it again"
        )
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if f"{found}  {path.name}" not in listing.read_text().splitlines():
        raise DataError(
            f"{path} is not the file that {listing.name} describes: restore it from version control or build it again"
        )
    return found


def load_repetitions(path: str | Path | None = None, *, movement: str = SQUATS) -> list[Repetition]:
    """The repetitions of a data file; without one, the shipped ones of a movement.

    movement: "squat" (deep squats and squats of all sources), "hurdle step", "inline lunge", "side lunge",
    "sit-to-stand" or "all". Raises DataError.
    """
    if path:
        return list(_load(Path(path), verify_checksum(Path(path))))
    squats = list(_load(DATA_FILE, verify_checksum(DATA_FILE))) if movement in (SQUATS, ALL) else []
    if movement == SQUATS:
        return squats
    others = _load(MOVEMENTS_FILE, verify_checksum(MOVEMENTS_FILE))
    names = sorted({r.movement for r in others})
    if movement not in (ALL, *names):
        raise DataError(f"there is no movement {movement!r}: choose from {', '.join([SQUATS, *names, ALL])}")
    return squats + [r for r in others if movement in (ALL, r.movement)]


def _described(stored, index: int, rows: slice, bottom: int) -> dict:
    """Side, phases and contacts of repetition `index` with frames `rows`, as the file has them."""
    if "phases" not in stored:  # squats: both feet stand, nothing leads
        return {"phases": (("descent", 0, bottom), ("ascent", bottom, int(rows.stop - rows.start) - 1))}
    bits = np.unpackbits(stored["contacts"][rows, None], axis=1, count=4, bitorder="little")
    return {
        "side": str(stored["side"][index]),
        "phases": tuple((name, first, last) for name, first, last in json.loads(str(stored["phases"][index]))),
        "contacts": bits.astype(bool).reshape(-1, 2, 2),
    }


@cache
def _load(path: Path, checksum: str) -> tuple[Repetition, ...]:
    with np.load(path, allow_pickle=False) as data:
        stored = {key: data[key] for key in data.files}
    if tuple(stored["coordinates"]) != COORDINATES:
        raise DataError(f"{path} was made for a body model with other coordinates: build it again")
    bodies = stored["bodies"].tolist()
    subjects = [
        Subject(
            str(name),
            str(stored["subject_source"][i]),
            {b: tuple(map(float, f)) for b, f in zip(bodies, stored["factors"][i], strict=True)},
            float(stored["leg_length_m"][i]),
            float(stored["height_m"][i]),
            float(stored["marker_rms_mm"][i]),
            stored["standing"][i],
        )
        for i, name in enumerate(stored["subject_name"])
    ]
    ends = np.cumsum(stored["length"])
    return tuple(
        Repetition(
            str(stored["name"][i]),
            subjects[stored["subject"][i]],
            str(stored["movement"][i]),
            bool(stored["correct"][i]),
            str(stored["trial"][i]),
            int(stored["bottom"][i]),
            stored["values"][end - stored["length"][i] : end].astype(np.float64) * STEP,
            **_described(stored, i, slice(end - stored["length"][i], end), int(stored["bottom"][i])),
        )
        for i, end in enumerate(ends)
    )
