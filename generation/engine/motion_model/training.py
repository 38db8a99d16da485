"""Trains the VQ-VAE. Fixed seeds: the same data, seed and machine give the same weights, interrupted or not."""

import csv
import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.nn import functional as F  # noqa: N812

from generation.engine.motion_model.network import VQVAE, Shape
from generation.engine.motion_model.preparation import augment, standardisation

COMMITMENT = 0.02  # as published
SMOOTHING = (
    0.5  # weight of frame-to-frame differences in the reconstruction; the term is published, the weight ours (E)
)
LEARNING_RATE = 1e-3  # falls to 2 % along a cosine; ours (E)
BATCH = 64  # ours (E)
CLIP = 1.0
CHECKPOINT_EVERY = 200
VALIDATE_EVERY = 200

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
    checkpoint: Path | None = None,
    progress: Progress = lambda text, fraction: None,
    stop_after: int | None = None,
) -> Trained:
    """Train on channels (repetition, FRAMES, channel).

    `checkpoint` is a file that is written now and then and from which an interrupted run of the same data, shape,
    steps and seed goes on; `stop_after` ends this call early, as an interruption would.
    """
    mean, spread = standardisation(channels)
    identity = _identity(channels, shape, steps, seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = VQVAE(shape).to(device)
        optimiser = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, betas=(0.9, 0.99), weight_decay=1e-4)
        done, curve = 0, []
        if checkpoint and checkpoint.is_file():
            stored = torch.load(checkpoint, map_location=device, weights_only=True)
            if stored["identity"] == identity:
                network.load_state_dict(stored["network"])
                optimiser.load_state_dict(stored["optimiser"])
                done, curve = stored["done"], stored["curve"]
        data, mean_, spread_ = channels.to(device), mean.to(device), spread.to(device)
        for step in range(done, steps):
            torch.manual_seed(
                seed * 1_000_003 + step + 1
            )  # each step has its own randomness: an interruption changes nothing
            generator = torch.Generator().manual_seed(seed * 1_000_003 + step + 1)
            loss = _step(network, optimiser, data, mean_, spread_, generator, LEARNING_RATE * _schedule(step / steps))
            done = step + 1
            if done % VALIDATE_EVERY == 0 or done == steps:
                row = {"step": done, "loss": loss, "validation_rmse": float("nan")}
                if validation is not None:
                    rebuilt = reconstruct(network, mean_, spread_, validation.to(device)).cpu()
                    row["validation_rmse"] = float(((rebuilt - validation) / spread).square().mean().sqrt())
                curve.append(row)
                progress(
                    f"step {done} of {steps}, loss {loss:.4f}, validation {row['validation_rmse']:.3f} sd", done / steps
                )
            stop = stop_after is not None and done >= stop_after
            if checkpoint and (done % CHECKPOINT_EVERY == 0 or done == steps or stop):
                checkpoint.parent.mkdir(parents=True, exist_ok=True)
                part = checkpoint.with_suffix(".part")
                torch.save(
                    {
                        "identity": identity,
                        "network": network.state_dict(),
                        "optimiser": optimiser.state_dict(),
                        "done": done,
                        "curve": curve,
                    },
                    part,
                )
                part.rename(checkpoint)
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
        F.smooth_l1_loss(rebuilt, x)
        + SMOOTHING * F.smooth_l1_loss(rebuilt.diff(dim=1) * 10, x.diff(dim=1) * 10)
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
    digest = hashlib.sha256(channels.numpy().tobytes())
    digest.update(repr((shape, steps, seed)).encode())
    return digest.hexdigest()


def write_curve(path: Path, curve: list[dict[str, float]]) -> None:
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, ["step", "loss", "validation_rmse"])
        writer.writeheader()
        writer.writerows({k: f"{v:.5g}" if k != "step" else v for k, v in row.items()} for row in curve)
