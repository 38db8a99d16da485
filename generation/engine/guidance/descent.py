"""Many small minimisations at once: limited-memory BFGS with a step length of its own for every member of a batch.

The caller evaluates; here is only decided where. Every evaluation either takes a member's step (the loss fell by
enough) and turns it into its next direction, or shortens it. Members do not see one another. Method: Nocedal & Wright,
Numerical Optimization, 2nd ed., algorithm 7.4 with Armijo's condition (R); the constants are ours (E).
"""
from __future__ import annotations

import torch
from torch import Tensor

MEMORY = 10                # pairs of steps and changes of the gradient that a member remembers
ENOUGH = 1e-4              # share of the decrease that the slope promises which a step must reach
FIRST_STEP, LONGEST_STEP = 0.15, 0.8     # largest component of a step, in the units of the parameters
SHORTER = 0.35             # of a step that was too long
PATIENCE = 6               # shortened steps before a member forgets what it knew


class Descent:
    """Minimises over ``tensors``, (batch, ...) each, in place: ask for a gradient at where they stand, :meth:`tell` it,
    again and again, then :meth:`settle`. ``best`` (batch,) is the lowest loss of every member so far."""

    def __init__(self, tensors: list[Tensor]) -> None:
        self.tensors = tensors
        self.at = self._flat([tensor.detach() for tensor in tensors])
        batch, size = self.at.shape
        self.best = self.at.new_full((batch,), torch.inf)
        self.gradient = torch.zeros_like(self.at)
        self.direction = torch.zeros_like(self.at)
        self.length = self.at.new_ones(batch)
        self.refused = self.at.new_zeros(batch)
        self.steps = self.at.new_zeros(MEMORY, batch, size)
        self.changes = torch.zeros_like(self.steps)
        self.weights = self.at.new_zeros(MEMORY, batch)          # 1 / (step . change); 0 is an empty place

    @torch.no_grad()
    def tell(self, loss: Tensor) -> Tensor:
        """Loss (batch,) at where the tensors stand, their gradients in ``.grad``; the tensors move on. Returns which
        members took the step (batch,)."""
        trial = self._flat([tensor.detach() for tensor in self.tensors])
        gradient = torch.nan_to_num(self._flat([tensor.grad for tensor in self.tensors])).clamp(-1e3, 1e3)
        loss = torch.nan_to_num(loss.detach(), nan=torch.inf)
        promised = (self.gradient * self.direction).sum(-1) * self.length
        taken = loss <= self.best + ENOUGH * promised
        taken &= loss.isfinite()
        new = taken[:, None]
        self._remember(taken, trial - self.at, gradient - self.gradient)
        self.at = torch.where(new, trial, self.at)
        self.gradient = torch.where(new, gradient, self.gradient)
        self.best = torch.where(taken, loss, self.best)
        self.refused = torch.where(taken, 0.0, self.refused + 1)
        lost = self.refused >= PATIENCE
        self.weights = torch.where(lost, 0.0, self.weights)
        fresh = taken | lost
        self.refused = torch.where(lost, 0.0, self.refused)
        self.direction = torch.where(fresh[:, None], self._descend(), self.direction)
        self.length = torch.where(fresh, 1.0, SHORTER * self.length)
        self._place(self.at + self.length[:, None] * self.direction)
        return taken

    @torch.no_grad()
    def settle(self) -> None:
        """The tensors take the best values that were found."""
        self._place(self.at)

    def _remember(self, taken: Tensor, step: Tensor, change: Tensor) -> None:
        product = (step * change).sum(-1)
        useful = taken & (product > 1e-8 * change.square().sum(-1).clamp_min(1e-12))
        for kept, new in ((self.steps, step), (self.changes, change)):
            kept.copy_(torch.where(useful[:, None], torch.cat([kept[1:], new[None]]), kept))
        weight = 1 / product.clamp_min(1e-30)
        self.weights = torch.where(useful, torch.cat([self.weights[1:], weight[None]]), self.weights)

    def _descend(self) -> Tensor:
        """The two-loop recursion, and the steepest descent where nothing is known or it would climb."""
        direction, shares = self.gradient.clone(), []
        for step, change, weight in zip(self.steps.flip(0), self.changes.flip(0), self.weights.flip(0), strict=True):
            share = weight * (step * direction).sum(-1)
            shares.append(share)
            direction = direction - share[:, None] * change
        last = self.changes[-1].square().sum(-1)
        known = self.weights[-1] > 0
        scale = torch.where(known, 1 / (self.weights[-1] * last).clamp_min(1e-30), 1.0)
        direction = direction * scale[:, None]
        for step, change, weight, share in zip(self.steps, self.changes, self.weights, reversed(shares), strict=True):
            direction = direction + (share - weight * (change * direction).sum(-1))[:, None] * step
        climbs = (direction * self.gradient).sum(-1) <= 0
        steepest = ~known | climbs
        direction = -torch.where(steepest[:, None], self.gradient, direction)
        largest = direction.abs().amax(-1).clamp_min(1e-12)
        allowed = torch.where(steepest, FIRST_STEP, LONGEST_STEP)
        return direction * torch.where(steepest, allowed, allowed.minimum(largest)).div(largest)[:, None]

    def _flat(self, parts: list[Tensor]) -> Tensor:
        return torch.cat([part.flatten(1) if part.dim() > 1 else part[:, None] for part in parts], 1)

    def _place(self, values: Tensor) -> None:
        start = 0
        for tensor in self.tensors:
            size = tensor[0].numel()
            tensor.data.copy_(values[:, start:start + size].reshape(tensor.shape))
            start += size
