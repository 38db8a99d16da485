import numpy as np
import pytest

from generation.engine.body import COORDINATES
from generation.engine.motion_data import load_repetitions
from generation.engine.motion_data.segmentation import find_repetitions

LEG = 0.9


def squats(count: int, *, seconds=2.5, pause=0.6, depth=0.4, knee=2.0, rate=60.0, noise=0.0, seed=0):
    """Pelvis height and knee flexion of `count` squats with a pause before, between and after."""
    down_up = (1 - np.cos(np.linspace(0, 2 * np.pi, int(seconds * rate)))) / 2
    still = np.zeros(int(pause * rate))
    bend = np.concatenate([np.concatenate([still, down_up]) for _ in range(count)] + [still])
    random = np.random.default_rng(seed)
    return 0.95 - depth * bend + noise * random.normal(size=len(bend)), 0.05 + knee * bend


def test_each_squat_is_found_from_upright_to_upright():
    height, knee = squats(4, noise=0.002)
    found = find_repetitions(height, knee, LEG, 0.05)
    assert len(found) == 4
    for number, segment in enumerate(found):
        begin = (number + 1) * 36 + number * 150
        assert abs(segment.start - begin) < 15 and abs(segment.end - (begin + 150)) < 15
        assert abs(segment.bottom - (begin + 75)) < 8
        assert not segment.incomplete


def test_squats_without_a_pause_are_parted_at_the_straightest_knees():
    height, knee = squats(3, pause=0.0)
    found = find_repetitions(height, knee, LEG, 0.05)
    assert [not s.incomplete for s in found] == [True] * 3
    assert all(a.end <= b.start for a, b in zip(found, found[1:], strict=False))


def test_a_recording_that_begins_in_the_middle_is_incomplete():
    height, knee = squats(1)
    cut = 36 + 50
    (segment,) = find_repetitions(height[cut:], knee[cut:], LEG, 0.05)
    assert "start is cut off" in segment.incomplete


def test_a_recording_that_ends_in_the_middle_is_incomplete():
    height, knee = squats(1)
    cut = len(knee) - 36 - 45
    (segment,) = find_repetitions(height[:cut], knee[:cut], LEG, 0.05)
    assert "end is cut off" in segment.incomplete


def test_rising_on_the_toes_afterwards_is_not_part_of_the_squat():
    height, knee = squats(1, pause=1.5)
    height = height.copy()
    height[-60:] += 0.08 * np.sin(np.linspace(0, np.pi, 60))
    (segment,) = find_repetitions(height, knee, LEG, 0.05)
    assert segment.end < len(knee) - 60


@pytest.mark.parametrize("frames", [3, 4, 30, 200])
def test_standing_still_is_no_squat(frames):
    assert find_repetitions(np.full(frames, 0.95), np.full(frames, 0.05), LEG, 0.05) == []


def test_a_small_dip_is_no_squat():
    height, knee = squats(2, depth=0.05, knee=0.3)
    assert find_repetitions(height, knee, LEG, 0.05) == []


def test_recorded_squats_in_a_row_are_parted_where_they_were_joined():
    """Two shipped repetitions of one person, one after the other with half a second of standing between them."""
    first, second = load_repetitions()[:2]
    pause = np.repeat(first.values[-1:], 30, axis=0)
    values = np.concatenate([first.values[:1].repeat(30, axis=0), first.values, pause, second.values, pause])
    knee = values[:, [COORDINATES.index(f"knee_angle_{side}") for side in "rl"]].mean(axis=1)
    height = values[:, COORDINATES.index("pelvis_ty")]
    found = find_repetitions(height, knee, first.subject.leg_length_m, float(knee.min()))
    starts = [30, 30 + len(first.values) + 30]
    assert [s.bottom for s in found] == [start + r.bottom for start, r in zip(starts, (first, second), strict=True)]
    for segment, start, repetition in zip(found, starts, (first, second), strict=True):
        assert abs(segment.start - start) < 25 and abs(segment.end - (start + len(repetition.values))) < 25
        assert not segment.incomplete
