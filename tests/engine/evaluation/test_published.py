"""The published definitions against closed forms."""
import numpy as np
import pytest

from generation.engine.body import COORDINATES
from generation.engine.evaluation import published

RNG = np.random.default_rng(0)


def test_fidelity_is_the_distance_of_two_normal_distributions():
    real = np.array([-1.0, 1.0] * 50).reshape(2, 10, 5)              # mean 0, deviation 1
    assert published.fidelity(real, real) == 0
    assert published.fidelity(real, 3 * real + 2) == pytest.approx(2**2 + 2**2)


def test_fidelity_by_place_sees_what_the_one_number_does_not():
    real = RNG.normal(size=(200, 4, 3))
    shuffled = real.copy()
    shuffled[:, :2] += 5
    shuffled[:, 2:] -= 5
    other = real.copy()
    other[:, :2] -= 5
    other[:, 2:] += 5
    assert published.fidelity(shuffled, other) == pytest.approx(0, abs=0.05)
    assert published.fidelity_by_place(shuffled, other) == pytest.approx(100)


def test_diversity_of_an_even_and_of_a_single_value():
    even = np.linspace(0, 1, 1000).reshape(1, 100, 10)
    assert published.diversity(even) == pytest.approx(np.log(10), abs=1e-3)
    assert published.diversity(np.full((2, 5, 5), 3.0)) == 0


def test_floor_measures_of_points_that_sink_float_and_slide():
    still = np.zeros((61, 3, 3))
    still[:, 1:, 1] = 1.0                                            # two joints higher up
    found = published.floor([still])
    assert (found.penetration, found.floating, found.sliding) == (0, 0, 0)
    moved = still.copy()
    moved[:, 0, 0] = np.arange(61) / 60 * 0.3                        # 0.3 m/s along x
    moved[30:40, 0, 1] = -0.02                                       # ten frames 2 cm below the median
    moved[40:60, 0, 1] = 0.03                                        # twenty frames 3 cm above it
    found = published.floor([moved])
    assert found.penetration == pytest.approx(2 * 10 / 61)
    assert found.floating == pytest.approx(3 * 20 / 61)
    assert published.floor([moved * [1, 0, 1] + still]).sliding == pytest.approx(0.3)


def _motion(frames: int = 121) -> np.ndarray:
    return np.zeros((frames, len(COORDINATES)))


def test_asymmetry_omega_and_the_pelvis():
    values, time = _motion(), np.arange(121) / 60
    values[:, COORDINATES.index("hip_flexion_r")] = np.radians(6.0)
    assert published.asymmetry(values) == pytest.approx(2.0)          # one pair of three differs by 6 degrees
    values[:, COORDINATES.index("knee_angle_l")] = np.radians(70) * time
    assert published.omega(values) == pytest.approx(10.0)             # one of seven turns at 70 degrees/s
    values[:, COORDINATES.index("pelvis_ty")] = 0.5 * 1.2 * time**2
    assert published.com_acceleration(values) == pytest.approx(1.2)
    assert published.com_speed(values) == pytest.approx(1.2 * 1.0, rel=1e-6)      # mean over two seconds


def test_tilt_where_it_is_asked():
    values = _motion()
    values[40, COORDINATES.index("pelvis_tilt")] = np.radians(-20)
    assert published.tilt_at(values, (40, 40)) == pytest.approx(-20)
    assert published.tilt_at(values, (40, 41)) == pytest.approx(-10)


def test_window_violation_counts_both_sides():
    assert published.window_violation([0.2, 0.1, 0.4], (0.15, 0.25)) == pytest.approx((0 + 0.05 + 0.15) / 3)
