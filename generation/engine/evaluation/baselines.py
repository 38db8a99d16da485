"""What the generator is compared with. Every baseline sees the training people only and is asked for the same depth,
tempo and body as the generator; each gives movements of the learned channels, which `placing.py` puts on the body.
"""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from generation.engine.evaluation.motions import Squat
from generation.engine.evaluation.people import Person, Request, depth_and_tempo
from generation.engine.evaluation.placing import closed, place, resized, times_of
from generation.engine.motion_model import QuantisedModel, mirror_channels
from generation.engine.motion_model.preparation import channels_of

COMPONENTS, MIXTURE = 16, 4      # of PCA and of the Gaussian mixture in it (E)
_LEAST_VARIANCE = 1e-3           # of a component of the mixture, in variances of the principal component
_ROUNDS = 60
RESIZED = 2                      # times that a movement is sized anew to reach its depth


Drawn = tuple[Tensor, np.ndarray]     # movements (n, FRAMES, channel) and the poses (n, coordinate) they start from


class Training:
    """The training people's squats as movements, (n, FRAMES, channel), and what was asked of them."""

    def __init__(self, people: Sequence[Person]) -> None:
        squats = [squat for person in people for squat in person.squats]
        self.channels = channels_of(squats)
        self.asked = np.array([depth_and_tempo(squat.values, squat.frame_rate) for squat in squats])
        self.poses = np.stack([squat.subject.standing for squat in squats])

    def poses_at_random(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """(count, coordinate) standing poses of training squats."""
        return self.poses[rng.integers(len(self.poses), size=count)]

    def nearest(self, request: Request) -> int:
        """The squat whose depth and tempo are nearest to the request, each in its own deviation."""
        wanted = np.array([request.knee_deg, request.descent_s, request.ascent_s])
        return int((np.abs(self.asked - wanted) / self.asked.std(0)).sum(1).argmin())


def nearest_training(training: Training, asked: Sequence[Request], rng: np.random.Generator) -> Drawn:
    """The nearest training squat to each request, in that person's standing pose."""
    rows = [training.nearest(request) for request in asked]
    return training.channels[rows], training.poses[rows]


def linear_blend(training: Training, asked: Sequence[Request], rng: np.random.Generator) -> Drawn:
    """Between two training squats of different recordings, at a random share of the way."""
    pairs = np.array([rng.choice(len(training.channels), 2, replace=False) for _ in asked])
    share = rng.random((len(asked), 1))
    weight = torch.as_tensor(share, dtype=torch.float32)[..., None]
    blend = (1 - weight) * training.channels[pairs[:, 0]] + weight * training.channels[pairs[:, 1]]
    return blend, (1 - share) * training.poses[pairs[:, 0]] + share * training.poses[pairs[:, 1]]


def pca_mixture(training: Training, asked: Sequence[Request], rng: np.random.Generator) -> Drawn:
    """Drawn from a mixture of normal distributions over the principal components of whole training squats."""
    both = torch.cat([training.channels, mirror_channels(training.channels)])
    spread = both.reshape(-1, both.shape[-1]).std(0).clamp_min(1e-4)
    rows = (both / spread).reshape(len(both), -1).double().numpy()
    centre = rows.mean(0)
    _, sizes, axes = np.linalg.svd(rows - centre, full_matrices=False)
    axes, scale = axes[:COMPONENTS], sizes[:COMPONENTS] / np.sqrt(len(rows))
    drawn = Mixture((rows - centre) @ axes.T / scale, MIXTURE, rng).draw(len(asked), rng) * scale
    found = torch.as_tensor(drawn @ axes + centre, dtype=torch.float32).reshape(len(asked), *both.shape[1:])
    return found * spread, training.poses_at_random(len(asked), rng)


class Mixture:
    """Normal distributions fitted to rows (n, d) by expectation and maximisation."""

    def __init__(self, rows: np.ndarray, count: int, rng: np.random.Generator) -> None:
        self.means = rows[rng.choice(len(rows), count, replace=False)]
        self.covariances = np.stack([np.cov(rows.T).reshape(rows.shape[1], -1)] * count)
        self.weights = np.full(count, 1 / count)
        for _ in range(_ROUNDS):
            share = self._shares(rows)
            total = share.sum(0) + 1e-9
            self.weights, self.means = total / total.sum(), share.T @ rows / total[:, None]
            for k in range(count):
                away = rows - self.means[k]
                self.covariances[k] = (share[:, k, None] * away).T @ away / total[k]
            self.covariances += _LEAST_VARIANCE * np.eye(rows.shape[1])

    def _shares(self, rows: np.ndarray) -> np.ndarray:
        """(n, count) probability that a row comes from each distribution."""
        found = []
        for weight, mean, covariance in zip(self.weights, self.means, self.covariances, strict=True):
            root = np.linalg.cholesky(covariance)
            away = np.linalg.solve(root, (rows - mean).T)
            found.append(np.log(weight + 1e-12) - (away**2).sum(0) / 2 - np.log(np.diag(root)).sum())
        logs = np.stack(found, 1)
        shares = np.exp(logs - logs.max(1, keepdims=True))
        return shares / shares.sum(1, keepdims=True)

    def draw(self, count: int, rng: np.random.Generator) -> np.ndarray:
        which = rng.choice(len(self.weights), count, p=self.weights)
        return np.stack([rng.multivariate_normal(self.means[k], self.covariances[k]) for k in which])


@torch.no_grad()
def unguided_codes(model: QuantisedModel, training: Tensor, count: int, seed: int) -> Tensor:
    """Decoded codes of the VQ-VAE: at each step and level a code drawn as often as training squats use it there."""
    generator = torch.Generator().manual_seed(seed)
    both = torch.cat([training, mirror_channels(training)])
    used = model.quantise(model.encode(both))[1]                                  # (n, step, level)
    rows = torch.randint(len(used), (count, *used.shape[1:]), generator=generator)
    drawn = torch.gather(used, 0, rows)
    total = 0
    for level, codebook in enumerate(model.network.quantiser.levels):
        total = total + codebook.code[drawn[..., level]]                          # (count, step, dim)
    return model.decode(total.permute(0, 2, 1))


def placed(drawn: Drawn, asked: Sequence[Request], people: dict[str, Person], planted: bool,
           as_asked: bool = True) -> list[Squat]:
    """One squat for each request on its person's body. ``as_asked``: closed to a loop and sized to the depth that was
    asked for; without it the movement is what the model gave, at the tempo that was asked for."""
    movements, poses = drawn
    movements = (closed(movements) if as_asked else movements).double().numpy()
    found = []
    for movement, pose, request in zip(movements, poses, asked, strict=True):
        person = people[request.person]
        at = times_of(request.descent_s, request.ascent_s)
        values = place(person.made, pose, movement, at, planted)
        size = 1.0
        for _ in range(RESIZED if as_asked else 0):        # planted feet bend the knees otherwise than they were
            size = resized(size, pose, values, request.knee_deg)
            values = place(person.made, pose, size * movement, at, planted)
        found.append(Squat(person.name, values))
    return found
