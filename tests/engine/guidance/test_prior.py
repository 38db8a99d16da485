"""The prior as guidance sees it, and the candidates that begin with what it draws."""
from __future__ import annotations

import pytest
import torch

from generation.engine.body import COORDINATES, TorchBody
from generation.engine.guidance.candidates import Candidates
from generation.engine.guidance.planting import flat_height, plant, resting_x
from generation.engine.guidance.prior import Prior
from generation.engine.guidance.starts import depth_targets, fresh_start
from generation.engine.limits import Limit
from generation.engine.motion_model import RESIDUAL_VQVAE, load_motion_model
from generation.engine.motion_model.stances import POSED

LEG_M, HEIGHT_M = 0.9, 1.75
KNEES = [COORDINATES.index(f"knee_angle_{side}") for side in "rl"]


@pytest.fixture(scope="module")
def prior() -> Prior:
    return Prior(load_motion_model(), LEG_M)


@pytest.fixture(scope="module")
def vqvae() -> Prior:
    return Prior(load_motion_model(RESIDUAL_VQVAE), LEG_M)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_same_seed_draws_the_same_and_everything_is_there(prior):
    first, second = prior.sample(5, generator(3)), prior.sample(5, generator(3))
    for name in ("latent", "pose", "width", "toe_out", "stagger", "descent_s", "ascent_s"):
        torch.testing.assert_close(getattr(first, name), getattr(second, name), rtol=0, atol=0)
        assert len(getattr(first, name)) == 5
    assert first.pose.shape == (5, len(POSED)) and first.toe_out.shape == (5, 2)
    many = prior.sample(400, generator())
    assert 0.2 < float(many.width.mean()) < 0.6 and 0.5 < float(many.descent_s.median()) < 2
    assert not torch.allclose(prior.sample(5, generator(4)).latent, first.latent)


def test_movement_and_latent_are_one_another(prior):
    latent = prior.sample(4, generator()).latent
    torch.testing.assert_close(prior.encode(prior.offsets(latent)), latent, atol=5e-3, rtol=1e-3)


def test_the_depth_that_is_asked_is_reached(prior):
    asked = torch.tensor([95.0, 105.0, 120.0])
    knees = [prior.columns.index(column) for column in KNEES]
    bottom = prior.offsets(prior.sample(3, generator(), asked).latent)[:, prior.bottom, knees].mean(-1)
    torch.testing.assert_close(torch.rad2deg(bottom), asked, atol=0.5, rtol=0)


def test_people_cost_little_and_monsters_much(prior, vqvae):
    for one in (prior, vqvae):
        assert float(one.cost(one.latents).max()) < 0.1
        strange = (one.latents[:2] + 3 * one.spread * torch.randn(one.latents[:2].shape, generator=generator())
                   ).requires_grad_()
        cost = one.cost(strange)
        assert float(cost.detach().min()) > 0.5
        cost.sum().backward()
        closer = strange.detach() - 0.3 * one.spread * (strange.grad / strange.grad.abs().max())
        assert (one.cost(closer) < cost.detach()).all()


def test_a_model_of_movement_alone_is_drawn_from_too(vqvae):
    drawn = vqvae.sample(3, generator())
    assert drawn.latent.shape == (3, vqvae.latents.shape[1]) and drawn.pose is None
    assert vqvae.natural_knee_deg(3, 120.0) is None


def test_a_persons_next_repetitions_are_like_the_first(prior):
    latent = prior.sample(2, generator()).latent
    again = prior.again(latent, 30, generator(1))
    assert again.shape == (2, 30, latent.shape[1])
    others = prior.sample(30, generator(2)).latent

    def apart(a, b):
        return float((prior.offsets(a) - prior.offsets(b)).square().mean())

    assert 0 < apart(again[0], latent[:1].expand(30, -1)) < 0.5 * apart(others, latent[:1].expand(30, -1))


def test_unasked_depth_is_as_deep_as_people_go_and_no_deeper_than_allowed(prior):
    name, free = depth_targets((), 8, prior)
    assert name == "knee_flexion_peak" and (free.diff() > 0).all() and 80 < free[0] < free[-1] < 135
    for most in (110.0, 70.0):
        targets = depth_targets((Limit("knee_flexion_peak", max=most),), 8, prior)[1]
        assert targets.max() < most and targets.min() > 0.7 * most


def test_candidates_stand_as_the_people_who_were_drawn(prior):
    """Standing pose, stance and movement of the start come out of the planted candidates nearly as drawn."""
    body = TorchBody(dtype=torch.float64)
    height = body.scale.height_m
    _, depths = depth_targets((), 6, prior)
    start = fresh_start(prior, "knee_flexion_peak", depths, (), height, resting_x(body), generator(5))
    candidates = Candidates(prior, start, height)
    with torch.no_grad():
        stance = candidates.stance().to(body.lower)
        still = torch.zeros_like(candidates.curve()).to(body.lower)
        raw = candidates.unplanted(body, torch.zeros(1).numpy(), still, stance)
        torch.testing.assert_close(raw[:, 0, prior.posed].float(), start.pose, atol=1e-4, rtol=0)
        q = candidates.unplanted(body, torch.linspace(0, 1, 9).numpy(), candidates.curve().to(body.lower), stance)
        planted, residual = plant(body, q, stance, flat_height(body), 20, 1e-8)
    assert float(residual.max()) < 1e-6
    moved = torch.rad2deg((planted - q)[..., prior.posed].abs().mean())
    assert float(moved) < 8.0
    deepest = torch.rad2deg(planted[..., KNEES].mean(-1).amax(-1))
    assert float((deepest - depths).abs().mean()) < 12.0


def test_leaning_over_shifts_the_pelvis(prior):
    start = fresh_start(prior, "knee_flexion_peak", torch.tensor([90.0, 100.0]), (), HEIGHT_M, 0.0, generator())
    candidates = Candidates(prior, start, HEIGHT_M)
    before, column = candidates.curve(), prior.columns.index(COORDINATES.index("pelvis_tz"))
    candidates.lean_over(0.6)
    shift = (candidates.curve() - before)[..., column].mean(-1)
    torch.testing.assert_close(shift, 0.1 * start.width * start.amplitude, atol=2e-3, rtol=0.02)
