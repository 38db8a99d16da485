"""What follows from motion and forces alone, the same for both routes: balance, sides, smoothness, demand."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from generation.engine.analysis.result import GRAVITY
from generation.engine.metrics import measure_repetitions
from generation.engine.metrics.smoothness import log_dimensionless_jerk, spectral_arc_length
from generation.engine.metrics.support import support_margin

SHORTEST_PENDULUM_M = 0.1  # as in metrics.series
LEAST_CAPACITY_NM = 1.0  # E: below it a joint has no muscles to speak of in that direction, and the ratio means nothing
ANGLES = {"hip_flexion": "hip_flexion", "knee_flexion": "knee_angle", "ankle_dorsiflexion": "ankle_angle"}


def balance(torch_body, q: np.ndarray, com: np.ndarray, velocity: np.ndarray) -> dict[str, np.ndarray]:
    """Extrapolated centre of mass (T, 2), soles (T, point, 3) and margin of stability (T,), metres.

    Hof et al. 2005, J Biomech 38:1-8 (R): x + v / omega0 with omega0 = sqrt(g / l), l the height of the centre of mass
    over the ankles now. The base of support is the outline of both soles, whether or not a heel is off the floor; the
    definition is that of the margin in the measures of a generated motion.
    """
    with torch.no_grad():
        kinematics = torch_body(torch.as_tensor(q, dtype=torch.float64))
        centres = torch_body.joint_centres(kinematics)
        soles = torch_body.foot_contacts(kinematics).flatten(-3, -2)
        ankle = (centres["ankle_r"] + centres["ankle_l"])[:, 1].numpy() / 2
        length = np.maximum(com[:, 1] - ankle, SHORTEST_PENDULUM_M)
        extrapolated = (com + velocity * np.sqrt(length / GRAVITY)[:, None])[:, (0, 2)]
        margin = support_margin(soles[..., (0, 2)], torch.as_tensor(extrapolated)[:, None])[:, 0]
    return {"extrapolated_com": extrapolated, "support": soles.numpy(), "margin_of_stability": margin.numpy()}


def demand(coordinates: Sequence[str], moments: np.ndarray,
           capacity: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Share (T,) of what the muscles could make about each coordinate. capacity: (T, 2 [negative, positive]) Nm."""
    found = {}
    for name, available in capacity.items():
        needed = moments[:, coordinates.index(name)]
        patella = f"{name}_beta"
        if patella in coordinates:
            needed = needed + moments[:, coordinates.index(patella)]
        able = np.where(needed > 0, available[:, 1], -available[:, 0])
        found[name] = np.abs(needed) / np.maximum(able, LEAST_CAPACITY_NM)
    return found


def asymmetries(coordinates: Sequence[str], q: np.ndarray, moments: np.ndarray, force: np.ndarray,
                contacts: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Right against left over the whole motion.

    `*_angle_deg`: mean absolute difference of the angle. `*_moment`, `vertical_force`, `*_contact`: (right - left) /
    (right + left) of the mean magnitudes, -1 all left, 0 even, 1 all right. force (T, 2, 3) N.
    """
    found = {"vertical_force": _index(*np.abs(force[..., 1]).mean(axis=0))}
    for name, coordinate in ANGLES.items():
        right, left = (coordinates.index(f"{coordinate}_{side}") for side in "rl")
        found[f"{name}_angle_deg"] = float(np.degrees(np.abs(q[:, right] - q[:, left]).mean()))
        found[f"{name}_moment"] = _index(*np.abs(moments[:, [right, left]]).mean(axis=0))
    for name in ("hip", "tibiofemoral", "patellofemoral"):
        if f"{name}_r" in contacts and f"{name}_l" in contacts:
            found[f"{name}_contact"] = _index(*(np.linalg.norm(contacts[f"{name}_{s}"], axis=-1).mean() for s in "rl"))
    return found


def smoothness(coordinates: Sequence[str], q: np.ndarray, velocity: np.ndarray, frame_rate: float) -> dict[str, float]:
    """SPARC and LDLJ of the centre of mass's speed (T,), mean of descents and ascents where the pelvis goes down and
    up, else of the whole motion. Nearer to zero is smoother."""
    speed = np.linalg.norm(velocity, axis=-1)
    parts = [speed]
    try:
        phases = measure_repetitions(q[:, coordinates.index("pelvis_ty")], np.arange(len(q)) / frame_rate)
        spans = [span for one in phases.repetitions
                 for span in ((one.descent_start, one.descent_end), (one.ascent_start, one.ascent_end))]
        parts = [speed[int(np.floor(start * frame_rate)): int(np.ceil(end * frame_rate)) + 1] for start, end in spans]
    except ValueError:
        pass
    parts = [part for part in parts if len(part) > 3 and part.max() > 0]
    if not parts:
        return {}
    return {"sparc": float(np.mean([spectral_arc_length(part, frame_rate) for part in parts])),
            "log_dimensionless_jerk": float(np.mean([log_dimensionless_jerk(part, frame_rate) for part in parts]))}


def _index(right: float, left: float) -> float:
    total = right + left
    return float((right - left) / total) if total > 0 else 0.0
