"""Repetitions to training arrays: split by person, channels, and changes of the training motions only."""

from dataclasses import dataclass

import torch
from torch import Tensor

from generation.engine.motion_data.dataset import Repetition, Subject
from generation.engine.motion_model.channels import (
    BOTTOM,
    FRAMES,
    LEARNED_COORDINATES,
    TRANSLATIONS,
    mirror_channels,
    normalise_phase,
    to_learned,
)

# By person, fixed before any figure was seen. Whoever is in neither list trains.
VALIDATION = ("ui-prmd-s06", "ui-prmd-s07")
TEST = ("ui-prmd-s08", "ui-prmd-s09", "ui-prmd-s10", "cmbbe2024")


@dataclass(frozen=True)
class Split:
    """Repetitions of three groups of people; nobody is in two."""

    train: list[Repetition]
    validation: list[Repetition]
    test: list[Repetition]


def split_by_person(repetitions: list[Repetition]) -> Split:
    groups: dict[str, list[Repetition]] = {"train": [], "validation": [], "test": []}
    for repetition in repetitions:
        name = repetition.subject.name
        groups["validation" if name in VALIDATION else "test" if name in TEST else "train"].append(repetition)
    return Split(**groups)


def people(repetitions: list[Repetition]) -> list[Subject]:
    return sorted({r.subject.name: r.subject for r in repetitions}.values(), key=lambda s: s.name)


def channels_of(repetitions: list[Repetition]) -> Tensor:
    """(repetition, FRAMES, channel) float32."""
    return torch.stack(
        [
            to_learned(
                torch.from_numpy(normalise_phase(r.values, r.bottom)),
                torch.from_numpy(r.subject.standing),
                r.subject.leg_length_m,
            )
            for r in repetitions
        ]
    ).float()


def standardisation(channels: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation (channel,) over repetitions, frames and their mirror images."""
    both = torch.cat([channels, mirror_channels(channels)]).reshape(-1, channels.shape[-1])
    return both.mean(0), both.std(0).clamp_min(1e-4)


# ---- changes of training motions; all amounts are ours (E), chosen on the validation people
# -----------------------------------

BLEND = (-0.25, 1.25)  # weight of a second repetition: beyond 0..1 it goes past both
AMPLITUDE = (0.5, 1.15)  # how much of the movement from standing: depth
WARP = 0.35  # of the largest monotone bend of time inside descent and ascent
DRIFT = 0.25  # standard deviations of a slow change of each channel


def augment(channels: Tensor, partner: Tensor, spread: Tensor, generator: torch.Generator) -> Tensor:
    """A new motion for each of channels (batch, FRAMES, channel), mixed with `partner` of the same shape.

    Each change happens to half of the batch. `spread` is the standard deviation (channel,).
    """
    batch, device = len(channels), channels.device

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(batch, *shape, generator=generator).to(device)

    def half(changed: Tensor, otherwise: Tensor) -> Tensor:
        return torch.where((torch.rand(batch, 1, 1, generator=generator) < 0.5).to(device), changed, otherwise)

    x = half(mirror_channels(channels), channels)
    weight = uniform(*BLEND, 1, 1)
    x = half((1 - weight) * x + weight * half(mirror_channels(partner), partner), x)
    x = x * half(uniform(*AMPLITUDE, 1, 1), torch.ones(batch, 1, 1, device=device))
    x = half(warp_time(x, uniform(-WARP, WARP, 2, 2)), x)
    time = torch.linspace(0, 1, FRAMES, device=device)
    waves = torch.stack([torch.cos(torch.pi * k * time) / (1 + k) for k in range(4)])  # (wave, frame)
    amount = torch.randn(batch, x.shape[-1], 4, generator=generator).to(device) * DRIFT * spread[:, None]
    return half(x + torch.einsum("bcw,wf->bfc", amount, waves), x)


def warp_time(x: Tensor, bend: Tensor) -> Tensor:
    """Bend time inside descent and ascent; start, BOTTOM and end stay. x (batch, FRAMES, channel), bend (batch, half,
    2).
    """
    place = torch.zeros(len(x), FRAMES, device=x.device)
    for half, (first, last) in enumerate(((0, BOTTOM), (BOTTOM, FRAMES - 1))):
        u = torch.linspace(0, 1, last - first + 1, device=x.device)
        a, b = bend[:, half, :1], bend[:, half, 1:]
        place[:, first : last + 1] = first + (last - first) * (
            u + a * torch.sin(torch.pi * u) / torch.pi + b * torch.sin(2 * torch.pi * u) / (2 * torch.pi)
        )
    low = place.floor().clamp(0, FRAMES - 2).long()
    share = (place - low)[..., None]

    def at(index: Tensor) -> Tensor:
        return torch.gather(x, 1, index[..., None].expand(-1, -1, x.shape[-1]))

    return (1 - share) * at(low) + share * at(low + 1)


def linear_baseline(
    train: Tensor, test: Tensor, components: int, units: tuple[Tensor, Tensor] | None = None
) -> Tensor:
    """Reconstruction of test (n, FRAMES, channel) by principal components of the whole training repetitions and their
    mirrors.

    Every channel counts in its own standard deviation, as in the network, or in the mean and deviation `units`.
    """
    mean, spread = units or standardisation(train)
    rows = (torch.cat([train, mirror_channels(train)]) - mean) / spread
    centre = rows.mean(0).reshape(-1)
    _, _, basis = torch.linalg.svd(rows.reshape(len(rows), -1) - centre, full_matrices=False)
    basis = basis[:components]
    flat = ((test - mean) / spread).reshape(len(test), -1) - centre
    return ((flat @ basis.T) @ basis + centre).reshape(test.shape) * spread + mean


def reconstruction_error(truth: Tensor, rebuilt: Tensor, repetitions: list[Repetition]) -> dict[str, float]:
    """RMS error by channel over repetitions and frames: degrees, millimetres for translations.

    The key `angles` holds all angles together. truth, rebuilt: (repetition, FRAMES, channel).
    """
    squared = (rebuilt - truth).double().square()
    legs = torch.tensor([r.subject.leg_length_m for r in repetitions], dtype=torch.float64)
    errors = {}
    for i, name in enumerate(LEARNED_COORDINATES):
        mean = squared[..., i].mean(dim=1)  # (repetition,)
        if i in TRANSLATIONS:
            errors[name] = 1000 * float((mean * legs**2).mean().sqrt())
        else:
            errors[name] = float(torch.rad2deg(mean.mean().sqrt()))
    angles = [i for i in range(squared.shape[-1]) if i not in TRANSLATIONS]
    errors["angles"] = float(torch.rad2deg(squared[..., angles].mean().sqrt()))
    return errors
