"""Other ways to write a squat in few numbers, compared on the validation people: what does the network's code cost?

The table of `models/motion_model/CODINGS.md`. Nothing here is trained for long: the network is the measured one in
`residual_vqvae/`, everything else has a closed form. Only validation people are looked at.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from generation.engine.motion_data.card import markdown
from generation.engine.motion_data.dataset import Repetition
from generation.engine.motion_model.channels import FRAMES, LEARNED_COORDINATES, mirror_channels
from generation.engine.motion_model.comparison import JOINTS, errors_by_joint
from generation.engine.motion_model.linear_code import cosines
from generation.engine.motion_model.model import QuantisedModel
from generation.engine.motion_model.preparation import (
    channels_of,
    linear_baseline,
    split_by_person,
    standardisation,
)

COSINES = (6, 8, 12)  # of each channel
COMPONENTS = (16, 32, 64, 128)
STEPS = (0.5, 0.25, 0.125)  # of the scalar quantiser, in standard deviations of the first rotated latent

@dataclass(frozen=True)
class Coding:
    """One way of writing a repetition: how many numbers, or how many bits where they are rounded, and what it costs in
    degrees: {"angles" and JOINTS: RMS error}.
    """

    name: str
    numbers: int
    bits: float | None
    errors: dict[str, float]


def through_cosines(x: Tensor, count: int) -> Tensor:
    """x (repetition, FRAMES, channel) with each channel reduced to `count` cosines."""
    basis = cosines(count).to(x)
    return torch.einsum("kt,bkc->btc", basis, torch.einsum("kt,btc->bkc", basis, x))


class ScalarCodes:
    """Rounds latents to a lattice along the principal axes of the training latents.

    latents (repetition, code_dim, step); step_share: the lattice's spacing, in standard deviations along the first
    axis. `bits` of one repetition are the entropies of the training latents' rounded coordinates.
    """

    def __init__(self, latents: Tensor, step_share: float):
        rows = self._rows(latents)
        self.centre = rows.mean(0)
        _, sizes, self.axes = torch.linalg.svd(rows - self.centre, full_matrices=False)
        self.spacing = step_share * sizes[0] / len(rows) ** 0.5
        entropy = 0.0
        for column in self._rounded(latents).unbind(1):
            share = column.unique(return_counts=True)[1].double() / len(column)
            entropy -= float((share * share.log2()).sum())
        self.bits = entropy * latents.shape[-1]

    def __call__(self, latents: Tensor) -> Tensor:
        """Latents on the lattice, same shape."""
        rows = self._rounded(latents) * self.spacing @ self.axes + self.centre
        return rows.reshape(len(latents), latents.shape[2], latents.shape[1]).permute(0, 2, 1)

    @staticmethod
    def _rows(latents: Tensor) -> Tensor:
        return latents.permute(0, 2, 1).reshape(-1, latents.shape[1])

    def _rounded(self, latents: Tensor) -> Tensor:
        return ((self._rows(latents) - self.centre) @ self.axes.T / self.spacing).round()


@torch.no_grad()
def compare_codings(squats: list[Repetition], others: list[Repetition], held_out: QuantisedModel) -> list[Coding]:
    """Every coding on the validation people's squats.

    others: repetitions of other movements, whose training people's part is added to what the principal components
    learn; held_out: a model that has seen the training people's squats only.
    """
    split = split_by_person(squats)
    train, truth = channels_of(split.train), channels_of(split.validation)
    added = torch.cat([train, channels_of(split_by_person(others).train)])
    spread = standardisation(train)
    found = []

    def note(name: str, numbers: int, rebuilt: Tensor, bits: float | None = None):
        found.append(Coding(name, numbers, bits, errors_by_joint(truth, rebuilt, split.validation)))

    for count in COSINES:
        note(f"{count} cosines a channel, nothing learned", count * truth.shape[-1], through_cosines(truth, count))
    for count in COMPONENTS:
        note(f"PCA {count}, squats", count, linear_baseline(train, truth, count))
        note(f"PCA {count}, all movements", count, linear_baseline(added, truth, count, spread))
    latents = held_out.encode(truth)
    numbers = latents[0].numel()
    codes = held_out.network.shape
    bits = latents.shape[2] * codes.levels * torch.tensor(codes.codes).log2().item()
    note("network, residual VQ", numbers, held_out.decode(held_out.quantise(latents)[0]), bits)
    seen = held_out.encode(torch.cat([train, mirror_channels(train)]))
    for step in STEPS:
        scalar = ScalarCodes(seen, step)
        note(f"same network, latents rounded to {step:g} sd", numbers, held_out.decode(scalar(latents)), scalar.bits)
    note("same network, latents as they are", numbers, held_out.decode(latents))
    return found


def write_codings(path: Path, found: list[Coding], people: str) -> None:
    """Write the table for the codings of `compare_codings`."""
    rows = ["| coding | numbers | bits | all angles | " + " | ".join(JOINTS) + " |", "|---" * (4 + len(JOINTS)) + "|"]
    for coding in found:
        bits = f"{coding.bits:.0f}" if coding.bits else "-"
        cells = [f"{coding.errors[key]:.2f}" for key in ("angles", *JOINTS)]
        rows.append(f"| {coding.name} | {coding.numbers} | {bits} | " + " | ".join(cells) + " |")
    path.write_text(
        markdown(
            [
                "# How many numbers does a squat need?",
                "Made by `python manage.py train_motion_model --codings`. RMS error in degrees of squats of the "
                f"validation people ({people}) after writing them in few numbers and reading them back; {FRAMES} "
                f"frames x {len(LEARNED_COORDINATES)} channels each. Bits stand where the numbers are rounded: for the "
                "residual VQ what its codes need, for rounded latents the entropy over training people. "
                "Knee, hip and ankle: both sides in flexion.",
                "\n".join(rows),
                "How to read it: a coding without learning has no trouble with people it never saw; it does not know "
                "what a squat is either, so a small error here says nothing about generating squats. What a learned "
                "model has to add is the prior over these numbers.",
            ]
        )
    )
