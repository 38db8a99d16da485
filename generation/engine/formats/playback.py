"""The playback document: all that a player needs to show a motion of one body (layout in docs/architecture.md)."""

import base64
from collections.abc import Sequence

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from generation.engine.formats.motion import Motion, is_translation

PHASES = ("descent", "bottom", "ascent", "stand")


def playback_document(body, motion: Motion, phases: Sequence[dict] = ()) -> dict:
    """The document of `motion` (in the body's own coordinates) shown by `body`, a `TorchBody`; ready for JSON.

    phases: dicts of `name` (one of PHASES), `start_s`, `end_s`, inside the motion. Raises ValueError when the motion
    has other coordinates than the body, is not finite, or a phase is none.
    """
    if motion.coordinates != body.coordinates:
        raise ValueError("the motion's coordinates are not the body's, in the body's order")
    if not len(motion.values) or not np.isfinite(motion.values).all():
        raise ValueError("the motion is empty or holds values that are not finite")
    with torch.no_grad():
        placed = body(torch.as_tensor(motion.values, dtype=body.lower.dtype, device=body.lower.device))
        centres = body.joint_centres(placed)
    angle = np.array([not is_translation(coordinate) for coordinate in motion.coordinates])
    return {
        "version": 1,
        "frame_rate": motion.frame_rate,
        "frames": len(motion.values),
        "duration_s": motion.duration_s,
        "bodies": list(body.bodies),
        "scales": body.bone_scales,
        "positions": _encode(placed.translations),
        "quaternions": _encode(_quaternions(placed.rotations.cpu().double().numpy())),
        "com": _encode(placed.com),
        "joint_centres": {"names": list(centres), "positions": _encode(torch.stack(list(centres.values()), 1))},
        "coordinates": {
            "names": list(motion.coordinates),
            "degrees": _encode(np.where(angle, np.degrees(motion.values), motion.values)),
        },
        "phases": [_phase(phase, motion.duration_s) for phase in phases],
    }


def decode(text: str, *shape: int) -> np.ndarray:
    """The float32 array of one encoded entry, in the given shape."""
    return np.frombuffer(base64.b64decode(text), "<f4").reshape(shape)


def _encode(array) -> str:
    """Base64 of little-endian float32."""
    array = array.cpu().numpy() if isinstance(array, torch.Tensor) else np.asarray(array)
    return base64.b64encode(np.ascontiguousarray(array, "<f4").tobytes()).decode("ascii")


def _quaternions(rotations: np.ndarray) -> np.ndarray:
    """(time, body, 3, 3) -> (time, body, 4) x, y, z, w, without sign jumps in time."""
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
