"""The playback document: all that a player needs to show a motion of one body (layout in docs/architecture.md)."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

import numpy as np

from generation.engine.formats.motion import Motion, is_translation
from generation.engine.formats.packed import pack, unpack

VERSION = 2
PHASES = ("descent", "bottom", "ascent", "stand")
# The least that is told apart; values come back within half of it. E: far below what a picture or a word can show.
STEP_M, STEP_DEG, STEP_QUATERNION = 0.00005, 0.002, 1 / 32767


def playback_document(body, motion: Motion, phases: Sequence[dict] = ()) -> dict:
    """The document of `motion` (in the body's own coordinates) shown by `body`, a `TorchBody`; ready for JSON.

    phases: dicts of `name` (one of PHASES), `start_s`, `end_s`, inside the motion. Raises ValueError when the motion
    has other coordinates than the body, is not finite, or a phase is none.
    """
    import torch  # not for the web, which reads documents and makes none

    if motion.coordinates != body.coordinates:
        raise ValueError("the motion's coordinates are not the body's, in the body's order")
    if not len(motion.values) or not np.isfinite(motion.values).all():
        raise ValueError("the motion is empty or holds values that are not finite")
    with torch.no_grad():
        placed = body(torch.as_tensor(motion.values, dtype=body.lower.dtype, device=body.lower.device))
        centres = body.joint_centres(placed)
    angle = np.array([not is_translation(coordinate) for coordinate in motion.coordinates])
    steps = np.where(angle, STEP_DEG, STEP_M)
    return {
        "version": VERSION,
        "frame_rate": motion.frame_rate,
        "frames": len(motion.values),
        "duration_s": motion.duration_s,
        "bodies": list(body.bodies),
        "scales": body.bone_scales,
        "masses": [round(float(mass), 3) for mass in body.mass],
        "soles": {"bodies": [int(index) for index in body.packed["contact_body"]],
                  "offsets": np.round(body.packed["contact_offset"], 5).tolist()},
        "positions": pack(placed.translations.cpu(), STEP_M),
        "quaternions": pack(_quaternions(placed.rotations.cpu().double().numpy()), STEP_QUATERNION),
        "com": pack(placed.com.cpu(), STEP_M),
        "joint_centres": {
            "names": list(centres), "positions": pack(torch.stack(list(centres.values()), 1).cpu(), STEP_M),
        },
        "coordinates": {
            "names": list(motion.coordinates),
            "degrees": pack(np.where(angle, np.degrees(motion.values), motion.values), steps),
        },
        "phases": [_phase(phase, motion.duration_s) for phase in phases],
    }


def series(document: Mapping, field: str) -> np.ndarray:
    """One array of a document of version 1 or 2 by its name: `positions` (T, body, 3), `quaternions` (T, body, 4),
    `com` (T, 3), `joint_centres` (T, joint, 3), `degrees` (T, coordinate). Needs no torch."""
    frames, bodies = document["frames"], len(document["bodies"])
    entry, shape = {
        "positions": lambda: (document["positions"], (frames, bodies, 3)),
        "quaternions": lambda: (document["quaternions"], (frames, bodies, 4)),
        "com": lambda: (document["com"], (frames, 3)),
        "joint_centres": lambda: (document["joint_centres"]["positions"],
                                  (frames, len(document["joint_centres"]["names"]), 3)),
        "degrees": lambda: (document["coordinates"]["degrees"], (frames, len(document["coordinates"]["names"]))),
    }[field]()
    if document["version"] == 1:  # float32, as stored before version 2; candidates never change
        return np.frombuffer(base64.b64decode(entry), "<f4").reshape(shape)
    return unpack(entry)


def _quaternions(rotations: np.ndarray) -> np.ndarray:
    """(time, body, 3, 3) -> (time, body, 4) x, y, z, w, without sign jumps in time."""
    from scipy.spatial.transform import Rotation  # slow to load

    time, bodies = rotations.shape[:2]
    quaternions = Rotation.from_matrix(rotations.reshape(-1, 3, 3)).as_quat().reshape(time, bodies, 4)
    along = (quaternions[1:] * quaternions[:-1]).sum(-1)  # negative where the sign jumps
    flips = np.cumprod(np.where(along < 0, -1.0, 1.0), axis=0)
    quaternions[1:] *= flips[..., None]
    return quaternions


def _phase(phase: dict, duration_s: float) -> dict:
    name, start, end = phase["name"], float(phase["start_s"]), float(phase["end_s"])
    if name not in PHASES:
        raise ValueError(f"phase {name!r} is none of {', '.join(PHASES)}")
    if not -1e-6 <= start <= end <= duration_s + 1e-6:
        raise ValueError(f"phase {name} from {start} to {end} s is not inside the motion of {duration_s} s")
    return {"name": name, "start_s": start, "end_s": end}
