"""How people squat: one normal distribution over movement, standing pose, stance, tempo and body.

Few people are known, so the distribution has no more freedom than they can pay for. Every person counts the same. The
even and the odd part (what mirroring keeps, what it turns round) are independent and the odd part has mean zero, which
mirrored data would say exactly. The movement's covariance is drawn towards a product of one covariance over channels
and one over cosines (Kronecker; fitted by the flip-flop of Dutilleul 1999): how joints go together and how fast they
change, without what only these few people show. `COMPARISON.md` says what this is worth on people never seen, and what
a learned flow, mixtures and kernels are worth there.
"""

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from generation.engine.motion_model.channels import BOTTOM, LEARNED_COORDINATES
from generation.engine.motion_model.linear_code import COSINES, EVEN, SIZE, basis
from generation.engine.motion_model.stances import DESCRIBED, mirror_described

# Chosen on the validation people (`COMPARISON.md`); ours (E).
TOWARDS_PRODUCT = 0.5  # share of the movement's covariance that is the Kronecker product
AS_INSTRUCTED = 0.3  # weight of the repetitions done as instructed in the covariance; the rest counts all of them
FLOOR_DEG = 0.05  # deviation of every coefficient, spread over the frames
CROSS = 0.7  # of the covariance between the movement and everything else that is believed
LEAST_DEVIATION = 1e-3  # of the other numbers: rad, leg lengths, log seconds
FARTHEST = 2.0  # standard deviations: what is asked beyond is asked there, and the size of the movement does the rest
KNEES = [LEARNED_COORDINATES.index(f"knee_angle_{side}") for side in "rl"]


@dataclass(frozen=True)
class Population:
    """Normal distributions of the even numbers (movement EVEN, described, body) and of the odd ones (movement,
    described; mean zero); the odd ones of `described` are differences between the sides. even_within, odd_within:
    covariances of one person's repetitions around this person's mean."""

    even_mean: Tensor
    even: Tensor
    odd: Tensor
    even_within: Tensor
    odd_within: Tensor

    def to(self, device) -> "Population":
        return Population(*(getattr(self, f.name).to(device) for f in fields(self)))

    def tensors(self) -> dict[str, Tensor]:
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @property
    def movement_mean(self) -> Tensor:
        """(SIZE,)"""
        return torch.cat([self.even_mean[:EVEN], torch.zeros_like(self.odd[0, : SIZE - EVEN])])

    def sample(self, count: int, generator: torch.Generator, depth: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Coefficients (count, SIZE) and described (count, DESCRIBED) of new repetitions of as many new people.

        depth: (count,) knee flexion at the bottom away from standing (rad) that they are to have; as far as FARTHEST.
        """
        even = self.even_mean + _noise(self.even, count, generator)
        if depth is not None:
            even = self._reaching(even, depth.to(even))
        odd = _noise(self.odd, count, generator)
        return _joined(even, odd)

    def again(self, coefficients: Tensor, count: int, generator: torch.Generator) -> Tensor:
        """(..., count, SIZE) coefficients of further repetitions of whoever moves so: differences as between one
        person's repetitions."""
        shape = coefficients.shape[:-1]
        total = int(torch.tensor(shape).prod()) * count
        movement = torch.cat([_noise(self.even_within[:EVEN, :EVEN], total, generator),
                              _noise(self.odd_within[: SIZE - EVEN, : SIZE - EVEN], total, generator)], -1)
        return coefficients.unsqueeze(-2) + movement.reshape(*shape, count, SIZE).to(coefficients)

    def knee_depth(self) -> tuple[float, float]:
        """Mean and deviation over people of the knee flexion at the bottom, with the standing pose's, rad."""
        row = self._knee()
        row[EVEN + EVEN_DESCRIBED.index("knee_angle_r")] = 0.5**0.5  # the even number is the two knees' sum by root two
        return float(row @ self.even_mean), float((row @ self.even @ row).sqrt())

    def _knee(self) -> Tensor:
        """(even,) knee flexion at the bottom away from standing as a linear function of the even numbers."""
        knee = basis()[:EVEN, BOTTOM, KNEES].mean(-1)
        return torch.nn.functional.pad(knee, (0, len(self.even) - EVEN)).to(self.even)

    def _reaching(self, even: Tensor, depth: Tensor) -> Tensor:
        """Even numbers (count, even) moved to a depth (count,), by what goes with depth: drawn before, they are then
        drawn from the distribution given the depth (Matheron's rule)."""
        row = self._knee()
        goes_along = row @ self.even
        variance = goes_along @ row
        mean, reach = row @ self.even_mean, FARTHEST * variance.sqrt()
        wanted = depth.clamp(mean - reach, mean + reach)
        return even + (wanted - even @ row)[:, None] * goes_along / variance


def _noise(covariance: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """(count, n) normal with this covariance, which may lack rank."""
    size, axes = torch.linalg.eigh(covariance)
    drawn = torch.randn(count, len(size), generator=generator, dtype=torch.float64).to(covariance)
    return drawn * size.clamp_min(0).sqrt() @ axes.T


# ---- even and odd numbers of `described` ----------------------------------------------------------------------------


def _described_basis() -> tuple[Tensor, Tensor]:
    eye = torch.eye(len(DESCRIBED))
    mirrored = mirror_described(eye)
    found = []
    for sign in (1, -1):
        rows = [row / row.norm() for i, row in enumerate(eye + sign * mirrored)
                if float(row.norm()) > 1e-6 and not DESCRIBED[i].endswith("_l")]
        found.append(torch.stack(rows))
    return found[0], found[1]


_EVEN_ROWS, _ODD_ROWS = _described_basis()
EVEN_DESCRIBED = [DESCRIBED[int(row.abs().argmax())] for row in _EVEN_ROWS]


def _joined(even: Tensor, odd: Tensor) -> tuple[Tensor, Tensor]:
    described_even = even[:, EVEN : EVEN + len(_EVEN_ROWS)]
    described_odd = odd[:, SIZE - EVEN :]
    described = described_even @ _EVEN_ROWS.to(even) + described_odd @ _ODD_ROWS.to(odd)
    return torch.cat([even[:, :EVEN], odd[:, : SIZE - EVEN]], -1), described


def even_numbers(coefficients: Tensor, described: Tensor, body: Tensor) -> Tensor:
    """(n, EVEN + described + BODY): what mirroring keeps of n repetitions, body last."""
    return torch.cat([coefficients[:, :EVEN], described @ _EVEN_ROWS.T, body], 1)


# ---- fitting --------------------------------------------------------------------------------------------------------


def fit_population(coefficients: Tensor, described: Tensor, body: Tensor, person: list[str],
                   correct: Tensor, towards_product: float = TOWARDS_PRODUCT,
                   as_instructed: float = AS_INSTRUCTED) -> Population:
    """coefficients (n, SIZE), described (n, DESCRIBED), body (n, BODY), person and correct (n,) of the repetitions."""
    names = sorted(set(person))
    owner = torch.tensor([names.index(name) for name in person])
    parts = (even_numbers(coefficients, described, body).double(),
             torch.cat([coefficients[:, EVEN:], described @ _ODD_ROWS.T], 1).double())
    found = []
    for part, movement, centred in ((parts[0], EVEN, False), (parts[1], SIZE - EVEN, True)):
        mean = torch.zeros_like(part[0])
        if not centred:
            mean = _moments(part[correct], owner[correct], None)[0]
        spread = torch.zeros(part.shape[1], part.shape[1], dtype=part.dtype)
        for weight, chosen in ((as_instructed, correct), (1 - as_instructed, torch.ones_like(correct))):
            around = None if not centred else mean
            spread += weight * _moments(part[chosen], owner[chosen], around)[1]
        found.append((mean, _shrunk(spread, movement, towards_product)))
        away = part[correct] - _person_means(part[correct], owner[correct])
        within = away.T @ away / max(len(away) - len(owner[correct].unique()), 1)
        found[-1] += (_shrunk(within, movement, towards_product),)
    (even_mean, even, even_within), (_, odd, odd_within) = found
    return Population(*(t.float() for t in (even_mean, even, odd, even_within, odd_within)))


def _moments(part: Tensor, owner: Tensor, around: Tensor | None) -> tuple[Tensor, Tensor]:
    """Mean and covariance with every person counting the same."""
    weight = 1.0 / torch.bincount(owner).double()[owner]
    weight = (weight / weight.sum())[:, None]
    mean = (weight * part).sum(0) if around is None else around
    away = part - mean
    return mean, (weight * away).T @ away


def _person_means(part: Tensor, owner: Tensor) -> Tensor:
    means = torch.zeros(int(owner.max()) + 1, part.shape[1], dtype=part.dtype).index_add(0, owner, part)
    return (means / torch.bincount(owner).clamp_min(1)[:, None])[owner]


def _shrunk(covariance: Tensor, movement: int, towards_product: float) -> Tensor:
    shrunk = covariance.clone()
    own = covariance[:movement, :movement]
    target = kronecker(own)
    floor = (FLOOR_DEG * torch.pi / 180) ** 2 * 128
    shrunk[:movement, :movement] = (1 - towards_product) * own + towards_product * target
    shrunk[:movement, :movement] += floor * torch.eye(movement, dtype=own.dtype)
    # what the movement has to do with the rest: believed in part, which also keeps the whole a covariance
    believed = CROSS * (1 - towards_product) ** 0.5
    shrunk[:movement, movement:] *= believed
    shrunk[movement:, :movement] *= believed
    rest = shrunk[movement:, movement:]
    rest += torch.diag(0.1 * rest.diagonal() + LEAST_DEVIATION**2)
    return shrunk


def kronecker(covariance: Tensor, rounds: int = 10) -> Tensor:
    """The product of a covariance over cosines and one over channels that is most like `covariance`
    (cosine x channel, twice), scaled to its trace."""
    channels = len(covariance) // COSINES
    blocks = covariance.reshape(COSINES, channels, COSINES, channels)
    across = torch.eye(channels, dtype=covariance.dtype)
    for _ in range(rounds):
        slow = torch.einsum("iajb,ab->ij", blocks, _inverse(across)) / channels
        across = torch.einsum("iajb,ij->ab", blocks, _inverse(slow)) / COSINES
    product = torch.kron(slow, across)
    return product * covariance.trace() / product.trace()


def _inverse(covariance: Tensor) -> Tensor:
    steadied = covariance + torch.diag(1e-6 * covariance.diagonal().mean().expand(len(covariance)))
    return torch.linalg.inv(steadied)
