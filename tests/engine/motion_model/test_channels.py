import numpy as np
import pytest
import torch

from generation.engine.body import COORDINATES
from generation.engine.motion_data import load_repetitions
from generation.engine.motion_data.mirror import mirror
from generation.engine.motion_model.channels import (
    BOTTOM,
    FRAMES,
    LEARNED,
    LEARNED_COORDINATES,
    channel_units,
    mirror_channels,
    normalise_phase,
    symmetric,
    to_learned,
)
from generation.engine.motion_model.preparation import TEST, VALIDATION, augment, people, split_by_person, warp_time


@pytest.fixture(scope="module")
def shipped():
    return load_repetitions()


def test_channels_and_back_give_the_learned_coordinates_back():
    values = torch.randn(3, 10, len(COORDINATES), dtype=torch.float64)
    standing = torch.randn(3, len(COORDINATES), dtype=torch.float64)
    legs = torch.tensor([0.8, 0.9, 1.0], dtype=torch.float64)
    channels = to_learned(values, standing, legs)
    back = channels * channel_units(legs, channels) + standing[:, None, LEARNED]
    torch.testing.assert_close(back, values[..., LEARNED])


def test_translations_are_in_leg_lengths():
    values = torch.zeros(4, len(COORDINATES))
    values[:, COORDINATES.index("pelvis_ty")] = -0.45
    channels = to_learned(values, torch.zeros(len(COORDINATES)), 0.9)
    torch.testing.assert_close(channels[:, LEARNED_COORDINATES.index("pelvis_ty")], torch.full((4,), -0.5))


def test_phase_puts_the_lowest_point_at_its_frame():
    bottom, frames = 70, 180
    values = np.zeros((frames, len(COORDINATES)))
    values[:, 4] = np.interp(np.arange(frames), [0, bottom, frames - 1], [0.9, 0.5, 0.9])
    normal = normalise_phase(values, bottom)
    assert normal.shape == (FRAMES, len(COORDINATES))
    assert normal[:, 4].argmin() == BOTTOM
    np.testing.assert_allclose(normal[[0, BOTTOM, -1], 4], [0.9, 0.5, 0.9], atol=1e-9)


def test_mirroring_channels_is_mirroring_the_motion():
    values, standing = np.random.default_rng(0).normal(size=(7, 39)), np.random.default_rng(1).normal(size=39)
    direct = to_learned(torch.tensor(mirror(values)), torch.tensor(mirror(standing)), 0.9)
    channels = to_learned(torch.tensor(values), torch.tensor(standing), 0.9)
    torch.testing.assert_close(mirror_channels(channels), direct)
    torch.testing.assert_close(mirror_channels(mirror_channels(channels)), channels)
    np.testing.assert_allclose(symmetric(standing), mirror(symmetric(standing)))


def test_nobody_is_in_two_groups(shipped):
    split = split_by_person(shipped)
    groups = [{s.name for s in people(group)} for group in (split.train, split.validation, split.test)]
    assert groups[1] == set(VALIDATION) and groups[2] == set(TEST)
    assert not (groups[0] & groups[1] or groups[0] & groups[2] or groups[1] & groups[2])
    assert sum(map(len, (split.train, split.validation, split.test))) == len(shipped)


def test_warped_time_keeps_start_bottom_and_end_and_never_runs_backwards():
    x = torch.arange(FRAMES, dtype=torch.float32)[None, :, None].repeat(50, 1, 2)
    warped = warp_time(x, torch.rand(50, 2, 2, generator=torch.Generator().manual_seed(0)) * 0.7 - 0.35)
    torch.testing.assert_close(warped[:, [0, BOTTOM, -1]], x[:, [0, BOTTOM, -1]])
    assert (warped.diff(dim=1) > 0).all() and not torch.allclose(warped, x)


def test_augmentation_is_repeatable_and_does_something():
    x, partner = torch.randn(2, 8, FRAMES, len(LEARNED))
    first, second = (augment(x, partner, torch.ones(len(LEARNED)), torch.Generator().manual_seed(5)) for _ in range(2))
    torch.testing.assert_close(first, second, rtol=0, atol=0)
    assert not torch.allclose(first, x)
