import math

import pytest
import torch

from generation.engine.motion_model.channels import BOTTOM, FRAMES, LEARNED_COORDINATES, mirror_channels
from generation.engine.motion_model.comparison import population_density
from generation.engine.motion_model.linear_code import (
    COSINES,
    EVEN,
    SIZE,
    basis,
    coefficients,
    mirror_coefficients,
)
from generation.engine.motion_model.population import (
    EVEN_DESCRIBED,
    FARTHEST,
    KNEES,
    fit_population,
    kronecker,
)
from generation.engine.motion_model.stances import BODY, DESCRIBED, mirror_described


def made_up(count=24, seed=0):
    """Coefficients, described, body, names and correctness of made-up people whose knees bend by different amounts."""
    g = torch.Generator().manual_seed(seed)
    x = 0.03 * torch.randn(count, SIZE, generator=g) @ torch.diag(0.5 ** (torch.arange(SIZE) % COSINES / 2))
    time = torch.linspace(0, 1, FRAMES)
    bend = torch.zeros(count, FRAMES, len(LEARNED_COORDINATES))
    depth = 1.6 + 0.3 * torch.randn(count // 4, generator=g).repeat_interleave(4)
    bend[..., KNEES] = depth[:, None, None] * torch.sin(math.pi * time)[None, :, None] ** 2
    described = 0.1 * torch.randn(count, len(DESCRIBED), generator=g)
    body = torch.tensor([1.7, 0.52, 0.47]) + 0.02 * torch.randn(count, len(BODY), generator=g)
    names = [f"p{i // 4}" for i in range(count)]
    return coefficients(bend) + x, described, body, names, torch.arange(count) % 3 > 0


@pytest.fixture(scope="module")
def population():
    return fit_population(*made_up())


def test_the_code_is_orthonormal_and_mirroring_turns_the_odd_half_round():
    rows = basis().flatten(1)
    torch.testing.assert_close(rows @ rows.T, torch.eye(SIZE), atol=1e-5, rtol=0)
    c = torch.randn(3, SIZE, generator=torch.Generator().manual_seed(1))
    x = torch.einsum("stc,bs->btc", basis(), c)
    torch.testing.assert_close(coefficients(x), c, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(coefficients(mirror_channels(x)), mirror_coefficients(c), atol=1e-4, rtol=1e-4)


def test_a_product_of_covariances_is_found_again():
    g = torch.Generator().manual_seed(2)
    slow, across = (torch.cov(torch.randn(n, 4 * n, generator=g, dtype=torch.float64)) for n in (COSINES, 5))
    product = torch.kron(slow, across)
    torch.testing.assert_close(kronecker(product), product, atol=1e-6, rtol=1e-3)


def test_every_person_counts_the_same():
    found, described, body, names, correct = made_up()
    correct = torch.ones_like(correct)
    again = [torch.cat([t, t[:4]]) for t in (found, described, body, correct)]
    double = fit_population(*again[:3], [*names, *names[:4]], again[3])
    torch.testing.assert_close(double.even_mean, fit_population(found, described, body, names, correct).even_mean)
    torch.testing.assert_close(double.odd, fit_population(found, described, body, names, correct).odd)


def test_samples_repeat_and_have_the_distributions_mean_and_covariance(population):
    first, second = (population.sample(5, torch.Generator().manual_seed(4)) for _ in range(2))
    torch.testing.assert_close(first, second, rtol=0, atol=0)
    drawn, described = population.sample(6000, torch.Generator().manual_seed(5))
    torch.testing.assert_close(drawn.mean(0), population.movement_mean, atol=0.03, rtol=0)
    torch.testing.assert_close(drawn[:, :EVEN].var(0), population.even.diagonal()[:EVEN], atol=1e-4, rtol=0.15)
    tempo = described[:, DESCRIBED.index("descent_s")]
    place = EVEN + EVEN_DESCRIBED.index("descent_s")
    assert float(tempo.mean()) == pytest.approx(float(population.even_mean[place]), abs=0.02)


def test_mirrored_squats_are_as_likely(population):
    found = made_up(seed=3)[0]
    torch.testing.assert_close(population_density(population, found),
                               population_density(population, mirror_coefficients(found)))
    described = torch.randn(2, len(DESCRIBED))
    torch.testing.assert_close(mirror_described(mirror_described(described)), described)


def test_the_depth_that_is_asked_is_drawn_with_all_that_goes_along(population):
    depth = torch.tensor([1.5, 1.6, 1.7]).repeat(2000)
    drawn, _ = population.sample(6000, torch.Generator().manual_seed(6), depth)
    knees = torch.einsum("stc,bs->btc", basis(), drawn)[:, BOTTOM, KNEES].mean(-1)
    torch.testing.assert_close(knees, depth, atol=1e-3, rtol=0)
    row = basis()[:EVEN, BOTTOM, KNEES].mean(-1)
    even = population.even[:EVEN, :EVEN]
    given = even - torch.outer(even @ row, even @ row) / (row @ even @ row)
    apart = drawn[0::3, :EVEN].var(0)
    torch.testing.assert_close(apart, given.diagonal(), atol=1e-4, rtol=0.2)


def test_what_nobody_did_is_asked_no_further_than_people_reach(population):
    drawn, _ = population.sample(1, torch.Generator().manual_seed(7), torch.tensor([9.0]))
    knees = torch.einsum("stc,bs->btc", basis(), drawn)[:, BOTTOM, KNEES].mean()
    row = torch.nn.functional.pad(basis()[:EVEN, BOTTOM, KNEES].mean(-1), (0, len(population.even) - EVEN))
    reach = row @ population.even_mean + FARTHEST * (row @ population.even @ row).sqrt()
    assert float(knees) == pytest.approx(float(reach), abs=1e-3)


def test_one_person_again_differs_less_than_people_do(population):
    mine = population.sample(1, torch.Generator().manual_seed(8))[0]
    again = population.again(mine, 500, torch.Generator().manual_seed(9))
    assert again.shape == (1, 500, SIZE)
    others = population.sample(500, torch.Generator().manual_seed(10))[0]
    assert 0 < float((again - mine).square().mean()) < float((others - others.mean(0)).square().mean())
