"""Marker positions of a C3D file, read by the library ezc3d in a process of its own.

C3D is binary and ezc3d is C++: a damaged file may end the process that reads it or ask it for all memory. So a child
with bounded memory and time reads it; whatever happens there, the caller gets markers or a FormatError.
`pip install ezc3d` makes it available; nothing else needs it.
"""

import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from generation.engine.formats.errors import MAX_BYTES, MAX_LINES, FormatError
from generation.engine.formats.trc import TO_METRES, MarkerRecording

ROOT = Path(__file__).resolve().parents[3]
LIMIT_S = 60
MEMORY_BYTES = 4 * 1024**3  # of address space; the library itself takes a small part
MAX_MARKERS = 500  # ours
FARTHEST_M = 100.0  # ours (E): no capture volume is larger


def read_c3d(source: Path | str | bytes) -> MarkerRecording:
    """Read markers from a path, or from the bytes of an upload. Lost markers are NaN; axes are the file's own.

    Raises FormatError when the library is not there, or the file is no whole recording of markers in mm or m.
    """
    if find_spec("ezc3d") is None:
        raise FormatError("C3D files need the library ezc3d: install it with `pip install ezc3d`, or export a .trc.")
    raw = source if isinstance(source, bytes) else _bytes(Path(source))
    if len(raw) > MAX_BYTES:
        raise FormatError(f"The file has {len(raw)} bytes; at most {MAX_BYTES} are read.")
    if len(raw) < 512 or raw[1] != 0x50:
        raise FormatError("Byte 2 is not 0x50: this is no C3D file.")
    with tempfile.TemporaryDirectory(prefix="genuflex-c3d-") as folder:
        given, found = Path(folder) / "given.c3d", Path(folder) / "found.npz"
        given.write_bytes(raw)
        try:
            child = subprocess.run(  # noqa: S603 - our own module, our own arguments
                [sys.executable, "-m", "generation.engine.formats.c3d", str(given), str(found)],
                cwd=ROOT, timeout=LIMIT_S, capture_output=True, check=False)
        except subprocess.TimeoutExpired:
            raise FormatError(f"The C3D file could not be read within {LIMIT_S} s: it is damaged.") from None
        if child.returncode != 0 or not found.is_file():
            raise FormatError("The C3D file is damaged or cut off: its library could not read it.")
        with np.load(found, allow_pickle=False) as stored:
            return _recording({name: stored[name] for name in stored.files})


def _bytes(path: Path) -> bytes:
    if not path.is_file():
        raise FormatError(f"{path} is not a file.")
    if path.stat().st_size > MAX_BYTES:
        raise FormatError(f"The file has {path.stat().st_size} bytes; at most {MAX_BYTES} are read.")
    return path.read_bytes()


def _recording(found: dict[str, np.ndarray]) -> MarkerRecording:
    labels, points, rate = [str(name) for name in found["labels"]], found["points"], float(found["rate"])
    unit = str(found["units"]).strip().lower() or "mm"
    if unit not in TO_METRES:
        raise FormatError(f"POINT:UNITS is {unit[:40]!r}; mm or m is expected.")
    if not labels or points.shape[:1] != (3,) or points.shape[1] != len(labels):
        raise FormatError(f"The C3D file names {len(labels)} markers and holds {points.shape[1]}: it is damaged.")
    if len(labels) > MAX_MARKERS:
        raise FormatError(f"The C3D file holds {len(labels)} markers; at most {MAX_MARKERS} are read.")
    if not 1 <= points.shape[2] <= MAX_LINES:
        raise FormatError(f"The C3D file holds {points.shape[2]} frames; between 1 and {MAX_LINES} are read.")
    if not (np.isfinite(rate) and 1 <= rate <= 10_000):
        raise FormatError(f"POINT:RATE is {rate:g}; between 1 and 10000 Hz is expected.")
    for name in labels:
        if labels.count(name) > 1:
            raise FormatError(f"POINT:LABELS: marker {name[:80]!r} appears twice.")
    positions = np.moveaxis(points, (0, 1, 2), (2, 1, 0)) * TO_METRES[unit]
    lost = ~np.isfinite(positions).all(-1) | (positions == 0).all(-1)
    positions[lost] = np.nan
    if np.nanmax(np.abs(positions), initial=0.0) > FARTHEST_M:
        raise FormatError(f"A marker lies more than {FARTHEST_M:g} m away: POINT:UNITS says {unit}, which cannot be.")
    return MarkerRecording(tuple(labels), positions, np.arange(len(positions)) / rate, rate)


def _child(given: str, found: str) -> None:
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    import ezc3d

    file = ezc3d.c3d(given)
    point = file["parameters"]["POINT"]
    units = point["UNITS"]["value"] if "UNITS" in point else []
    np.savez(found, labels=np.array(point["LABELS"]["value"], dtype=str), points=file["data"]["points"][:3],
             rate=float(point["RATE"]["value"][0]), units=np.array(units[0] if units else "mm"))


if __name__ == "__main__":
    _child(*sys.argv[1:])
