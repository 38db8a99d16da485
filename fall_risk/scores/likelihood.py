"""Likelihood ratios of single performance tests, and the probability after one of them (Lusardi's post-test
probability).
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit, ndtri

from fall_risk.scores.chair_stands import LUSARDI_S, five_time
from fall_risk.scores.fields import Answers
from fall_risk.scores.registry import score
from fall_risk.scores.result import Person, part
from fall_risk.scores.walking import TUG_BARRY_S

PRETEST = 0.30                      # V: Lusardi
_LUSARDI_CHAIR = (0.41, 0.20)       # V: after 12 s or more, after less
# Barry 2014, TUG at 13.5 s (V): estimate and 95 % limits
_BARRY_SENSITIVITY, _BARRY_SPECIFICITY = (0.31, 0.13, 0.57), (0.74, 0.52, 0.88)
BERG_AT_MOST, _BERG_RATIOS = 50, (3.36, 0.70)       # R


@dataclass(frozen=True)
class TestResult:
    """One test read as a likelihood ratio."""

    label: str
    ratio: float
    source: str

    def draws(self, uniform: np.ndarray) -> np.ndarray | None:
        """Log ratios (points,) at uniform points (points, 2); None where no uncertainty was published."""
        if self.source != "barry":
            return None
        rates = []
        for (middle, low, high), u in zip((_BARRY_SENSITIVITY, _BARRY_SPECIFICITY), uniform.T, strict=True):
            rates.append(expit(logit(middle) + (logit(high) - logit(low)) / (2 * ndtri(0.975)) * ndtri(u)))
        sensitivity, specificity = rates
        positive = self.ratio > 1
        return np.log(sensitivity / (1 - specificity)) if positive else np.log((1 - sensitivity) / specificity)


def _odds(p: float) -> float:
    return p / (1 - p)


def chosen_test(answers: Answers, with_recalled: bool) -> TestResult | None:
    """ONE test, the best documented first: five-times sit-to-stand, Timed Up and Go, then (if allowed) Berg.

    Tests are correlated, so they are never chained. A test that could not be done counts as its positive result (E).
    """
    time, unable = five_time(answers)
    if unable or time is not None:
        slow = unable or time >= LUSARDI_S
        label = "Five-times sit-to-stand " + ("12 s or more, or not possible" if slow else "under 12 s")
        return TestResult(label, _odds(_LUSARDI_CHAIR[not slow]) / _odds(PRETEST), "lusardi")
    if answers.given("tug_s"):
        slow = answers.unable("tug_s") or answers.get("tug_s") >= TUG_BARRY_S
        sensitivity, specificity = _BARRY_SENSITIVITY[0], _BARRY_SPECIFICITY[0]
        ratio = sensitivity / (1 - specificity) if slow else (1 - sensitivity) / specificity
        return TestResult("Timed Up and Go " + ("13.5 s or more, or not possible" if slow else "under 13.5 s"), ratio,
                          "barry")
    total = answers.get("berg_total")
    if with_recalled and total is not None:
        low = total <= BERG_AT_MOST
        return TestResult(f"Berg {'50 or less' if low else 'over 50'}", _BERG_RATIOS[not low], "lusardi_recalled")
    return None


@score("post_test_probability", "1", "Probability after one performance test",
       uses=("fcs_s", "fcs_used_arms", "tug_s", "berg_total"), person=("age_years",),
       sources=("lusardi", "barry", "lusardi_recalled"))
def post_test_probability(answers: Answers, person: Person) -> dict:
    """Odds before the test (30 %) times the likelihood ratio of one test."""
    if person.age_years is None or person.age_years < 65:
        known = person.age_years is not None
        return {"applies": False, "missing": [] if known else ["person.age_years"],
                "why_not": "The studies are of people of 65 and over." if known else "The age is not known."}
    test = chosen_test(answers, with_recalled=True)
    if test is None:
        return {"applies": False, "missing": ["fcs_s", "tug_s"], "why_not": "None of the tests has been done."}
    odds = _odds(PRETEST) * test.ratio
    return {
        "value": round(odds / (1 + odds), 6), "unit": "probability of a fall in 12 months",
        "parts": [part("Before the test", PRETEST, source="lusardi"),
                  part(f"{test.label}: likelihood ratio {test.ratio:.2f}", True, round(float(np.log(test.ratio)), 6),
                       test.source)],
        "path": [f"Odds before the test {_odds(PRETEST):.3f} x likelihood ratio {test.ratio:.2f} = {odds:.3f}."],
        "limits": ["One test only: tests are correlated, and chaining several (cumulative post-test probability) "
                   "overstates.",
                   "The same 30 % before the test is taken for everybody."],
    }
