"""The study of the balance data set: its tools on made-up people, and that its card says what its results say."""
from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.special import expit

from fall_risk.research.balance import OUTPUT, TRAINED, rounded, run, study, verdict
from fall_risk.research.candidates import boosted_stumps, folds, plain_logistic, prevalence, ridge_logistic
from fall_risk.research.card import card
from fall_risk.research.evaluation import (
    auc,
    brier,
    calibration,
    evaluate,
    net_benefit,
    out_of_fold,
    outer,
    pairs,
    reliability,
)
from fall_risk.research.people import FILE, PERSON_FEATURES, SWAY_FEATURES, read_people


def made_up(n=400, seed=0):
    """x (person, 3), of which the first column matters, with its true probabilities."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3))
    p = expit(-0.8 + 1.5 * x[:, 0])
    return x, rng.random(n) < p, p


def test_auc_and_net_benefit_by_hand():
    y = np.array([True, True, False, False])
    assert auc(y, np.array([0.9, 0.4, 0.5, 0.1])) == 0.75
    assert auc(y, np.zeros(4)) == 0.5
    assert brier(y, np.array([1.0, 0.5, 0.5, 0.0])) == 0.125
    # at 0.5 two are chosen, one faller and one not: 1/4 - 1/4 x 1
    assert net_benefit(y, np.array([0.9, 0.4, 0.5, 0.1]), 0.5) == 0.0
    assert net_benefit(y, np.ones(4), 0.2) == pytest.approx(0.5 - 0.5 * 0.25)      # act for everybody


def test_calibration_finds_what_was_done_to_the_truth():
    _, y, p = made_up(10_000)
    slope, intercept = calibration(y, p)
    assert slope == pytest.approx(1, abs=0.1) and intercept == pytest.approx(0, abs=0.1)
    z = np.log(p / (1 - p))
    assert calibration(y, expit(2 * z))[0] == pytest.approx(0.5, abs=0.05)         # too bold
    assert calibration(y, expit(z + 1))[1] == pytest.approx(-1, abs=0.1)          # too high
    assert np.isnan(calibration(y, np.full(len(y), 0.3))[0])
    groups = reliability(y, p[None])
    for group in groups:
        assert group["predicted"] == pytest.approx(group["observed"], abs=0.04)


@pytest.mark.parametrize("fit", [ridge_logistic, boosted_stumps, plain_logistic])
def test_candidates_learn_what_is_there_and_nothing_where_nothing_is(fit):
    x, y, p = made_up()
    found = out_of_fold(x, y, fit, repeats=1)[0]
    assert auc(y, found) > auc(y, p) - 0.05
    noise = np.random.default_rng(1).permutation(y)
    result = evaluate(noise, out_of_fold(x, noise, fit, repeats=1))
    assert abs(result["auc"] - 0.5) < 0.1 and result["auc_interval"][0] < 0.5 < result["auc_interval"][1]
    assert result["brier_skill"] < 0.02


def test_only_people_of_one_fold_are_compared():
    _, y, p = made_up(200)
    by_fold = np.choose(outer(y, 0), [0.1, 0.2, 0.3, 0.4, 0.5])         # a useless model: one value for each fold
    assert pairs(y, by_fold[None]).auc() == 0.5
    assert pairs(y, np.tile(p, (3, 1))).auc() == pytest.approx(auc(y, p), abs=0.03)
    assert np.isnan(calibration(y, by_fold)[0])
    drawn = np.bincount(np.r_[np.flatnonzero(y), np.flatnonzero(~y)], minlength=len(y)).astype(float)
    assert pairs(y, p[None]).auc(2 * drawn) == pytest.approx(pairs(y, p[None]).auc())


def test_candidates_bear_missing_values():
    x, y, _ = made_up(200)
    x[::7, 0] = np.nan
    for fit in (ridge_logistic, boosted_stumps):
        assert np.isfinite(fit(x, y)(x)).all()


def test_folds_are_by_person_and_balanced():
    _, y, _ = made_up(103)
    fold = folds(y, 5, seed=3)
    assert np.ptp([y[fold == k].sum() for k in range(5)]) <= 1 and set(fold) == set(range(5))
    assert prevalence(np.zeros((103, 1)), y)(np.zeros((2, 1))).tolist() == [y.mean()] * 2


COLUMNS = ("Subject", "Vision", "Surface", "Age", "Gender", "BMI", "FES_T", "FES_S", "Best_T", "TMT_timeA", "TMT_timeB",
           "Nmedication", "IPAQ_S", "Falls12m", "Medication", "Illness", "Illness2", "COParea", "COPvelo", "COPmfreq")


@pytest.fixture
def folder(tmp_path):
    """A file of the data set's shape with 60 made-up people; one never stood on foam, one takes a benzodiazepine."""
    rng = np.random.default_rng(5)
    lines = ["\t".join(COLUMNS)]
    for subject in range(60):
        person = [rng.uniform(20, 85), "FM"[subject % 2], rng.uniform(18, 34), rng.integers(7, 20), "Low Concern",
                  rng.integers(15,
            28),
                  30.0, 60.0, rng.integers(0, 8), "Moderate", int(subject % 4 == 0), "No", "Yes", "Nothing"]
        person[11] = "Diuretic, Benzodiazepine" if subject == 3 else "No"
        for surface in ("Firm",) if subject == 4 else ("Firm", "Foam"):
            for vision in ("Open", "Closed"):
                for _ in range(2):
                    row = [subject, vision, surface, *person, *rng.lognormal(0, 0.3, 3)]
                    lines.append("\t".join(str(value) for value in row))
    (tmp_path / FILE).write_text("\n".join(lines) + "\n")
    return tmp_path


def test_people_are_read_one_row_each(folder):
    people = read_people(folder)
    assert people.features.shape == (60, len(PERSON_FEATURES) + len(SWAY_FEATURES))
    assert people.fell.sum() == 15 and len(people.trial_person) == 59 * 8 + 4
    assert [i for i, known in enumerate(people.known) if known["med_benzodiazepine"]] == [3]
    assert np.isnan(people.features[4]).sum() == 6 and np.isnan(people.features).sum() == 6
    older = people.subset(people.age >= 60)
    assert len(older.fell) == (people.age >= 60).sum() and older.trial_person.max() == len(older.fell) - 1


def test_the_study_runs_and_repeats_itself(folder):
    results = run(folder, repeats=1, permutations=1)
    text = card(results)
    assert "60 people, 15 fell" in text and "Verdict" in text
    assert results["everybody"]["leakage"]["by_trial"] > results["everybody"]["leakage"]["by_person"]
    people = read_people(folder)
    again = study(people.subset(people.age >= 60), repeats=1, permutations=1)
    assert rounded(again) == results["older"]


def test_the_verdict_follows_its_rule():
    good = {"brier_skill": 0.1, "auc_gain_interval": [0.02, 0.2], "slope": 0.9}
    for change, ships in (({}, True), ({"brier_skill": 0.0}, False), ({"auc_gain_interval": [0.0, 0.2]}, False),
                          ({"slope": 0.4}, False), ({"slope": None}, False)):
        found = verdict({"models": {name: {**good, **change} for name in TRAINED}})
        assert {one["ships"] for one in found.values()} == {ships}
        assert all(bool(one["reasons"]) != ships for one in found.values())


def test_the_card_that_ships_says_what_the_results_say():
    results = json.loads((OUTPUT / "results.json").read_text())
    assert (OUTPUT / "CARD.md").read_text() == card(results)
    assert results["verdict"] == verdict(results["older"])
    assert results["older"]["people"] == 76 and results["older"]["fallers"] == 19
    assert not any(found["ships"] for found in results["verdict"].values())


def test_the_documentation_gives_the_figures_of_the_results():
    results = json.loads((OUTPUT / "results.json").read_text())
    text = " ".join((OUTPUT.parents[1] / "docs" / "fall_risk.md").read_text().split())
    for name, model in results["older"]["models"].items():
        if name not in ("prevalence", "age alone"):
            low, high = model["auc_interval"]
            assert (f"| {name} | {model['auc']:.2f} ({low:.2f} to {high:.2f}) | {model['brier_skill']:.1%} | "
                    f"".replace("%", " %")
                    + f"{model['slope']:.2f} |") in text, name
    for group in ("older", "everybody"):
        assert f"p = {results[group]['permutation']['p']:.2f}" in text
    assert f"{results['older']['leakage']['by_trial']:.2f}" in text
