"""OpenSim motion files (`.mot`, `.sto`): a storage header, one line of labels, one line for each moment.

The header's `inDegrees` says the unit of angles; translations are metres always. Coordinate columns may carry OpenSim's
full path, `/jointset/hip_r/hip_flexion_r/value`. Format: OpenSim's Storage documentation and files written by it (V).
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from generation.engine.formats.errors import FormatError, read_text, to_number
from generation.engine.formats.motion import Motion, copied_from, is_translation

MAX_HEADER_LINES = 200  # ours
FILE_DECIMALS = 8  # of every number written (ours)
UNEVEN = 0.25  # share of a step by which a moment may miss the even grid before the motion is resampled (ours)


def read_mot(source: Path | str | bytes, coordinates: Sequence[str] | None = None) -> Motion:
    """Read a motion file from a path, or from the bytes of an upload.

    coordinates: the columns wanted, in this order; one that the file lacks is 0 and is told in `notes`, and columns not
    wanted are left out and told. None keeps the file's own columns. Patella columns (`knee_angle_*_beta`) are always
    taken from their knee. Uneven moments are resampled linearly at the mean rate, and told.
    Raises FormatError, naming line and column, when the file is not a whole and finite motion.
    """
    lines = read_text(source).splitlines()
    header, first = _read_header(lines)
    labels = _read_labels(lines, first)
    rows = _read_rows(lines, first + 1, labels)
    _check_counts(header, len(rows), len(labels))
    notes: list[str] = []
    table = np.array(rows)
    wanted, values = _select(table[:, 1:], labels[1:], coordinates, notes)
    values, rate = _evenly(table[:, 0], values, notes)
    return Motion(wanted, _in_radians(values, wanted, header, notes), rate, tuple(notes))


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


def _read_header(lines: list[str]) -> tuple[dict[str, str], int]:
    """The `key=value` entries, keys in lower case, and the index of the line of labels."""
    header = {}
    for index, line in enumerate(lines[:MAX_HEADER_LINES]):
        if line.strip().lower() == "endheader":
            return header, index + 1
        key, equals, value = line.partition("=")
        if equals:
            header[key.strip().lower()] = value.strip()
    raise FormatError(f"No line 'endheader' in the first {min(len(lines), MAX_HEADER_LINES)} lines: "
                      "this is not an OpenSim motion file.")


def _read_labels(lines: list[str], index: int) -> list[str]:
    labels = lines[index].split() if index < len(lines) else []
    if not labels or labels[0].lower() != "time":
        raise FormatError(f"Line {index + 1} must hold the column labels and begin with 'time'.")
    if len(labels) < 2:
        raise FormatError(f"Line {index + 1}: the file has no column beside 'time'.")
    names = ["time"] + [_coordinate_name(label) for label in labels[1:]]
    for column, name in enumerate(names):
        if name in names[:column]:
            raise FormatError(f"Line {index + 1}, column {column + 1}: {name[:80]!r} appears twice.")
    return names


def _coordinate_name(label: str) -> str:
    """`/jointset/hip_r/hip_flexion_r/value` -> `hip_flexion_r`; other labels, speeds too, stay whole."""
    parts = label.split("/")
    return parts[-2] if len(parts) > 2 and parts[-1] == "value" and parts[-2] else label


def _read_rows(lines: list[str], start: int, labels: list[str]) -> list[list[float]]:
    rows: list[list[float]] = []
    for number, line in enumerate(lines[start:], start + 1):
        tokens = line.split()
        if not tokens:
            continue
        if len(tokens) != len(labels):
            raise FormatError(f"Line {number} has {len(tokens)} values where {len(labels)} columns are named: "
                              "the file is damaged or cut off.")
        row = [to_number(token, number, label) for token, label in zip(tokens, labels, strict=True)]
        if rows and row[0] <= rows[-1][0]:
            raise FormatError(f"Line {number}, column time: {row[0]:g} does not come after {rows[-1][0]:g}.")
        rows.append(row)
    if len(rows) < 2:
        raise FormatError("The file holds fewer than two moments; a motion needs at least two.")
    return rows


def _check_counts(header: dict[str, str], rows: int, columns: int) -> None:
    for keys, found, what in ((("nrows", "datarows"), rows, "rows"), (("ncolumns", "datacolumns"), columns, "columns")):
        declared = next((header[key] for key in keys if key in header), None)
        if declared is not None and declared != str(found):
            raise FormatError(f"The header promises {declared[:40]!r} {what}, the file holds {found}: it is cut off or "
                              "was edited.")


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
