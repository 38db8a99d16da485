"""Synthetic people: markers computed from the body model itself, so the right answer is known."""

import numpy as np
import pytest

from generation.engine.body import MODEL_FILE
from generation.engine.motion_data.fit import fit_person, harrington_hip_centre, sole_points
from generation.engine.motion_data.ik import solve
from generation.engine.motion_data.markers import MARKER_SETS
from generation.engine.motion_data.skeleton import SCALE_NAMES, Skeleton, lean_model, scale_factors
from generation.engine.motion_data.sources import resample

LABELS = tuple(MARKER_SETS["plug-in-gait"])
COMPARED = ("hip_flexion_r", "knee_angle_r", "ankle_angle_r", "hip_flexion_l", "knee_angle_l", "pelvis_tilt")


@pytest.fixture(scope="module")
def generic():
    return Skeleton(lean_model(MODEL_FILE))


def squat_values(generic, frames: int) -> np.ndarray:
    """A squat with flat feet: hip and ankle follow the knee so that the shank and thigh close the chain."""
    bend = np.sin(np.linspace(0, np.pi, frames)) ** 2
    values = np.zeros((frames, len(generic.coordinates)))

    def put(name, degrees):
        values[:, generic.coordinates.index(name)] = np.deg2rad(degrees)

    for side in "rl":
        put(f"knee_angle_{side}", 4 + 90 * bend)
        put(f"ankle_angle_{side}", 4 + 26 * bend)
        put(f"hip_flexion_{side}", 90 * bend)
        put(f"arm_flex_{side}", 150)
        put(f"elbow_flex_{side}", 10)
        put(f"pro_sup_{side}", 60)
    put("pelvis_tilt", -26 * bend)
    put("lumbar_extension", -5 * bend)
    return values


def stand_on_floor(skeleton, values):
    """Move the pelvis so that the right calcaneus stays at its height over the floor."""
    p, _ = skeleton.transforms(values)
    calcaneus = p[:, skeleton.bodies.index("calcn_r")]
    sole = sole_points(MODEL_FILE)["calcn_r"][0, 1] * skeleton.parameters["foot_girth"]
    for axis, name in enumerate(("pelvis_tx", "pelvis_ty")):
        values[:, skeleton.coordinates.index(name)] -= calcaneus[:, axis] + (sole if axis else 0.0)
    return values


def markers_of(skeleton, values, offsets=None) -> np.ndarray:
    p, R = skeleton.transforms(values)
    factors = scale_factors(skeleton.parameters)
    points = []
    for label in LABELS:
        place = MARKER_SETS["plug-in-gait"][label]
        body = skeleton.bodies.index(place.body)
        local = np.array(place.location) * factors[place.body] + (offsets or {}).get(label, 0.0)
        points.append(p[:, body] + R[:, body] @ local)
    return np.stack(points, axis=1)


@pytest.fixture(scope="module")
def fitted(generic):
    """A person 6 % larger than the generic model with longer shanks and a misplaced thigh wand, and the fit."""
    parameters = dict.fromkeys(SCALE_NAMES, 1.06) | {"tibia_length": 1.10}
    skeleton = Skeleton(generic.model, parameters)
    values = stand_on_floor(skeleton, squat_values(generic, 7))
    data = markers_of(skeleton, values, {"RTHI": np.array([0.01, 0.06, 0.0])})
    person = fit_person("synthetic", generic, sole_points(MODEL_FILE), "plug-in-gait", LABELS, data)
    return skeleton, person


def test_fit_finds_the_person(fitted):
    skeleton, person = fitted
    assert person.rms_mm < 4
    for name in ("femur_length", "tibia_length", "foot_length"):
        assert person.parameters[name] == pytest.approx(skeleton.parameters[name], abs=0.03), name
    # the generic pelvis is narrower between the hips than the regression says, so the regression widens it
    assert person.parameters["pelvis_width"] == pytest.approx(1.06, abs=0.06)
    nominal = np.array(MARKER_SETS["plug-in-gait"]["RTHI"].location) * 1.06
    assert person.offsets["RTHI"][1] - nominal[1] > 0.04


def test_opensim_recovers_the_angles(generic, fitted):
    skeleton, person = fitted
    values = stand_on_floor(skeleton, squat_values(generic, 21))
    data = markers_of(skeleton, values, {"RTHI": np.array([0.01, 0.06, 0.0])})
    data[4, LABELS.index("STRN")] = np.nan  # a lost marker
    solved, error = solve(generic, person, LABELS, data)
    assert solved.shape == values.shape
    assert 1000 * np.median(error) < 5
    for name in COMPARED:
        column = generic.coordinates.index(name)
        assert np.rad2deg(np.abs(solved[:, column] - values[:, column])).max() < 4, name


def test_scaling_is_opensims(generic):
    larger = Skeleton(generic.model, dict.fromkeys(SCALE_NAMES, 1.2))
    values = squat_values(generic, 3)
    small, _ = generic.transforms(values)
    large, _ = larger.transforms(values)
    np.testing.assert_allclose(large - large[:, :1], 1.2 * (small - small[:, :1]), atol=1e-9)


def test_hip_regression_is_lateral_below_and_behind():
    forward, up, right = harrington_hip_centre(0.25, 0.16)
    assert forward == pytest.approx(-0.0483) and up == pytest.approx(-0.0859) and right == pytest.approx(0.0898)


def test_resampling_keeps_gaps_and_slow_motion():
    times = np.arange(0, 3, 0.01)
    values = np.stack([np.sin(2 * np.pi * 0.5 * times), np.sin(2 * np.pi * 0.5 * times)], axis=1)
    values[100:110, 1] = np.nan
    result = resample(values, 100.0)
    assert len(result) == 180
    np.testing.assert_allclose(result[10:-10, 0], np.sin(2 * np.pi * 0.5 * np.arange(180) / 60)[10:-10], atol=0.02)
    assert np.isnan(result[60:66, 1]).all() and np.isfinite(result[:58, 1]).all()
