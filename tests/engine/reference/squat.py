"""A short squat-like movement on the generic body, with a ground reaction that carries it."""

from functools import cache

import numpy as np
import torch

from generation.engine.body import COORDINATES, MODEL_FILE, TorchBody, load_body
from generation.engine.physics import differentiate
from generation.engine.physics.ground import estimate_ground

RATE, FRAMES = 20.0, 31


@cache
def squat() -> dict:
    """body, time (T,), q, u, udot (T, C) arrays, and wrenches as `analyse_with_opensim` takes them."""
    body = load_body(MODEL_FILE)
    torch_body = TorchBody(body, dtype=torch.float64)
    depth = np.sin(np.pi * np.arange(FRAMES) / (FRAMES - 1)) ** 2
    values = np.zeros((FRAMES, len(COORDINATES)))
    for name, degrees in (("hip_flexion", 55), ("knee_angle", 60), ("ankle_angle", 20)):
        for side in "rl":
            values[:, COORDINATES.index(f"{name}_{side}")] = np.radians(degrees) * depth
    values[:, COORDINATES.index("pelvis_tilt")] = -np.radians(20) * depth
    for side in "rl":
        values[:, COORDINATES.index(f"knee_angle_{side}_beta")] = values[:, COORDINATES.index(f"knee_angle_{side}")]
    with torch.no_grad():
        q = torch.as_tensor(values)
        q[:, COORDINATES.index("pelvis_ty")] -= torch_body.foot_contacts(torch_body(q))[..., 1].amin((-1, -2))
        q, u, udot = differentiate(q, RATE, 6.0)
        wrenches = estimate_ground(torch_body, q, u, udot).wrenches()
    wrenches = [(name, force.numpy(), moment.numpy()) for name, force, moment in wrenches]
    return {"body": body, "torch_body": torch_body, "time": np.arange(FRAMES) / RATE, "q": q.numpy(), "u": u.numpy(),
            "udot": udot.numpy(), "wrenches": wrenches}
