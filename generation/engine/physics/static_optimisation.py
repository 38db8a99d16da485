"""Static optimisation: the muscle activations of least effort that make given joint moments, exactly.

For each leg and frame: minimise sum(activation^2) + sum((reserve / its optimal force)^2) so that muscles and reserves
together make the moments of the leg's coordinates, with every activation inside its bounds. That is OpenSim's static
optimisation (activation exponent 2). Only a dual variable for each coordinate is unknown: the activations are
clip(A' y, lower, upper) with A the moment of each muscle at full activation over the reserve's optimal force, and y the
root of the monotone, piecewise linear  A clip(A' y) + y = moment / optimal force.  A semi-smooth Newton method finds
the root in a few steps; the reserves make its matrix at least the identity, so it cannot break down. Motions, frames
and legs are all solved side by side, and those that are done are left alone, so that no result depends on the batch.

Gradients follow from the optimality conditions (implicit differentiation): one more Newton step from the solution,
written so that autograd sees it, has the derivative of the root.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from generation.engine.physics.reserves import LEG_COORDINATES, RESERVES

MOST_STEPS = 60
LINE_TRIALS = 6  # enough for the steps to be few; the method converges with any number


@dataclass(frozen=True)
class Solution:
    """activations (..., muscle) 0 to 1; reserves (..., coordinate) Nm, 0 on coordinates without one."""

    activations: Tensor
    reserves: Tensor


class StaticOptimisation:
    """The legs of one body: which muscles share which coordinates.

    muscles: the packed muscles (names and bounds of the activations); coordinates: the body's, in order.
    """

    def __init__(self, muscles: Mapping[str, np.ndarray], coordinates: Sequence[str],
                 reserves: Mapping[str, float] = RESERVES):
        names = [str(name) for name in muscles["muscle_names"]]
        self.legs = []
        for side in "rl":
            own = [name for name in LEG_COORDINATES if f"{name}_{side}" in coordinates]
            rows = [list(coordinates).index(f"{name}_{side}") for name in own]
            columns = [i for i, name in enumerate(names) if name.endswith(f"_{side}")]
            self.legs.append((rows, columns, [reserves[name] for name in own]))
        self.lower, self.upper = muscles["minimum_control"], muscles["maximum_control"]

    def solve(self, moments: Tensor, arms: Tensor, capacity: Tensor) -> Solution:
        """Share the moments out among muscles and reserves.

        moments (..., coordinate) Nm, the patella's added to the knee's (`knee_moments`); arms (..., muscle, coordinate)
        m, -dL/dq; capacity (..., muscle) N at activation 1. Differentiable in all three.
        """
        activations, reserves = torch.zeros_like(capacity), torch.zeros_like(moments)
        for rows, columns, optimal in self.legs:
            force = torch.tensor(optimal, dtype=moments.dtype, device=moments.device)
            row, column = (torch.tensor(index, device=moments.device) for index in (rows, columns))
            lower, upper = (torch.as_tensor(bound[columns]).to(moments) for bound in (self.lower, self.upper))
            arm = arms.index_select(-1, row).index_select(-2, column)  # (..., muscle, 6)
            gear = arm.movedim((-1, -2), (0, 1)) * capacity.index_select(-1, column).movedim(-1, 0)
            lead = moments.shape[:-1]
            gear = (gear.flatten(2) if lead else gear[..., None]) / force[:, None, None]
            target = (moments.index_select(-1, row) / force).reshape(-1, len(rows)).T
            activation, reserve = least_effort(target, gear, lower[:, None], upper[:, None])
            activations = activations.index_copy(-1, column, activation.T.reshape(*lead, -1))
            reserves = reserves.index_copy(-1, row, reserve.T.reshape(*lead, -1) * force)
        return Solution(activations, reserves)


def least_effort(target: Tensor, gear: Tensor, lower: Tensor, upper: Tensor) -> tuple[Tensor, Tensor]:
    """argmin of |a|^2 + |r|^2 with gear a + r = target and lower <= a <= upper, for every frame.

    target (coordinate, frame), gear (coordinate, muscle, frame), lower, upper (muscle, 1). Returns a (muscle, frame)
    and r (coordinate, frame), differentiable in target and gear.
    """
    with torch.no_grad():
        root = _root(target, gear, lower, upper)
        free = _free(gear, root, lower, upper)
        factor = _cholesky(_matrix(gear, free))
    # the Newton step at the root is zero but for rounding; its derivative is that of the root
    slack = target - _moment(gear, _pull(gear, root).clamp(lower, upper)) - root
    root = root + _solve(factor, slack)
    return _pull(gear, root).clamp(lower, upper), root


def _root(target, gear, lower, upper):
    tolerance = 100 * torch.finfo(target.dtype).eps
    everyone = torch.ones_like(gear[0], dtype=torch.bool)
    root = _solve(_cholesky(_matrix(gear, everyone)), target)  # the answer without bounds
    scale = 1 + gear.abs().sum(1).amax(0) + target.abs().amax(0)  # (frame,) of what is added up
    left = torch.arange(target.shape[1], device=target.device)
    for _ in range(MOST_STEPS):
        t, g, y = target[:, left], gear[..., left], root[:, left]
        slack = _slack(t, g, y, lower, upper)
        open_ = slack.abs().amax(0) > tolerance * scale[left]
        if not open_.any():
            break
        left, t, g, y, slack = left[open_], t[:, open_], g[..., open_], y[:, open_], slack[:, open_]
        step = _solve(_cholesky(_matrix(g, _free(g, y, lower, upper))), slack)
        root[:, left] = y + step * _length(t, g, y, step, slack, lower, upper)
    return root


def _length(target, gear, root, step, slack, lower, upper):
    """(frame,) how far to go: to the lowest point along the step, at most all of it. The slope along the step is
    monotone and made of straight pieces; secants and halvings in turn close in on its zero."""
    pull, turn = _pull(gear, root), _pull(gear, step)
    rest, own = ((target - root) * step).sum(0), (step * step).sum(0)

    def downhill(at):
        return rest - at * own - ((pull + at * turn).clamp(lower, upper) * turn).sum(0)

    near, far = torch.zeros_like(own), torch.ones_like(own)
    near_slope, far_slope = downhill(near), downhill(far)
    beyond = far_slope < 0  # the whole step goes too far
    for trial in range(LINE_TRIALS):
        if not beyond.any():
            break
        secant = near + (far - near) * near_slope / (near_slope - far_slope)
        at = torch.where(beyond, (near + far) / 2 if trial % 2 else secant, far)
        slope = downhill(at)
        down = slope >= 0
        near, near_slope = torch.where(down & beyond, at, near), torch.where(down & beyond, slope, near_slope)
        far, far_slope = torch.where(down & beyond, far, at), torch.where(down & beyond, far_slope, slope)
    secant = near + (far - near) * near_slope / (near_slope - far_slope)
    return torch.where(beyond & (near_slope > far_slope), secant, torch.ones_like(far))


def _slack(target, gear, root, lower, upper):
    return target - _moment(gear, _pull(gear, root).clamp(lower, upper)) - root


def _pull(gear, root):
    """gear' root: (muscle, frame)"""
    return (gear * root[:, None]).sum(0)


def _moment(gear, activation):
    """gear activation: (coordinate, frame)"""
    return (gear * activation).sum(1)


def _free(gear, root, lower, upper):
    pull = _pull(gear, root)
    return (pull > lower) & (pull < upper)


def _matrix(gear, free):
    """Lower triangle of gear_free gear_free' + 1, as rows of (frame,) tensors."""
    held = gear * free
    return [[(held[i] * gear[j]).sum(0) + (1.0 if i == j else 0.0) for j in range(i + 1)] for i in range(len(gear))]


def _cholesky(rows):
    """Factor of matrices held as a triangle of (frame,) tensors: written out, because the frames are many and the
    matrices small."""
    factor = []
    for i, row in enumerate(rows):
        done = []
        for j in range(i + 1):
            rest = row[j]
            for k in range(j):
                rest = rest - done[k] * (factor[j][k] if j < i else done[k])
            done.append(rest.clamp(min=torch.finfo(rest.dtype).tiny).sqrt() if j == i else rest / factor[j][j])
        factor.append(done)
    return factor


def _solve(factor, right):
    """Solve with the factor: right (n, frame)."""
    n = len(factor)
    forward = []
    for i in range(n):
        rest = right[i]
        for k in range(i):
            rest = rest - factor[i][k] * forward[k]
        forward.append(rest / factor[i][i])
    back: list = [None] * n
    for i in reversed(range(n)):
        rest = forward[i]
        for k in range(i + 1, n):
            rest = rest - factor[k][i] * back[k]
        back[i] = rest / factor[i][i]
    return torch.stack(back)
