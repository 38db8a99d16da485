"""Recordings and prescribed motions, measured by the engine for the pure functions of `fall_risk.scores`.

Imports torch: for workers only.
"""
from __future__ import annotations

import numpy as np
import torch

from fall_risk.models import MotionProfile, MotionRecording, RecordingKind
from fall_risk.scores import InputError
from fall_risk.scores.motion import Recording, analyse_recording
from fall_risk.scores.movement_profile import movement_profile
from generation.engine.body import COORDINATES, TorchBody, scale_body
from generation.engine.formats import FormatError, Motion, read_mot
from generation.engine.metrics import measure_series
from generation.engine.metrics.series import Measured
from patients.models import Patient
from patients.selectors import body_latest

NEEDED = ("pelvis_ty", "pelvis_tilt", "hip_flexion_r", "hip_flexion_l", "knee_angle_r", "knee_angle_l")
LONGEST_S = 600         # E: a test takes a minute
NO_MARGIN = "On a chair the margin of stability has no meaning before seat-off: it is not computed for sit-to-stand."


class RecordingError(Exception):
    """A sentence for whoever uploaded the file."""


def analyse(recording: MotionRecording) -> dict:
    """What the recording shows: measures, and proposals for the assessment as a list of field and value. JSON.

    Raises RecordingError.
    """
    motion = _read(bytes(recording.file))
    body = _body(recording.patient)
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
    asked = row.candidate.request.profile
    body = TorchBody(
        scale_body(asked["sex"], asked["age_years"], asked["height_m"], asked["mass_kg"]), dtype=torch.float64
    )
    motion = read_mot(bytes(row.candidate.mot_file), COORDINATES)
    measured = _measured(body, motion)
    found = movement_profile(
        motion.times, measured.com.numpy(), measured.series["margin_of_stability"].numpy()
    )
    return found.model_dump(mode="json")


def _read(content: bytes) -> Motion:
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
    if motion.duration_s > LONGEST_S:
        raise RecordingError(f"The recording takes {motion.duration_s:.0f} s; at most {LONGEST_S} s are analysed.")
    return motion


def _body(patient: Patient) -> TorchBody:
    size = body_latest(patient)
    if size is None:
        raise RecordingError("Record height and body mass first: the measures are computed on the patient's body.")
    try:
        return TorchBody(
            scale_body(patient.sex, patient.age_years, size.height_m, size.mass_kg), dtype=torch.float64
        )
    except ValueError as error:
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
