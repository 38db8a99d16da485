"""Ways to model squats, compared on the validation people: `models/motion_model/COMPARISON.md`.

Everything is trained on the training people and judged on people it has not seen (`VALIDATION`); nobody looks at the
test people here. Three questions: can it write down a new person's squat (reconstruction), does it expect new people's
squats (likelihood), and are the squats it makes up spread as theirs are (samples).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from generation.engine.motion_data.dataset import Repetition
from generation.engine.motion_model.channels import LEARNED_COORDINATES, TRANSLATIONS, mirror_channels
from generation.engine.motion_model.flow import NUMBERS, Flow
from generation.engine.motion_model.linear_code import EVEN, SIZE, coefficients
from generation.engine.motion_model.model import ContinuousModel, QuantisedModel
from generation.engine.motion_model.population import Population
from generation.engine.motion_model.preparation import channels_of, reconstruction_error

JOINTS = {
    "knee": ("knee_angle_r", "knee_angle_l"),
    "hip": ("hip_flexion_r", "hip_flexion_l"),
    "ankle": ("ankle_angle_r", "ankle_angle_l"),
    "lumbar": ("lumbar_extension",),
}
SAMPLES = 400
BINS = 10  # of the histogram behind the published diversity
_ANGLES = [i for i in range(len(LEARNED_COORDINATES)) if i not in TRANSLATIONS]


@dataclass(frozen=True)
class Row:
    """One way to model squats. errors: {"angles", JOINTS: degrees}; likelihood: nats a number; samples: see `judge`.
    None where the model has no such thing."""

    name: str
    errors: dict[str, float] | None = None
    likelihood: float | None = None
    samples: dict[str, float] | None = None


def errors_by_joint(truth: Tensor, rebuilt: Tensor, repetitions: list[Repetition]) -> dict[str, float]:
    """RMS errors in degrees of all angles and of JOINTS, both sides together."""
    error = reconstruction_error(truth, rebuilt, repetitions)
    pooled = {joint: (sum(error[n] ** 2 for n in names) / len(names)) ** 0.5 for joint, names in JOINTS.items()}
    return {"angles": error["angles"], **pooled}


def judge(made: Tensor, people: Tensor) -> dict[str, float]:
    """Made-up squats against people's, both (n, FRAMES, channel); mirrors of both are added.

    fidelity: mean over frames and angles of (difference of means)^2 + (difference of deviations)^2, deg^2 (the
    published measure's formula); spread: deviation of the made-up ones by the people's, all angles together;
    diversity: entropy of the published kind, its difference in percent; nearest: median over people's squats of the
    RMS distance, deg, to the nearest made-up one.
    """
    made, people = (torch.rad2deg(torch.cat([x, mirror_channels(x)])[..., _ANGLES]) for x in (made, people))
    means, deviations = (made.mean(0) - people.mean(0)), (made.std(0) - people.std(0))
    distance = torch.cdist(people.flatten(1), made.flatten(1)) / made[0].numel() ** 0.5
    return {
        "fidelity": float((means.square() + deviations.square()).mean()),
        "spread": float((made.var(0).mean() / people.var(0).mean()).sqrt()),
        "diversity": 100 * (_entropy(made) / _entropy(people) - 1),
        "nearest": float(distance.amin(1).median()),
    }


def _entropy(x: Tensor) -> float:
    found = []
    for sample in x.flatten(1).numpy():
        share = np.histogram(sample, BINS)[0] / sample.size
        share = share[share > 0]
        found.append(-float((share * np.log(share)).sum()))
    return float(np.mean(found))


def normal_density(rows: Tensor, mean: Tensor, covariance: Tensor) -> Tensor:
    """(n,) log density of rows (n, d)."""
    root = torch.linalg.cholesky(covariance.double())
    away = torch.linalg.solve_triangular(root, (rows.double() - mean.double()).T, upper=False)
    return -away.square().sum(0) / 2 - root.diagonal().log().sum() - len(root) / 2 * math.log(2 * math.pi)


def population_density(population: Population, c: Tensor) -> Tensor:
    """(n,) log density of coefficients c (n, SIZE) of movements."""
    odd = SIZE - EVEN
    return (normal_density(c[:, :EVEN], population.even_mean[:EVEN], population.even[:EVEN, :EVEN])
            + normal_density(c[:, EVEN:], torch.zeros(odd), population.odd[:odd, :odd]))


def told_density(population: Population, even: Tensor, places: list[int]) -> Tensor:
    """(n,) how much more the even movement is expected, in nats, once the even numbers at `places` (beyond the
    movement) are told; even (n, all even numbers)."""
    both = [*range(EVEN), *places]
    mean, covariance = population.even_mean, population.even
    together = normal_density(even[:, both], mean[both], covariance[both][:, both])
    told = normal_density(even[:, places], mean[places], covariance[places][:, places])
    alone = normal_density(even[:, :EVEN], mean[:EVEN], covariance[:EVEN, :EVEN])
    return together - told - alone


def kernel_density(model: ContinuousModel, c: Tensor, weight: Tensor, training: Tensor, width: float) -> Tensor:
    """(n,) log density of c under normal clouds around the training repetitions (and their mirrors), drawn towards the
    mean so that the whole keeps the population's covariance: width 1 is the population, 0 the repetitions."""
    z, centres = model.from_coefficients(c), model.from_coefficients(training) * (1 - width**2) ** 0.5
    apart = torch.cdist(z, centres).square().double() / (2 * width**2)
    alone = population_density(model.population, c) + z.square().sum(1).double() / 2
    return torch.logsumexp(weight.double().log() - apart, 1) - SIZE * math.log(width) + alone


def flow_density(model: ContinuousModel, order: Tensor, flow: Flow, c: Tensor, told: Tensor | None = None) -> Tensor:
    """(n,) log density of c where the widest latents follow the flow and the others the population."""
    z = model.from_coefficients(c)[:, order]
    normal = -z[:, :NUMBERS].square().sum(1) / 2 - NUMBERS / 2 * math.log(2 * math.pi)
    return population_density(model.population, c) + flow.log_density(z[:, :NUMBERS], told) - normal


def widest_first(model: ContinuousModel) -> Tensor:
    """(SIZE,) the latents in order of the motion they make."""
    return model.decode(torch.eye(SIZE)).sub(model.decode(torch.zeros(1, SIZE))).flatten(1).norm(dim=1).argsort(
        descending=True)


@torch.no_grad()
def made_of_codes(model: QuantisedModel, training: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """A VQ-VAE without guidance: at each step a normal latent with the training latents' mean and deviation by code
    dimension, quantised and decoded (the published Z ~ N(0, I), in this network's own units)."""
    latents = model.encode(torch.cat([training, mirror_channels(training)]))
    mean, deviation = latents.mean((0, 2))[:, None], latents.std((0, 2))[:, None]
    drawn = mean + deviation * torch.randn(count, *latents.shape[1:], generator=generator)
    return model.decode(model.quantise(drawn)[0])


@torch.no_grad()
def quantised_row(name: str, model: QuantisedModel, truth: Tensor, instructed: Tensor, training: Tensor,
                  repetitions: list[Repetition], generator: torch.Generator) -> Row:
    rebuilt = model.decode(model.quantise(model.encode(truth))[0])
    made = made_of_codes(model, training, SAMPLES, generator)
    return Row(name, errors_by_joint(truth, rebuilt, repetitions), None, judge(made, instructed))


def continuous_row(name: str, model: ContinuousModel, truth: Tensor, instructed: Tensor, repetitions: list[Repetition],
                   generator: torch.Generator) -> Row:
    drawn = model.decode(model.sample(SAMPLES, generator)[0])
    likelihood = float(population_density(model.population, coefficients(instructed)).mean()) / SIZE
    return Row(name, errors_by_joint(truth, model.decode(model.encode(truth)), repetitions), likelihood,
               judge(drawn, instructed))


Draw = Callable[[int, torch.Generator], Tensor]


def instructed(repetitions: list[Repetition]) -> Tensor:
    """Channels of the repetitions performed as instructed."""
    return channels_of([r for r in repetitions if r.correct])
