"""Ground reaction without force plates: what physics fixes, and what must stay inside soles and cones."""

import pytest
import torch

from generation.engine.body import TorchBody, load_body, scale_body, write_osim
from generation.engine.motion_data import load_repetitions
from generation.engine.physics import differentiate, inverse_dynamics
from generation.engine.physics.ground import STANDARD_GRAVITY, estimate_ground, total_wrench
from generation.engine.physics.ground_reaction import GroundReaction
from generation.engine.physics.ground_split import Habits

MASS = 71.0
RATE = 60.0


@pytest.fixture(scope="module")
def body(tmp_path_factory):
    folder = tmp_path_factory.mktemp("body")
    path = write_osim(scale_body("female", 40, 1.65, MASS), folder / "person.osim")
    return TorchBody(load_body(path, cache=folder), torch.float64)


@pytest.fixture(scope="module")
def squat(body):
    values = torch.tensor(load_repetitions()[20].values, dtype=torch.float64)
    return differentiate(values, RATE)


def posed(body, **degrees):
    q = body.neutral().double()
    for name, value in degrees.items():
        q[list(body.coordinates).index(name)] = torch.deg2rad(torch.tensor(float(value)))
    return q[None]


def estimate_still(body, q, **options):
    return estimate_ground(body, q, torch.zeros_like(q), torch.zeros_like(q), **options)


def test_standing_still_is_weight_under_the_centre_of_mass(body):
    q = posed(body, arm_flex_r=40)
    found = estimate_still(body, q)
    force, moment = found.total()
    weight = MASS * STANDARD_GRAVITY
    torch.testing.assert_close(force[0], torch.tensor([0.0, weight, 0.0]).double(), atol=0.05, rtol=0)
    com = body(q).com[0]
    torch.testing.assert_close(moment[0, 2] / weight, com[0], atol=1e-4, rtol=0)
    torch.testing.assert_close(-moment[0, 0] / weight, com[2], atol=1e-4, rtol=0)
    assert (found.margin > 0).all()


def test_the_feet_add_up_to_what_the_motion_asks_for(body, squat):
    found = estimate_ground(body, *squat)
    for ours, asked in zip(found.total(), total_wrench(body, *squat), strict=True):
        torch.testing.assert_close(ours, asked, atol=1e-8, rtol=0)
    moments = inverse_dynamics(body, *squat, found.wrenches())
    pelvis = [i for i, name in enumerate(body.coordinates) if name.startswith("pelvis")]
    assert moments[:, pelvis].abs().max() < 1e-7


def test_feet_press_outward_inside_their_soles_and_friction_cones(body, squat):
    found = estimate_ground(body, *squat)
    inside = found.margin.amin(-1) > 0  # where the feet can do it at all
    assert inside.float().mean() > 0.9
    level = torch.linalg.vector_norm(found.force[..., (0, 2)], dim=-1)
    # the pyramid's eight sides touch the cone, its corners stand out by 1 / cos(22.5 degrees)
    assert (level <= 1.09 * Habits().friction * found.force[..., 1] + 0.5)[inside].all()
    assert (found.force[..., 1] > 0)[inside].all()
    outward = torch.stack([-found.force[:, 0, 2], found.force[:, 1, 2]])
    assert (outward.mean(1) > 0.02 * MASS * STANDARD_GRAVITY).all()


def test_leaning_beyond_the_soles_is_told(body):
    assert (estimate_still(body, posed(body, hip_flexion_r=60, hip_flexion_l=60)).margin.amin() < 0) or \
           (estimate_still(body, posed(body, pelvis_tilt=-30)).margin.amin() < 0)


def test_a_mirrored_pose_mirrors_the_forces(body):
    pose = {"hip_flexion": 30, "knee_angle": 40, "ankle_angle": 10, "hip_adduction": -8}
    lean = {"lumbar_bending": 6.0, "pelvis_list": 3.0}
    right = estimate_still(body, posed(body, **{f"{name}_{side}": value for name, value in pose.items()
                                                for side in "rl"}, **lean))
    left = estimate_still(body, posed(body, **{f"{name}_{side}": value for name, value in pose.items()
                                               for side in "rl"}, **{name: -value for name, value in lean.items()}))
    assert abs(float(right.share()) - 0.5) > 0.02
    turn = torch.tensor([1.0, 1.0, -1.0]).double()
    torch.testing.assert_close(right.force, left.force.flip(-2) * turn, atol=1e-3, rtol=1e-4)
    torch.testing.assert_close(right.point, left.point.flip(-2) * turn, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(right.moment, left.moment.flip(-2) * -turn, atol=1e-3, rtol=1e-3)


def test_a_lifted_foot_carries_nothing(body):
    q = posed(body, hip_flexion_l=70, knee_angle_l=80)
    found = estimate_still(body, q)
    assert found.force[0, 1].abs().max() < 1.0
    assert float(found.share()) > 0.99


def test_a_seat_takes_what_the_feet_cannot(body):
    sitting = posed(body, **{f"{name}_{side}": 85 for name in ("hip_flexion", "knee_angle") for side in "rl"})
    without, found = estimate_still(body, sitting), estimate_still(body, sitting, seat=True)
    weight = MASS * STANDARD_GRAVITY
    assert without.margin.min() < -0.1  # nobody sits in the air
    assert 0.6 * weight < found.seat.force[0, 1] < weight
    assert found.margin.min() > 0
    force, moment = found.total()
    asked = total_wrench(body, sitting, torch.zeros_like(sitting), torch.zeros_like(sitting))
    torch.testing.assert_close(force, asked[0], atol=1e-8, rtol=0)
    torch.testing.assert_close(moment, asked[1], atol=1e-8, rtol=0)
    standing = estimate_still(body, posed(body), seat=True)
    assert standing.seat.force.abs().max() == 0


def test_gradient(body, squat):
    frames = [20, 45]
    q, u, udot = (x[frames] for x in squat)
    weights = torch.linspace(-1, 1, 2 * 2 * 3).double().reshape(2, 2, 3)

    def value(q, u, udot):
        found = estimate_ground(body, q, u, udot)
        return (found.force * weights).sum() + 100 * (found.point * weights).sum() + (found.moment * weights).sum()

    inputs = [x.clone().requires_grad_() for x in (q, u, udot)]
    exact = torch.autograd.grad(value(*inputs), inputs)
    generator = torch.Generator().manual_seed(1)
    for which in range(3):
        way = torch.randn(inputs[which].shape, generator=generator, dtype=torch.float64)
        step = 1e-5
        ends = []
        for sign in (1, -1):
            moved = [x.detach() for x in inputs]
            moved[which] = moved[which] + sign * step * way
            ends.append(value(*moved))
        numeric = float(ends[0] - ends[1]) / (2 * step)
        assert abs(float((exact[which] * way).sum()) - numeric) < 1e-4 * max(1.0, abs(numeric))


def test_single_precision_and_batch(body, squat):
    found = estimate_ground(body, *squat)
    single = TorchBody(load_of(body), torch.float32)
    batch = [torch.stack([x, x.flip(0)]).float() for x in squat]
    both = estimate_ground(single, *batch)
    assert both.force.shape == (2, len(squat[0]), 2, 3) and both.force.dtype == torch.float32
    alone = estimate_ground(single, *(x.float() for x in squat))
    torch.testing.assert_close(both.force[0], alone.force, atol=0.02, rtol=0)
    calm = found.margin.amin(-1) > 0.005
    assert (both.force[0] - found.force)[calm].abs().max() < 1.0
    assert (both.point[0] - found.point)[calm].abs().max() < 0.002


def load_of(body):
    """The BodyModel-like source of a TorchBody: its arrays are all that is read."""
    from generation.engine.body import BodyModel

    return BodyModel(b"", "", body.packed, {})


def test_frames_and_bad_input(body, squat):
    found = estimate_ground(body, *squat)
    some = found.at([3, 5])
    torch.testing.assert_close(some.force, found.force[[3, 5]])
    with pytest.raises(ValueError, match="coordinates"):
        estimate_ground(body, squat[0][:, :-1], squat[1], squat[2])
    with pytest.raises(ValueError, match="source"):
        GroundReaction(found.force, found.point, found.moment, "guessed")
    with pytest.raises(ValueError, match="2 feet"):
        GroundReaction(found.force[:, 0], found.point, found.moment, "plates")


def test_anything_gives_finite_numbers_and_gradients(body, squat):
    """Guidance passes through senseless motions: falling freely, jumping, limbs anywhere."""
    generator = torch.Generator().manual_seed(0)
    q = squat[0][:12].clone() + 0.5 * torch.randn(12, squat[0].shape[1], generator=generator, dtype=torch.float64)
    u = torch.randn(q.shape, generator=generator, dtype=torch.float64)
    udot = 20 * torch.randn(q.shape, generator=generator, dtype=torch.float64)
    udot[:3] = u[:3] = 0
    udot[:3, list(body.coordinates).index("pelvis_ty")] = -STANDARD_GRAVITY
    inputs = [x.requires_grad_() for x in (q, u, udot)]
    for seat in (False, True):
        found = estimate_ground(body, *inputs, seat=seat)
        parts = [found.force, found.point, found.moment, found.margin]
        assert all(torch.isfinite(part).all() for part in parts)
        for slope in torch.autograd.grad(sum(part.sum() for part in parts), inputs):
            assert torch.isfinite(slope).all()
