"""A trained motion model as the rest of the engine uses it: load, encode, decode, draw, convert.

Two families stand behind `MotionModel`: `ContinuousModel`, what ships, and `QuantisedModel`, the VQ-VAEs that it is
measured against.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from generation.engine.motion_model.channels import BOTTOM, FRAMES, LEARNED_COORDINATES
from generation.engine.motion_model.linear_code import EVEN, basis, coefficients
from generation.engine.motion_model.network import VQVAE
from generation.engine.motion_model.population import Population


class ModelError(ValueError):
    """The model's files are missing, altered or of another body model; the message says what to do."""


@dataclass(frozen=True)
class StandingPose:
    """How somebody stands. pose (coordinate,) radians and metres, translations for a leg of `leg_length_m` metres."""

    subject: str
    pose: Tensor
    leg_length_m: float


@dataclass(frozen=True)
class Standing:
    """The standing poses that a model brings along.

    pose: (coordinate,) the left-right symmetric mean of the recorded people, translations in metres for
        `leg_length_m`. people: how each of them stands.
    """

    pose: Tensor
    leg_length_m: float
    people: list[StandingPose]


class MotionModel(ABC):
    """A frozen model of squats of FRAMES frames with the lowest pelvis at frame BOTTOM.

    Channels (LEARNED_COORDINATES) are physical: radians from standing; pelvis translations from standing in leg
    lengths.

    version: goes into every report; changes when the weights change. training_latents: (n, ...) latents of the
    training repetitions that were performed as instructed, and of their mirrors. Deliberate faults taught the model,
    but are no place to start from.
    """

    def __init__(self, training_latents: Tensor, standing: Standing, version: str):
        self.training_latents, self.version = training_latents, version
        self.standing_pose, self.standing_leg_length_m = standing.pose, standing.leg_length_m
        self.standing_poses = standing.people
        self.frames, self.bottom, self.coordinates = FRAMES, BOTTOM, LEARNED_COORDINATES

    @property
    def device(self) -> torch.device:
        return self.training_latents.device

    @abstractmethod
    def encode(self, x: Tensor) -> Tensor:
        """Channels (batch, FRAMES, channel) to latents (batch, ...)."""

    @abstractmethod
    def decode(self, z: Tensor) -> Tensor:
        """Latents (batch, ...) to channels (batch, FRAMES, channel). Differentiable."""

    @abstractmethod
    def unlikeness(self, z: Tensor) -> Tensor:
        """(batch,) how unlike what was learned: about 1 for a person's repetition. Differentiable."""


class ContinuousModel(MotionModel):
    """Latents are the coefficients of `linear_code`, in the axes and deviations of the population: (batch, SIZE), the
    even numbers first, about standard normal over people. Decoding is one matrix product."""

    def __init__(self, population: Population, training: Tensor, standing: Standing, version: str):
        """training: (n, SIZE) coefficients of the training repetitions performed as instructed, mirrors among them."""
        self.population = population
        parts = [_axes(population.even[:EVEN, :EVEN]), _axes(population.odd[: training.shape[1] - EVEN,
                                                                             : training.shape[1] - EVEN])]
        self._from_latent = torch.block_diag(*(grown for grown, _ in parts))  # (SIZE, SIZE), symmetric axes times size
        self._to_latent = torch.block_diag(*(shrunk for _, shrunk in parts))
        self._mean = population.movement_mean
        rows = basis().to(training)
        self._rows = (self._from_latent @ rows.flatten(1)).reshape(-1, FRAMES, rows.shape[-1])
        self._mean_motion = torch.einsum("s,stc->tc", self._mean, rows)
        super().__init__(self.from_coefficients(training), standing, version)

    def encode(self, x: Tensor) -> Tensor:
        return self.from_coefficients(coefficients(x))

    def from_coefficients(self, c: Tensor) -> Tensor:
        """Coefficients (..., SIZE) to latents."""
        return (c - self._mean) @ self._to_latent

    def to_coefficients(self, z: Tensor) -> Tensor:
        """Latents (..., SIZE) to coefficients."""
        return z @ self._from_latent + self._mean

    def decode(self, z: Tensor) -> Tensor:
        return (z @ self._rows.flatten(1)).reshape(*z.shape[:-1], *self._rows.shape[1:]) + self._mean_motion

    def unlikeness(self, z: Tensor) -> Tensor:
        """Mean square of the latent: the squared Mahalanobis distance from the population, a number."""
        return z.square().mean(-1)

    def sample(self, count: int, generator: torch.Generator, depth: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Latents (count, SIZE) and what goes with them, (count, DESCRIBED), of as many new people.

        depth: (count,) knee flexion at the bottom away from standing, rad.
        """
        found, described = self.population.sample(count, generator, depth)
        return self.from_coefficients(found), described

    def again(self, z: Tensor, count: int, generator: torch.Generator) -> Tensor:
        """(..., count, SIZE) latents of further repetitions of whoever moves as z (..., SIZE)."""
        return self.from_coefficients(self.population.again(self.to_coefficients(z), count, generator))


def _axes(covariance: Tensor) -> tuple[Tensor, Tensor]:
    """Latent to coefficients and back, as matrices multiplied from the right; the widest axis first."""
    size, axes = torch.linalg.eigh(covariance.double())
    size, axes = size.flip(0).sqrt(), axes.flip(1)
    axes = axes * torch.where(axes.sum(0) < 0, -1.0, 1.0)  # eigenvectors have no sign of their own
    return (size[:, None] * axes.T).to(covariance), (axes / size).to(covariance)


class QuantisedModel(MotionModel):
    """A VQ-VAE: latents (batch, code_dim, FRAMES / 4), of training repetitions before quantisation."""

    def __init__(self, network: VQVAE, mean: Tensor, spread: Tensor, training_latents: Tensor, standing: Standing,
                 version: str):
        """mean, spread: (channel,) of the standardised channels in which the network works."""
        super().__init__(training_latents, standing, version)
        self.network = network.eval().requires_grad_(False)
        self.mean, self.spread = mean, spread
        self._deviation = training_latents.std((0, 2)).clamp_min(1e-4)[:, None]

    @property
    def code_dim(self) -> int:
        return self.network.shape.code_dim

    def encode(self, x: Tensor) -> Tensor:
        """Before quantisation."""
        return self.network.encode((x - self.mean) / self.spread)

    def quantise(self, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Latents to the nearest codes (same shape, straight-through gradient), their indices (batch, FRAMES / 4,
        level) and the commitment term (scalar)."""
        return self.network.quantiser(z)

    def decode(self, z: Tensor) -> Tensor:
        """Of latents quantised or not."""
        return self.network.decode(z) * self.spread + self.mean

    def unlikeness(self, z: Tensor) -> Tensor:
        """Mean squared distance, in standard deviations, from the nearest codes: the decoder has only ever seen
        codes."""
        with torch.no_grad():
            code = self.quantise(z)[0]
        return ((z - code) / self._deviation).square().mean((-2, -1))
