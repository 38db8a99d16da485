"""A learned prior to compare the population with: flow matching over the standardised latents.

Lipman et al. 2023 (conditional flow matching, straight paths); the velocity is the one that keeps a standard normal
distribution as it is, plus what a small network learns, which begins at zero. So untrained it is the population itself,
and training shows what the data says beyond it. It sees the NUMBERS widest latents; the others stay normal.
"""

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

NUMBERS = 32  # latents that the flow sees: 97 % of the variance of squats
WIDTH, LAYERS = 128, 3
BATCH = 256
LEARNING_RATE, WEIGHT_DECAY = 1e-3, 1e-2
UNTOLD = 0.3  # share of training samples whose condition is hidden
SOLVER_STEPS = 40
CHECKPOINT_EVERY = 150
SEED_STRIDE = 1_000_003

Sampler = Callable[[int, torch.Generator], tuple[Tensor, Tensor]]


class Velocity(nn.Module):
    """(batch, NUMBERS) velocity at x (batch, NUMBERS), time (batch, 1) and condition (batch, told + 1), whose last
    number says whether the rest is told."""

    def __init__(self, told: int, numbers: int = NUMBERS):
        super().__init__()
        self.told = told
        self.first = nn.Linear(numbers + 8 + told + 1, WIDTH)
        self.layers = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in range(LAYERS))
        self.last = nn.Linear(WIDTH, numbers)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, x: Tensor, time: Tensor, condition: Tensor) -> Tensor:
        waves = [f(math.pi * k * time) for k in (1, 2, 4) for f in (torch.sin, torch.cos)]
        h = F.silu(self.first(torch.cat([x, time, 1 - time, *waves, condition], -1)))
        for layer in self.layers:
            h = h + F.silu(layer(h))
        still = (2 * time - 1) / (time.square() + (1 - time).square()) * x
        return still + self.last(h)


@dataclass(frozen=True)
class Flow:
    """A trained flow and its curve: one row for each checkpoint."""

    velocity: Velocity
    curve: list[dict[str, float]]

    def condition(self, count: int, told: Tensor | None) -> Tensor:
        """What the network is told: nothing, or told (count, self.velocity.told)."""
        if told is None:
            return torch.zeros(count, self.velocity.told + 1)
        return F.pad(told, (0, 1), value=1.0)

    @torch.no_grad()
    def sample(self, count: int, generator: torch.Generator, told: Tensor | None = None) -> Tensor:
        """(count, NUMBERS), by the midpoint rule."""
        x = torch.randn(count, self.velocity.last.out_features, generator=generator)
        condition, step = self.condition(count, told), 1 / SOLVER_STEPS
        for k in range(SOLVER_STEPS):
            time = torch.full((count, 1), k * step)
            middle = x + step / 2 * self.velocity(x, time, condition)
            x = x + step * self.velocity(middle, time + step / 2, condition)
        return x

    @torch.no_grad()
    def log_density(self, x: Tensor, told: Tensor | None = None) -> Tensor:
        """(n,) of x (n, NUMBERS), with the exact divergence along the way back."""
        condition = self.condition(len(x), told)
        change, step = torch.zeros(len(x)), 1 / SOLVER_STEPS
        jacobian = torch.func.vmap(torch.func.jacrev(lambda x, t, c: self.velocity(x[None], t[None], c[None])[0]))
        for k in range(SOLVER_STEPS):
            time = torch.full((len(x), 1), 1 - k * step)
            middle = x - step / 2 * self.velocity(x, time, condition)
            time = time - step / 2
            change -= step * jacobian(middle, time, condition).diagonal(dim1=1, dim2=2).sum(1)
            x = x - step * self.velocity(middle, time, condition)
        return change - x.square().sum(1) / 2 - x.shape[1] / 2 * math.log(2 * math.pi)


def train_flow(draw: Sampler, told: int, *, steps: int, seed: int = 0, name: str = "", device: str = "cpu",
               checkpoints: Path | None = None, validate: Callable[[Flow], float] = lambda flow: float("nan"),
               progress: Callable[[str, float], None] = lambda text, fraction: None,
               stop_after: int | None = None) -> Flow:
    """draw(count, generator) gives latents (count, NUMBERS) and what is told of them (count, told). An interrupted run
    of the same `name`, steps and seed goes on from `checkpoints`; `stop_after` ends this call early, as an
    interruption would."""
    identity = hashlib.sha256(repr((name, told, steps, seed, NUMBERS, WIDTH, LAYERS, BATCH, LEARNING_RATE, WEIGHT_DECAY,
                                    UNTOLD)).encode()).hexdigest()[:16]
    file = checkpoints / f"flow-{identity}.pt" if checkpoints else None
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        velocity = Velocity(told).to(device)
        optimiser = torch.optim.AdamW(velocity.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
        done, curve = 0, []
        if file and file.is_file():
            stored = torch.load(file, map_location=device, weights_only=True)
            velocity.load_state_dict(stored["velocity"])
            optimiser.load_state_dict(stored["optimiser"])
            done, curve = stored["done"], stored["curve"]
        for step in range(done, steps):
            generator = torch.Generator().manual_seed(seed * SEED_STRIDE + step + 1)
            for group in optimiser.param_groups:
                group["lr"] = LEARNING_RATE * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * step / steps)))
            loss = _loss(velocity, *draw(BATCH, generator), generator, device)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            done = step + 1
            stop = stop_after is not None and done >= stop_after
            if done % CHECKPOINT_EVERY == 0 or done == steps or stop:
                flow = Flow(velocity.cpu(), curve)
                if not stop:
                    curve.append({"step": done, "loss": float(loss.detach()), "validation": validate(flow)})
                    progress(f"step {done} of {steps}, {curve[-1]['validation']:.3f} nats a number", done / steps)
                velocity.to(device)
                if file:
                    checkpoints.mkdir(parents=True, exist_ok=True)
                    torch.save({"velocity": velocity.state_dict(), "optimiser": optimiser.state_dict(), "done": done,
                                "curve": curve}, file.with_suffix(".part"))
                    file.with_suffix(".part").rename(file)
            if stop:
                break
    return Flow(velocity.eval().cpu(), curve)


def _loss(velocity: Velocity, latent: Tensor, told: Tensor, generator: torch.Generator, device: str) -> Tensor:
    count = len(latent)
    noise, time = torch.randn(latent.shape, generator=generator), torch.rand(count, 1, generator=generator)
    hidden = torch.rand(count, 1, generator=generator) < UNTOLD
    condition = torch.where(hidden, 0.0, F.pad(told, (0, 1), value=1.0))
    noise, time, condition, latent = (t.to(device) for t in (noise, time, condition, latent))
    return F.mse_loss(velocity((1 - time) * noise + time * latent, time, condition), latent - noise)
