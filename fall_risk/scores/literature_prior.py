"""The literature-prior estimate of a fall within 12 months: an estimate for a population, not a validated score.

Arithmetic and constants stand in ``prior_model.py``. Two forms, never mixed: with the mobility term, or with ONE
performance test in its place.
"""
from __future__ import annotations

from math import log

from fall_risk.scores.fields import Answers
from fall_risk.scores.history import FALL_FIELDS, disagreement, fallen
from fall_risk.scores.likelihood import TestResult, chosen_test
from fall_risk.scores.medication import CLASSES, POLYPHARMACY, POLYPHARMACY_ODDS, polypharmacy
from fall_risk.scores.prior_model import FACTORS, LAMBDA, NAMES, Estimate, draws, estimate, intercept
from fall_risk.scores.registry import score
from fall_risk.scores.result import RECENT_SURGERY_MONTHS, Interval, Part, Person, part
from fall_risk.scores.sources import SOURCES

LEAST_KNOWN = 5         # E: history of falls and at least five of the nine factors must be answered
_AIDS = ("walking_aid", "si_aid", "tug_aid")
_FIELDS = {"mobility": ("mobility_problem", "walking_aid"), "dizziness": ("dizziness",), "parkinson": ("parkinson",),
           "history": ("falls_12m",)}
_USES = (*FALL_FIELDS, "mobility_problem", *_AIDS, "dizziness", "parkinson", *CLASSES, "med_count")
_PERSON = ("age_years", "recent_surgery")
_SOURCES = ("deandrea", "seppala", "seppala_others", "deandrea_limits", "fratup_external", "cattelani", "ours")
POPULATION_TEXT = ("Population estimate: it speaks of people of 65 and over who live at home. Discrimination of this "
                   "class of model is AUC about 0.65 (0.58-0.71): poor to fair. Not validated in your patient group; "
                   "not applicable under 65 years; people after an operation are not represented.")


def known_factors(answers: Answers) -> dict[str, bool]:
    """The factors that have an answer. No for mobility needs both a no to problems and a no to aids."""
    aids = answers.any_yes(*_AIDS)
    problem = answers.get("mobility_problem")
    aid_known = answers.any_yes("walking_aid", "si_aid") is not None
    mobility = True if problem or aids else False if problem is False and aid_known else None
    found = {"history": fallen(answers), "mobility": mobility, "dizziness": answers.get("dizziness"),
             "parkinson": answers.get("parkinson"), **{key: answers.get(key) for key in CLASSES}}
    return {name: found[name] for name in NAMES if found[name] is not None}


def _refusal(known: dict[str, bool], person: Person, needed: tuple[str, ...]) -> dict | None:
    missing = [field for name in needed if name not in known for field in _FIELDS.get(name, (name,))]
    if person.age_years is None:
        return {"why_not": "The age is not known.", "missing": ["person.age_years", *missing]}
    if person.age_years < 65:
        return {"why_not": "Does not apply under 65 years: the studies are of older people.", "missing": []}
    if person.recent_surgery:
        return {"missing": [],
                "why_not": f"Does not apply after recent surgery (within {RECENT_SURGERY_MONTHS} months, E): such "
                           "people are not in the studies."}
    answered = [name for name in needed if name in known]
    if "history" not in known or len(answered) < LEAST_KNOWN:
        return {"why_not": f"Too little is filled in: history of falls and at least {LEAST_KNOWN} of the "
                           f"{len(needed)} factors are needed (E); {len(answered)} are there.", "missing": missing}
    return None


def _parts(known: dict[str, bool], answers: Answers, needed: tuple[str, ...]) -> list[Part]:
    parts = []
    for factor in FACTORS:
        if factor.key not in needed:
            continue
        odds, present = factor.odds, known.get(factor.key)
        line = part(f"{factor.label}: odds ratio {odds.ratio:g} ({odds.low:g}-{odds.high:g})", present,
                    source=odds.source)
        if present is None:
            line.label += f"; not answered, averaged over a prevalence of {factor.prevalence:.1%} (E)"
        else:
            line.contribution = round(LAMBDA * log(odds.ratio), 6) if present else 0.0
        if odds.limits_source:
            line.label += f" (limits {SOURCES[odds.limits_source].status})"
        parts.append(line)
    taken = any(known.get(key) for key in CLASSES)
    if polypharmacy(answers) and not taken:
        odds = POLYPHARMACY_ODDS
        parts.append(part(f"{POLYPHARMACY} drugs or more and no named class: odds ratio {odds.ratio:g} "
                          f"({odds.low:g}-{odds.high:g})", True, round(LAMBDA * log(odds.ratio), 6), odds.source))
    return parts


def _result(answers: Answers, person: Person, test: TestResult | None, with_test: bool) -> dict:
    needed = tuple(name for name in NAMES if not (with_test and name == "mobility"))
    known = known_factors(answers)
    if refusal := _refusal(known, person, needed):
        return {"applies": False, **refusal}
    drawn = test.draws(draws(False).test) if test else None
    found: Estimate = estimate(known, polypharmacy(answers), mobility=not with_test,
                               log_ratio=log(test.ratio) if test else 0.0, log_ratio_draws=drawn)
    parts = _parts(known, answers, needed)
    limits = [POPULATION_TEXT, *disagreement(answers),
              "The factors are taken as independent and the prevalences, the shrinkage and the interval are ours (E)."]
    if person.recent_surgery is None:
        limits.append("It is not known whether there was recent surgery; after an operation the estimate does not "
                      "apply.")
    if test:
        parts.append(part(f"{test.label}: likelihood ratio {test.ratio:.2f}", True, round(log(test.ratio), 6),
                          test.source))
        limits.append("One performance test stands in place of the mobility term, so that the same is not counted "
                      "twice.")
        if drawn is None:
            limits.append("No interval was published for the test's likelihood ratio: it is taken as exact.")
    missing = [field for name in needed if name not in known for field in _FIELDS.get(name, (name,))
               if not answers.given(field)]
    return {
        "value": round(found.probability, 6), "unit": "probability of at least one fall in 12 months",
        "interval": Interval(low=round(found.low, 4), high=round(found.high, 4), meaning=(
            "95 %: odds ratios within their limits, share of fallers 25-35 %, discrimination AUC 0.58-0.71, "
            "unanswered factors over their prevalence")),
        "parts": parts, "missing": missing + ([] if answers.given("med_count") else ["med_count"]), "limits": limits,
        "path": [f"logit p = {intercept(mobility=not with_test):.3f} + {LAMBDA} x sum of ln(odds ratio)"
                 + (f" + ln({test.ratio:.2f})" if test else "") + "."],
    }


@score("literature_prior", "1", "Literature-prior estimate of a fall in 12 months", uses=_USES, person=_PERSON,
       sources=_SOURCES)
def literature_prior(answers: Answers, person: Person) -> dict:
    """From history, mobility, dizziness, Parkinson's disease and drugs."""
    return _result(answers, person, None, with_test=False)


@score("literature_prior_with_test", "1", "Literature-prior estimate with one performance test",
       uses=(*(key for key in _USES if key not in ("mobility_problem", *_AIDS)), "fcs_s", "fcs_used_arms", "tug_s"),
       person=_PERSON, sources=(*_SOURCES, "lusardi", "barry"))
def literature_prior_with_test(answers: Answers, person: Person) -> dict:
    """The same with the likelihood ratio of one test (five-times sit-to-stand, else Timed Up and Go) for mobility."""
    test = chosen_test(answers, with_recalled=False)
    if test is None:
        return {"applies": False, "missing": ["fcs_s", "tug_s"], "why_not":
                "Neither five-times sit-to-stand nor Timed Up and Go has been done."}
    return _result(answers, person, test, with_test=True)
