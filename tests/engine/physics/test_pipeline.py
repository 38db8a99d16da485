"""The fast route from end to end: in pieces or at once, a motion's result and gradient are the same."""

import pytest
import torch

from generation.engine.physics import pipeline
from tests.engine.reference.squat import RATE, squat


@pytest.fixture(scope="module")
def fast():
    return pipeline.fast_body(squat()["body"], torch.float64)


def found(fast, motions):
    motions = motions.clone().requires_grad_()
    result = pipeline.fast_motion(fast, motions, RATE)
    total = result.activations.sum() + sum(load.sum() for load in result.loads.values()) / 1000
    return result, torch.autograd.grad(total, motions)[0]


@pytest.mark.parametrize("in_memory", [0, 8192])
def test_many_frames_are_solved_in_pieces(fast, monkeypatch, in_memory):
    motions = torch.as_tensor(squat()["q"]) * torch.tensor([1.0, 0.98, 0.96])[:, None, None]
    whole, slope = found(fast, motions)
    monkeypatch.setattr(pipeline, "FRAMES", 40)
    monkeypatch.setattr(pipeline, "FRAMES_IN_MEMORY", in_memory)
    pieces, own = found(fast, motions)
    for name in ("com", "com_velocity", "moments", "activations", "muscle_forces", "reserves", "capacity"):
        assert getattr(pieces, name).shape == getattr(whole, name).shape
        torch.testing.assert_close(getattr(pieces, name), getattr(whole, name), rtol=1e-7, atol=1e-7)
    assert set(pieces.loads) == set(whole.loads)
    for name, load in whole.loads.items():
        torch.testing.assert_close(pieces.loads[name], load, rtol=1e-7, atol=1e-6)
    torch.testing.assert_close(own, slope, rtol=1e-6, atol=1e-6)
    alone = pipeline.fast_motion(fast, motions[1], RATE).activations
    torch.testing.assert_close(alone, whole.activations[1], rtol=1e-7, atol=1e-7)
