"""The judge: blind where there is nothing to see, sure where there is."""
import numpy as np
import pytest

from generation.engine.body import COORDINATES
from generation.engine.evaluation.motions import Squat
from generation.engine.evaluation.realism import JUDGES, auc, balance, giveaways, judge

DROP = (1 - np.cos(np.linspace(0, 2 * np.pi, 121))) / 2
KNEES = [COORDINATES.index(f"knee_angle_{side}") for side in "rl"]


def _squats(rng: np.random.Generator, people: int, each: int, knee: float = 2.0) -> list[Squat]:
    found = []
    for person in range(people):
        for _ in range(each):
            values = rng.normal(0, 0.05, (1, len(COORDINATES))) * DROP[:, None]
            values[:, COORDINATES.index("pelvis_ty")] = 0.9 - 0.4 * DROP
            values[:, KNEES] += (knee + rng.normal(0, 0.05)) * DROP[:, None]
            found.append(Squat(f"p{person}", values))
    return found


@pytest.mark.parametrize("method", JUDGES)
def test_the_judge_cannot_tell_what_is_alike(method):
    rng = np.random.default_rng(1)
    found = judge(_squats(rng, 4, 12), _squats(rng, 4, 12), method)
    assert 0.3 < found.auc < 0.7 and found.low < 0.5 < found.high
    assert sorted(found.people) == ["p0", "p1", "p2", "p3"]


@pytest.mark.parametrize("method", JUDGES)
def test_the_judge_tells_a_deeper_squat(method):
    rng = np.random.default_rng(2)
    found = judge(_squats(rng, 3, 8), _squats(rng, 3, 8, knee=1.5), method)
    assert found.auc > 0.95 and found.high >= found.auc >= found.low


def test_from_standing_hides_how_somebody_stands():
    rng = np.random.default_rng(3)
    real, made = _squats(rng, 3, 10), _squats(rng, 3, 10)
    leaning = []
    for squat in made:
        values = squat.values.copy()
        values[:, COORDINATES.index("pelvis_tilt")] += 0.2
        leaning.append(Squat(squat.person, values))
    assert judge(real, leaning).auc > 0.95
    assert judge(real, leaning, from_standing=True).auc < 0.75


def test_auc_against_counting():
    scores, labels = np.array([3.0, 1.0, 2.0, 2.0]), np.array([1, 0, 1, 0])
    assert auc(scores, labels) == (1 + 1 + 1 + 0.5) / 4


def test_both_kinds_weigh_alike():
    labels = np.array([1] * 9 + [0])
    weight = balance(labels)
    assert weight[labels == 1].sum() == pytest.approx(weight[labels == 0].sum())


def test_people_who_have_no_partner_are_left_out():
    rng = np.random.default_rng(4)
    found = judge(_squats(rng, 3, 4), _squats(rng, 2, 4))
    assert sorted(found.people) == ["p0", "p1"]


def test_the_angle_that_gives_it_away_comes_first():
    rng = np.random.default_rng(5)
    found = giveaways(_squats(rng, 3, 8), _squats(rng, 3, 8, knee=1.5))
    assert set(list(found)[:2]) == {"knee_angle_r", "knee_angle_l"} and found["knee_angle_r"] > 0.95
