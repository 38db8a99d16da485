"""What holds for every score: never raises, can be stored and computed again, says why it does not apply."""
from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fall_risk.scores import VERSIONS, InputError, Score, compute, latest, modifiable_factors, recompute, score_all
from fall_risk.scores.registry import score
from tests.fall_risk.scores.strategies import ALL_ANSWERS, PERSONS

QUICK = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow,
    HealthCheck.data_too_large,
                                                                        HealthCheck.filter_too_much])


@QUICK
@given(ALL_ANSWERS, PERSONS)
def test_any_part_of_the_answers_gives_every_score(answers, person):
    scores = score_all(answers, person)
    assert [found.key for found in scores] == list(VERSIONS)
    for found in scores:
        assert found.applies or found.why_not
        assert not found.applies or found.value is not None or found.category
        assert found.applies or (found.value is None and not found.category)
        assert found.citations and found.status in {"V", "R", "E"}
        assert all(key in latest(found.key).uses or key.startswith("person.") for key in found.missing)
        for line in found.parts:
            assert line.status in {"V", "R", "E", ""}
    modifiable_factors(answers, person)


@QUICK
@given(ALL_ANSWERS, PERSONS)
def test_what_was_stored_computes_to_the_same(answers, person):
    for found in score_all(answers, person):
        stored = json.loads(json.dumps(found.document()))
        assert Score.model_validate(stored) == found
        assert recompute(stored).document() == stored


@QUICK
@given(ALL_ANSWERS, PERSONS, st.randoms())
def test_the_order_of_answers_does_not_matter(answers, person, random):
    shuffled = list(answers.items())
    random.shuffle(shuffled)
    assert [found.document() for found in score_all(dict(shuffled), person)] == \
           [found.document() for found in score_all(answers, person)]


def test_an_old_version_stays_computable(monkeypatch):
    @score("tug", "test", "Timed Up and Go, changed", uses=("tug_s",), sources=("ours",))
    def changed(answers, person):
        return {"value": -1.0}

    try:
        stored = compute("tug", {"tug_s": 11}, {}, version="1").document()
        assert compute("tug", {"tug_s": 11}, {}).value == -1.0
        assert recompute(stored).value == 11.0
        with pytest.raises(ValueError, match="exists already"):
            score("tug", "test", "", uses=(), sources=("ours",))(changed)
    finally:
        del VERSIONS["tug"]["test"]


def test_what_is_wrong_is_named():
    with pytest.raises(KeyError, match="no_such_score"):
        compute("no_such_score", {}, {})
    with pytest.raises(KeyError, match="version"):
        compute("tug", {}, {}, version="0")
    with pytest.raises(InputError, match="tug_s"):
        compute("tug", {"tug_s": -1}, {})
    with pytest.raises(InputError, match="person.age_years"):
        compute("tug", {}, {"age_years": -1})
    with pytest.raises(InputError, match="person.name"):
        compute("tug", {}, {"name": "x"})


def test_the_weakest_source_gives_the_status():
    assert compute("fes_i", {"fes_total": 20}, {}).status == "V"
    assert compute("poma", {"poma_total": 20}, {}).status == "R"
    assert compute("literature_prior", {}, {}).status == "E"
