"""What several questionnaires ask in different words, brought together: has the person fallen in the last 12 months?"""
from __future__ import annotations

from fall_risk.scores.fields import Answers

SAYS_FALLEN = ("kq_fallen", "si_fallen", "tq_fallen_6m", "fall_injury", "fall_long_lie", "fall_consciousness")
FALL_FIELDS = ("falls_12m", *SAYS_FALLEN)


def fallen(answers: Answers) -> bool | None:
    """Any yes counts. No needs an answer about the whole 12 months (none in 6 months is not enough)."""
    count = answers.get("falls_12m")
    if (count or 0) >= 1 or answers.any_yes(*SAYS_FALLEN):
        return True
    if count == 0 or answers.any_yes("kq_fallen", "si_fallen") is False:
        return False
    return None


def fell_twice(answers: Answers) -> bool | None:
    """Two falls or more; unknown where only "fallen" is known, or where the count contradicts another answer."""
    count = answers.get("falls_12m")
    if count is None or (count == 0 and fallen(answers)):
        return None if fallen(answers) is not False else False
    return count >= 2


def disagreement(answers: Answers) -> list[str]:
    """A sentence where the answers about falls contradict one another."""
    said = [answers.get(key) for key in ("kq_fallen", "si_fallen") if answers.get(key) is not None]
    count = answers.get("falls_12m")
    if count is not None:
        said.append(count >= 1)
    if fallen(answers) and False in said:
        return ["The answers about falls disagree (one says yes, another no): please ask again. A yes counts here."]
    return []
