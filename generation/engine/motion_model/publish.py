"""Makes the model that ships: fits it to the training people, measures it on the others, fits it to everybody.

Fitting has a closed form: seconds, no seed, nothing to resume.
"""

from dataclasses import dataclass, field
from pathlib import Path

import torch

from generation.engine.motion_data.dataset import DATA_FILE, Repetition, verify_checksum
from generation.engine.motion_data.dataset import load_repetitions as load
from generation.engine.motion_model.card import write_card
from generation.engine.motion_model.comparison import errors_by_joint, instructed, judge, population_density
from generation.engine.motion_model.linear_code import SIZE, coefficients, mirror_coefficients
from generation.engine.motion_model.model import ContinuousModel
from generation.engine.motion_model.population import fit_population
from generation.engine.motion_model.preparation import Split, channels_of, people, split_by_person
from generation.engine.motion_model.stances import describe
from generation.engine.motion_model.storage import FOLDER, HELD_OUT, save_motion_model, standing_of

SAMPLES, SEED = 1000, 0  # drawn for the card
GROUPS = ("train", "validation", "test")


@dataclass
class Report:
    """Everything the card prints, by group of people. errors in degrees; likelihood in nats a number, of repetitions
    performed as instructed; drawn: `comparison.judge` of SAMPLES drawn squats, of the training people's own for
    comparison under `known`."""

    split: Split
    data_sha256: str
    errors: dict[str, dict[str, float]] = field(default_factory=dict)
    likelihood: dict[str, float] = field(default_factory=dict)
    drawn: dict[str, dict[str, float]] = field(default_factory=dict)
    known: dict[str, dict[str, float]] = field(default_factory=dict)


def fit(repetitions: list[Repetition]) -> ContinuousModel:
    """The model of these people's squats."""
    found = coefficients(channels_of(repetitions))
    described, body = describe(repetitions)
    correct = torch.tensor([r.correct for r in repetitions])
    population = fit_population(found, described, body, [r.subject.name for r in repetitions], correct)
    training = torch.cat([found[correct], mirror_coefficients(found[correct])])
    return ContinuousModel(population, training, standing_of(people(repetitions)), "unsaved")


def measure(model: ContinuousModel, split: Split, report: Report) -> None:
    """Fill in the report's figures; `model` has seen the training people."""
    drawn = model.decode(model.sample(SAMPLES, torch.Generator().manual_seed(SEED))[0])
    known = instructed(split.train)
    for group in GROUPS:
        repetitions = getattr(split, group)
        if not any(r.correct for r in repetitions):
            continue
        truth, good = channels_of(repetitions), instructed(repetitions)
        report.errors[group] = errors_by_joint(truth, model.decode(model.encode(truth)), repetitions)
        report.likelihood[group] = float(population_density(model.population, coefficients(good)).mean()) / SIZE
        report.drawn[group], report.known[group] = judge(drawn, good), judge(known, good)


def publish(data: Path = DATA_FILE, out: Path = FOLDER) -> Report:
    """Write weights, config, checksums and card of the model of everybody into `out`, and into its folder `held_out`
    the model of the training people, which is the one that is measured."""
    repetitions = load(data)
    split = split_by_person(repetitions)
    report = Report(split, verify_checksum(Path(data)))
    for folder, group in ((out / HELD_OUT.name, split.train), (out, repetitions)):
        model = fit(group)
        if group is split.train:
            measure(model, split, report)
        save_motion_model(folder, model, {"trained_on": [s.name for s in people(group)],
                                          "data_sha256": report.data_sha256})
    write_card(out / "CARD.md", report)
    return report
