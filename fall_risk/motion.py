"""Recordings and prescribed motions, measured by the engine for the pure functions of `fall_risk.scores`.

Imports torch: for workers only.
"""
from __future__ import annotations

import gzip
from collections.abc import Callable

import numpy as np
import torch

from fall_risk.demand import demands_of
from fall_risk.models import MotionProfile, MotionRecording, RecordingKind
from fall_risk.scores import InputError
from fall_risk.scores.motion import Recording, analyse_recording
from fall_risk.scores.movement_profile import movement_profile
from generation.engine.analysis import Progress
from generation.engine.body import COORDINATES, TorchBody, body_scale, load_body
from generation.engine.body.matched import matched_scale
from generation.engine.formats import Motion, read_mot
from generation.engine.metrics import measure_series
from generation.engine.metrics.series import Measured
from generation.engine.profile import ProfileError, parse_profile
from generation.reading import Cancelled, ReadingFailed, read_motion
from patients.models import Patient
from patients.selectors import body_latest

__all__ = ["Cancelled", "RecordingError", "analyse", "profile"]

LONGEST_S = 600             # E: a test takes a minute
LONGEST_MARKERS_S = 120     # E: inverse kinematics takes longer than the recording
OWN_MODEL = "Measured on the patient's own model, {}."
NO_MARGIN = "On a chair the margin of stability has no meaning before seat-off: it is not computed for sit-to-stand."


class RecordingError(Exception):
    """A sentence for whoever uploaded the file."""


def analyse(recording: MotionRecording, *, progress: Progress, cancelled: Callable[[], bool]) -> dict:
    """What the recording shows: measures, and proposals for the assessment as a list of field and value. JSON.

    Raises RecordingError, Cancelled.
    """
    own = recording.patient.ownmodels.filter(removed_at=None).first()
    try:
        moved = read_motion(
            content=bytes(recording.file), markers=recording.has_markers, profile=_person(recording.patient),
            own_model=gzip.decompress(own.osim_gzip) if own else None,
            longest_s=LONGEST_MARKERS_S if recording.has_markers else LONGEST_S, progress=progress, cancelled=cancelled,
        )
    except ReadingFailed as error:
        raise RecordingError(str(error)) from None
    progress("measuring", 0.95, "")
    body, motion = TorchBody(moved.scale, dtype=torch.float64), moved.motion
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
    about = [OWN_MODEL.format(own.file_name)] if own else []
    result["notes"] = [*about, *motion.notes, *([NO_MARGIN] if seated else []), *result["notes"]]
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


def _person(patient: Patient) -> dict:
    """What the patient's size is known by, as a profile; neither limits nor strength enter a recording."""
    size = body_latest(patient)
    if size is None:
        raise RecordingError("Record height and body mass first: the measures are computed on the patient's body.")
    person = {"sex": patient.sex, "age_years": patient.age_years, "height_m": size.height_m, "mass_kg": size.mass_kg,
              "exercise": "squat"}
    try:
        body_scale(parse_profile(person))
    except ProfileError as error:
        raise RecordingError(f"The patient's body cannot be modelled: {error}.") from None
    return person


def _measured(body: TorchBody, motion: Motion) -> Measured:
    q, times = torch.from_numpy(np.ascontiguousarray(motion.values)), torch.from_numpy(motion.times)
    with torch.no_grad():
        return measure_series(body, q, times)


def _curve(motion: Motion) -> dict:
    """The height of the pelvis over time, thinned for a plot."""
    step = max(1, len(motion.values) // 600)
    return {"times": motion.times[::step].round(3).tolist(),
            "height_cm": (100 * motion.column("pelvis_ty")[::step]).round(2).tolist()}
