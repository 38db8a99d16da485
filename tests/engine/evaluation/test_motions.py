"""Cutting, repeating and bringing to phase."""
import numpy as np

from generation.engine.body import COORDINATES
from generation.engine.evaluation import motions
from generation.engine.evaluation.placing import times_of
from generation.engine.evaluation.random_profiles import eased

HEIGHT = COORDINATES.index("pelvis_ty")


def _squat(hold: int = 30, half: int = 60) -> np.ndarray:
    drop = (1 - np.cos(np.linspace(0, 2 * np.pi, 2 * half + 1))) / 2
    values = np.zeros((2 * hold + len(drop), len(COORDINATES)))
    values[:, HEIGHT] = 0.9 - 0.4 * np.pad(drop, hold)
    values[:, COORDINATES.index("knee_angle_r")] = np.pad(drop, hold)
    return values


def test_standing_before_and_after_is_cut_off():
    whole, without = motions.cut(_squat(hold=40)), motions.cut(_squat(hold=0))
    np.testing.assert_allclose(whole, without)
    drop = 0.9 - whole[:, HEIGHT]
    assert drop[1] > 0.05 * 0.4 >= drop[0] and len(whole) < 121


def test_short_motions_are_repeated_and_long_ones_cut():
    values = np.arange(10.0)[:, None]
    np.testing.assert_array_equal(motions.tiled(values, 25)[:, 0], np.arange(25) % 10)
    assert len(motions.tiled(np.zeros((300, 2)))) == motions.PUBLISHED_FRAMES


def test_the_lowest_pelvis_is_in_the_middle_of_the_phase():
    uneven = np.concatenate([_squat(0)[:60:2], _squat(0)[60:]])
    assert motions.in_phase(uneven)[:, HEIGHT].argmin() == motions.BOTTOM


def test_units_are_those_of_a_file():
    values = np.full((3, len(COORDINATES)), np.pi)
    found = motions.columns(values)
    assert found[0, motions.LEARNED.index(HEIGHT)] == np.pi
    assert np.isclose(found, 180).sum(1).tolist() == [18, 18, 18]


def test_tempo_of_a_placed_movement():
    at = times_of(1.0, 2.0)
    assert len(at) == 181 and at[0] == 0 and at[60] == motions.BOTTOM and at[-1] == motions.FRAMES - 1
    held = eased(1.0, 0.5, 1.0)
    assert (np.diff(held) >= 0).all() and np.isclose(held, motions.BOTTOM).sum() >= 30
