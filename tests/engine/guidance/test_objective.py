"""What guidance takes for an easy movement, against what people do."""
import numpy as np
import pytest
import torch

from generation.engine.body import COORDINATES
from generation.engine.guidance.objective import STANDING_KNEE_DEG, STANDING_TILT_DEG, easy_lumbar_deg
from generation.engine.motion_data import load_repetitions

KNEES = [COORDINATES.index(f"knee_angle_{side}") for side in "rl"]
LUMBAR, TILT = COORDINATES.index("lumbar_extension"), COORDINATES.index("pelvis_tilt")


@pytest.fixture(scope="module")
def performed():
    return [np.degrees(repetition.values) for repetition in load_repetitions() if repetition.correct]


@pytest.mark.parametrize("knee_deg", [20, 60, 90, 120])
def test_low_backs_are_free_as_far_as_three_quarters_of_people_round_them(performed, knee_deg):
    frames = np.concatenate(performed)
    there = np.abs(frames[:, KNEES].mean(1) - knee_deg) < 8
    middle, high = np.percentile(-frames[there, LUMBAR], [55, 88])
    assert middle < float(easy_lumbar_deg(torch.tensor(float(knee_deg)))) < high


@pytest.mark.parametrize(("columns", "bounds"), [(KNEES, STANDING_KNEE_DEG), ([TILT], STANDING_TILT_DEG)])
def test_most_people_stand_inside_what_costs_nothing(performed, columns, bounds):
    standing = np.array([values[0, columns].mean() for values in performed])
    assert np.mean((standing >= bounds[0] - 1) & (standing <= bounds[1] + 1)) > 0.75
