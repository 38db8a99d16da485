"""OpenSim storage tables (`.sto`, `.mot`): a header, one line of labels, one line of numbers for each moment.

`mot.py` reads motions out of them, `external_loads.py` forces. Format: OpenSim's Storage documentation and files
written by it (V).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from generation.engine.formats.errors import FormatError, read_text, split_lines, to_number

MAX_HEADER_LINES = 200  # ours
MAX_LABELS = 5000  # ours; a full state of a model with 80 muscles has 230
LARGEST = 1e6  # as in `to_number`
WRITTEN = ".10g"  # of every number written


@dataclass(frozen=True, eq=False)
class Storage:
    """A table as it stands in the file. labels without `time`; times (row,) s; values (row, label); header in lower
    case keys; notes: what had to be assumed."""

    labels: tuple[str, ...]
    times: np.ndarray
    values: np.ndarray
    header: dict[str, str]
    notes: tuple[str, ...] = ()


def read_storage(source: Path | str | bytes) -> Storage:
    """Read a table from a path, or from the bytes of an upload.

    Raises FormatError, naming line and column, when it is not a whole and finite table whose time runs forward.
    """
    lines = split_lines(read_text(source))
    header, first = _read_header(lines)
    labels = _read_labels(lines, first)
    table = _read_rows(lines, first + 1, labels)
    _check_counts(header, *table.shape)
    return Storage(tuple(labels[1:]), table[:, 0], table[:, 1:], header)


def write_storage(path: Path | str, name: str, times: np.ndarray, labels: Sequence[str], values: np.ndarray) -> None:
    """Write a table (time, label) with `inDegrees=no`. ValueError when shapes do not fit or a value is not finite."""
    if values.shape != (len(times), len(labels)):
        raise ValueError(f"values has shape {values.shape}; {len(times)} moments and {len(labels)} labels were given")
    if not (np.isfinite(values).all() and np.isfinite(times).all()):
        raise ValueError(f"{name} holds values that are not finite")
    head = [name, "version=1", f"nRows={len(values)}", f"nColumns={len(labels) + 1}", "inDegrees=no", "endheader",
            "\t".join(["time", *labels])]
    rows = ("\t".join(format(value, WRITTEN) for value in (time, *row))
            for time, row in zip(times.tolist(), values.tolist(), strict=True))
    Path(path).write_text("\n".join([*head, *rows]) + "\n", encoding="utf-8")


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
    if len(labels) > MAX_LABELS:
        raise FormatError(f"Line {index + 1}: the file has {len(labels)} columns; at most {MAX_LABELS} are read.")
    names = ["time"] + [_coordinate_name(label) for label in labels[1:]]
    seen: set[str] = set()
    for column, name in enumerate(names):
        if name in seen:
            raise FormatError(f"Line {index + 1}, column {column + 1}: {name[:80]!r} appears twice.")
        seen.add(name)
    return names


def _coordinate_name(label: str) -> str:
    """`/jointset/hip_r/hip_flexion_r/value` -> `hip_flexion_r`; other labels, speeds too, stay whole."""
    parts = label.split("/")
    return parts[-2] if len(parts) > 2 and parts[-1] == "value" and parts[-2] else label


def _read_rows(lines: list[str], start: int, labels: list[str]) -> np.ndarray:
    """(row, column), time first."""
    rows: list[np.ndarray] = []
    before = -np.inf
    for number, line in enumerate(lines[start:], start + 1):
        tokens = line.split()
        if not tokens:
            continue
        if len(tokens) != len(labels):
            raise FormatError(f"Line {number} has {len(tokens)} values where {len(labels)} columns are named: "
                              "the file is damaged or cut off.")
        row = _numbers(tokens, number, labels)
        if row[0] <= before:
            raise FormatError(f"Line {number}, column time: {row[0]:g} does not come after {before:g}.")
        before = row[0]
        rows.append(row)
    if len(rows) < 2:
        raise FormatError("The file holds fewer than two moments; a motion needs at least two.")
    return np.array(rows)


def _numbers(tokens: list[str], line: int, labels: list[str]) -> np.ndarray:
    try:
        row = np.array(tokens, dtype=float)
        if np.abs(row).max() <= LARGEST:  # false for NaN too
            return row
    except ValueError:
        pass
    return np.array([to_number(token, line, label) for token, label in zip(tokens, labels, strict=True)])


def _check_counts(header: dict[str, str], rows: int, columns: int) -> None:
    for keys, found, what in ((("nrows", "datarows"), rows, "rows"), (("ncolumns", "datacolumns"), columns, "columns")):
        declared = next((header[key] for key in keys if key in header), None)
        if declared is not None and declared != str(found):
            raise FormatError(f"The header promises {declared[:40]!r} {what}, the file holds {found}: it is cut off or "
                              "was edited.")
