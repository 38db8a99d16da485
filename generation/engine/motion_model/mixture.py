"""A mixture of normal distributions, by expectation and maximisation: a baseline of the comparison."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

LEAST_VARIANCE = 1e-3
ROUNDS = 60


@dataclass(frozen=True)
class Mixture:
    """weight (k,), mean (k, d), covariance (k, d, d)."""

    weight: Tensor
    mean: Tensor
    covariance: Tensor

    @staticmethod
    def fit(rows: Tensor, count: int, generator: torch.Generator) -> "Mixture":
        """To rows (n, d)."""
        rows = rows.double()
        size = rows.shape[1]
        start = rows[torch.randperm(len(rows), generator=generator)[:count]]
        found = Mixture(rows.new_full((count,), 1 / count), start, torch.cov(rows.T).expand(count, -1, -1))
        for _ in range(ROUNDS):
            logs = torch.stack([weight.log() + MultivariateNormal(mean, covariance).log_prob(rows)
                                for weight, mean, covariance in zip(found.weight, found.mean, found.covariance,
                                                                    strict=True)], 1)
            share = logs.softmax(1)
            total = share.sum(0) + 1e-9
            mean = share.T @ rows / total[:, None]
            away = rows[None] - mean[:, None]
            covariance = (share.T[..., None] * away).transpose(1, 2) @ away / total[:, None, None]
            found = Mixture(total / total.sum(), mean, covariance + LEAST_VARIANCE * torch.eye(size))
        return found

    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        """(count, d), float32."""
        which = torch.multinomial(self.weight, count, True, generator=generator)
        roots = torch.linalg.cholesky(self.covariance)
        noise = torch.randn(count, self.mean.shape[1], 1, generator=generator, dtype=self.mean.dtype)
        return (self.mean[which] + (roots[which] @ noise).squeeze(-1)).float()
