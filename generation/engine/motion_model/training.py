"""Trains the VQ-VAE. Fixed seeds: the same data, seed and machine give the same weights, interrupted or not."""

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.nn import functional as F  # noqa: N812

from generation.engine.motion_model.network import VQVAE, Shape
from generation.engine.motion_model.preparation import AMPLITUDE, BLEND, DRIFT, WARP, augment, standardisation

COMMITMENT = 0.02  # as published
BEND = 0.2  # standard deviations: where the smooth L1 loss turns from square to straight; ours (E)
SMOOTHING = 0.5  # weight of the differences between frames; the term is published, the weight ours (E)
LEARNING_RATE = 1e-3  # falls to 2 % along a cosine; ours (E)
BATCH = 32  # ours (E); published 128
CLIP = 1.0
CHECKPOINT_EVERY = 200
VALIDATE_EVERY = 200
SEED_STRIDE = 1_000_003

Progress = Callable[[str, float], None]


@dataclass
class Trained:
    """A trained network with the standardisation (channel,) it works in, and the curve: one row for each validation."""

    network: VQVAE
    mean: torch.Tensor
    spread: torch.Tensor
    curve: list[dict[str, float]]


def train(
    channels: torch.Tensor,
    shape: Shape,
    *,
    steps: int,
    seed: int = 0,
    device: str = "cpu",
    validation: torch.Tensor | None = None,
    checkpoints: Path | None = None,
    progress: Progress = lambda text, fraction: None,
    stop_after: int | None = None,
) -> Trained:
    """Train on channels (repetition, FRAMES, channel).

    `checkpoints` is a folder where the run's state is written now and then, and from which an interrupted run of the
    same data, shape, steps and seed goes on; `stop_after` ends this call early, as an interruption would.
    """
    mean, spread = standardisation(channels)
    file = checkpoints / f"{_identity(channels, shape, steps, seed)}.pt" if checkpoints else None
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = VQVAE(shape).to(device)
        optimiser = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, betas=(0.9, 0.99), weight_decay=1e-4)
        done, curve = 0, []
        if file and file.is_file():
            stored = torch.load(file, map_location=device, weights_only=True)
            network.load_state_dict(stored["network"])
            optimiser.load_state_dict(stored["optimiser"])
            done, curve = stored["done"], stored["curve"]
        data, mean_, spread_ = channels.to(device), mean.to(device), spread.to(device)
        for step in range(done, steps):
            torch.manual_seed(seed * SEED_STRIDE + step + 1)  # randomness by step: an interruption changes nothing
            generator = torch.Generator().manual_seed(seed * SEED_STRIDE + step + 1)
            loss = _step(network, optimiser, data, mean_, spread_, generator, LEARNING_RATE * _schedule(step / steps))
            done = step + 1
            if done % VALIDATE_EVERY == 0 or done == steps:
                row = {"step": done, "loss": loss, "validation_rmse": float("nan")}
                if validation is not None:
                    rebuilt = reconstruct(network, mean_, spread_, validation.to(device)).cpu()
                    row["validation_rmse"] = float(((rebuilt - validation) / spread).square().mean().sqrt())
                curve.append(row)
                text = f"step {done} of {steps}, loss {loss:.4f}, validation {row['validation_rmse']:.3f} sd"
                progress(text, done / steps)
            stop = stop_after is not None and done >= stop_after
            if file and (done % CHECKPOINT_EVERY == 0 or done == steps or stop):
                checkpoints.mkdir(parents=True, exist_ok=True)
                state = {"network": network.state_dict(), "optimiser": optimiser.state_dict()}
                torch.save({**state, "done": done, "curve": curve}, file.with_suffix(".part"))
                file.with_suffix(".part").rename(file)
            if stop:
                break
    return Trained(network.eval().cpu(), mean, spread, curve)


def _step(network, optimiser, data, mean, spread, generator, rate) -> float:
    for group in optimiser.param_groups:
        group["lr"] = rate
    network.train()
    pick = torch.randint(len(data), (2, BATCH), generator=generator).to(data.device)
    x = (augment(data[pick[0]], data[pick[1]], spread, generator) - mean) / spread
    rebuilt, commitment = network(x)
    loss = (
        F.smooth_l1_loss(rebuilt, x, beta=BEND)
        + SMOOTHING * F.smooth_l1_loss(rebuilt.diff(dim=1) * 10, x.diff(dim=1) * 10, beta=BEND)
        + COMMITMENT * commitment
    )
    optimiser.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), CLIP)
    optimiser.step()
    return float(loss.detach())


@torch.no_grad()
def reconstruct(network: VQVAE, mean, spread, channels: torch.Tensor, used_levels: int | None = None) -> torch.Tensor:
    """Channels (batch, FRAMES, channel) through the network and back."""
    network.eval()
    return network((channels - mean) / spread, used_levels)[0] * spread + mean


def _schedule(share: float) -> float:
    """Warm up over the first 2 %, then a cosine down to 2 %."""
    return min(share / 0.02 + 0.02, 1.0) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share)))


def _identity(channels, shape: Shape, steps: int, seed: int) -> str:
    """Names one run: its data and everything that decides how it goes."""
    constants = (COMMITMENT, BEND, SMOOTHING, LEARNING_RATE, BATCH, CLIP, BLEND, AMPLITUDE, WARP, DRIFT)
    digest = hashlib.sha256(channels.numpy().tobytes())
    digest.update(repr((shape, steps, seed, constants)).encode())
    return digest.hexdigest()[:16]
