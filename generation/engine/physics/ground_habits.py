"""How one person's feet share and press, learnt from force plates: a handful of numbers of `Habits`."""

from dataclasses import replace

import numpy as np
import torch
from scipy.optimize import minimize
from torch import Tensor

from generation.engine.physics.ground import measure
from generation.engine.physics.ground_split import Feet, Habits, capacities, leg_joints, split

# learnt as factors, and learnt as they are: with their standard deviation (E)
FACTORS = {"press_per_m": 0.4, "press_weight": 0.7, "hip_adduction_m": 0.7, "hip_rotation_m": 0.7}
NUMBERS = {"press_fade": 0.7, "lateral_m": 0.005}
BELIEF = 0.002  # E: what a standard deviation from the start costs, in mean squared errors
MINOR = {"hip_rotation": 0.1, "subtalar_angle": 0.1}  # E: weight of moments that few ask for; 1 for the others
LEAST_MOMENT_M = 0.007  # E: body weights x m; moments that vary less than this are not learnt more closely
SHEAR, VERTICAL = 0.017, 0.034  # E: errors in body weights that weigh like a moment's own variation / 2
MOST_FRAMES = 200  # of one recording


def fit_habits(body, recordings, start: Habits | None = None) -> Habits:
    """The habits with which the division between the feet comes nearest to the plates.

    body: `TorchBody` whose mass distribution is already the person's. recordings: (q, u, udot (time, coordinate),
    `GroundReaction` of the plates, frames to use (time,) bool) each.
    """
    start = start or Habits()
    names = [*FACTORS, *NUMBERS]
    with torch.no_grad():
        given = [_given(body, *recording) for recording in recordings]
    first = torch.tensor([float(getattr(start, name)) for name in names], dtype=torch.float64)
    spread = torch.tensor([*FACTORS.values(), *NUMBERS.values()], dtype=torch.float64)
    count = len(FACTORS)

    def habits(x: Tensor) -> Habits:  # x in standard deviations from the start
        step = x * spread
        return replace(start, **dict(zip(names, [*(first * step.exp())[:count], *(first + step)[count:]], strict=True)))

    def loss(values):
        with torch.enable_grad():
            x = torch.tensor(values, dtype=torch.float64, requires_grad=True)
            now = habits(x)
            total = BELIEF * x.square().sum() + sum(_distance(now, body, *one) for one in given) / len(given)
            total.backward()
        return total.item(), x.grad.numpy()

    best = minimize(loss, np.zeros(len(names)), jac=True, method="L-BFGS-B", bounds=[(-3.0, 3.0)] * len(names),
                    options={"maxiter": 60})
    learnt = habits(torch.as_tensor(best.x))
    return replace(learnt, **{name: float(getattr(learnt, name)) for name in names})


def _given(body, q, u, udot, plates, use):
    """Feet and measured (force, moment about origin (N, 2, 3)) of some frames, dimensionless, and the true moments."""
    frames = np.flatnonzero(use)
    frames = frames[:: max(1, len(frames) // MOST_FRAMES)]
    feet, weight, origin, _ = measure(body, *(x[frames].double() for x in (q, u, udot)))
    measured = plates.at(frames)
    force, moment = measured.force.double() / weight, measured.feet.about_origin().double() / weight
    moment = moment - torch.linalg.cross(origin[:, None].expand_as(force), force, dim=-1)
    true = _moments(feet, force, moment)
    return feet, force, true, true.std(0).clamp_min(LEAST_MOMENT_M)


def _moments(feet: Feet, force: Tensor, moment: Tensor) -> Tensor:
    """(N, 2, J) leg joint moments under given forces."""
    return feet.unloaded - (feet.linear * force[:, :, None]).sum(-1) - (feet.angular * moment[:, :, None]).sum(-1)


def _distance(habits: Habits, body, feet: Feet, force: Tensor, true: Tensor, scale: Tensor) -> Tensor:
    found, moment, _ = split(feet, habits, capacities(body, habits))
    wrong = found - force
    weight = torch.tensor([MINOR.get(name, 1.0) for name in leg_joints(body)], dtype=torch.float64).to(true.device)
    return ((2 * (_moments(feet, found, moment) - true) / scale).square() * weight).mean() + (
        (wrong[..., 2] / SHEAR).square().mean() + (wrong[..., 1] / VERTICAL).square().mean())
