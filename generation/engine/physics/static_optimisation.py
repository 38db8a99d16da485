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
CHUNK = 4096  # frames at a time: the arrays of more do not stay in a processor's cache
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
        lead = moments.shape[:-1]
        moment, strength = moments.reshape(-1, moments.shape[-1]), capacity.reshape(-1, capacity.shape[-1])
        arm = arms.reshape(-1, *arms.shape[-2:])
        activations, reserves = torch.zeros_like(strength), torch.zeros_like(moment)
        for same in self._alike():
            targets, gears, bounds = [], [], []
            for rows, columns, optimal in same:
                row, column = (torch.tensor(index, device=moment.device) for index in (rows, columns))
                scale = 1.0 / torch.tensor(optimal, dtype=moment.dtype, device=moment.device)
                gear = arm.index_select(1, column).index_select(2, row).transpose(1, 2)  # (frame, coordinate, muscle)
                gears.append(gear * strength.index_select(1, column)[:, None] * scale[:, None])
                targets.append(moment.index_select(1, row) * scale)
                bounds.append([torch.as_tensor(bound[columns]).to(moment).expand(len(moment), -1)
                               for bound in (self.lower, self.upper)])
            lower, upper = (torch.cat(one) for one in zip(*bounds, strict=True))
            activation, reserve = least_effort(torch.cat(targets), torch.cat(gears), lower, upper)
            parts = zip(same, activation.chunk(len(same)), reserve.chunk(len(same)), strict=True)
            for (rows, columns, optimal), own, rest in parts:
                row, column = (torch.tensor(index, device=moment.device) for index in (rows, columns))
                activations = activations.index_copy(1, column, own)
                reserves = reserves.index_copy(1, row, rest * torch.tensor(optimal, device=moment.device).to(rest))
        return Solution(activations.reshape(capacity.shape), reserves.reshape(*lead, -1))

    def _alike(self):
        """The legs, those with as many muscles and coordinates together: they are solved in one go."""
        shapes: dict[tuple[int, int], list] = {}
        for leg in self.legs:
            shapes.setdefault((len(leg[0]), len(leg[1])), []).append(leg)
        return shapes.values()


def least_effort(target: Tensor, gear: Tensor, lower: Tensor, upper: Tensor) -> tuple[Tensor, Tensor]:
    """argmin of |a|^2 + |r|^2 with gear a + r = target and lower <= a <= upper, for every frame.

    target (frame, coordinate), gear (frame, coordinate, muscle), lower, upper (muscle,) or (frame, muscle). Returns a
    (frame, muscle) and r (frame, coordinate), differentiable in target and gear.
    """
    lower, upper = (bound.expand(len(target), -1) for bound in (lower, upper))
    with torch.no_grad():
        parts = zip(*(one.split(CHUNK) for one in (target, gear, lower, upper)), strict=True)
        root = torch.cat([_root(*part) for part in parts])
        pull = _pull(gear, root)
        matrix = _matrix(gear, (pull > lower) & (pull < upper))
    # the Newton step at the root is zero but for rounding; its derivative is that of the root
    slack = target - _moment(gear, _pull(gear, root).clamp(lower, upper)) - root
    root = root + torch.linalg.solve_ex(matrix, slack)[0]
    return _pull(gear, root).clamp(lower, upper), root


def _root(target, gear, lower, upper):
    tolerance = 100 * torch.finfo(target.dtype).eps
    root = torch.linalg.solve_ex(_matrix(gear), target)[0]  # the answer without bounds
    allowed = tolerance * (1 + gear.abs().sum(2).amax(1) + target.abs().amax(1))  # (frame,) of what is added up
    left, part = None, (target, gear, lower, upper, allowed)
    for _ in range(MOST_STEPS):
        t, g, low, high, most = part
        y = root if left is None else root[left]
        pull = _pull(g, y)
        slack = t - _moment(g, pull.clamp(low, high)) - y
        undone = slack.abs().amax(1) > most
        if not undone.all():
            rest = torch.nonzero(undone)[:, 0]
            if not len(rest):
                break
            left = rest if left is None else left[rest]
            part = t, g, low, high, most = tuple(one[rest] for one in part)
            y, pull, slack = y[rest], pull[rest], slack[rest]
        step = torch.linalg.solve_ex(_matrix(g, (pull > low) & (pull < high)), slack)[0]
        y = y + step * _length(t, g, y, step, pull, low, high)[:, None]
        root = y if left is None else root.index_copy(0, left, y)
    return root


def _length(target, gear, root, step, pull, lower, upper):
    """(frame,) how far to go: to the lowest point along the step, at most all of it. The slope along the step is
    monotone and made of straight pieces; secants and halvings in turn close in on its zero."""
    turn = _pull(gear, step)
    rest, own = ((target - root) * step).sum(1), (step * step).sum(1)

    def downhill(at):
        return rest - at * own - (torch.addcmul(pull, turn, at[:, None]).clamp(lower, upper) * turn).sum(1)

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


def _pull(gear, root):
    """gear' root: (frame, muscle)"""
    return (gear * root[..., None]).sum(1)


def _moment(gear, activation):
    """gear activation: (frame, coordinate)"""
    return (gear * activation[:, None]).sum(2)


def _matrix(gear, free=None):
    """gear_free gear_free' + 1: (frame, coordinate, coordinate)"""
    held = gear if free is None else gear * free[:, None]
    matrix = torch.bmm(held, gear.transpose(1, 2))
    return matrix + torch.eye(gear.shape[1], dtype=gear.dtype, device=gear.device)
