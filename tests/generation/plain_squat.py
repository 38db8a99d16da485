"""A stand-in for the engine's search in tests of everything around it: one sine-shaped squat on the real body model.

Bodies, files and playback documents are the engine's own; only the motion is made by hand, in milliseconds.
"""
from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from generation.engine.body import COORDINATES, TorchBody, scale_body
from generation.engine.formats import Motion, playback_document, write_mot
from generation.engine.profile import parse_profile

FRAMES, RATE = 61, 60.0


@dataclass
class PlainCandidate:
    index: int
    motion: Motion
    accepted: bool
    reasons: list[str]
    checks: list[dict]
    metrics: dict[str, float]
    score: float
    score_parts: dict[str, float]
    changes: list[dict]
    playback: dict
    file: str


@dataclass
class PlainResult:
    candidates: list[PlainCandidate]
    report: dict

    def write(self, folder: Path) -> None:
        for candidate in self.candidates:
            write_mot(Path(folder) / candidate.file, candidate.motion)
        (Path(folder) / "report.json").write_text(json.dumps(self.report))
        (Path(folder) / "model.osim").write_text("<OpenSimDocument/>")


def squat(body: TorchBody, depth_deg: float) -> Motion:
    """Down and up in one second, feet on the floor."""
    bend = np.radians(depth_deg) * 0.5 * (1 - np.cos(np.linspace(0, 2 * np.pi, FRAMES)))
    q = body.neutral().repeat(FRAMES, 1).double().numpy()
    column = {name: number for number, name in enumerate(COORDINATES)}
    for side in "rl":
        q[:, column[f"knee_angle_{side}"]] += bend
        q[:, column[f"hip_flexion_{side}"]] += 0.9 * bend
        q[:, column[f"ankle_angle_{side}"]] += 0.4 * bend
    q[:, column["pelvis_tilt"]] -= 0.3 * bend
    with torch.no_grad():
        contacts = body.foot_contacts(body(torch.as_tensor(q, dtype=body.lower.dtype)))
    q[:, column["pelvis_ty"]] -= contacts[..., 1].amin(dim=(1, 2)).double().numpy()
    return Motion(COORDINATES, q, RATE)


def generate(profile: dict, candidates: int, progress=None, cancelled=None) -> PlainResult:
    profile = parse_profile(profile)
    body = TorchBody(scale_body(profile.sex, profile.age_years, profile.height_m, profile.mass_kg))
    made = []
    for index in range(candidates):
        if cancelled is not None and cancelled():
            from generation.services import Interrupted

            raise Interrupted
        if progress is not None:
            progress("searching", index / candidates, f"candidate {index + 1} of {candidates}")
        depth = 55.0 - 5.0 * index
        accepted = index < max(1, candidates - 1)
        motion = squat(body, depth)
        made.append(PlainCandidate(
            index=index, motion=motion, accepted=accepted,
            reasons=[] if accepted else ["knee_flexion (left) reached 61 deg; at most 60 is allowed"],
            checks=[{"variable": "knee_flexion", "side": "left", "unit": "deg", "min": None, "max": 60.0,
                     "lowest": 0.0, "highest": depth, "worst": depth, "satisfied": accepted,
                     "margin": 60.0 - depth, "source": "a protocol", "status": "V", "origin": "preset"}],
            metrics={"knee_flexion_peak_left": depth, "repetition_s": 1.0}, score=0.9 - 0.01 * index,
            score_parts={"limits": 0.5, "symmetry": 1.0}, changes=[],
            playback=playback_document(body, motion, [
                {"name": "descent", "start_s": 0.0, "end_s": 0.5}, {"name": "ascent", "start_s": 0.5, "end_s": 1.0}]),
            file=f"candidate_{index:03d}.mot",
        ))
    return PlainResult(made, {"run": {"seed": 0, "versions": {"motion_model": "plain"}}, "summary": {"blocking": []}})
