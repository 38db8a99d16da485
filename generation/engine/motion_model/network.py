"""The VQ-VAEs that the motion model is measured against: 1-D convolutional encoder and decoder, a quantiser between.

Shape after the published system (Maheshwari et al. 2025, L4DC, and the T2M-GPT kind it builds on): two halvings of
time, residual blocks of dilation growth 3, ReLU, codebook learned by moving averages with reset of dead codes. Ours:
the width, the number of residual quantiser levels, linear instead of nearest upsampling, which leaves no steps in a
joint angle, and a linear start: ReLU only inside residual blocks, which begin at zero. What is linear in motions, most
of it, is then learned first, and for that few people suffice. `Shape.published` takes all of these back but the width;
`Shape.scalar` puts finite scalar quantisation (Mentzer et al. 2023) in the place of codebooks.
"""

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812


@dataclass(frozen=True)
class Shape:
    """Everything that decides the network's tensors."""

    channels: int
    width: int = 96
    depth: int = 3
    dilation_growth: int = 3
    down: int = 2  # halvings of time: T -> T / 4
    code_dim: int = 64
    codes: int = 256
    levels: int = 8  # residual quantiser levels; 1 is the plain VQ-VAE
    published: bool = False  # network as published, width aside
    scalar: int = 0  # places that each latent number may take, odd; 0: codebooks

    def to_dict(self) -> dict:
        return asdict(self)


class _Residual(nn.Module):
    """Residual blocks with dilations growth^(depth-1) ... growth^0 over (batch, width, time)."""

    def __init__(self, width: int, depth: int, growth: int, from_zero: bool):
        super().__init__()
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.ReLU(),
                nn.Conv1d(width, width, 3, padding=growth**i, dilation=growth**i),
                nn.ReLU(),
                nn.Conv1d(width, width, 1),
            )
            for i in reversed(range(depth))
        )
        for block in self.blocks if from_zero else ():
            nn.init.zeros_(block[-1].weight)
            nn.init.zeros_(block[-1].bias)

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = x + block(x)
        return x


def _encoder(shape: Shape) -> nn.Sequential:
    layers = [nn.Conv1d(shape.channels, shape.width, 3, padding=1), *_bend(shape)]
    for _ in range(shape.down):
        layers += [nn.Conv1d(shape.width, shape.width, 4, stride=2, padding=1), _blocks(shape)]
    return nn.Sequential(*layers, nn.Conv1d(shape.width, shape.code_dim, 3, padding=1))


def _decoder(shape: Shape) -> nn.Sequential:
    layers = [nn.Conv1d(shape.code_dim, shape.width, 3, padding=1), *_bend(shape)]
    for _ in range(shape.down):
        double = (nn.Upsample(scale_factor=2, mode="nearest") if shape.published else
                  nn.Upsample(scale_factor=2, mode="linear", align_corners=False))
        layers += [_blocks(shape), double, nn.Conv1d(shape.width, shape.width, 3, padding=1)]
    if shape.published:
        layers += [nn.Conv1d(shape.width, shape.width, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers, nn.Conv1d(shape.width, shape.channels, 3, padding=1))


def _bend(shape: Shape) -> list[nn.Module]:
    return [nn.ReLU()] if shape.published else []


def _blocks(shape: Shape) -> nn.Module:
    return _Residual(shape.width, shape.depth, shape.dilation_growth, from_zero=not shape.published)


class Codebook(nn.Module):
    """One quantiser level: nearest code, learned by moving averages (van den Oord et al. 2017, appendix)."""

    DECAY = 0.99  # as published
    DEAD_BELOW = 0.1  # moving average of uses in a batch under which a code is put on a vector of the batch; ours (E)

    def __init__(self, codes: int, dim: int):
        super().__init__()
        self.register_buffer("code", torch.zeros(codes, dim))
        self.register_buffer("count", torch.zeros(codes))
        self.register_buffer("total", torch.zeros(codes, dim))
        self.register_buffer("started", torch.zeros((), dtype=torch.bool))

    def nearest(self, flat: Tensor) -> Tensor:
        """Index (n,) of the nearest code to each vector (n, dim)."""
        distance = flat.square().sum(1, keepdim=True) - 2 * flat @ self.code.T + self.code.square().sum(1)
        return distance.argmin(dim=1)

    def forward(self, flat: Tensor) -> tuple[Tensor, Tensor]:
        """(n, dim) -> chosen codes (n, dim) without gradient, and indices (n,). In training mode the codes move."""
        if self.training and not self.started:
            self._reset(torch.ones_like(self.count, dtype=torch.bool), flat)
            self.started.fill_(True)
        index = self.nearest(flat.detach())
        chosen = self.code[index]
        if self.training:
            self._update(flat.detach(), index)
        return chosen, index

    @torch.no_grad()
    def _update(self, flat: Tensor, index: Tensor) -> None:
        used = F.one_hot(index, len(self.code)).to(flat.dtype)
        self.count.mul_(self.DECAY).add_(used.sum(0), alpha=1 - self.DECAY)
        self.total.mul_(self.DECAY).add_(used.T @ flat, alpha=1 - self.DECAY)
        self._reset(self.count < self.DEAD_BELOW, flat)
        self.code.copy_(self.total / self.count[:, None].clamp_min(1e-6))

    @torch.no_grad()
    def _reset(self, dead: Tensor, flat: Tensor) -> None:
        """Put dead codes on vectors drawn from the batch."""
        drawn = flat.detach()[torch.randint(len(flat), (len(dead),), device=flat.device)]
        self.code[dead] = drawn[dead]
        self.total[dead] = drawn[dead]
        self.count[dead] = 1.0


class Quantiser(nn.Module):
    """Codebooks one after the other, each on what the ones before it left over (residual quantisation)."""

    def __init__(self, shape: Shape):
        super().__init__()
        self.levels = nn.ModuleList(Codebook(shape.codes, shape.code_dim) for _ in range(shape.levels))

    def forward(self, z: Tensor, used_levels: int | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """z (batch, code_dim, time) -> quantised z with straight-through gradient, indices (batch, time, level),
        commitment.

        The commitment is the mean squared distance of z to its codes, level by level; only z gets its gradient.
        """
        batch, dim, time = z.shape
        flat = z.permute(0, 2, 1).reshape(-1, dim)
        rest, total = flat, torch.zeros_like(flat)
        commitment, indices = z.new_zeros(()), []
        for level in self.levels[: used_levels or len(self.levels)]:
            chosen, index = level(rest)
            commitment = commitment + F.mse_loss(rest, chosen)
            rest = rest - chosen
            total = total + chosen
            indices.append(index)
        quantised = (flat + (total - flat).detach()).reshape(batch, time, dim).permute(0, 2, 1)
        return quantised, torch.stack(indices, -1).reshape(batch, time, -1), commitment


class ScalarQuantiser(nn.Module):
    """Finite scalar quantisation (Mentzer et al. 2023): each latent number is bent into -1..1 and rounded to one of
    `places` evenly spaced values there. No codebook, nothing to learn, nothing to die."""

    def __init__(self, places: int):
        super().__init__()
        self.half = (places - 1) // 2

    def forward(self, z: Tensor, used_levels: int | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """As `Quantiser.forward`, of one level for each latent number; there is no commitment."""
        bounded = z.tanh() * self.half
        rounded = bounded.round()
        quantised = (bounded + (rounded - bounded).detach()) / self.half
        return quantised, (rounded.long() + self.half).permute(0, 2, 1), z.new_zeros(())


class VQVAE(nn.Module):
    """Motions in standardised channels (batch, time, channel), time a multiple of 2^down."""

    def __init__(self, shape: Shape):
        super().__init__()
        self.shape = shape
        self.encoder, self.decoder = _encoder(shape), _decoder(shape)
        self.quantiser = ScalarQuantiser(shape.scalar) if shape.scalar else Quantiser(shape)

    def encode(self, x: Tensor) -> Tensor:
        """(batch, time, channel) -> latents (batch, code_dim, time / 2^down)."""
        return self.encoder(x.transpose(1, 2))

    def decode(self, z: Tensor) -> Tensor:
        """(batch, code_dim, time / 2^down) -> (batch, time, channel)."""
        return self.decoder(z).transpose(1, 2)

    def forward(self, x: Tensor, used_levels: int | None = None) -> tuple[Tensor, Tensor]:
        """Reconstruction and commitment."""
        quantised, _, commitment = self.quantiser(self.encode(x), used_levels)
        return self.decode(quantised), commitment
