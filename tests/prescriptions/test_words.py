"""The depth in the patient's words is the depth of the motion."""
import numpy as np
import pytest

from generation.playback import Curves
from prescriptions.words import _down

NAMES = ("knee_angle_r", "knee_angle_l")


def squat(thigh_deg: float, knee_deg: float) -> Curves:
    """Two moments: upright, and thighs of 0.4 m leaning backwards by `thigh_deg` over bent knees."""
    lean = np.radians([0.0, thigh_deg])
    knee = np.zeros((2, 3))
    hip = 0.4 * np.stack([-np.sin(lean), np.cos(lean), np.zeros(2)], 1)
    joints = {f"{name}_{side}": place for name, place in (("hip", hip), ("knee", knee)) for side in "rl"}
    return Curves(NAMES, np.array([[0.0, 0.0], [knee_deg, knee_deg]]), 60, [], joints)


@pytest.mark.parametrize(("thigh_deg", "words"), [
    (15, "only a little"), (32, "a third of the way"), (50, "half way to level"), (62, "most of the way to level"),
    (90, "until your thighs are level"), (110, "low, as in the picture"),
])
def test_words_follow_the_thigh(thigh_deg, words):
    motion = squat(thigh_deg, 90)
    assert motion.thigh_inclination_peak_deg() == pytest.approx(thigh_deg)
    assert words in _down(motion) and "bent about 90 degrees" in _down(motion)
