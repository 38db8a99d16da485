"""Measures against closed forms and against poses made by hand."""
from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from generation.engine.body import COORDINATES, TorchBody, scale_body
from generation.engine.limits import Limit
from generation.engine.metrics import check_limits, measure, measure_phases, measure_series
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
