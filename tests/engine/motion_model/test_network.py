import math

import pytest
import torch

from generation.engine.motion_model.network import VQVAE, Codebook, Quantiser, Shape
from generation.engine.motion_model.training import train

SMALL = Shape(channels=5, width=8, code_dim=4, codes=6, levels=2)


def waves(count=12, frames=128, channels=5) -> torch.Tensor:
    """Smooth made-up motions."""
    time = torch.linspace(0, 1, frames)
    phase = torch.rand(count, 1, channels, generator=torch.Generator().manual_seed(0))
    return torch.sin(math.pi * time[None, :, None] * (1 + 2 * phase)) * (0.5 + phase)


def test_shapes():
    network = VQVAE(SMALL).eval()
    z = network.encode(torch.randn(3, 128, 5))
    assert z.shape == (3, 4, 32)
    quantised, codes, commitment = network.quantiser(z)
    assert quantised.shape == z.shape and codes.shape == (3, 32, 2) and commitment.ndim == 0
    assert network.decode(quantised).shape == (3, 128, 5)


def test_quantised_latents_are_sums_of_codes():
    quantiser = Quantiser(SMALL).eval()
    for level in quantiser.levels:
        level.code.copy_(torch.randn_like(level.code))
    z = torch.randn(2, 4, 7)
    quantised, index, _ = quantiser(z)
    expected = sum(level.code[index[..., i]] for i, level in enumerate(quantiser.levels)).permute(0, 2, 1)
    torch.testing.assert_close(quantised, expected)
    one_level, _, _ = quantiser(z, used_levels=1)
    nearest = torch.cdist(z.permute(0, 2, 1), quantiser.levels[0].code).argmin(-1)
    torch.testing.assert_close(one_level, quantiser.levels[0].code[nearest].permute(0, 2, 1))


def test_gradient_passes_straight_through():
    quantiser = Quantiser(SMALL).eval()
    z = torch.randn(2, 4, 7, requires_grad=True)
    weight = torch.randn(2, 4, 7)
    (quantiser(z)[0] * weight).sum().backward()
    torch.testing.assert_close(z.grad, weight)


def test_codes_move_to_the_mean_of_what_chose_them():
    torch.manual_seed(0)
    book = Codebook(2, 3).train()
    book.started.fill_(True)
    book.code.copy_(torch.tensor([[0.0, 0, 0], [10, 10, 10]]))
    book.total.copy_(book.code)
    book.count.fill_(1.0)
    near = torch.tensor([[1.0, 2, 3], [3.0, 2, 1]])
    far = torch.full((2, 3), 12.0)
    for _ in range(900):
        book(torch.cat([near, far]))
    torch.testing.assert_close(book.code, torch.tensor([[2.0, 2, 2], [12, 12, 12]]), atol=0.01, rtol=0)


def test_a_dead_code_is_put_on_the_data():
    torch.manual_seed(0)
    book = Codebook(2, 3).train()
    book.started.fill_(True)
    book.code.copy_(torch.tensor([[0.0, 0, 0], [1000, 1000, 1000]]))
    book.total.copy_(book.code)
    book.count.fill_(1.0)
    for _ in range(400):
        book(torch.randn(8, 3))
    assert book.code.abs().max() < 10


def test_codes_do_not_move_when_not_training():
    book = Codebook(4, 3).eval()
    before = book.code.clone()
    book(torch.randn(8, 3))
    torch.testing.assert_close(book.code, before)


def test_training_lowers_the_error_and_an_interruption_changes_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("generation.engine.motion_model.training.augment", lambda x, *rest: x)
    monkeypatch.setattr("generation.engine.motion_model.training.VALIDATE_EVERY", 10)
    data = waves(channels=21)
    shape = Shape(channels=21, width=16, code_dim=8, codes=16, levels=2)
    settings = {"shape": shape, "steps": 80, "seed": 3, "validation": data}
    whole = train(data, **settings)
    assert whole.curve[-1]["validation_rmse"] < 0.8 * whole.curve[0]["validation_rmse"]
    train(data, **settings, checkpoints=tmp_path, stop_after=47)
    resumed = train(data, **settings, checkpoints=tmp_path)
    for name, tensor in whole.network.state_dict().items():
        torch.testing.assert_close(resumed.network.state_dict()[name], tensor, rtol=0, atol=0)
    assert resumed.curve == whole.curve


def test_a_checkpoint_of_another_run_is_not_continued(tmp_path):
    data = waves(channels=21)
    shape = Shape(channels=21, width=8, code_dim=4, codes=6, levels=1)
    settings = {"shape": shape, "steps": 3, "checkpoints": tmp_path}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("generation.engine.motion_model.training.augment", lambda x, *rest: x)
        train(data, seed=1, **settings)
        other = train(data, seed=2, **settings)
        fresh = train(data, shape=shape, steps=3, seed=2)
    for name, tensor in fresh.network.state_dict().items():
        torch.testing.assert_close(other.network.state_dict()[name], tensor, rtol=0, atol=0)
