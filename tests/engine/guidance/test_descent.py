"""Many minimisations at once: each finds its own minimum, none feels the others."""
from __future__ import annotations

import pytest
import torch

from generation.engine.guidance.descent import Descent


def minimise(start: torch.Tensor, curvature: torch.Tensor, steps: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Valleys (x - 1)' diag(curvature) (x - 1), bent like Rosenbrock's in the first two numbers."""
    flat, scalar = start[:, 1:].clone().requires_grad_(), start[:, 0].clone().requires_grad_()
    descent = Descent([scalar, flat])
    for _ in range(steps):
        scalar.grad = flat.grad = None
        x = torch.cat([scalar[:, None], flat], 1)
        loss = (curvature * (x - 1).square()).sum(-1) + 5 * (x[:, 1] - x[:, 0].square()).square()
        loss.sum().backward()
        descent.tell(loss)
    descent.settle()
    return torch.cat([scalar.detach()[:, None], flat.detach()], 1), descent.best


def test_every_member_reaches_its_minimum_along_a_bent_narrow_valley():
    generator = torch.Generator().manual_seed(1)
    start = 2 * torch.rand(5, 12, generator=generator, dtype=torch.float64) - 1
    curvature = torch.logspace(-1, 2, 12, dtype=torch.float64).expand(5, -1)
    found, best = minimise(start, curvature, 120)
    assert found == pytest.approx(torch.ones_like(found), abs=0.02)
    assert float(best.max()) < 1e-3


def test_a_member_does_not_feel_the_others():
    generator = torch.Generator().manual_seed(2)
    start = torch.rand(4, 6, generator=generator, dtype=torch.float64)
    curvature = 1 + 50 * torch.rand(4, 6, generator=generator, dtype=torch.float64)
    together, _ = minimise(start, curvature, 25)
    alone, _ = minimise(start[2:3], curvature[2:3], 25)
    assert alone == pytest.approx(together[2:3], abs=1e-9)


def test_a_step_into_the_unknown_is_taken_back():
    x = torch.tensor([[0.9]], requires_grad=True)
    descent = Descent([x])
    for _ in range(30):
        x.grad = None
        loss = torch.where(x < 0.5, torch.nan, (x - 0.4).square()).sum(-1)      # nothing is known below 0.5
        loss.sum().backward()
        descent.tell(loss)
    descent.settle()
    assert 0.5 <= float(x.detach()) < 0.6
