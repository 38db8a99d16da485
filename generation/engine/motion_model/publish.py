"""Makes the model that ships: measures it on people it has not seen, trains it on everybody, describes it."""

import csv
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch

from generation.engine.motion_data.dataset import DATA_FILE, verify_checksum, write_checksum
from generation.engine.motion_data.dataset import load_repetitions as load
from generation.engine.motion_model.card import COMPARISON, write_card
from generation.engine.motion_model.channels import LEARNED_COORDINATES, mirror_channels
from generation.engine.motion_model.model import CONFIG, FOLDER, WEIGHTS, MotionModel, save_motion_model, standing_poses
from generation.engine.motion_model.network import Shape
from generation.engine.motion_model.preparation import (
    Split,
    channels_of,
    linear_baseline,
    people,
    reconstruction_error,
    split_by_person,
)
from generation.engine.motion_model.training import Trained, reconstruct, train, write_curve

WORK = FOLDER.parents[1] / ".genuflex" / "motion_model"  # checkpoints
CHANNELS = len(LEARNED_COORDINATES)
SHAPE = Shape(channels=CHANNELS)  # chosen by `compare` on the validation people
COMPARED = {
    "plain VQ, 1 level x 512 codes (as published, narrower)": Shape(channels=CHANNELS, levels=1, codes=512),
    "residual VQ, 4 levels x 256 codes": Shape(channels=CHANNELS, levels=4),
    "residual VQ, 8 levels x 256 codes": Shape(channels=CHANNELS, levels=8),
}
COMPONENTS = (16, 32, 64)  # of the linear baseline
HELD_OUT = "held_out"  # folder of the model that has not seen the test people

Progress = Callable[[str, float], None]


@dataclass
class Report:
    """Everything the card prints. Errors are {channel: degrees or millimetres, "angles": degrees}."""

    split: Split
    shape: Shape
    steps: int
    seed: int
    data_sha256: str
    errors: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)  # group -> method -> errors
    code_use: list[float] = field(default_factory=list)  # share of codes used, by level


def publish(
    data: Path = DATA_FILE,
    out: Path = FOLDER,
    *,
    steps: int,
    seed: int = 0,
    device: str = "cpu",
    shape: Shape = SHAPE,
    work: Path = WORK,
    progress: Progress = lambda text, fraction: None,
) -> Report:
    """Train twice and write weights, config, curve, card and checksums into `out`.

    First on the training people, measured on validation and test people; then on everybody, which is what ships. Both
    runs keep a checkpoint in `work` and go on from it after an interruption.
    """
    repetitions = load(data)
    split = split_by_person(repetitions)
    report = Report(split, shape, steps, seed, verify_checksum(Path(data)))
    arrays = {name: channels_of(getattr(split, name)) for name in ("train", "validation", "test")}

    held_out = train(
        arrays["train"],
        shape,
        steps=steps,
        seed=seed,
        device=device,
        validation=arrays["validation"],
        checkpoints=work,
        progress=lambda text, share: progress(f"training people: {text}", share / 2),
    )
    for group in ("train", "validation", "test"):
        report.errors[group] = measure(held_out, arrays["train"], arrays[group], getattr(split, group))
    report.code_use = code_use(held_out, arrays["train"])
    out.mkdir(parents=True, exist_ok=True)
    write_curve(out / "training.csv", held_out.curve)
    _save(
        out / HELD_OUT,
        held_out,
        split.train,
        {"trained_on": [s.name for s in people(split.train)], "data_sha256": report.data_sha256},
    )

    everybody = train(
        torch.cat(list(arrays.values())),
        shape,
        steps=steps,
        seed=seed,
        device=device,
        checkpoints=work,
        progress=lambda text, share: progress(f"everybody: {text}", 0.5 + share / 2),
    )
    ordered = split.train + split.validation + split.test
    _save(out, everybody, ordered, {"trained_on": [s.name for s in people(ordered)], "data_sha256": report.data_sha256})
    write_card(out / "CARD.md", report)
    return report


def compare(
    data: Path = DATA_FILE,
    out: Path = FOLDER,
    *,
    steps: int,
    seed: int = 0,
    device: str = "cpu",
    work: Path = WORK,
    progress: Progress = lambda text, fraction: None,
) -> list[dict]:
    """Train each shape of COMPARED on the training people and write what it does on validation and test people.

    The choice is made by the validation column; the test column is printed so that nobody has to guess. The run of
    SHAPE is the one that `publish` measures, so it is not trained twice.
    """
    split = split_by_person(load(data))
    arrays = {name: channels_of(getattr(split, name)) for name in ("train", "validation", "test")}
    rows = []
    for number, (name, shape) in enumerate(COMPARED.items()):
        trained = train(
            arrays["train"],
            shape,
            steps=steps,
            seed=seed,
            device=device,
            validation=arrays["validation"],
            checkpoints=work,
            progress=lambda text, share, n=number, name=name: progress(f"{name}: {text}", (n + share) / len(COMPARED)),
        )
        row = {"shape": name, "parameters": sum(p.numel() for p in trained.network.parameters())}
        for group in ("validation", "test"):
            rebuilt = reconstruct(trained.network, trained.mean, trained.spread, arrays[group])
            errors = reconstruction_error(arrays[group], rebuilt, getattr(split, group))
            row[f"{group}_angles_deg"] = f"{errors['angles']:.2f}"
        rows.append(row)
    out.mkdir(parents=True, exist_ok=True)
    with (out / COMPARISON).open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return rows


def measure(trained: Trained, training: torch.Tensor, truth: torch.Tensor, repetitions) -> dict[str, dict[str, float]]:
    """Reconstruction errors of the network and of the linear baseline, method -> errors."""
    if not len(truth):
        return {}
    levels = trained.network.shape.levels
    methods = {
        f"VQ-VAE, {used} of {levels} levels": reconstruct(trained.network, trained.mean, trained.spread, truth, used)
        for used in sorted({min(2**n, levels) for n in range(levels.bit_length() + 1)})
    }
    methods |= {f"PCA {n}": linear_baseline(training, truth, n) for n in COMPONENTS}
    return {name: reconstruction_error(truth, rebuilt, repetitions) for name, rebuilt in methods.items()}


@torch.no_grad()
def code_use(trained: Trained, channels: torch.Tensor) -> list[float]:
    """Share of each level's codes that the repetitions use."""
    _, indices, _ = trained.network.quantiser(trained.network.encode((channels - trained.mean) / trained.spread))
    return [len(indices[..., level].unique()) / trained.network.shape.codes for level in range(indices.shape[-1])]


def _save(folder: Path, trained: Trained, repetitions, config: dict) -> None:
    channels = channels_of([r for r in repetitions if r.correct])
    both = torch.cat([channels, mirror_channels(channels)])
    with torch.no_grad():
        latents = trained.network.encode((both - trained.mean) / trained.spread)
    poses, mean_pose, leg = standing_poses(people(repetitions))
    model = MotionModel(trained.network, trained.mean, trained.spread, latents, mean_pose, leg, poses, "unsaved")
    save_motion_model(folder, model, config)
    for name in (WEIGHTS, CONFIG):
        write_checksum(folder / name)
