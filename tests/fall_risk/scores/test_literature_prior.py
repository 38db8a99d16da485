"""The literature-prior estimate: its printed results, its calibration, its interval, and when it does not apply."""
from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from fall_risk.scores import compute
from fall_risk.scores import prior_model as model

OLD = {"age_years": 75, "recent_surgery": False}
NONE = {"falls_12m": 0, "mobility_problem": False, "walking_aid": False, "dizziness": False, "parkinson": False,
        "med_antidepressant": False, "med_benzodiazepine": False, "med_antipsychotic": False, "med_opioid": False,
        "med_antiepileptic": False, "med_count": 2}
HISTORY, MOBILITY, DIZZY = {"falls_12m": 1}, {"mobility_problem": True}, {"dizziness": True}
ANTIDEPRESSANT, BENZODIAZEPINE = {"med_antidepressant": True}, {"med_benzodiazepine": True}


def estimate(*changes, key="literature_prior", person=OLD):
    return compute(key, dict(itertools.chain(NONE.items(), *(change.items() for change in changes))), person)


@pytest.mark.parametrize(("changes", "percent"), [
    ((), 18), ((HISTORY,), 32), ((MOBILITY,), 28), ((HISTORY, MOBILITY), 46), ((HISTORY, MOBILITY, ANTIDEPRESSANT), 55),
    ((HISTORY, MOBILITY, DIZZY, ANTIDEPRESSANT, BENZODIAZEPINE), 72)])
def test_the_published_examples(changes, percent):
    # printed there from alpha rounded to -1.54, hence a whole percent (46.5 was printed as 46)
    assert 100 * estimate(*changes).value == pytest.approx(percent, abs=0.6)


@pytest.mark.parametrize(("share", "alpha"), [(0.25, -1.80), (0.30, -1.54), (0.35, -1.29)])
def test_the_intercept_is_solved_not_written_down(share, alpha):
    assert model.intercept(share) == pytest.approx(alpha, abs=0.01)


def test_implied_auc_exactly():
    assert model.implied_auc(1.0) == pytest.approx(0.686, abs=0.0005)
    assert model.implied_auc(model.LAMBDA) == pytest.approx(0.646, abs=0.001)
    assert model.shrinkage_for(0.646) == pytest.approx(model.LAMBDA, abs=0.01)
    assert model.intercept(0.30, 1.0) == pytest.approx(-1.76, abs=0.005)
    assert model.implied_auc(0.0) == pytest.approx(0.5)


@pytest.mark.parametrize(("shrinkage", "auc"), [(1.0, 0.686), (0.77, 0.646)])
def test_calibration_by_simulation(shrinkage, auc):
    rng = np.random.default_rng(20261120)
    prevalence = np.array([factor.prevalence for factor in model.FACTORS])
    ratios = np.array([factor.odds.ratio for factor in model.FACTORS])
    x = rng.random((200_000, len(prevalence))) < prevalence
    p = expit(model.intercept(0.30, shrinkage) + shrinkage * x @ np.log(ratios))
    fell = rng.random(len(p)) < p
    assert p.mean() == pytest.approx(0.30, abs=0.002)
    ranks = np.argsort(np.argsort(p + 1e-9 * rng.random(len(p)))) + 1           # ties broken at random
    cases = fell.sum()
    assert (ranks[fell].sum() - cases * (cases + 1) / 2) / (cases * (~fell).sum()) == pytest.approx(auc, abs=0.004)


def test_constants_as_published():
    assert [(f.key, f.odds.ratio, f.prevalence) for f in model.FACTORS] == [
        ("history", 2.8, 0.30), ("mobility", 2.2, 0.30), ("dizziness", 1.8, 0.20), ("parkinson", 2.7, 0.015),
        ("med_antidepressant", 1.57, 0.14), ("med_benzodiazepine", 1.42, 0.09), ("med_antipsychotic", 1.54, 0.02),
        ("med_opioid", 1.60, 0.08), ("med_antiepileptic", 1.55, 0.03)]
    for factor in model.FACTORS:
        assert factor.odds.low < factor.odds.ratio < factor.odds.high


def test_polypharmacy_counts_only_without_a_named_class():
    alone = estimate({"med_count": 5})
    assert alone.value == pytest.approx(expit(model.intercept() + 0.77 * np.log(1.75)), abs=1e-6)
    assert estimate({"med_count": 4}).value == estimate().value
    assert estimate({"med_count": 5}, ANTIDEPRESSANT).value == estimate(ANTIDEPRESSANT).value


def test_walking_aid_and_problem_are_one_term():
    one = estimate(MOBILITY).value
    for change in ({"walking_aid": True}, {"tug_aid": True}, {**MOBILITY, "walking_aid": True}):
        assert estimate(change).value == one


def test_nothing_known_gives_the_population():
    assert model.estimate({}).probability == pytest.approx(0.30, abs=1e-9)
    assert model.estimate({}, mobility=False).probability == pytest.approx(0.30, abs=1e-9)


def test_missing_answers_are_averaged_not_assumed_absent():
    known, absent = {"history": True}, dict.fromkeys(model.NAMES, False) | {"history": True}
    partly, fully = model.estimate(known), model.estimate(absent)
    assert partly.probability > fully.probability + 0.05
    assert partly.high - partly.low > fully.high - fully.low
    by_hand = 0.0
    states, weights = model.combinations(np.array([f.prevalence for f in model.FACTORS[1:]]))
    for state, weight in zip(states, weights, strict=True):
        logit = model.intercept() + 0.77 * (np.log(2.8) + state @ np.log([f.odds.ratio for f in model.FACTORS[1:]]))
        by_hand += weight * expit(logit)
    assert partly.probability == pytest.approx(by_hand)


def test_the_population_mean_holds_at_every_point_of_the_interval():
    drawn = model.draws(True)
    states, weights = model.combinations(np.array([factor.prevalence for factor in model.FACTORS]))
    p = expit(drawn.intercept[:, None] + drawn.shrinkage[:, None] * (drawn.log_odds @ states.T)) @ weights
    assert 0.25 <= p.min() < 0.2505 and 0.3495 < p.max() <= 0.35
    discrimination = [model.implied_auc(float(one)) for one in np.quantile(drawn.shrinkage, (0.025, 0.5, 0.975))]
    assert discrimination == pytest.approx([0.584, 0.646, 0.708], abs=0.002)
    assert np.median(drawn.shrinkage) == pytest.approx(0.77, abs=0.01)
    limits = np.quantile(np.exp(drawn.log_odds[:, 4]), (0.025, 0.5, 0.975))
    assert limits == pytest.approx([1.43, 1.57, 1.74], abs=0.02)


def test_the_interval_agrees_with_plain_random_drawing():
    """The fixed points of the interval against 6,000 random draws of the same parameters."""
    rng = np.random.default_rng(7)
    n = 6_000
    known = dict.fromkeys(model.NAMES, False) | {"history": True, "mobility": True}
    log_odds = rng.normal(model._LOG_ODDS, model._SPREAD, (n, len(model.NAMES)))
    spread = (model.AUC_LIMITS[1] - model.AUC_LIMITS[0]) / 3.919928
    shrinkage = model.shrinkage_for(rng.normal(model.AUC, spread, n))
    share = rng.uniform(*model.POPULATION_RANGE, n)
    states, weights = model.combinations(np.array([factor.prevalence for factor in model.FACTORS]))
    alpha = np.log(share / (1 - share))
    for chunk in np.array_split(np.arange(n), 20):
        risk = shrinkage[chunk, None] * (log_odds[chunk] @ states.T)
        for _ in range(8):
            p = expit(alpha[chunk, None] + risk)
            alpha[chunk] -= (p @ weights - share[chunk]) / ((p * (1 - p)) @ weights)
    p = expit(alpha + shrinkage * log_odds[:, :2].sum(axis=1))
    found = model.estimate(known)
    assert [found.low, found.high] == pytest.approx(np.quantile(p, [0.025, 0.975]), abs=0.012)
    assert found.low < found.probability < found.high


@pytest.mark.parametrize(("person", "sentence"), [
    ({"age_years": 64.9}, "under 65"), ({"age_years": 75, "recent_surgery": True}, "recent surgery"), ({},
        "age is not known")])
def test_for_whom_it_does_not_apply(person, sentence):
    for key in ("literature_prior", "literature_prior_with_test"):
        found = estimate({"fcs_s": 12}, key=key, person=person)
        assert not found.applies and sentence in found.why_not and found.value is None and found.interval is None
    assert estimate(person={"age_years": 65, "recent_surgery": False}).applies


def test_too_little_filled_in():
    four = {"falls_12m": 1, "dizziness": False, "parkinson": False, "med_opioid": False}
    assert not compute("literature_prior", four, OLD).applies
    assert compute("literature_prior", {**four, "med_antipsychotic": False}, OLD).applies
    without_history = {key: value for key, value in NONE.items() if key != "falls_12m"}
    found = compute("literature_prior", without_history, OLD)
    assert not found.applies and "falls_12m" in found.missing and "Too little" in found.why_not
    assert not compute("literature_prior", {**NONE, "falls_12m": "declined"}, OLD).applies


def test_it_says_what_it_is():
    found = estimate(HISTORY, {"dizziness": "not_done"})
    text = " ".join(found.limits)
    assert "AUC about 0.65 (0.58-0.71)" in text and "not applicable under 65" in text and "Not validated" in text
    history = found.parts[0]
    assert "2.8 (2.37-3.25)" in history.label and "limits R" in history.label and history.status == "V"
    assert history.contribution == pytest.approx(0.77 * np.log(2.8), abs=1e-6)
    assert any("averaged over a prevalence of 20.0%" in line.label for line in found.parts)
    assert "dizziness" in found.missing
    unknown = compute("literature_prior", NONE, {"age_years": 75})
    assert any("not known whether" in line for line in unknown.limits)


def test_one_test_stands_for_mobility():
    quick, slow = estimate({"fcs_s": 11}, key="literature_prior_with_test"), estimate({"fcs_s": 12},
        key="literature_prior_with_test")
    base = model.estimate({name: False for name in model.NAMES if name != "mobility"}, mobility=False).probability
    for found, ratio in ((slow, 0.41 / 0.59 / (0.3 / 0.7)), (quick, 0.2 / 0.8 / (0.3 / 0.7))):
        odds = base / (1 - base) * ratio
        assert found.value == pytest.approx(odds / (1 + odds), abs=1e-5)
        assert not any("Mobility" in line.label for line in found.parts)
    assert estimate({"fcs_s": 12}, MOBILITY, key="literature_prior_with_test").value == slow.value
    # Timed Up and Go is taken only without the other test, and its published uncertainty widens the interval
    tug = estimate({"tug_s": 13.5}, key="literature_prior_with_test")
    assert any("1.19" in line.label for line in tug.parts)
    assert tug.interval.high - tug.interval.low > slow.interval.high - slow.interval.low - 0.2
    assert estimate({"fcs_s": 12, "tug_s": 5}, key="literature_prior_with_test").value == slow.value
    assert not estimate(key="literature_prior_with_test").applies


FACTORS = ["dizziness", "parkinson", "mobility_problem", "med_antidepressant", "med_benzodiazepine",
           "med_antipsychotic",
           "med_opioid", "med_antiepileptic"]


@settings(max_examples=25, deadline=None)
@given(st.fixed_dictionaries({key: st.sampled_from([True, False, "not_done"]) for key in FACTORS}), st.booleans(),
       st.sampled_from(FACTORS))
def test_a_yes_raises_and_a_no_lowers(answers, fell, factor):
    answers = {**NONE, **answers, "falls_12m": int(fell)}
    p = {value: compute("literature_prior", {**answers, factor: value}, OLD) for value in (False, "not_done", True)}
    if all(found.applies for found in p.values()):
        assert p[False].value < p["not_done"].value + 1e-6 < p[True].value + 2e-6
    for found in p.values():
        if found.applies:
            assert 0 < found.interval.low < found.value < found.interval.high < 1


def test_the_documentation_gives_these_figures():
    text = " ".join((Path(__file__).parents[3] / "docs" / "fall_risk.md").read_text(encoding="utf-8").split())
    alphas = ", ".join(f"{model.intercept(share):.3f}" for share in (0.25, 0.30, 0.35))
    assert f"25, 30, 35 % give {alphas}." in text
    unshrunk = f"(alpha {model.intercept(0.30, 1.0):.3f}) the model implies an AUC of {model.implied_auc(1):.3f}"
    assert unshrunk in text
    assert f"lambda {model.LAMBDA:g} implies {model.implied_auc(model.LAMBDA):.3f}" in text
    shown = [estimate(*changes).value for changes in (
        (), (HISTORY,), (MOBILITY,), (HISTORY, MOBILITY), (HISTORY, MOBILITY, ANTIDEPRESSANT),
        (HISTORY, MOBILITY, DIZZY, ANTIDEPRESSANT, BENZODIAZEPINE))]
    for words, value in zip(("nothing", "history", "mobility", "history and mobility", "with an antidepressant",
                             "antidepressant and benzodiazepine"), shown, strict=True):
        assert f"{words} {value:.0%}".replace("%", " %") in text, words
    for factor in model.FACTORS:
        odds = factor.odds
        assert f"| {odds.ratio:.3g}" in text and f"({odds.low:.2f}-{odds.high:.2f})" in text, factor.key
