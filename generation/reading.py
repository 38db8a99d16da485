"""A recording of a patient, read into the body model's coordinates, with what a player needs. For workers only.

Own squats (`own_motions.py`) and recordings of fall risk (`fall_risk/motion.py`) are read here, by the same rules.
"""
from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from generation.engine.analysis import Cancelled, Progress, ReferenceFailed
from generation.engine.analysis.markers import body_from_markers, motion_from_markers
from generation.engine.body import COORDINATES, BodyScale, TorchBody, body_scale, personal_body
from generation.engine.body.matched import matched_scale
from generation.engine.formats import FormatError, Motion, playback_document, read_mot, read_trc, write_mot
from generation.engine.profile import Profile, ProfileError, parse_profile

__all__ = ["Cancelled", "Moved", "ReadingFailed", "Recording", "read", "read_motion"]

FRAME_RATE = 60.0           # about that of what is read; a faster recording is thinned
NEEDED = ("pelvis_ty", "pelvis_tilt", "hip_flexion_r", "hip_flexion_l", "knee_angle_r", "knee_angle_l")


class ReadingFailed(Exception):
    """A sentence for whoever uploaded the file."""


@dataclass(frozen=True)
class Moved:
    """A motion in COORDINATES, and the body that moves: the person's own model, else one of the size that the markers
    show, else of the size that is recorded."""

    motion: Motion
    scale: BodyScale


@dataclass(frozen=True)
class Recording:
    mot: bytes                  # OpenSim motion in COORDINATES
    playback: dict
    duration_s: float
    notes: list[str]


def read_motion(*, content: bytes, markers: bool, profile: dict, own_model: bytes | None, longest_s: float,
                progress: Progress, cancelled: Callable[[], bool]) -> Moved:
    """Joint angles (`.mot`) as they are, markers (`.trc`) through inverse kinematics in the person's model.

    own_model: the patient's own `.osim`. Raises ReadingFailed, with line and column where a place is to blame;
    Cancelled.
    """
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(prefix="genuflex-") as name:
        if own_model is not None:
            path = Path(name) / "own.osim"
            path.write_bytes(own_model)
            profile = {**profile, "model_osim": str(path)}
        try:
            person = parse_profile(profile)
            scale = body_scale(person)      # a size that cannot be is told before a minute is spent
            progress("reading", 0.02, "")
            if not markers:
                return Moved(_from_angles(content, longest_s), scale)
            return _from_markers(content, person, scale, longest_s, progress, cancelled)
        except (FormatError, ReferenceFailed, ProfileError, ValueError) as error:
            raise ReadingFailed(str(error)) from error


def read(*, progress: Progress, **asked) -> Recording:
    """As `read_motion`, with the file and the picture of it."""
    moved = read_motion(progress=progress, **asked)
    progress("picture", 0.95, "")
    playback = playback_document(TorchBody(moved.scale, dtype=torch.float64), moved.motion)
    with tempfile.TemporaryDirectory(prefix="genuflex-") as name:
        path = Path(name) / "own.mot"
        write_mot(path, moved.motion)
        return Recording(path.read_bytes(), playback, moved.motion.duration_s, list(moved.motion.notes))


def _from_angles(content: bytes, longest_s: float) -> Motion:
    columns = read_mot(content).coordinates
    if missing := [name for name in NEEDED if name not in columns]:
        raise FormatError(f"The file lacks the columns {', '.join(missing)}: an OpenSim motion of the whole body is "
                          "needed, as OpenCap or OpenSim's inverse kinematics write it.")
    motion = read_mot(content, COORDINATES)
    _check_length(motion.duration_s, longest_s)
    every = _step(motion.frame_rate)
    return replace(motion, values=motion.values[::every], frame_rate=motion.frame_rate / every)


def _from_markers(content: bytes, person: Profile, scale: BodyScale, longest_s: float, progress: Progress,
                  cancelled: Callable[[], bool]) -> Moved:
    recording = read_trc(content)
    _check_length(float(recording.times[-1] - recording.times[0]), longest_s)
    every = _step(recording.frame_rate)
    recording = replace(recording, positions=recording.positions[::every], times=recording.times[::every],
                        frame_rate=recording.frame_rate / every)
    fitted = positions = None
    if person.model_osim is None:
        progress("fitting", 0.05, "segment lengths to the markers, about a minute")
        body, fitted, positions = body_from_markers(person, recording)
        scale = matched_scale(body)
    else:
        body = personal_body(person)
    if cancelled():
        raise Cancelled
    found = motion_from_markers(
        recording, body, fitted, positions, cancelled=cancelled,
        progress=lambda stage, done, detail: progress("markers", 0.4 + 0.5 * done, detail),
    ).motion
    return Moved(_in_order(found), scale)


def _in_order(motion: Motion) -> Motion:
    """In COORDINATES; what the model lacks stays 0 and is named."""
    column = {name: motion.values[:, i] for i, name in enumerate(motion.coordinates)}
    missing = [name for name in COORDINATES if name not in column]
    values = np.column_stack([column.get(name, np.zeros(len(motion.values))) for name in COORDINATES])
    notes = (*motion.notes, *([f"Not in the model, taken as 0: {', '.join(missing)}."] if missing else []))
    return Motion(COORDINATES, values, motion.frame_rate, notes, motion.start_s)


def _step(frame_rate: float) -> int:
    """Each how many-th frame is read: 100 Hz show a squat no better and take inverse kinematics longer."""
    return max(1, round(frame_rate / FRAME_RATE))


def _check_length(seconds: float, longest_s: float) -> None:
    if seconds > longest_s:
        raise FormatError(f"The recording takes {seconds:.0f} s; at most {longest_s:g} s are read: cut it.")
