"""Whether delivered files keep the hard limits of their profile: asked again, from the written numbers.

Joint angles are compared column by column, without the engine's measures. Everything else is measured anew by the fast
route, in double precision on a body made ready for this purpose, or by OpenSim on the delivered model.
"""
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from generation.engine.analysis import analyse
from generation.engine.analysis.recheck import measure_by_opensim, recheck
from generation.engine.body import COORDINATES, BodyModel, TorchBody, body_scale, load_body, personal_body
from generation.engine.evaluation.delivered import Delivery, read_delivered
from generation.engine.evaluation.motions import FRAME_RATE
from generation.engine.formats import Motion
from generation.engine.limits import MODEL_LIMITS, Limit
from generation.engine.metrics import TOLERANCE, LoadMeter, measure
from generation.engine.profile import Profile
from generation.engine.variables import LOAD_VARIABLES

# variable -> column of the file (without its side) and sign; only limits that hold at every instant
_COLUMNS = {"knee_flexion": ("knee_angle", 1), "hip_flexion": ("hip_flexion", 1), "hip_adduction": ("hip_adduction", 1),
            "hip_internal_rotation": ("hip_rotation", 1), "ankle_dorsiflexion": ("ankle_angle", 1)}
_MIDDLE = {"pelvis_tilt": ("pelvis_tilt", 1), "lumbar_flexion": ("lumbar_extension", -1),
           "lumbar_bending": ("lumbar_bending", 1), "lumbar_rotation": ("lumbar_rotation", 1)}
OPENSIM_EVERY = 3                # of the frames, where muscles are solved by OpenSim: 20 Hz


def hard_limits(profile: Profile) -> list[Limit]:
    """Every limit that a delivered motion of this profile must keep: the profile's own and the built-in ones."""
    found = dict.fromkeys([*profile.limits(), *MODEL_LIMITS])
    return [limit for limit in found if getattr(limit, "weight", None) is None]


def broken_in_columns(values: np.ndarray, limits: Sequence[Limit]) -> list[str]:
    """Limits on joint angles of the whole repetition that the columns themselves break."""
    found = []
    for limit in limits:
        if getattr(limit, "phase", ""):
            continue
        if limit.variable in _COLUMNS:
            base, sign = _COLUMNS[limit.variable]
            names = [f"{base}_{side[0]}" for side in limit.sides()]
        elif limit.variable in _MIDDLE:
            base, sign = _MIDDLE[limit.variable]
            names = [base]
        else:
            continue
        for name in names:
            angle = sign * np.degrees(values[:, COORDINATES.index(name)])
            if limit.max is not None and angle.max() > limit.max + TOLERANCE:
                found.append(f"{name} reaches {angle.max():.2f}: {limit.sentence()}")
            if limit.min is not None and angle.min() < limit.min - TOLERANCE:
                found.append(f"{name} falls to {angle.min():.2f}: {limit.sentence()}")
    return found


def broken_by_fast_route(paths: Sequence[Path], profile: Profile) -> dict[str, list[str]]:
    """File name -> the hard limits it breaks, in words; measured in double precision."""
    limits = hard_limits(profile)
    body, person = TorchBody(body_scale(profile), dtype=torch.float64), personal_body(profile)
    motions = {path.name: read_delivered(path) for path in paths}
    measured = {name: measure(body, torch.as_tensor(values), FRAME_RATE) for name, values in motions.items()}
    if motions and any(limit.variable in LOAD_VARIABLES for limit in limits):
        meter = LoadMeter(person, torch.float64)
        loads = meter.measure(list(motions.values()), FRAME_RATE, [one.phases for one in measured.values()])
        for (name, values), load in zip(motions.items(), loads, strict=True):
            measured[name].add_loads(load, torch.as_tensor(values))
    return {name: [*broken_in_columns(values, limits),
                   *(check.sentence() for check in measured[name].check(limits) if not check.satisfied)]
            for name, values in motions.items()}


def broken_by_opensim(path: Path, delivery: Delivery, profile: Profile) -> list[str]:
    """The hard limits that a delivered file breaks as OpenSim places the delivered model; loads by OpenSim's tools."""
    limits = hard_limits(profile)
    body = load_body(delivery.model)
    motion = Motion(COORDINATES, read_delivered(path), FRAME_RATE)
    measured = measure_by_opensim(motion, body)
    analysis = None
    if any(limit.variable in LOAD_VARIABLES for limit in limits):
        analysis = analyse(motion, body, route="opensim", every=OPENSIM_EVERY)
    return [check.sentence() for check in recheck(motion, body, limits, measured, analysis) if not check.satisfied]


def vastus_medialis_by_opensim(path: Path, body: BodyModel) -> tuple[float, float]:
    """Greatest activation (0 to 1) of the right and the left vastus medialis by OpenSim's static optimisation."""
    motion = Motion(COORDINATES, read_delivered(path), FRAME_RATE)
    analysis = analyse(motion, body, route="opensim", every=OPENSIM_EVERY)
    return tuple(float(analysis.activations[:, analysis.muscles.index(f"vasmed_{side}")].max()) for side in "rl")
