"""Smooth muscle geometry: consistent in itself, close to the paths, and honest outside of what it was fitted to."""

import numpy as np
import pytest
import torch

from generation.engine.body import MODEL_FILE, load_body
from generation.engine.motion_data import load_repetitions
from generation.engine.physics.muscle_geometry import RANGES, MuscleGeometry
from generation.engine.physics.muscle_paths import MusclePaths


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    return MusclePaths(load_body(MODEL_FILE, tmp_path_factory.mktemp("bodies")))


@pytest.fixture(scope="module")
def geometry(paths):
    return MuscleGeometry.fit(paths, dtype=torch.float64)


@pytest.fixture(scope="module")
def squats():
    values = np.concatenate([repetition.values for repetition in load_repetitions()])
    return torch.tensor(values[:: len(values) // 200].astype(float))


def test_squats_have_the_lengths_and_arms_of_the_paths(paths, geometry, squats):
    length, arm = paths.lengths_and_arms(squats)
    fitted_length, fitted_arm = geometry.lengths_and_arms(squats)
    length_rms = (fitted_length - length).square().mean(0).sqrt() * 1000
    arm_rms = (fitted_arm - arm).square().mean(0).sqrt().amax(-1) * 1000
    # upper gluteus maximus jumps on and off its cylinder; other paths bend at once where they leave theirs
    jumping = torch.tensor([name[:-2] in ("glmax1", "glmax2", "recfem", "vaslat") for name in paths.names])
    assert length_rms[~jumping].max() < 0.5
    assert arm_rms[~jumping].max() < 1.0
    assert geometry.left_out["glmax1_r"] > 0
    assert "soleus_r" not in geometry.left_out


def test_arms_are_minus_the_derivative_of_the_length(geometry, squats):
    q = squats[:20].clone().requires_grad_()
    pull = torch.randn(80, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    length, arms = geometry.lengths_and_arms(q)
    (gradient,) = torch.autograd.grad((length @ pull).sum(), q)
    assert torch.allclose(gradient, -(arms.detach() * pull[:, None]).sum(1), atol=1e-9)


def test_arms_have_the_right_gradient(geometry, squats):
    q = squats[10:11]
    columns = [geometry.coordinates.index(f"{name}_r") for name in ("hip_flexion", "knee_angle", "ankle_angle")]

    def arms(angles):
        return geometry.arms(q.index_copy(1, torch.tensor(columns), angles[None]), ("knee_angle_r",)).sum()

    assert torch.autograd.gradcheck(arms, q[0, columns].clone().requires_grad_())


def test_named_coordinates_are_columns_of_all(geometry, squats):
    every, some = geometry.arms(squats[:3]), geometry.arms(squats[:3], ("ankle_angle_l", "hip_flexion_r"))
    columns = [geometry.coordinates.index(name) for name in ("ankle_angle_l", "hip_flexion_r")]
    assert torch.equal(some, every[..., columns])
    assert torch.equal(geometry.lengths(squats[:3]), geometry.lengths_and_arms(squats[:3])[0])


def test_velocities_follow_the_lengths(geometry, squats):
    q, u = squats[:5], torch.linspace(-2, 2, 5 * squats.shape[1], dtype=torch.float64).reshape(5, -1)
    step = 1e-6
    change = (geometry.lengths(q + step * u) - geometry.lengths(q - step * u)) / (2 * step)
    assert torch.allclose(geometry.velocities(q, u), change, atol=1e-7)


def test_one_pose_is_the_same_in_any_batch_and_in_single_precision(geometry, squats):
    q = squats[:12].reshape(3, 4, -1)
    assert torch.allclose(geometry.arms(q)[2, 1], geometry.arms(q[2, 1]), atol=1e-12)
    single = MuscleGeometry(geometry.arrays)
    assert torch.allclose(single.lengths(q.float()).double(), geometry.lengths(q), atol=1e-5)
    assert torch.allclose(single.arms(q.float()).double(), geometry.arms(q), atol=1e-5)


def test_outside_its_range_a_length_goes_on_straight_and_says_so(geometry):
    knee = geometry.coordinates.index("knee_angle_r")
    top = np.radians(RANGES["knee_angle"][1])
    q = torch.zeros(3, len(geometry.coordinates), dtype=torch.float64)
    q[:, knee] = torch.tensor([top, top + 0.1, top + 0.2])
    assert geometry.outside(q)[:, knee].tolist() == [False, True, True]
    assert geometry.outside(q).sum() == 2
    length, arms = geometry.lengths_and_arms(q)
    assert torch.allclose(arms[0], arms[2], atol=1e-9)
    assert torch.allclose(length[2] - length[1], -0.1 * arms[0, :, knee], atol=1e-9)


def test_fits_are_the_same_each_time_and_kept_without_pickle(paths, tmp_path):
    fits = [MuscleGeometry.fit(paths, samples=256).arrays for _ in range(2)]
    assert all(np.array_equal(fits[0][key], fits[1][key]) for key in fits[0])
    np.savez(tmp_path / "fit.npz", **fits[0])
    with np.load(tmp_path / "fit.npz", allow_pickle=False) as kept:
        again = MuscleGeometry({key: kept[key] for key in kept.files})
    assert again.names == paths.names


def test_a_pose_of_another_body_is_refused(geometry):
    with pytest.raises(ValueError, match="5 columns"):
        geometry.lengths(torch.zeros(2, 5))
