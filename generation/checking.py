"""What OpenSim says of one delivered motion, as a check stores it. Files in, a verdict out. For workers only.

The keys of `Verdict.result` and `Verdict.curves` stand in docs/checks.md.
"""
from __future__ import annotations

import hashlib
import io
import tempfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch

from generation.engine.analysis import (
    Analysis,
    Cancelled,
    Progress,
    ReferenceFailed,
    analyse,
    report,
    write_analysis,
)
from generation.engine.analysis.muscle_document import muscle_document
from generation.engine.analysis.recheck import group_activation, measure_by_opensim, needed_moment, recheck
from generation.engine.body import COORDINATES, BodyModel, load_body
from generation.engine.formats import FormatError, read_mot
from generation.engine.formats.report import finite
from generation.engine.limits import Limit
from generation.engine.metrics import Check
from generation.engine.physics.reserves import UNTRUSTED_SHARE
from generation.physics import JOINTS, LOADS, MUSCLE_GROUPS

__all__ = ["Cancelled", "CheckFailed", "Verdict", "check"]

# Forces are computed at this rate. Motion and forces are low-passed at 6 Hz, so nothing faster is in them; static
# optimisation costs 0.25 s a frame. Limits of angles, depth, balance and soles are measured at every frame of the file.
RATE_HZ = 15.0
MOST_FRAMES = 150           # E: of a slow motion, spread evenly; bounds the time of a check
FORMAT = 1


class CheckFailed(Exception):
    """OpenSim could not do it; a sentence for people."""


@dataclass(frozen=True)
class Verdict:
    """`reasons` empty: passed."""

    reasons: list[str]
    result: dict
    curves: dict
    tables_zip: bytes
    muscles: dict               # the muscle document of the player


def check(*, mot: bytes, osim: bytes, stated: list[dict], progress: Progress, cancelled: Callable[[], bool]) -> Verdict:
    """Recompute a candidate by OpenSim on the files as delivered.

    stated: the candidate's checks by the fast route, as stored. Raises CheckFailed, Cancelled.
    """
    began = time.perf_counter()
    torch.set_num_threads(1)
    try:
        motion, body = read_mot(mot, COORDINATES), load_body(osim)
        progress("limits", 0.02, "placing the body in every frame")
        limits = [Limit(c["variable"], c["side"], c["min"], c["max"], c["source"], c["status"], c["origin"],
                        c.get("phase", ""), c.get("weight")) for c in stated]
        measured = measure_by_opensim(motion, body)
        if cancelled():
            raise Cancelled
        every = frames_between(len(motion.values), motion.frame_rate)
        analysis = analyse(motion, body, route="opensim", every=every, cancelled=cancelled,
                           progress=lambda stage, done, detail: progress(stage, 0.1 + 0.8 * done, detail))
        progress("comparing", 0.92, "with the fast route")
        fast = analyse(motion, body, route="fast", every=every, cancelled=cancelled)
        checks = recheck(motion, body, limits, measured, analysis)
    except (FormatError, ReferenceFailed) as error:
        raise CheckFailed(str(error)) from error
    reasons = [_reason(one) for one in checks if one.broken]
    result = {
        "format": FORMAT,
        "rate_hz": analysis.frame_rate, "frames": len(analysis.time), "motion_frames": len(motion.values),
        "checks": [_document(one, before) for one, before in zip(checks, stated, strict=True)],
        "comparison": comparison(fast, analysis, body),
        "untrusted_share": UNTRUSTED_SHARE,
        "physics": physics(analysis, body),
        "versions": {"opensim": version("opensim"), "model_sha256": body.key,
                     "mot_sha256": hashlib.sha256(mot).hexdigest()},
        "seconds": round(time.perf_counter() - began, 1),
    }
    return Verdict(reasons, finite(result), finite(curves(analysis, body)), tables(analysis),
                   muscle_document(motion, body, analysis))


def frames_between(frames: int, frame_rate: float) -> int:
    """Each how many-th frame is analysed."""
    return max(1, round(frame_rate / RATE_HZ), -(-frames // MOST_FRAMES))


def physics(analysis: Analysis, body: BodyModel) -> dict:
    """The analysis's report, and the peak activation of each muscle group and side."""
    groups = {}
    for name, group in MUSCLE_GROUPS.items():
        for side in "rl":
            values = group_activation(analysis, body, group.muscles, side)
            if values is not None:
                at = int(values.argmax())
                groups[f"{name}_{side}"] = {"peak": float(values[at]), "time_s": float(analysis.time[at]),
                                            "trusted": bool(analysis.trusted[at])}
    return {**report(analysis), "muscle_groups": groups}


def comparison(fast: Analysis, opensim: Analysis, body: BodyModel) -> list[dict]:
    """Peaks of the same quantity by both routes: what was limited and chosen by the one, against the other."""
    rows = []

    def add(kind: str, name: str, unit: str, of: Callable[[Analysis], np.ndarray]) -> None:
        a, b = (float(np.abs(of(analysis)).max()) for analysis in (fast, opensim))
        rows.append({"kind": kind, "name": name, "unit": unit, "fast": a, "opensim": b})

    for joint in JOINTS:
        for name in joint.coordinates():
            if name in opensim.coordinates:
                add("moment", name, "Nm", lambda a, name=name: needed_moment(a, name))
    for name, group in MUSCLE_GROUPS.items():
        for side in "rl":
            if group_activation(opensim, body, group.muscles, side) is not None:
                add("activation", f"{name}_{side}", "",
                    lambda a, muscles=group.muscles, side=side: group_activation(a, body, muscles, side))
    for load in LOADS:
        for name in load.names():
            if _load(opensim, name) is not None:
                add("load", name, "body weights", lambda a, name=name: _load(a, name))
    return rows


def curves(analysis: Analysis, body: BodyModel) -> dict:
    """What the page draws over time."""
    margin = _rounded(analysis.margin_of_stability, 4)
    lines = {"moments": {}, "activations": {}, "loads": {}, "stability": {"margin_of_stability": margin}}
    for joint in JOINTS:
        for name in joint.coordinates():
            if name in analysis.coordinates:
                lines["moments"][name] = _rounded(joint.sign * needed_moment(analysis, name), 2)
    for name, group in MUSCLE_GROUPS.items():
        for side in "rl":
            values = group_activation(analysis, body, group.muscles, side)
            if values is not None:
                lines["activations"][f"{name}_{side}"] = _rounded(values, 4)
    for load in LOADS:
        for name in load.names():
            values = _load(analysis, name)
            if values is not None:
                lines["loads"][name] = _rounded(values, 3)
    return {"time_s": _rounded(analysis.time, 4), "trusted": analysis.trusted.tolist(), **lines}


def tables(analysis: Analysis) -> bytes:
    """The files of `analyse_motion` in a zip archive."""
    packed = io.BytesIO()
    with tempfile.TemporaryDirectory(prefix="genuflex-") as name:
        files = write_analysis(analysis, Path(name))
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in files:
                archive.write(Path(name) / file, file)
    return packed.getvalue()


def _load(analysis: Analysis, name: str) -> np.ndarray | None:
    """(time,) in body weights; None where the model has no such joint."""
    if name in analysis.contacts:
        return analysis.contact_in_body_weights(name)
    return analysis.loads[name] / analysis.body_weight if name in analysis.loads else None


def _document(one: Check, before: dict) -> dict:
    """A check by OpenSim, with the margin that the fast route had found."""
    return {**one.document(), "fast_margin": before["margin"]}


def _reason(one: Check) -> str:
    sentence = one.sentence()
    return sentence if sentence.endswith(".") else f"{sentence}."


def _rounded(values: np.ndarray, places: int) -> list[float]:
    return np.round(values, places).tolist()
