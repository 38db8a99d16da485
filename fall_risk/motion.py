"""Recordings and prescribed motions, measured by the engine for the pure functions of `fall_risk.scores`.

Imports torch: for workers only.
"""
from __future__ import annotations

import gzip
from dataclasses import replace

import numpy as np
import torch

from fall_risk.demand import demands_of
from fall_risk.models import MotionProfile, MotionRecording, RecordingKind
from fall_risk.scores import InputError
from fall_risk.scores.motion import Recording, analyse_recording
from fall_risk.scores.movement_profile import movement_profile
from generation.engine.analysis import ReferenceFailed
from generation.engine.analysis.markers import body_from_markers, motion_from_markers
from generation.engine.body import COORDINATES, BodyScale, TorchBody, body_scale, load_body
from generation.engine.body.matched import matched_scale
from generation.engine.formats import FormatError, Motion, read_mot, read_trc
from generation.engine.metrics import measure_series
from generation.engine.metrics.series import Measured
from generation.engine.profile import Profile, ProfileError, parse_profile
from patients.models import Patient
from patients.selectors import body_latest

NEEDED = ("pelvis_ty", "pelvis_tilt", "hip_flexion_r", "hip_flexion_l", "knee_angle_r", "knee_angle_l")
LONGEST_S = 600         # E: a test takes a minute
MARKER_FILE = ".trc"
LONGEST_MARKERS_S = 120     # E: inverse kinematics takes longer than the recording
MARKER_RATE_HZ = 60.0       # E: a faster recording is thinned; getting up has nothing above 6 Hz
NO_MARGIN = "On a chair the margin of stability has no meaning before seat-off: it is not computed for sit-to-stand."


class RecordingError(Exception):
    """A sentence for whoever uploaded the file."""


def analyse(recording: MotionRecording) -> dict:
    """What the recording shows: measures, and proposals for the assessment as a list of field and value. JSON.

    Raises RecordingError.
    """
    markers = recording.file_name.lower().endswith(MARKER_FILE)
    body, motion = (_from_markers if markers else _from_angles)(bytes(recording.file), _person(recording.patient))
    measured = _measured(body, motion)
    series = {name: values.numpy() for name, values in measured.series.items()}
    seated = recording.kind == RecordingKind.SIT_TO_STAND
    try:
        findings = analyse_recording(Recording(
            times=motion.times, com=measured.com.numpy(), pelvis_height=motion.column("pelvis_ty"),
            knee_flexion_deg=series["knee_flexion"].T, trunk_lean_deg=series["trunk_forward_lean"],
            margin_cm=None if seated else series["margin_of_stability"], go_s=recording.go_s,
        ))
    except InputError as error:
        raise RecordingError(str(error)) from None
    result = findings.model_dump(mode="json")
    proposed = result["proposals"] if seated else {}        # a squat is no chair stand
    result["proposals"] = [{"field": key, "value": value} for key, value in proposed.items()]
    result["notes"] = [*motion.notes, *([NO_MARGIN] if seated else []), *result["notes"]]
    result["curve"] = _curve(motion)
    return result


def profile(row: MotionProfile) -> dict:
    """The movement profile of a generated motion, on the body that it was generated for. JSON."""
    request = row.candidate.request
    asked = parse_profile(request.profile)
    if asked.model_osim is None:
        scale = body_scale(asked)
    else:       # the person's own model, which was delivered with the motions
        scale = matched_scale(load_body(gzip.decompress(request.scaled_model.osim_gzip)))
    motion = read_mot(bytes(row.candidate.mot_file), COORDINATES)
    measured = _measured(TorchBody(scale, dtype=torch.float64), motion)
    demands, caveats = demands_of(row.candidate, asked)
    found = movement_profile(
        motion.times, measured.com.numpy(), measured.series["margin_of_stability"].numpy(), demands, caveats
    )
    return found.model_dump(mode="json")


def _from_angles(content: bytes, person: Profile) -> tuple[TorchBody, Motion]:
    """Joint angles as they are, on the body that the patient's size gives."""
    try:
        columns = read_mot(content).coordinates
        if missing := [name for name in NEEDED if name not in columns]:
            raise RecordingError(
                f"The file lacks {', '.join(missing)}: an OpenSim motion of the whole body is needed, as OpenCap or "
                f"OpenSim's inverse kinematics write it."
            )
        motion = read_mot(content, COORDINATES)
    except FormatError as error:
        raise RecordingError(str(error)) from None
    _check_length(motion.duration_s, LONGEST_S)
    return TorchBody(_scale(person), dtype=torch.float64), motion


def _from_markers(content: bytes, person: Profile) -> tuple[TorchBody, Motion]:
    """Joint angles by OpenSim's inverse kinematics, on a body of the size that the markers show. Minutes."""
    _scale(person)          # a size that cannot be is told before a minute is spent
    try:
        markers = read_trc(content)
        _check_length(float(markers.times[-1] - markers.times[0]), LONGEST_MARKERS_S)
        every = max(1, round(markers.frame_rate / MARKER_RATE_HZ))
        markers = replace(markers, positions=markers.positions[::every], times=markers.times[::every],
                          frame_rate=markers.frame_rate / every)
        body, fitted, positions = body_from_markers(person, markers)
        found = motion_from_markers(markers, body, fitted, positions).motion
    except (FormatError, ProfileError, ReferenceFailed) as error:
        raise RecordingError(str(error)) from None
    column = {name: found.values[:, i] for i, name in enumerate(found.coordinates)}
    values = np.column_stack([column.get(name, np.zeros(len(found.values))) for name in COORDINATES])
    motion = Motion(COORDINATES, values, found.frame_rate, found.notes, found.start_s)
    return TorchBody(matched_scale(body), dtype=torch.float64), motion


def _check_length(seconds: float, most: float) -> None:
    if seconds > most:
        raise RecordingError(f"The recording takes {seconds:.0f} s; at most {most} s are analysed.")


def _person(patient: Patient) -> Profile:
    """What the patient's size is known by; neither limits nor strength enter a recording."""
    size = body_latest(patient)
    if size is None:
        raise RecordingError("Record height and body mass first: the measures are computed on the patient's body.")
    try:
        return parse_profile({"sex": patient.sex, "age_years": patient.age_years, "height_m": size.height_m,
                              "mass_kg": size.mass_kg, "exercise": "squat"})
    except ProfileError as error:
        raise RecordingError(f"The patient's body cannot be modelled: {error}.") from None


def _scale(person: Profile) -> BodyScale:
    try:
        return body_scale(person)
    except ProfileError as error:
        raise RecordingError(f"The patient's body cannot be modelled: {error}.") from None


def _measured(body: TorchBody, motion: Motion) -> Measured:
    q, times = torch.from_numpy(np.ascontiguousarray(motion.values)), torch.from_numpy(motion.times)
    with torch.no_grad():
        return measure_series(body, q, times)


def _curve(motion: Motion) -> dict:
    """The height of the pelvis over time, thinned for a plot."""
    step = max(1, len(motion.values) // 600)
    return {"times": motion.times[::step].round(3).tolist(),
            "height_cm": (100 * motion.column("pelvis_ty")[::step]).round(2).tolist()}
