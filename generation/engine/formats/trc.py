"""Marker files (`.trc`, Motion Analysis): three header lines, two lines of labels, one line for each frame."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from generation.engine.formats.errors import FormatError, read_text, split_lines, to_number

TO_METRES = {"m": 1.0, "mm": 0.001}


@dataclass(frozen=True, eq=False)
class MarkerRecording:
    """Marker positions over time. positions (time, marker, 3) m in the file's own axes, NaN where a marker is lost."""

    markers: tuple[str, ...]
    positions: np.ndarray
    times: np.ndarray  # (time,) s
    frame_rate: float  # Hz


def read_trc(source: Path | str | bytes) -> MarkerRecording:
    """Read a marker file from a path or from bytes. Empty cells and `NaN` are lost markers.

    Raises FormatError, naming line and column, for anything that is not a whole marker file in m or mm.
    """
    lines = split_lines(read_text(source))
    if len(lines) < 6 or not lines[0].startswith("PathFileType"):
        raise FormatError("Line 1 must begin with 'PathFileType': this is not a .trc marker file.")
    header = dict(zip(lines[1].split(), lines[2].split(), strict=False))
    unit = header.get("Units", "")
    if unit not in TO_METRES:
        raise FormatError(f"Line 3: Units must be m or mm, got {unit[:40]!r}.")
    rate = to_number(header.get("DataRate", ""), 3, "DataRate")
    if rate <= 0:
        raise FormatError(f"Line 3, column DataRate: must be positive, got {rate:g}.")
    markers = _marker_names(lines[3])
    times, rows = _read_frames(lines, markers)
    for key, found in (("NumMarkers", len(markers)), ("NumFrames", len(rows))):
        if key in header and header[key] != str(found):
            raise FormatError(f"Line 3: {key} is {header[key][:40]!r}, the file holds {found}: it is damaged or "
                              "cut off.")
    positions = np.array(rows).reshape(len(rows), len(markers), 3) * TO_METRES[unit]
    return MarkerRecording(markers, positions, np.array(times), rate)


def _marker_names(line: str) -> tuple[str, ...]:
    labels = line.rstrip().split("\t")
    if [label.strip() for label in labels[:2]] != ["Frame#", "Time"]:
        raise FormatError("Line 4 must begin with 'Frame#' and 'Time', parted by tabs.")
    names = tuple(label.strip() for label in labels[2::3])
    if not names or not all(names):
        raise FormatError("Line 4: each marker's name must be followed by two empty columns.")
    for name in names:
        if names.count(name) > 1:
            raise FormatError(f"Line 4: marker {name[:80]!r} appears twice.")
    return names


def _read_frames(lines: list[str], markers: tuple[str, ...]) -> tuple[list[float], list[list[float]]]:
    labels = [f"{marker} {axis}" for marker in markers for axis in "XYZ"]
    width = 2 + len(labels)
    times: list[float] = []
    rows: list[list[float]] = []
    for number, line in enumerate(lines[5:], 6):
        if not line.strip():
            continue
        cells = [cell.strip() for cell in line.split("\t")]
        cells += [""] * (width - len(cells))  # trailing lost markers are often not written at all
        if len(cells) > width and any(cells[width:]):
            raise FormatError(f"Line {number} has {len(cells)} columns, the labels name {width}.")
        time = to_number(cells[1], number, "Time")
        if times and time <= times[-1]:
            raise FormatError(f"Line {number}, column Time: {time:g} does not come after {times[-1]:g}.")
        times.append(time)
        rows.append([
            float("nan") if not cell or cell.lower() == "nan" else to_number(cell, number, label)
            for cell, label in zip(cells[2:width], labels, strict=True)
        ])
    if not rows:
        raise FormatError("The file holds no frames.")
    return times, rows
