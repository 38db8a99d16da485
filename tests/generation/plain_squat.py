"""A stand-in for the engine's search in tests of everything around it: one sine-shaped squat on the real body
model, and what a check of it stores.

Bodies, files and playback documents are the engine's own; only the motion is made by hand, in milliseconds.
"""
from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from generation.checking import Verdict
from generation.engine.body import COORDINATES, TorchBody, scale_body
from generation.engine.formats import Motion, playback_document, write_mot
from generation.engine.profile import parse_profile
from generation.physics import JOINTS, LOADS, MUSCLE_GROUPS

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


def verdict(candidate) -> Verdict:
    """What a check by OpenSim stores, in its shape, with round numbers; test_checks.py compares the two."""
    times = np.linspace(0, 1, 16)
    bend = np.sin(np.pi * times) ** 2
    peak = {"peak": 1.0, "time_s": 0.5, "mean": 0.5}
    sides = ("r", "l")
    groups = {f"{name}_{side}": {"peak": 0.4, "time_s": 0.5, "trusted": True}
              for name in MUSCLE_GROUPS for side in sides}
    joints = [name for joint in JOINTS for name in joint.coordinates()]
    loads = [name for load in LOADS for name in load.names()]
    demand = {f"{name}_{side}": {**peak, "peak": 0.3}
              for name in ("hip_flexion", "knee_angle", "ankle_angle") for side in sides}
    physics = {
        "format": 1, "route": "opensim", "solver": "static optimisation",
        "body": {"model_sha256": "0" * 64, "mass_kg": 70.0, "body_weight_n": 686.5},
        "motion": {"frames": 16, "start_s": 0.0, "end_s": 1.0, "frame_rate_hz": 15.0, "low_pass_hz": 6.0},
        "ground_reaction": {"source": "estimated", "uncertainty": {
            "basis": "force plates under one woman", "share_percent": 5.0, "vertical_force_percent_body_weight": 4.0}},
        "trust": {"frames": 15, "share": 15 / 16,
                  "largest_reserve_share": {"knee_angle_r": 0.02, "hip_rotation_l": 0.13},
                  "residual_peak": {"force_n": 1.0, "moment_nm": 1.0, "force_body_weights": 0.001}},
        "moments_nm": {name: {**peak, "peak": -40.0} for name in joints},
        "activations": {"soleus_r": {**peak, "peak": 0.4}},
        "contact_forces": {name: {**peak, "peak": 1400.0, "body_weights": 2.0} for name in loads
                           if name != "lumbar_compression"},
        "loads_n": {"lumbar_compression": {**peak, "peak": 900.0}},
        "demand": demand, "margin_of_stability_m": {"least": 0.05, "time_s": 0.4},
        "asymmetries": {}, "smoothness": {}, "estimated": ["Activations are computed, not measured."], "notes": [],
        "muscle_groups": groups,
    }
    result = {
        "format": 1, "rate_hz": 15.0, "frames": 16, "motion_frames": FRAMES,
        "checks": [{**check, "fast_margin": check["margin"]} for check in candidate.checks],
        "comparison": [{"kind": "moment", "name": "knee_angle_r", "unit": "Nm", "fast": 40.0, "opensim": 41.0}],
        "untrusted_share": 0.1, "physics": physics,
        "versions": {"opensim": "4.6", "model_sha256": "0" * 64, "mot_sha256": candidate.mot_sha256}, "seconds": 0.1,
    }
    curves = {
        "time_s": times.tolist(), "trusted": [True] * 15 + [False],
        "moments": {name: (40 * bend).tolist() for name in joints},
        "activations": {name: (0.4 * bend).tolist() for name in groups},
        "loads": {name: (2 * bend).tolist() for name in loads},
        "stability": {"margin_of_stability": (0.1 - 0.05 * bend).tolist()},
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("moments.sto", "moments\n")
        archive.writestr("report.json", json.dumps(physics))
    return Verdict([], result, curves, packed.getvalue(), {"version": 1, "muscles": [], "by": "OpenSim"})
