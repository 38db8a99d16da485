"""Baselines and placing: what was asked for is what comes out."""
import numpy as np
import pytest
import torch

from generation.engine.body import BODIES, COORDINATES
from generation.engine.evaluation import baselines
from generation.engine.evaluation.people import groups, requests
from generation.engine.evaluation.published_guidance import ITERATIONS, Schedule
from generation.engine.motion_model.preparation import TEST, VALIDATION

KNEES = [COORDINATES.index(f"knee_angle_{side}") for side in "rl"]


@pytest.fixture(scope="module")
def people():
    return groups()


@pytest.fixture(scope="module")
def training(people):
    return baselines.Training(people["train"])


def test_nobody_is_in_two_groups_and_the_test_people_are_the_fixed_ones(people):
    names = {group: {person.name for person in some} for group, some in people.items()}
    assert names["test"] == set(TEST) and names["validation"] == set(VALIDATION)
    assert not names["train"] & (names["test"] | names["validation"])
    assert all(squat.correct for some in people.values() for person in some for squat in person.squats)


def test_requests_are_repeatable_and_ask_for_no_more_than_is_built_in(people):
    asked = requests(people["test"], people["train"], 4, seed=3)
    assert asked == requests(people["test"], people["train"], 4, seed=3)
    assert asked != requests(people["test"], people["train"], 4, seed=4)
    assert all(one.descent_s + one.ascent_s >= 2.0 for one in asked)
    for one, person in ((one, p) for one in asked for p in people["test"] if p.name == one.person):
        person.parsed(**one.fields())


@pytest.mark.parametrize("draw", [baselines.nearest_training, baselines.linear_blend, baselines.pca_mixture])
def test_a_placed_baseline_has_the_depth_the_tempo_and_flat_still_feet(people, training, draw):
    asked = requests(people["test"][1:2], people["train"], 2, seed=1)
    by_name = {person.name: person for person in people["test"]}
    found = baselines.placed(draw(training, asked, np.random.default_rng(0)), asked, by_name, planted=True)
    for squat, request in zip(found, asked, strict=True):
        assert len(squat.values) == round((request.descent_s + request.ascent_s) * 60) + 1
        assert np.degrees(squat.values[:, KNEES].mean(1).max()) == pytest.approx(request.knee_deg, abs=12)
        body = by_name[squat.person].made
        with torch.no_grad():
            placed = body(torch.as_tensor(squat.values))
            soles = body.foot_contacts(placed)[:, :, :4]             # of the calcanei
        assert float((soles - soles[:1]).abs().max()) < 1e-6
        assert float(soles[..., 1].abs().max()) < 0.02
        assert set(BODIES) >= {"calcn_r", "calcn_l"}


def test_the_mixture_draws_what_it_was_fitted_to():
    rng = np.random.default_rng(5)
    rows = np.concatenate([rng.normal(-4, 1, (300, 2)), rng.normal(4, 0.5, (100, 2))])
    drawn = baselines.Mixture(rows, 2, rng).draw(4000, rng)
    np.testing.assert_allclose(drawn.mean(0), rows.mean(0), atol=0.25)
    np.testing.assert_allclose(drawn.std(0), rows.std(0), rtol=0.1)


def test_the_published_schedule():
    schedule = Schedule()
    assert schedule.share(0) == schedule.share(499) == schedule.share(ITERATIONS - 500) == 0
    assert schedule.share(750) == pytest.approx(0.5) and schedule.share(1000) == schedule.share(2499) == 1
    assert Schedule(300).share(75) == pytest.approx(0.5)
