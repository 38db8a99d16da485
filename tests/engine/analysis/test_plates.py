"""Plates: forces come to the right foot at the right time, through the motion's own filter."""

import numpy as np
import pytest

from generation.engine.analysis import ground_from_plates
from generation.engine.formats import ExternalLoads, FormatError, PlateForce
from tests.engine.reference.squat import squat

RATE = 1000.0
TIMES = np.arange(1600) / RATE


def plate(body, x, z, newton=300.0, name="plate", height=0.0) -> PlateForce:
    force = np.tile([10.0, newton, -5.0], (len(TIMES), 1))
    point = np.tile([x, height, z], (len(TIMES), 1))
    return PlateForce(name, body, force, point, np.tile([0.0, 2.0, 0.0], (len(TIMES), 1)))


def feet() -> np.ndarray:
    import torch

    s = squat()
    return s["torch_body"].foot_contacts(s["torch_body"](torch.as_tensor(s["q"]))).mean((0, 2)).numpy()


def brought(*forces, times=None, cutoff=6.0):
    s = squat()
    return ground_from_plates(ExternalLoads(TIMES, forces), s["time"] if times is None else times, s["torch_body"],
                              s["q"], cutoff)


def test_force_point_and_moment_come_through():
    right, left = feet()
    ground, notes = brought(plate("calcn_r", right[0] + 0.05, right[2]), plate("calcn_l", left[0], left[2], 200.0))
    assert ground.source == "plates" and ground.seat is None and notes == ()
    np.testing.assert_allclose(ground.force[:, 0], np.tile([10, 300, -5], (31, 1)), atol=1e-6)
    np.testing.assert_allclose(ground.force[:, 1, 1], 200, atol=1e-6)
    np.testing.assert_allclose(ground.point[:, 0], np.tile([right[0] + 0.05, 0, right[2]], (31, 1)), atol=1e-6)
    np.testing.assert_allclose(ground.moment[:, 0], np.tile([0, 2, 0], (31, 1)), atol=1e-6)


def test_a_force_goes_to_the_foot_that_it_acts_under():
    right, left = feet()
    ground, notes = brought(plate("talus_r", right[0], right[2]),
                            plate("talus_r", left[0], left[2], 200.0, "plate 2"))
    np.testing.assert_allclose(ground.force[:, 1, 1], 200, atol=1e-6)
    assert len(notes) == 1 and "plate 2" in notes[0] and "left foot" in notes[0]


def test_two_plates_under_one_foot_add_up():
    right, left = feet()
    ground, _ = brought(plate("calcn_r", right[0] - 0.05, right[2]), plate("toes_r", right[0] + 0.05, right[2], 100.0),
                        plate("calcn_l", left[0], left[2]))
    np.testing.assert_allclose(ground.force[:, 0, 1], 400, atol=1e-6)
    np.testing.assert_allclose(ground.point[:, 0, 0], right[0] - 0.025, atol=1e-6)


def test_what_acts_under_no_foot_is_the_seats():
    right, left = feet()
    ground, notes = brought(plate("calcn_r", right[0], right[2]), plate("calcn_l", left[0], left[2]),
                            plate("pelvis", right[0] - 0.5, 0.0, 150.0, "chair", 0.45))
    np.testing.assert_allclose(ground.seat.force[:, 1], 150, atol=1e-6)
    np.testing.assert_allclose(ground.seat.point[:, 1], 0.45, atol=1e-9)
    assert notes == ()
    assert [body for body, _, _ in ground.wrenches()] == ["calcn_r", "calcn_l", "pelvis"]


def test_noise_is_filtered_as_force_and_moment():
    right, left = feet()
    noisy = plate("calcn_r", right[0], right[2])
    noisy.force[:, 1] += 100 * np.sin(2 * np.pi * 47 * TIMES)
    ground, _ = brought(noisy, plate("calcn_l", left[0], left[2]))
    assert np.abs(ground.force[3:-3, 0, 1].numpy() - 300).max() < 1      # a filter knows less at the ends
    raw, _ = brought(noisy, plate("calcn_l", left[0], left[2]), cutoff=None)
    assert np.abs(raw.force[:, 0, 1].numpy() - 300).max() > 20


def test_other_times_and_empty_plates_are_refused():
    right, left = feet()
    with pytest.raises(FormatError, match="not of one recording"):
        brought(plate("calcn_r", right[0], right[2]), times=squat()["time"] + 5)
    with pytest.raises(FormatError, match="under a foot"):
        brought(plate("calcn_r", right[0] - 0.6, right[2]))
