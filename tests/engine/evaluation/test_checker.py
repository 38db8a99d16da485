"""Files are read again and a broken limit is seen, whatever the generator thought of it."""
import numpy as np
import pytest
import torch

from generation.engine.body import COORDINATES, ROTATIONAL, TorchBody, body_scale
from generation.engine.evaluation.checker import broken_by_fast_route, broken_in_columns, hard_limits
from generation.engine.evaluation.delivered import read_delivered
from generation.engine.formats import Motion, read_mot, write_mot
from generation.engine.limits import Limit
from generation.engine.profile import parse_profile

PERSON = {"sex": "female", "age_years": 40.0, "height_m": 1.68, "mass_kg": 62.0}


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Somebody who stands and bends the knees without moving the feet's height: no squat that could be delivered."""
    body = TorchBody(body_scale(parse_profile(PERSON)), dtype=torch.float64)
    drop = (1 - np.cos(np.linspace(0, 2 * np.pi, 181))) / 2
    values = np.tile(body.neutral().numpy(), (181, 1))
    for side in "rl":
        values[:, COORDINATES.index(f"knee_angle_{side}")] += 0.9 * drop
        values[:, COORDINATES.index(f"knee_angle_{side}_beta")] += 0.9 * drop
    values[:, COORDINATES.index("pelvis_ty")] -= 0.1 * drop
    path = tmp_path_factory.mktemp("delivered") / "candidate_000.mot"
    write_mot(path, Motion(COORDINATES, values, 60.0))
    return path


def test_the_reader_agrees_with_the_engines_own(file):
    np.testing.assert_allclose(read_delivered(file), read_mot(file, COORDINATES).values, atol=1e-8)
    assert np.degrees(read_delivered(file)[:, COORDINATES.index("knee_angle_r")].max()) == pytest.approx(
        np.degrees(0.9), abs=1e-4)
    assert len(ROTATIONAL) == len(COORDINATES)


@pytest.mark.parametrize("spoil", [
    lambda text: text.replace("inDegrees=yes", "inDegrees=no"),
    lambda text: text.replace("knee_angle_r\t", "knee\t", 1),
    lambda text: "\n".join(text.splitlines()[:20] + text.splitlines()[40:]) + "\n",
])
def test_a_file_that_is_no_delivered_motion_is_refused(file, tmp_path, spoil):
    bad = tmp_path / "bad.mot"
    bad.write_text(spoil(file.read_text()))
    with pytest.raises(ValueError, match="bad.mot"):
        read_delivered(bad)


def test_columns_show_a_broken_angle_on_the_side_that_is_limited(file):
    values = read_delivered(file)
    assert broken_in_columns(values, [Limit("knee_flexion", "right", max=55.0)]) == []
    assert len(broken_in_columns(values, [Limit("knee_flexion", "both", max=50.0)])) == 2
    assert "knee_angle_l" in broken_in_columns(values, [Limit("knee_flexion", "left", max=50.0)])[0]
    assert len(broken_in_columns(values, [Limit("lumbar_flexion", min=1.0)])) == 1


def test_the_fast_route_finds_what_the_feet_do(file):
    profile = parse_profile(PERSON | {"constraints": [{"variable": "knee_flexion", "max": 40.0, "unit": "deg"}]})
    found = broken_by_fast_route([file], profile)[file.name]
    text = " ".join(found)
    assert "knee_angle_r reaches 51.57" in text                    # by the columns
    assert "Knee bend" in text                                     # by the measures
    assert "floor" in text or "Heel" in text or "sliding" in text  # built in: these feet do not stand


def test_goals_are_no_hard_limits():
    goal = {"variable": "knee_flexion", "max": 40.0, "unit": "deg", "weight": 1.0}
    limits = hard_limits(parse_profile(PERSON | {"constraints": [goal]}))
    assert not [limit for limit in limits if limit.variable == "knee_flexion"]
    assert [limit for limit in limits if limit.variable == "foot_slide"]
