"""Measures against closed forms and against poses made by hand."""
from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from generation.engine.body import COORDINATES, TorchBody, scale_body
from generation.engine.limits import Limit
from generation.engine.metrics import check_limits, measure, measure_phases, measure_repetitions, measure_series
from generation.engine.metrics.series import GRAVITY
from generation.engine.metrics.smoothness import log_dimensionless_jerk, spectral_arc_length
from generation.engine.metrics.support import support_margin

RATE = 60.0


@pytest.fixture(scope="module")
def body() -> TorchBody:
    return TorchBody(scale_body("female", 40, 1.65, 60), dtype=torch.float64)


def still(body: TorchBody, frames: int = 20, **degrees_or_metres) -> torch.Tensor:
    q = body.neutral().expand(frames, -1).clone()
    for name, value in degrees_or_metres.items():
        scale = 1.0 if name.endswith(("_tx", "_ty", "_tz")) else math.pi / 180
        q[:, COORDINATES.index(name)] = torch.as_tensor(value, dtype=q.dtype) * scale
    return q


def series(body, q):
    return measure_series(body, q, torch.arange(len(q), dtype=q.dtype) / RATE)


def test_support_margin_of_a_square_with_points_inside_it():
    outline = torch.tensor([[0., 0.], [2., 0.], [2., 2.], [0., 2.], [1., 1.], [0.5, 1.5]])
    points = torch.tensor([[1., 1.], [0.25, 1.], [3., 1.], [1., -0.5], [2., 2.]])
    assert support_margin(outline, points).tolist() == pytest.approx([1.0, 0.25, -1.0, -0.5, 0.0])


def test_support_margin_is_batched_and_falls_by_the_distance_moved():
    outline = torch.rand(4, 5, 12, 2, generator=torch.Generator().manual_seed(1))
    point = outline.mean(-2, keepdim=True).requires_grad_()
    margin = support_margin(outline, point)
    assert margin.shape == (4, 5, 1) and (margin > 0).all()
    margin.sum().backward()
    assert torch.allclose(point.grad.norm(dim=-1), torch.ones(4, 5, 1), atol=1e-5)


def test_signs_of_joint_variables(body):
    seen = series(body, still(body, knee_angle_r=40, hip_adduction_l=-12, hip_rotation_r=7, ankle_angle_l=9,
                              lumbar_extension=-15, pelvis_tilt=-20)).series
    assert seen["knee_flexion"][:, 0].tolist() == pytest.approx([40, 0])
    assert seen["hip_adduction"][:, 0].tolist() == pytest.approx([0, -12])
    assert seen["hip_internal_rotation"][0, 0].item() == pytest.approx(7)
    assert seen["ankle_dorsiflexion"][1, 0].item() == pytest.approx(9)
    assert seen["lumbar_flexion"][0].item() == pytest.approx(15)
    assert seen["pelvis_tilt"][0].item() == pytest.approx(-20)
    assert seen["trunk_forward_lean"][0].item() == pytest.approx(35, abs=0.5)     # the feet, so the heading, turned


@pytest.mark.parametrize("turned", [0.0, 70.0, -160.0])
def test_trunk_lean_follows_the_way_the_person_faces(body, turned):
    seen = series(body, still(body, pelvis_rotation=turned, lumbar_extension=-25)).series
    assert seen["trunk_forward_lean"][0].item() == pytest.approx(25, abs=1e-6)
    assert seen["trunk_lateral_lean"][0].item() == pytest.approx(0, abs=1e-6)
    seen = series(body, still(body, pelvis_rotation=turned, lumbar_bending=10)).series
    assert seen["trunk_lateral_lean"][0].item() == pytest.approx(10, abs=1e-6)


def test_a_horizontal_thigh_is_parallel(body):
    seen = series(body, still(body, hip_flexion_r=90, hip_flexion_l=45)).single
    assert seen["thigh_inclination_peak"].tolist() == pytest.approx([90, 45], abs=1.5)      # hip to knee, not bone axis


def test_a_knee_turned_inwards_is_medial_on_both_sides(body):
    flexed = {f"{name}_{side}": value for side in "rl" for name, value in (("hip_flexion", 60), ("knee_angle", 90))}
    straight = series(body, still(body, **flexed)).series["knee_medial_displacement"]
    # a thigh that turns inwards swings the shin out: the knee comes to lie inside the foot
    turned = still(body, **flexed, hip_rotation_r=20, hip_rotation_l=20)
    inwards = series(body, turned).series["knee_medial_displacement"]
    assert torch.allclose(straight[0], straight[1], atol=1e-6) and torch.allclose(inwards[0], inwards[1], atol=1e-6)
    assert (inwards > straight + 4).all()


def test_heel_height_slide_penetration_and_drop_of_a_lifted_and_moved_body(body):
    frames = 30
    ramp = np.linspace(0, 1, frames)
    neutral = float(body.neutral()[COORDINATES.index("pelvis_ty")])
    seen = series(body, still(body, frames, pelvis_ty=neutral + 0.02 * ramp, pelvis_tx=0.05 * ramp))
    assert seen.series["heel_height"][:, -1].tolist() == pytest.approx([2, 2], abs=0.05)
    assert seen.single["foot_slide"].tolist() == pytest.approx([50, 50], abs=1e-6)
    assert seen.single["floor_penetration"].max().item() < 0.5
    sunk = series(body, still(body, frames, pelvis_ty=neutral - 0.03 * ramp))
    assert sunk.single["floor_penetration"].tolist() == pytest.approx([30, 30], abs=0.5)
    assert sunk.single["pelvis_drop"].item() == pytest.approx(3.0)
    assert sunk.single["pelvis_drop_percent"].item() == pytest.approx(3.0 / float(sunk.leg_length))


def test_margin_of_stability_is_static_when_still_and_falls_with_speed(body):
    resting = series(body, still(body)).series
    assert torch.allclose(resting["margin_of_stability"], resting["static_balance_margin"])
    speed, frames = 0.3, 40
    moving = series(body, still(body, frames, pelvis_tx=-speed * np.arange(frames) / RATE))
    height = float(moving.com[0, 1])
    fall = (moving.series["static_balance_margin"] - moving.series["margin_of_stability"])[10]
    # Hof 2005 with a pendulum from the ankles, which stand a few centimetres above the floor
    assert float(fall) == pytest.approx(100 * speed * math.sqrt((height - 0.08) / GRAVITY), rel=0.05)
    assert moving.single["com_speed_peak"].item() == pytest.approx(speed, rel=1e-6)


def test_asymmetry_and_knee_speed(body):
    t = np.arange(61) / RATE
    q = still(body, 61, knee_angle_r=30 + 20 * np.sin(2 * np.pi * t), knee_angle_l=20 + 20 * np.sin(2 * np.pi * t))
    seen = series(body, q).single
    assert seen["knee_flexion_asymmetry"].item() == pytest.approx(10)
    assert seen["knee_flexion_speed_peak"].tolist() == pytest.approx([40 * np.pi] * 2, rel=0.005)


def test_derivative_does_not_need_even_times(body):
    even = torch.linspace(0, 1, 200, dtype=torch.float64)
    uneven = even**1.5 + 0.2 * even
    q = body.neutral().expand(200, -1).clone()
    q[:, COORDINATES.index("pelvis_tx")] = 0.4 * uneven
    assert measure_series(body, q, uneven).single["com_speed_peak"].item() == pytest.approx(0.4, rel=1e-6)


def test_phases_of_a_trapezoid_of_height():
    times = np.arange(0, 6, 1 / RATE)
    height = np.interp(times, [0, 1, 3, 3.5, 5, 6], [1, 1, 0.5, 0.5, 1, 1])
    phases = measure_phases(height, times)
    assert (phases.descent_s, phases.pause_s, phases.ascent_s) == pytest.approx((2.0, 0.5, 1.5), abs=0.04)
    assert phases.descent_start == pytest.approx(1.0, abs=0.02)
    names = [part["name"] for part in phases.document(6.0)]
    assert names == ["stand", "descent", "bottom", "ascent", "stand"]


@pytest.mark.parametrize("height", [np.zeros(100), np.linspace(0, 1, 100), np.linspace(1, 0, 100)])
def test_no_squat_has_no_phases(height):
    with pytest.raises(ValueError):
        measure_phases(height, np.arange(100) / RATE)


def bell(frames: int = 121) -> np.ndarray:
    t = np.linspace(0, 1, frames)
    return 30 * t**2 * (1 - t) ** 2


def test_smoothness_of_a_minimum_jerk_movement_is_known_and_any_tremor_is_worse():
    speed = bell()
    # minimum jerk: duration^3 / peak^2 * integral jerk^2 = 720 / 1.875^2
    assert log_dimensionless_jerk(speed, 120.0) == pytest.approx(-math.log(720 / 1.875**2), rel=0.03)
    assert log_dimensionless_jerk(3 * speed, 120.0) == pytest.approx(log_dimensionless_jerk(speed, 120.0))
    tremor = speed * (1 + 0.5 * np.sin(2 * np.pi * 6 * np.linspace(0, 1, 121)))
    assert log_dimensionless_jerk(tremor, 120.0) < log_dimensionless_jerk(speed, 120.0) - 1
    assert spectral_arc_length(tremor, 120.0) < spectral_arc_length(speed, 120.0) < -1.3


def test_checks_report_the_worst_value_its_side_and_its_time(body):
    t = np.arange(121) / RATE
    bend = 50 * np.sin(np.pi * t / 2) ** 2
    q = still(body, 121, knee_angle_r=bend, knee_angle_l=bend * 1.1)
    seen = series(body, q)
    limits = [Limit("knee_flexion", None, 0, 52), Limit("knee_flexion", "right", None, 52),
              Limit("knee_flexion_peak", None, 60), Limit("descent_s", None, 1)]
    both, right, peak, descent = check_limits(limits, seen, None, torch.from_numpy(t))
    assert not both.satisfied and (both.worst, both.worst_side) == (pytest.approx(55), "left")
    assert both.worst_time_s == pytest.approx(1.0) and both.margin == pytest.approx(-3)
    assert (both.lowest, both.highest) == (pytest.approx(0, abs=1e-9), pytest.approx(55))
    assert right.satisfied and right.highest == pytest.approx(50) and right.worst == pytest.approx(50)
    assert right.margin == pytest.approx(2)
    assert not peak.satisfied and (peak.worst, peak.worst_side, peak.worst_time_s) == (pytest.approx(50), "right", None)
    assert not descent.satisfied            # nothing was measured: a limit is never satisfied by default
    assert "at most 52 deg" in both.sentence() and "left" in both.sentence()
    assert "cannot be measured" in descent.sentence()


def test_the_tolerance_is_a_hundredth_of_a_unit(body):
    seen = series(body, still(body, knee_angle_r=50, knee_angle_l=50))
    times = torch.arange(20) / RATE
    assert check_limits([Limit("knee_flexion", None, None, 49.991)], seen, None, times)[0].satisfied
    assert not check_limits([Limit("knee_flexion", None, None, 49.98)], seen, None, times)[0].satisfied


def test_measures_of_a_sinking_body(body):
    t = np.arange(0, 4, 1 / RATE)
    neutral = float(body.neutral()[COORDINATES.index("pelvis_ty")])
    drop = 0.1 * (1 - np.cos(np.pi * t / 2)) / 2
    seen = measure(body, still(body, len(t), pelvis_ty=neutral - drop), RATE)
    metrics = seen.metrics
    assert metrics["pelvis_speed_m_s"] == pytest.approx(0.05, rel=0.02)        # 0.2 m in 4 s
    assert metrics["asymmetry_deg"] == pytest.approx(0, abs=1e-9)
    assert metrics["penetration_cm"] == pytest.approx(5, abs=0.1)
    assert metrics["depth_pelvis_drop_cm"] == pytest.approx(10, abs=0.01)
    tilting = still(body, len(t), pelvis_ty=neutral - drop, pelvis_tilt=-300 * drop)
    metrics = measure(body, tilting, RATE).metrics
    assert metrics["pelvis_tilt_bottom_deg"] == pytest.approx(-30, abs=0.1)
    assert metrics["omega_deg_s"] == pytest.approx(60 / 4 / 7, rel=0.02)       # one of seven angles moves


# ---- phases, repetitions, and what was added to the registry ------------------------------------------------------

def squats(body, depths, seconds: float = 2.0, stand: float = 0.5) -> torch.Tensor:
    """Squats of these depths (deg of knee bend) without planted feet, each down and up as a raised cosine."""
    parts = [np.zeros(int(stand * RATE))]
    for depth in depths:
        t = np.arange(int(2 * seconds * RATE)) / (2 * seconds * RATE)
        parts += [depth * (1 - np.cos(2 * np.pi * t)) / 2, np.zeros(int(stand * RATE))]
    bend = np.concatenate(parts)
    neutral = float(body.neutral()[COORDINATES.index("pelvis_ty")])
    return still(body, len(bend), knee_angle_r=bend, knee_angle_l=bend * 0.9, pelvis_ty=neutral - 0.004 * bend,
                 lumbar_extension=-bend / 4)


def test_every_frame_belongs_to_one_repetition_and_phases_follow_one_another(body):
    seen = measure(body, squats(body, [60, 80, 50]), RATE)
    times = seen.times.numpy()
    whole = seen.phases.frames(times)
    assert len(whole) == 3 and (np.sum(whole, axis=0) == 1).all()
    for repetition, frames in zip(seen.phases.repetitions, whole, strict=True):
        assert repetition.descent_s == pytest.approx(2, abs=0.12) and repetition.ascent_s == pytest.approx(2, abs=0.12)
        assert times[frames][0] < repetition.descent_start and repetition.ascent_end < times[frames][-1]
    for part in ("descent", "bottom", "ascent"):
        assert all((inside & ~frames).sum() == 0 and inside.any()
                   for inside, frames in zip(seen.phases.frames(times, part), whole, strict=True))
    names = [part["name"] for part in seen.phases.document(times[-1])]
    assert names.count("descent") == 3 and names[0] == names[-1] == "stand"
    assert seen.metrics["repetitions"] == 3 and seen.metrics["descent_s"] == pytest.approx(2, abs=0.12)


def test_one_repetition_is_seen_as_before_and_a_hesitation_is_not_another():
    times = np.arange(0, 6, 1 / RATE)
    once = np.interp(times, [0, 1, 3, 3.5, 5, 6], [1, 1, 0.5, 0.5, 1, 1])
    assert measure_repetitions(once, times) == measure_phases(once, times)
    hesitating = np.interp(times, [0, 1, 2, 2.5, 3, 5, 6], [1, 1, 0.6, 0.7, 0.5, 1, 1])
    assert len(measure_repetitions(hesitating, times).repetitions) == 1


def test_a_limit_on_a_phase_looks_at_that_phase_alone(body):
    seen = measure(body, squats(body, [80]), RATE)
    low, up, bottom = seen.check([Limit("knee_flexion", "right", None, 70, phase="bottom"),
                                  Limit("trunk_forward_lean_speed_peak", None, None, 5, phase="ascent"),
                                  Limit("knee_flexion", "right", 78, phase="bottom")])
    assert not low.satisfied and low.worst == pytest.approx(80, abs=0.1) and "at the bottom" in low.sentence()
    assert not up.satisfied and up.worst == pytest.approx(20 * np.pi / 4, rel=0.02)      # 20 deg of lean in 2 s
    assert bottom.satisfied and bottom.lowest > 78
    # the bottom is where the pelvis is nearly still; standing, the knee is straight
    assert not seen.check([Limit("knee_flexion", "right", 78)])[0].satisfied


def test_in_several_repetitions_every_one_keeps_the_limit(body):
    seen = measure(body, squats(body, [80, 60, 75]), RATE)
    deep, slow, range_ = seen.check([Limit("knee_flexion_peak", "right", 70), Limit("descent_s", None, 1.5),
                                     Limit("knee_flexion", "right", None, 78)])
    assert not deep.satisfied and deep.worst_repetition == 2 and deep.worst == pytest.approx(60, abs=0.1)
    assert deep.highest == pytest.approx(80, abs=0.1) and "in repetition 2" in deep.sentence()
    assert slow.satisfied and slow.worst_repetition is not None
    assert range_.worst_repetition == 1 and range_.worst_time_s == pytest.approx(2.5, abs=0.05)


def test_a_goal_that_is_missed_breaks_nothing(body):
    seen = measure(body, squats(body, [80]), RATE)
    goal, hard = seen.check([Limit("knee_flexion_peak", "right", None, 70, weight=1.0),
                             Limit("knee_flexion_peak", "right", None, 70)])
    assert not goal.satisfied and not goal.broken and goal.margin == pytest.approx(-10, abs=0.1)
    assert hard.broken and goal.document()["weight"] == 1.0


def test_the_seat_is_the_least_height_below_the_hips(body):
    neutral = float(body.neutral()[COORDINATES.index("pelvis_ty")])
    drop = 0.3 * np.sin(np.pi * np.arange(61) / 60)
    seen = series(body, still(body, 61, pelvis_ty=neutral - drop))
    hip = float(body.joint_centres(body(body.neutral()[None]))["hip_r"][0, 1])
    expected = 100 * (hip - 0.3 - 0.11 * float(seen.leg_length))
    assert seen.single["seat_height"].item() == pytest.approx(expected, abs=0.1)


def test_speeds_of_hip_ankle_and_trunk(body):
    t = np.arange(121) / RATE
    swing = 10 * np.sin(2 * np.pi * t)
    seen = series(body, still(body, 121, hip_flexion_l=swing, ankle_angle_r=2 * swing, lumbar_extension=-swing)).single
    assert seen["hip_flexion_speed_peak"].tolist() == pytest.approx([0, 20 * np.pi], rel=0.01)
    assert seen["ankle_dorsiflexion_speed_peak"].tolist() == pytest.approx([40 * np.pi, 0], rel=0.01)
    assert seen["trunk_forward_lean_speed_peak"].item() == pytest.approx(20 * np.pi, rel=0.01)


def test_arms_feet_and_pelvis_carry_the_model_s_signs(body):
    seen = series(body, still(body, arm_flex_r=60, arm_add_l=-20, elbow_flex_l=45, subtalar_angle_r=8, pelvis_list=5,
                              arm_rot_r=12)).series
    assert seen["shoulder_flexion"][:, 0].tolist() == pytest.approx([60, 0])
    assert seen["shoulder_adduction"][1, 0].item() == pytest.approx(-20)
    assert seen["elbow_flexion"][1, 0].item() == pytest.approx(45)
    assert seen["foot_inversion"][0, 0].item() == pytest.approx(8)
    assert seen["pelvis_list"][0].item() == pytest.approx(5)
    assert seen["shoulder_internal_rotation"][0, 0].item() == pytest.approx(12)


def test_pelvic_rotation_is_against_the_way_the_feet_point(body):
    turned = still(body, pelvis_rotation=170.0)
    assert series(body, turned).series["pelvis_rotation"].abs().max() < 1e-6
    turned[:, [COORDINATES.index(f"hip_rotation_{side}") for side in "rl"]] = torch.tensor([0.1, -0.1]).double()
    turned[:, COORDINATES.index("pelvis_rotation")] += math.radians(15)
    found = series(body, turned).series["pelvis_rotation"][0].item()
    assert found == pytest.approx(-math.degrees(0.1), abs=0.01)    # both feet turned left: the pelvis is to their right


def test_smoothness_can_be_limited_in_descent_and_ascent(body):
    seen = measure(body, squats(body, [80]), RATE)
    whole, down = seen.check([Limit("log_dimensionless_jerk", None, -20), Limit("sparc", None, -9, phase="descent")])
    assert whole.worst == pytest.approx(seen.metrics["log_dimensionless_jerk"], abs=1e-9) and whole.satisfied
    assert down.satisfied and -3 < down.worst < -1
    flat = measure(body, still(body, 60), RATE)
    assert not flat.check([Limit("sparc", None, -9)])[0].satisfied      # no squat: nothing to measure
