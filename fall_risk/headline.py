"""Which of the scores lead a page, and what follows from them."""
from __future__ import annotations

from collections.abc import Iterable

from fall_risk.scores import Score

GUIDELINE = "world_guidelines"
ESTIMATES = ("literature_prior_with_test", "literature_prior")     # the first that applies is shown


def category(scores: Iterable[Score]) -> str:
    """Of the guideline; empty where the answers leave it open."""
    return next((score.category for score in scores if score.key == GUIDELINE and score.applies), "")


def is_probability(unit: str) -> bool:
    """A share of a population is no measurement of a person: it has no trend, and nothing `changed` in it."""
    return unit.startswith("probability")


def is_worth_keeping(score: Score) -> bool:
    """A score without any answer says nothing; those that lead are kept even then, with what they miss."""
    return bool(score.inputs) or score.key in (GUIDELINE, *ESTIMATES)
