"""The optimum of effort against a bounded least-squares solver, and its gradient."""

import numpy as np
import pytest
import torch
from scipy.optimize import lsq_linear

from generation.engine.physics.reserves import (
    LEG_COORDINATES,
    RESERVES,
    is_reserve,
    reserve_forces,
    reserve_share,
    trusted_frames,
)
from generation.engine.physics.static_optimisation import StaticOptimisation, least_effort

LOWER, UPPER = torch.full((40,), 0.01, dtype=torch.float64), torch.ones(40, dtype=torch.float64)


def legs(count, hard, seed=0):
    """Random legs: target (count, 6), gear (count, 6, 40)."""
    generator = torch.Generator().manual_seed(seed)
    strength = 5 * torch.rand(40, generator=generator, dtype=torch.float64)
    gear = torch.randn(count, 6, 40, generator=generator, dtype=torch.float64) * strength
    return torch.randn(count, 6, generator=generator, dtype=torch.float64) * hard, gear


@pytest.mark.parametrize("hard", [5.0, 60.0, 2000.0])  # from a quarter of a leg at work to all of it saturated
def test_it_is_the_optimum(hard):
    target, gear = legs(60, hard)
    activation, reserve = least_effort(target, gear, LOWER, UPPER)
    single, _ = least_effort(target.float(), gear.float(), LOWER.float(), UPPER.float())
    torch.testing.assert_close((gear * activation[:, None]).sum(2) + reserve, target, rtol=0, atol=1e-9 * (100 + hard))
    for frame in range(len(target)):
        a = gear[frame].numpy()
        rows, right = np.vstack([np.eye(40), a]), np.r_[np.zeros(40), target[frame]]
        exact = lsq_linear(rows, right, (0.01, 1.0), "bvls", 1e-14)
        np.testing.assert_allclose(activation[frame], exact.x, atol=1e-8)
        np.testing.assert_allclose(single[frame], exact.x, atol=1e-4 + 1e-6 * hard)


def test_gradient_is_that_of_the_optimum():
    target, gear = legs(2, 20.0, seed=3)
    target, gear, lower, upper = target[:, :4], gear[:, :4, :9], LOWER[:9], UPPER[:9]
    activation, _ = least_effort(target, gear, lower, upper)
    assert ((activation > 0.011) & (activation < 0.999)).any() and (activation == 1).any()
    assert torch.autograd.gradcheck(lambda t, g: least_effort(t, g, lower, upper),
                                    (target.requires_grad_(), gear.requires_grad_()), eps=1e-7, atol=1e-5)


def test_a_frame_does_not_depend_on_the_others():
    target, gear = legs(50, 60.0)
    together, _ = least_effort(target, gear, LOWER, UPPER)
    for frame in (0, 31):
        alone, _ = least_effort(target[[frame]], gear[[frame]], LOWER, UPPER)
        torch.testing.assert_close(alone[0], together[frame], rtol=0, atol=1e-10)


def test_nothing_breaks_where_muscles_can_do_nothing():
    target, gear = legs(5, 100.0)
    gear = gear.clone()
    gear[0] = 0
    gear[1, 3] = 0
    gear[2] *= 1e6
    target[3] = 0
    target[4] *= 1e6
    for kind in (torch.float64, torch.float32):
        t, g = (x.clone().to(kind).detach().requires_grad_() for x in (target, gear))
        activation, reserve = least_effort(t, g, LOWER.to(kind), UPPER.to(kind))
        (activation.sum() + reserve.sum()).backward()
        for tensor in (activation, reserve, t.grad, g.grad):
            assert tensor.isfinite().all()
        torch.testing.assert_close(reserve[0].double(), target[0], rtol=1e-5, atol=1e-5)


def test_legs_are_solved_apart_and_put_in_place():
    names = [f"{name}_{side}" for side in "rl" for name in LEG_COORDINATES]
    coordinates = ["pelvis_tilt", *names, "lumbar_extension"]
    muscles = {
        "muscle_names": np.array([f"m{i}_{side}" for side in "rl" for i in range(8)]),
        "minimum_control": np.full(16, 0.01), "maximum_control": np.ones(16),
    }
    generator = torch.Generator().manual_seed(1)
    arms = torch.randn(2, 4, 16, len(coordinates), generator=generator, dtype=torch.float64) * 0.05
    capacity = 500 + 1000 * torch.rand(2, 4, 16, generator=generator, dtype=torch.float64)
    moments = torch.randn(2, 4, len(coordinates), generator=generator, dtype=torch.float64) * 40
    found = StaticOptimisation(muscles, coordinates).solve(moments, arms, capacity)
    for leg, side in enumerate("rl"):
        own = slice(8 * leg, 8 * leg + 8)
        columns = [coordinates.index(name) for name in names if name.endswith(side)]
        made = (arms[:, :, own][..., columns] * (capacity * found.activations)[:, :, own, None]).sum(-2)
        torch.testing.assert_close(made + found.reserves[..., columns], moments[..., columns], rtol=0, atol=1e-8)
    assert (found.reserves[..., [0, -1]] == 0).all()
    swapped = StaticOptimisation(muscles, coordinates).solve(moments[0, 2], arms[0, 2], capacity[0, 2])
    torch.testing.assert_close(swapped.activations, found.activations[0, 2], rtol=0, atol=1e-10)


def test_reserves():
    forces = reserve_forces(["pelvis_tx", "hip_rotation_l", "knee_angle_r", "knee_angle_r_beta", "mtp_angle_r"])
    assert "knee_angle_r_beta" not in forces
    assert forces["hip_rotation_l"] == RESERVES["hip_rotation"] < forces["pelvis_tx"]
    assert is_reserve("knee_angle_r") and not is_reserve("mtp_angle_l") and not is_reserve("lumbar_extension")
    assert reserve_share(torch.tensor([-100.0, 1.0]), torch.tensor([5.0, -1.0])).tolist() == pytest.approx([0.05, 0.05])


def test_activations_are_those_of_opensim(tmp_path):
    """One real squat, a few frames: forces under the feet, the same reserves, the arms as OpenSim's solver has them."""
    from generation.engine.body import MODEL_FILE, TorchBody, load_body
    from generation.engine.motion_data import load_repetitions
    from generation.engine.physics import MuscleCurves, differentiate, inverse_dynamics, knee_moments
    from generation.engine.physics.muscle_paths import MusclePaths
    from generation.engine.reference import analyse_with_opensim

    model = load_body(MODEL_FILE, cache=tmp_path)
    body, paths = TorchBody(model, torch.float64), MusclePaths(model)
    q, u, udot = differentiate(torch.tensor(load_repetitions()[60].values, dtype=torch.float64), 60.0)
    weight = model.mass_kg * 9.80665 / 2
    wrenches = []
    for side, foot in enumerate(("calcn_r", "calcn_l")):  # half the weight under the middle of each sole
        force = torch.tensor([0.0, weight, 0.0], dtype=torch.float64).expand(len(q), 3)
        wrenches.append((foot, force, torch.linalg.cross(body.foot_contacts(body(q))[:, side].mean(1), force, dim=-1)))
    frames = np.linspace(5, len(q) - 6, 3).astype(int)
    theirs = analyse_with_opensim(
        model.osim, model.coordinates, np.arange(len(q)) / 60.0, q.numpy(), u.numpy(), udot.numpy(),
        [(foot, force.numpy(), moment.numpy()) for foot, force, moment in wrenches], reserve_forces(model.coordinates),
        frames=frames)
    moments = knee_moments(body, inverse_dynamics(body, q, u, udot, wrenches))[frames]
    lengths, arms = paths.lengths_and_arms(q[frames])
    speeds = -(arms @ u[frames, :, None]).squeeze(-1)
    strength = MuscleCurves(model.muscles, torch.float64).capacity(lengths, speeds)
    ours = StaticOptimisation(model.muscles, model.coordinates).solve(moments, paths.tension_arms(q[frames]), strength)
    assert theirs.activations.max() > 0.2
    np.testing.assert_allclose(ours.activations, theirs.activations, atol=0.025)
    assert np.abs(ours.activations.numpy() - theirs.activations).mean() < 0.002
    np.testing.assert_allclose(ours.reserves, np.where([is_reserve(name) for name in model.coordinates],
                                                       theirs.reserves, 0.0), atol=0.5)


def test_a_frame_is_trusted_when_muscles_carry_it_and_the_knees_are_not_too_deep():
    shares = np.array([[0.0, 0.10], [0.0, 0.11], [0.0, 0.0], [0.0, 0.0]])
    knees = np.radians([[90.0, 90.0], [90.0, 90.0], [134.9, 20.0], [20.0, 135.1]])
    assert trusted_frames(shares, knees).tolist() == [True, False, True, False]
    assert trusted_frames(torch.tensor(shares), torch.tensor(knees)).tolist() == [True, False, True, False]
