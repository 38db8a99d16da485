"""OpenSim motion files (`.mot`, `.sto`): a storage header, one line of labels, one line for each moment.

The header's `inDegrees` says the unit of angles; translations are metres always. Coordinate columns may carry OpenSim's
full path, `/jointset/hip_r/hip_flexion_r/value`. Format: OpenSim's Storage documentation and files written by it (V).
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from generation.engine.formats.errors import FormatError
from generation.engine.formats.motion import Motion, copied_from, is_translation
from generation.engine.formats.storage import read_storage

FILE_DECIMALS = 8  # of every number written (ours)
LONGEST_M = 20.0  # ours (E): no translation in a capture volume is longer; millimetres and centimetres are
SMALL_DEG = 3.2  # ours (E): a whole movement that stays below was probably written in radians
UNEVEN = 0.25  # share of a step by which a moment may miss the even grid before the motion is resampled (ours)


def read_mot(source: Path | str | bytes, coordinates: Sequence[str] | None = None) -> Motion:
    """Read a motion file from a path, or from the bytes of an upload.

    coordinates: the columns wanted, in this order; one that the file lacks is 0 and is told in `notes`, and columns not
    wanted are left out and told. None keeps the file's own columns. Patella columns (`knee_angle_*_beta`) are always
    taken from their knee. Uneven moments are resampled linearly at the mean rate, and told.
    Raises FormatError, naming line and column, when the file is not a whole and finite motion.
    """
    table = read_storage(source)
    notes: list[str] = []
    wanted, values = _select(table.values, list(table.labels), coordinates, notes)
    values, rate = _evenly(table.times, values, notes)
    values = _in_radians(values, wanted, table.header, notes)
    _check_lengths(values, wanted)
    return Motion(wanted, values, rate, tuple(notes), start_s=float(table.times[0]))


def write_mot(path: Path | str, motion: Motion, name: str = "motion") -> None:
    """Write a motion as OpenSim reads it: time from 0, FILE_DECIMALS, angles in degrees except the patella's.

    OpenSim holds `knee_angle_*_beta` for a coupled coordinate, neither angle nor length, and reads it unconverted from
    a file in degrees (V, OpenSim 4.6): it is written in radians, or the patella would fly off. ValueError when a value
    is not finite.
    """
    if not np.isfinite(motion.values).all():
        raise ValueError("the motion holds values that are not finite")
    name = " ".join(name.split()) or "motion"
    angle = np.array([_in_degrees(coordinate) for coordinate in motion.coordinates])
    values = np.where(angle, np.degrees(motion.values), motion.values)
    table = np.column_stack([motion.times, values])
    lines = [
        name, "version=1", f"nRows={table.shape[0]}", f"nColumns={table.shape[1]}", "inDegrees=yes", "endheader",
        "\t".join(["time", *motion.coordinates]),
        *("\t".join(f"{value:.{FILE_DECIMALS}f}" for value in row) for row in table),
    ]
    Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _in_degrees(coordinate: str) -> bool:
    """Whether a file with inDegrees=yes holds the coordinate in degrees."""
    return not is_translation(coordinate) and copied_from(coordinate) is None


def _evenly(times: np.ndarray, values: np.ndarray, notes: list[str]) -> tuple[np.ndarray, float]:
    """Values on an even grid of moments, and its rate in Hz."""
    span = times[-1] - times[0]
    step = span / (len(times) - 1)
    rate = 1 / step
    if not 1 <= rate <= 10_000:
        raise FormatError(f"The moments are {step:g} s apart; between 0.0001 s and 1 s is expected in column time.")
    even = times[0] + step * np.arange(len(times))
    if np.abs(times - even).max() > UNEVEN * step:
        values = np.column_stack([np.interp(even, times, column) for column in values.T])
        notes.append(f"The moments are not evenly spaced: resampled at {rate:.4g} Hz.")
    # times are printed with few decimals: 60.0002 Hz is 60 Hz
    return values, float(round(rate)) if abs(rate - round(rate)) < 1e-3 * rate else float(rate)


def _in_radians(values: np.ndarray, names: Sequence[str], header: dict[str, str], notes: list[str]) -> np.ndarray:
    angle = np.array([not is_translation(name) for name in names])
    unit = header.get("indegrees", "").lower()
    if unit == "yes":
        largest = np.abs(values[:, angle]).max(initial=0.0)
        if 0 < largest < SMALL_DEG:
            notes.append(f"The header says degrees, but no angle exceeds {largest:.2g}: if they are radians, write "
                         "inDegrees=no.")
        return np.where(angle, np.radians(values), values)
    if unit not in ("no", ""):
        raise FormatError(f"inDegrees must be yes or no, the header says {unit[:40]!r}.")
    largest = np.abs(values[:, angle]).max(initial=0.0)
    if largest > 4 * np.pi:
        raise FormatError(f"Without inDegrees=yes in the header angles are in radians, but one reaches {largest:.0f}: "
                          "write inDegrees=yes if the file is in degrees.")
    if not unit:
        notes.append("The header does not say whether angles are in degrees: read as radians, as OpenSim does.")
    return values


def _check_lengths(values: np.ndarray, names: Sequence[str]) -> None:
    for name, column in zip(names, values.T, strict=True):
        if is_translation(name) and np.abs(column).max() > LONGEST_M:
            row = int(np.abs(column).argmax())
            raise FormatError(f"Column {name}, moment {row + 1}: {column[row]:g} m is no place of a person; "
                              "translations are expected in metres.")


def _select(values: np.ndarray, names: list[str], coordinates, notes: list[str]) -> tuple[tuple[str, ...], np.ndarray]:
    """The wanted coordinates and their columns, still in the file's unit."""
    wanted = list(names if coordinates is None else coordinates)
    columns, missing = [], []
    for name in wanted:
        source = copied_from(name) or name
        if source in names:
            columns.append(values[:, names.index(source)])
        else:
            columns.append(np.zeros(len(values)))
            missing.append(name)
    ignored = [name for name in names if name not in wanted]
    if coordinates is not None and len(missing) == len(wanted):
        raise FormatError("None of the model's coordinates is a column of the file.")
    if missing:
        notes.append(f"Not in the file, taken as 0: {', '.join(missing)}.")
    if ignored:
        notes.append(f"In the file but not in the model, left out: {', '.join(name[:80] for name in ignored[:50])}.")
    return tuple(wanted), np.column_stack(columns)
