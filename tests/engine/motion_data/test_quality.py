import numpy as np
import pytest

from generation.engine.body import COORDINATES
from generation.engine.motion_data import load_repetitions
from generation.engine.motion_data.placing import torch_body
from generation.engine.motion_data.quality import check


@pytest.fixture(scope="module")
def good():
    """A shipped repetition, its person's body and a small marker error."""
    repetition = load_repetitions()[0]
    return repetition.values, torch_body(repetition.subject.factors), np.full(len(repetition.values), 0.008)


def changed(values, name, change):
    values = values.copy()
    values[:, COORDINATES.index(name)] += change
    return values


def test_a_good_repetition_has_no_reason_against_it(good):
    values, body, error = good
    quality = check(values, error, body, "")
    assert quality.reasons == ()
    assert quality.marker_rms_mm == pytest.approx(8) and quality.knee_peak_deg > 60


def test_an_incomplete_repetition_is_left_out(good):
    values, body, error = good
    assert check(values, error, body, "start is cut off").reasons == ("start is cut off",)


def test_marker_error_is_judged(good):
    values, body, error = good
    assert "marker error 30 mm" in check(values, error + 0.022, body, "").reasons[0]


def test_a_step_is_noticed(good):
    values, body, error = good
    step = np.where(np.arange(len(values)) > 0.7 * len(values), 0.08, 0.0)
    assert any(
        "a foot moved" in reason for reason in check(changed(values, "pelvis_tx", step), error, body, "").reasons
    )


def test_blocks_under_the_heels_and_rising_on_the_toes_are_noticed(good):
    values, body, error = good
    raised = changed(changed(values, "ankle_angle_r", -0.3), "ankle_angle_l", -0.3)
    assert any("throughout" in reason for reason in check(raised, error, body, "").reasons)
    bump = -0.4 * (np.abs(np.arange(len(values)) - len(values) // 2) < 15)
    risen = changed(changed(values, "ankle_angle_r", bump), "ankle_angle_l", bump)
    assert any("a heel rose" in reason for reason in check(risen, error, body, "").reasons)


def test_a_joint_held_at_its_end_is_noticed(good):
    values, body, error = good
    held = values.copy()
    held[:, COORDINATES.index("hip_rotation_r")] = float(body.upper[COORDINATES.index("hip_rotation_r")])
    assert any("hip_rotation_r at its upper end" in reason for reason in check(held, error, body, "").reasons)


def test_a_source_without_markers_is_not_judged_by_them(good):
    values, body, error = good
    assert check(values, np.full_like(error, np.nan), body, "").reasons == ()
