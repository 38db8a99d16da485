"""Reads the raw recordings: where each file is, whose it is, and its markers in the OpenSim frame at 60 Hz.

Sources and their traps:
- UI-PRMD (Vakanski et al. 2018, Data 3(1):2, PDDL 1.0): text without a header, 39 Plug-in-Gait markers, millimetres, Z
  up, X forward, Y left; a lost marker is stored as 0, 0, 0; 100 Hz.
- CMBBE 2024 OpenCap session (Apache-2.0): `.trc`, 60 Hz. The second folder's `Squats.trc` is a cut of the first one's
  recording (its header says so), so only the first is read.
- "kirsten" squats (BSD-2 repository): `.trc`, 200 Hz.
- OpenCap squats (Apache-2.0): only joint angles are public, in radians, pelvis height in a video frame. They are taken
  as they are: no marker error exists for them.
"""

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.signal import butter, sosfiltfilt

from generation.engine.formats import read_mot, read_trc

FRAME_RATE = 60.0
CUTOFF_HZ = 6.0  # zero-phase Butterworth low-pass, 4th order in total; ours (E), common for squats at this tempo

UI_PRMD_LABELS = (
    "LFHD RFHD LBHD RBHD C7 T10 CLAV STRN RBAK LSHO LUPA LELB LFRM LWRA LWRB LFIN RSHO RUPA RELB RFRM RWRA RWRB RFIN "
    "LASI RASI LPSI RPSI LTHI LKNE LTIB LANK LHEE LTOE RTHI RKNE RTIB RANK RHEE RTOE"
).split()

LICENCES = {
    "ui-prmd": "PDDL 1.0 (public domain), Vakanski et al. 2018, Data 3(1):2",
    "cmbbe2024": "Apache-2.0, OpenCap session of the CMBBE 2024 workshop",
    "opencap-squat": "Apache-2.0, OpenCap",
    "kirsten-squat": "BSD-2 (AddBiomechanics test data)",
}


class SourceError(ValueError):
    """A raw file is missing or is not what its source promises; the message names the file."""


@dataclass(frozen=True)
class Trial:
    """One raw file: `subject` is unique over sources, `marker_set` a key of MARKER_SETS or "" for joint angles."""

    path: Path
    name: str  # the file relative to the raw folder
    subject: str
    source: str
    movement: str
    correct: bool
    marker_set: str


def find_trials(raw: str | Path) -> list[Trial]:
    """Every squat recording under the raw folder, in a fixed order. Raises SourceError when a source is missing."""
    raw = Path(raw)
    trials = find_ui_prmd(raw, "m01", "deep squat")
    for name, subject, source, marker_set in (
        ("cmbbe2024/Demo1_OpenCap/MarkerData/Squats.trc", "cmbbe2024", "cmbbe2024", "opencap"),
        ("kirsten-squat/DLS01.trc", "kirsten", "kirsten-squat", "kirsten"),
        ("opencap-squat/squats1_videoAndMocap.mot", "opencap", "opencap-squat", ""),
    ):
        if not (raw / name).is_file():
            raise SourceError(f"{raw / name} is missing")
        trials.append(Trial(raw / name, name, subject, source, "squat", True, marker_set))
    return trials


def find_ui_prmd(raw: str | Path, code: str, movement: str) -> list[Trial]:
    """The recordings of one movement of UI-PRMD, first the correct ones. Raises SourceError when there are none."""
    trials = []
    for correctness in ("correct", "incorrect"):
        files = sorted((Path(raw) / "ui-prmd" / correctness).glob(f"{code}_s*_e*_positions*.txt.gz"))
        if not files:
            raise SourceError(
                f"{Path(raw) / 'ui-prmd' / correctness} holds no {code} file: give the folder that contains ui-prmd/"
            )
        for path in files:
            subject, name = "ui-prmd-" + path.name.split("_")[1], str(path.relative_to(raw))
            trials.append(Trial(path, name, subject, "ui-prmd", movement, correctness == "correct", "plug-in-gait"))
    return trials


def read_markers(trial: Trial) -> tuple[tuple[str, ...], np.ndarray]:
    """Labels and positions (frame, marker, 3) in metres, OpenSim frame, 60 Hz, low-passed; a lost marker is NaN."""
    if trial.marker_set == "plug-in-gait":
        labels, positions, rate = _read_ui_prmd(trial.path)
    else:
        recording = _read(read_trc, trial.path)
        labels, positions, rate = recording.markers, recording.positions, recording.frame_rate
    return labels, resample(positions, rate)


def read_angles(trial: Trial) -> tuple[tuple[str, ...], np.ndarray]:
    """Coordinates and values (frame, coordinate), radians and metres, 60 Hz, low-passed, of a joint-angle file."""
    motion = _read(read_mot, trial.path)
    return motion.coordinates, resample(motion.values, motion.frame_rate)


def _read(reader: Callable, path: Path):
    """What ``reader`` makes of the file. Raises SourceError, naming it, where that is not what it should be."""
    try:
        return reader(path)
    except (OSError, EOFError, ValueError) as error:      # FormatError is a ValueError
        raise SourceError(f"{path}: {error}") from error


def _read_ui_prmd(path: Path) -> tuple[tuple[str, ...], np.ndarray, float]:
    table = _read(_read_table, path)
    if table.shape[1] != 3 * len(UI_PRMD_LABELS):
        raise SourceError(f"{path}: {table.shape[1]} columns instead of {3 * len(UI_PRMD_LABELS)}")
    raw = table.reshape(len(table), -1, 3)
    positions = np.stack([raw[..., 0], raw[..., 2], -raw[..., 1]], axis=-1) / 1000.0
    positions[(raw == 0).all(axis=-1)] = np.nan
    return tuple(UI_PRMD_LABELS), positions, 100.0


def _read_table(path: Path) -> np.ndarray:
    with gzip.open(path, "rt") as stream:
        return np.loadtxt(stream, delimiter=",", ndmin=2)


def resample(values: np.ndarray, rate: float) -> np.ndarray:
    """Low-pass at CUTOFF_HZ (zero phase), then interpolate (frame, ...) from `rate` to FRAME_RATE.

    Gaps (NaN) of a column are bridged for the filter and set to NaN again afterwards.
    """
    frames = len(values)
    flat = values.reshape(frames, -1).astype(float)
    index = np.arange(frames)
    target = np.arange(0, (frames - 1) / rate + 1e-9, 1 / FRAME_RATE) * rate
    result = np.full((len(target), flat.shape[1]), np.nan)
    filter_ = butter(2, CUTOFF_HZ, fs=rate, output="sos")
    for column in range(flat.shape[1]):
        known = np.isfinite(flat[:, column])
        if known.sum() < 10:
            continue
        whole = np.interp(index, index[known], flat[known, column])
        smooth = sosfiltfilt(filter_, whole, padtype="odd", padlen=min(frames - 1, int(rate / 2)))
        result[:, column] = np.interp(target, index, smooth)
        gap = np.interp(target, index, known.astype(float)) < 1.0
        result[gap, column] = np.nan
    return result.reshape((len(target),) + values.shape[1:])
