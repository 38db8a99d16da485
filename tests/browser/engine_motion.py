"""A short squat of the engine's own body, all that the player can be given of it, and the engine's truth about it."""
from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace

import numpy as np
import torch

from generation.engine.analysis.measures import balance
from generation.engine.analysis.muscle_document import muscle_document
from generation.engine.body import COORDINATES, MODEL_FILE, TorchBody, load_body
from generation.engine.formats import Motion, playback_document
from generation.engine.physics import differentiate
from generation.engine.physics.ground_reaction import GroundReaction

FRAMES = 61


@dataclass(frozen=True)
class EngineMotion:
    playback: dict
    muscles: dict
    joint_centres: dict[str, np.ndarray]        # (time, 3) m, of the engine
    ends: dict[str, np.ndarray]                 # muscle -> (time, 2 [origin, insertion], 3) m, of the engine
    margin: np.ndarray                          # (time,) m
    knee: np.ndarray                            # (time,) degrees


@cache
def engine_squat() -> EngineMotion:
    """One second, 60 Hz, knees to 100 degrees. The activation of muscle i is i / 100, its peak at the bottom; each foot
    carries half of 700 N."""
    body = load_body(MODEL_FILE)
    torch_body = TorchBody(body, dtype=torch.float64)
    deep = np.sin(np.pi * np.arange(FRAMES) / (FRAMES - 1)) ** 2
    values = np.tile(torch_body.neutral().numpy(), (FRAMES, 1))
    for name, degrees in (("hip_flexion", 95), ("knee_angle", 100), ("ankle_angle", 25)):
        for side in "rl":
            values[:, COORDINATES.index(f"{name}_{side}")] = np.radians(degrees) * deep
    values[:, COORDINATES.index("pelvis_tilt")] = np.radians(-20) * deep
    with torch.no_grad():                       # the heels stay where they are
        first = torch_body(torch.tensor(values))
        heel = first.translations[:, torch_body.bodies.index("calcn_r")].numpy()
    for axis, name in enumerate(("pelvis_tx", "pelvis_ty")):
        values[:, COORDINATES.index(name)] -= heel[:, axis] - heel[0, axis]
    motion = Motion(COORDINATES, values, 60.0)
    with torch.no_grad():
        placed = torch_body(torch.tensor(values))
        centres = {name: place.numpy() for name, place in torch_body.joint_centres(placed).items()}
        q, u, _ = differentiate(torch.tensor(values), 60.0, None)
        velocity = np.gradient(placed.com.numpy(), 1 / 60, axis=0, edge_order=2)
    names = body.muscles["muscle_names"].tolist()
    time = motion.times[::4]
    force = torch.tensor(np.tile([[0.0, 350.0, 0.0]] * 2, (len(time), 1, 1)))
    heels = torch.tensor(np.tile([heel[0], heel[0] * [1, 1, -1]], (len(time), 1, 1)))
    analysis = SimpleNamespace(
        route="opensim", solver="static optimisation", time=time, muscles=tuple(names), body_weight=700.0,
        activations=np.outer(deep[::4], np.arange(len(names)) / 100), trusted=np.ones(len(time), bool),
        ground=GroundReaction(force, heels * torch.tensor([1.0, 0.0, 1.0]), force * 0, "estimated"),
    )
    margin = balance(torch_body, q.numpy(), placed.com.numpy(), velocity)["margin_of_stability"]
    phases = [{"name": "descent", "start_s": 0.0, "end_s": 0.5}, {"name": "ascent", "start_s": 0.5, "end_s": 1.0}]
    return EngineMotion(playback_document(torch_body, motion, phases), muscle_document(motion, body, analysis), centres,
                        _ends(body, placed), margin, np.degrees(values[:, COORDINATES.index("knee_angle_r")]))


def _ends(body, placed) -> dict[str, np.ndarray]:
    muscles, found = body.muscles, {}
    place = {str(name): body.bodies.index(name) for name in muscles["path_bodies"] if name in body.bodies}
    for m, name in enumerate(muscles["muscle_names"].tolist()):
        ends = []
        for row in (muscles["point_start"][m], muscles["point_start"][m + 1] - 1):
            at = place[str(muscles["path_bodies"][muscles["point_body"][row]])]
            turned = np.einsum("tij,j->ti", placed.rotations[:, at].numpy(), muscles["point_offset"][row])
            ends.append(turned + placed.translations[:, at].numpy())
        found[name] = np.stack(ends, 1)
    return found
