"""Fall-risk scores as pure functions: answers and a person in, scores with their parts, sources and limits out.

No Django here. ``instruments.py`` is the table of what can be asked, ``registry.py`` computes, ``result.py`` is what
comes back, ``docs/fall_risk.md`` explains every formula. What a simulation says (``motion.py``,
``movement_profile.py``) is kept apart: no published coefficient turns it into a probability of falling.
"""
from fall_risk.scores import (  # noqa: F401  imported for the scores that they register
    blood_pressure,
    chair_stands,
    likelihood,
    literature_prior,
    medication,
    power,
    questionnaires,
    steadi,
    walking,
    world_guidelines,
)
from fall_risk.scores.fields import DECLINED, NOT_DONE, UNABLE, Field, InputError, Instrument
from fall_risk.scores.follow_up import ModifiableFactor, Reassessment, modifiable_factors, reassessment
from fall_risk.scores.instruments import FIELDS, INSTRUMENTS, check_answers, clean_answers
from fall_risk.scores.registry import VERSIONS, compute, latest, recompute, score_all
from fall_risk.scores.result import RECENT_SURGERY_MONTHS, Interval, Part, Person, Score
from fall_risk.scores.sources import SOURCES, Source

__all__ = ["DECLINED", "FIELDS", "INSTRUMENTS", "NOT_DONE", "RECENT_SURGERY_MONTHS", "SOURCES", "UNABLE", "VERSIONS",
           "Field", "InputError", "Instrument", "Interval", "ModifiableFactor", "Part", "Person", "Reassessment",
           "Score", "Source", "check_answers",
           "clean_answers", "compute", "latest", "modifiable_factors", "reassessment", "recompute", "score_all"]
