"""Trains what the shipped model is compared with, and writes the comparison. Continues an interrupted run."""

import csv
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from generation.engine.motion_data import load_repetitions
from generation.engine.motion_data.card import markdown
from generation.engine.motion_data.dataset import DATA_FILE, Repetition, verify_checksum
from generation.engine.motion_model import comparison as c
from generation.engine.motion_model.channels import LEARNED_COORDINATES, mirror_channels
from generation.engine.motion_model.flow import NUMBERS, Flow, train_flow
from generation.engine.motion_model.linear_code import EVEN, SIZE, coefficients, mirror_coefficients
from generation.engine.motion_model.mixture import Mixture
from generation.engine.motion_model.model import ContinuousModel, QuantisedModel
from generation.engine.motion_model.network import Shape
from generation.engine.motion_model.population import EVEN_DESCRIBED, even_numbers, fit_population
from generation.engine.motion_model.preparation import (
    VALIDATION,
    augment,
    channels_of,
    linear_baseline,
    people,
    split_by_person,
    standardisation,
)
from generation.engine.motion_model.publish import fit
from generation.engine.motion_model.stances import TEMPO, describe
from generation.engine.motion_model.storage import (
    FOLDER,
    PUBLISHED_VQVAE,
    RESIDUAL_VQVAE,
    SCALAR_VQVAE,
    save_motion_model,
    standing_of,
)
from generation.engine.motion_model.training import Trained, train

WORK = FOLDER.parents[1] / ".genuflex" / "motion_model"  # checkpoints
CHANNELS = len(LEARNED_COORDINATES)
NETWORKS = {
    PUBLISHED_VQVAE.name: ("VQ-VAE as published (width 128 of 512)",
                           Shape(channels=CHANNELS, width=128, code_dim=128, codes=512, levels=1, published=True)),
    RESIDUAL_VQVAE.name: ("VQ-VAE, residual, 8 levels x 256 codes", Shape(channels=CHANNELS)),
    SCALAR_VQVAE.name: ("finite scalar quantisation, 16 x 9 places", Shape(channels=CHANNELS, code_dim=16, scalar=9)),
}
FLOW_STEPS = 900
POOL = 20_000  # augmented repetitions that a flow is shown
KERNELS = (0.6, 0.8, 0.95)
COMPONENTS, CLOUDS = 16, 4  # of PCA and of the mixture in it

Progress = Callable[[str, float], None]


def train_networks(out: Path, *, steps: int, seed: int, device: str, work: Path = WORK,
                   progress: Progress = lambda text, share: None) -> dict[str, QuantisedModel]:
    """Train each of NETWORKS on the training people; weights and curves go into `out`."""
    split = split_by_person(load_repetitions())
    learned, unseen = channels_of(split.train), channels_of(split.validation)
    found = {}
    for number, (folder, (name, shape)) in enumerate(NETWORKS.items()):
        trained = train(learned, shape, steps=steps, seed=seed, device=device, validation=unseen, checkpoints=work,
                        progress=lambda text, share, n=number, name=name:
                        progress(f"{name}: {text}", (n + share) / len(NETWORKS)))
        found[folder] = quantised(trained, split.train)
        save_motion_model(out / folder, found[folder], {
            "trained_on": [s.name for s in people(split.train)], "data_sha256": verify_checksum(DATA_FILE),
            "steps": steps, "seed": seed})
        write_curve(out / folder / "training.csv", trained.curve)
    return found


def quantised(trained: Trained, repetitions: list[Repetition]) -> QuantisedModel:
    """The trained network with the latents of the repetitions performed as instructed."""
    good = c.instructed(repetitions)
    with torch.no_grad():
        latents = trained.network.encode((torch.cat([good, mirror_channels(good)]) - trained.mean) / trained.spread)
    return QuantisedModel(trained.network, trained.mean, trained.spread, latents, standing_of(people(repetitions)),
                          "unsaved")


def compare(networks: dict[str, QuantisedModel], out: Path, *, seed: int, device: str, work: Path = WORK,
            progress: Progress = lambda text, share: None) -> list[c.Row]:
    """Every row of `COMPARISON.md`, which is written into `out` with the flows' curves."""
    split, everything = split_by_person(load_repetitions()), split_by_person(load_repetitions(movement="all"))
    model = fit(split.train)
    truth, good, learned = channels_of(split.validation), c.instructed(split.validation), channels_of(split.train)

    def generator() -> torch.Generator:
        return torch.Generator().manual_seed(seed)

    rows = [c.Row("(training people's own squats)", samples=c.judge(c.instructed(split.train), good))]
    for folder, network in networks.items():
        rows.append(c.quantised_row(NETWORKS[folder][0], network, truth, good, learned, split.validation, generator()))
    rows.append(_mixture_row(learned, truth, good, split, generator()))
    rows.append(c.continuous_row("**population (ships)**", model, truth, good, split.validation, generator()))
    rows += _populations(split, everything, good, truth, generator)
    rows += _kernels(model, split, good, generator)
    rows += _flows(model, split, everything, good, generator, seed, device, work, out, progress)
    write_comparison(out / "COMPARISON.md", rows, told_gains(model, split))
    return rows


def _mixture_row(learned: Tensor, truth: Tensor, good: Tensor, split, generator: torch.Generator) -> c.Row:
    rebuilt = linear_baseline(learned, truth, COMPONENTS)
    both = torch.cat([learned, mirror_channels(learned)])
    mean, spread = standardisation(learned)
    rows = ((both - mean) / spread).flatten(1)
    centre = rows.mean(0)
    _, sizes, axes = torch.linalg.svd(rows - centre, full_matrices=False)
    axes, scale = axes[:COMPONENTS], sizes[:COMPONENTS] / len(rows) ** 0.5
    clouds = Mixture.fit((rows - centre) @ axes.T / scale, CLOUDS, generator)
    made = (clouds.sample(c.SAMPLES, generator) * scale) @ axes + centre
    return c.Row(f"PCA {COMPONENTS} + mixture of {CLOUDS} normals", c.errors_by_joint(truth, rebuilt, split.validation),
                 samples=c.judge(made.reshape(-1, *both.shape[1:]) * spread + mean, good))


def _populations(split, everything, good: Tensor, truth: Tensor, generator) -> list[c.Row]:
    """The population with other choices."""
    rows = []
    own = _fitting(split.train)
    for name, chosen in {"population, no Kronecker share": {"towards_product": 0.0},
                         "population, Kronecker product alone": {"towards_product": 1.0},
                         "population, covariance of squats as instructed only": {"as_instructed": 1.0}}.items():
        population = fit_population(*own, **chosen)
        likelihood = float(c.population_density(population, coefficients(good)).mean()) / SIZE
        model = ContinuousModel(population, own[0][:1], standing_of([split.train[0].subject]), "unsaved")
        rows.append(c.Row(name, None, likelihood, c.judge(model.decode(model.sample(c.SAMPLES, generator())[0]), good)))
    return rows


def _fitting(repetitions: list[Repetition]):
    described, body = describe(repetitions)
    return (coefficients(channels_of(repetitions)), described, body, [r.subject.name for r in repetitions],
            torch.tensor([r.correct for r in repetitions]))


def _kernels(model: ContinuousModel, split, good: Tensor, generator) -> list[c.Row]:
    found = coefficients(channels_of(split.train))
    both = torch.cat([found, mirror_coefficients(found)])
    names = [r.subject.name for r in split.train] * 2
    weight = torch.tensor([1 / names.count(name) for name in names])
    weight = weight / weight.sum()
    rows = []
    for width in KERNELS:
        likelihood = float(c.kernel_density(model, coefficients(good), weight, both, width).mean()) / SIZE
        g = generator()
        pick = torch.multinomial(weight, c.SAMPLES, True, generator=g)
        z = (1 - width**2) ** 0.5 * model.from_coefficients(both[pick])
        z = z + width * torch.randn(z.shape, generator=g)
        rows.append(c.Row(f"clouds of {width:g} sd around the repetitions", None, likelihood,
                          c.judge(model.decode(z), good)))
    return rows


def _flows(model: ContinuousModel, split, everything, good: Tensor, generator, seed: int, device: str, work: Path,
           out: Path, progress: Progress) -> list[c.Row]:
    """Flows over the widest latents: as the data is, on augmented squats, and on all movements, told which, how
    performed, tempo and body."""
    order = c.widest_first(model)
    wide = order[:NUMBERS]
    unseen = coefficients(good)
    movements = sorted({r.movement for r in everything.train if "squat" not in r.movement})

    def told(repetitions: list[Repetition]) -> Tensor:
        described, body = describe(repetitions)
        tempo = described[:, -len(TEMPO):]
        kind = torch.tensor([[float(r.movement == m) for m in movements] + [float(r.correct)] for r in repetitions])
        return torch.cat([kind, tempo, (body - body_mean) / body_spread], 1)

    body = describe(split.train)[1]
    body_mean, body_spread = body.mean(0), body.std(0).clamp_min(1e-3)
    rows, unseen_told = [], told([r for r in split.validation if r.correct])
    for name, repetitions, augmented in (("flow, squats as recorded", split.train, False),
                                         ("flow, squats augmented", split.train, True),
                                         ("flow, five movements augmented", everything.train, True)):
        latents, known = _pool(model, wide, repetitions, told(repetitions), augmented, seed)

        def draw(count: int, g: torch.Generator, latents=latents, known=known):
            pick = torch.randint(len(latents), (count,), generator=g)
            return latents[pick], known[pick]

        def validate(flow: Flow, condition=None) -> float:
            return float(c.flow_density(model, order, flow, unseen, condition).mean()) / SIZE

        flow = train_flow(draw, known.shape[1], steps=FLOW_STEPS, seed=seed, device=device, checkpoints=work,
                          name=f"{name} {verify_checksum(DATA_FILE)}",
                          validate=validate, progress=lambda text, share, name=name: progress(f"{name}: {text}", share))
        write_curve(out / f"{name.replace(', ', '_').replace(' ', '_')}.csv", flow.curve)
        for how, condition in ((", told nothing", None), (", told movement, tempo and body", unseen_told)):
            if condition is None and repetitions is not split.train:
                continue  # told nothing, it draws lunges too
            g = generator()
            asked = None if condition is None else condition[torch.randint(len(condition), (c.SAMPLES,), generator=g)]
            z = torch.randn(c.SAMPLES, SIZE, generator=g)
            z[:, wide] = flow.sample(c.SAMPLES, g, asked)
            rows.append(c.Row(name + how, None, validate(flow, condition), c.judge(model.decode(z), good)))
    return rows


def _pool(model: ContinuousModel, wide: Tensor, repetitions: list[Repetition], told: Tensor, augmented: bool,
          seed: int) -> tuple[Tensor, Tensor]:
    """Latents (POOL, NUMBERS) that a flow is shown, every person as often, and what is told of them."""
    x, g = channels_of(repetitions), torch.Generator().manual_seed(seed)
    names = [(r.subject.name, r.movement) for r in repetitions]
    first = torch.multinomial(torch.tensor([1 / names.count(n) for n in names]), POOL, True, generator=g)
    kinds = [r.movement for r in repetitions]
    groups = {kind: torch.tensor([i for i, k in enumerate(kinds) if k == kind]) for kind in set(kinds)}
    if augmented:
        second = torch.stack([groups[kinds[i]][torch.randint(len(groups[kinds[i]]), (), generator=g)] for i in first])
        moved = augment(x[first], x[second], standardisation(x)[1], g)
    else:
        flip = torch.rand(POOL, 1, 1, generator=g) < 0.5
        moved = torch.where(flip, mirror_channels(x[first]), x[first])
    return model.encode(moved)[:, wide], told[first]


def told_gains(model: ContinuousModel, split) -> dict[str, float]:
    """Nats that a validation person's repetition gains when the population is told something of it."""
    found, described, body, _, correct = _fitting(split.validation)
    even = even_numbers(found, described, body)[correct]
    size = even.shape[1]
    tempo = [EVEN + EVEN_DESCRIBED.index(name) for name in TEMPO]
    build = list(range(size - body.shape[1], size))
    return {name: float(c.told_density(model.population, even, places).mean())
            for name, places in (("tempo", tempo), ("body", build), ("tempo and body", tempo + build))}


def write_curve(path: Path, curve: list[dict[str, float]]) -> None:
    if not curve:
        return
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(curve[0]))
        writer.writeheader()
        writer.writerows({k: v if k == "step" else f"{v:.5g}" for k, v in row.items()} for row in curve)


def write_comparison(path: Path, rows: list[c.Row], gains: dict[str, float]) -> None:
    keys = ("angles", *c.JOINTS)
    marks = ("fidelity", "spread", "diversity", "nearest")
    lines = ["| model | all | " + " | ".join(c.JOINTS) + " | nats | fidelity | spread | diversity % | nearest deg |",
             "|---" * (7 + len(c.JOINTS)) + "|"]
    for row in rows:
        cells = [f"{row.errors[k]:.2f}" if row.errors else "" for k in keys]
        cells.append("" if row.likelihood is None else f"{row.likelihood:.2f}")
        cells += [f"{row.samples[k]:.2f}" if row.samples else "" for k in marks]
        lines.append(f"| {row.name} | " + " | ".join(cells) + " |")
    path.write_text(markdown([
        "# Which model of squats?",
        f"Made by `python manage.py train_motion_model --compare`. Trained on the training people, judged on the "
        f"validation people ({', '.join(VALIDATION)}); nobody looked at the test people here.",
        "\n".join(lines),
        "All, knee, hip, ankle, lumbar: RMS reconstruction error in degrees (empty: reconstructs as the population "
        "does). Nats: log likelihood for each of the 252 numbers of a repetition performed as instructed, more is "
        f"better. The rest compares {c.SAMPLES} drawn squats with the validation people's squats performed as "
        "instructed, mirrors added: fidelity is the mean over frames and angles of the squared differences of mean and "
        "of deviation (deg^2; 0 is best), spread the ratio of deviations (1), diversity the difference of the "
        "published entropy (0), nearest the median RMS distance of a real squat to the nearest drawn one (low).",
        "What telling the population something of a new person's repetition is worth, in nats for the whole "
        "repetition: " + ", ".join(f"{name} {gain:+.2f}" for name, gain in gains.items()) + ".",
        "How the networks differ from the published one (Maheshwari et al. 2025): 21 channels relative to standing and "
        "128 frames evenly spaced in each half, where it has 33 coordinates and 196 frames of 60 Hz with short "
        "repetitions tiled; width 128 for 512; 1,500 steps of 32 with learning rate 1e-3 for 300,000 of 128 with 2e-4; "
        "training motions augmented; all else of the row \"as published\" as published. The other two networks have "
        "linear upsampling and residual blocks that begin at zero. A network without guidance draws normal latents "
        "with the training latents' mean and deviation and quantises them.",
        "How to read it: two validation people are few, and one figure decides little. What is certain is the order of "
        "size: rounding costs degrees that the plain code does not lose; with seven training people every model that "
        "follows its people more closely than a shrunk normal distribution expects new people less.",
    ]))
