import math

import torch

from generation.engine.motion_model.flow import NUMBERS, Flow, Velocity, train_flow
from generation.engine.motion_model.mixture import Mixture


def normal(x):
    return -x.square().sum(1) / 2 - x.shape[1] / 2 * math.log(2 * math.pi)


def shifted(count: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Latents whose first number goes with what is told."""
    told = torch.randn(count, 1, generator=generator)
    x = torch.randn(count, NUMBERS, generator=generator)
    x[:, 0] = 0.3 * x[:, 0] + told[:, 0]
    return x, told


def test_an_untrained_flow_is_the_normal_distribution():
    flow = Flow(Velocity(2), [])
    x = torch.randn(4, NUMBERS, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(flow.log_density(x), normal(x), atol=0.05, rtol=0)
    drawn = flow.sample(2000, torch.Generator().manual_seed(1))
    torch.testing.assert_close(drawn.std(0), torch.ones(NUMBERS), atol=0.1, rtol=0)


def test_training_learns_what_is_told_and_an_interruption_changes_nothing(tmp_path):
    settings = {"told": 1, "steps": 120, "seed": 3, "name": "test"}
    whole = train_flow(shifted, **settings)
    x, told = shifted(8, torch.Generator().manual_seed(5))
    assert whole.log_density(x, told).mean() > whole.log_density(x, told.flip(0)).mean() + 0.1
    train_flow(shifted, **settings, checkpoints=tmp_path, stop_after=50)
    resumed = train_flow(shifted, **settings, checkpoints=tmp_path)
    for name, tensor in whole.velocity.state_dict().items():
        torch.testing.assert_close(resumed.velocity.state_dict()[name], tensor, rtol=0, atol=0)
    assert [row["step"] for row in resumed.curve] == [row["step"] for row in whole.curve]


def test_a_mixture_finds_two_clouds():
    g = torch.Generator().manual_seed(0)
    rows = torch.cat([0.2 * torch.randn(200, 2, generator=g) - 2, 0.2 * torch.randn(100, 2, generator=g) + 2])
    found = Mixture.fit(rows, 2, torch.Generator().manual_seed(1))
    order = found.mean[:, 0].argsort()
    torch.testing.assert_close(found.mean[order].float(), torch.tensor([[-2.0, -2], [2, 2]]), atol=0.1, rtol=0)
    torch.testing.assert_close(found.weight[order].float(), torch.tensor([2 / 3, 1 / 3]), atol=0.02, rtol=0)
    drawn = found.sample(500, torch.Generator().manual_seed(2))
    torch.testing.assert_close(drawn.mean(0), rows.mean(0), atol=0.3, rtol=0)
