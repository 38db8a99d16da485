"""What guidance takes for an easy movement, against what people do."""
import numpy as np
import pytest

from generation.engine.body import COORDINATES
from generation.engine.guidance.objective import EASY_LUMBAR_DEG, EASY_LUMBAR_PER_KNEE
from generation.engine.motion_data import load_repetitions

KNEES = [COORDINATES.index(f"knee_angle_{side}") for side in "rl"]
LUMBAR = COORDINATES.index("lumbar_extension")


@pytest.mark.parametrize(("knee_deg", "median_deg"), [(50, 5), (90, 11)])
def test_the_low_back_flexes_with_depth_as_in_people(knee_deg, median_deg):
    changes = []
    for repetition in load_repetitions():
        values = np.degrees(repetition.values)
        reached = values[:, KNEES].mean(1) >= knee_deg
        if reached.any():
            frame = reached.argmax()
            changes.append(values[0, LUMBAR] - values[frame, LUMBAR])
    low, median, high = np.percentile(changes, [10, 50, 90])
    assert median == pytest.approx(median_deg, abs=0.5)
    assert low < EASY_LUMBAR_DEG + EASY_LUMBAR_PER_KNEE * knee_deg < high
