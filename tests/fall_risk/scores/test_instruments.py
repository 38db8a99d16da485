"""The table of what can be asked, and the check of answers."""
from __future__ import annotations

import json
import math

import pytest

from fall_risk.scores import FIELDS, INSTRUMENTS, SOURCES, VERSIONS, InputError, check_answers, clean_answers
from fall_risk.scores.fields import Answers


def test_every_field_has_one_place_and_every_source_exists():
    keys = [field.key for instrument in INSTRUMENTS.values() for field in instrument.fields]
    assert len(keys) == len(set(keys)) == len(FIELDS)
    for instrument in INSTRUMENTS.values():
        document = json.loads(json.dumps(instrument.document()))
        assert document["status"] in {"V", "R", "E"} and document["licence"] and document["help"]
    assert {source.status for source in SOURCES.values()} == {"V", "R", "E"}


def test_numbers_have_a_range_and_choices_have_options():
    for field in FIELDS.values():
        assert field.kind in {"boolean", "number", "whole", "choice", "date"}, field.key
        ranged = field.minimum is not None and field.maximum is not None
        assert (field.kind in {"number", "whole"}) == ranged, field.key
        assert (field.kind == "choice") == bool(field.choices), field.key


def test_scores_read_only_fields_that_exist_and_every_field_of_a_test_is_read():
    used = {key for versions in VERSIONS.values() for definition in versions.values() for key in definition.uses}
    assert used <= set(FIELDS)
    unread = {key for key in FIELDS if key not in used}
    assert unread == {"last_fall_on", "tq_own_estimate", "med_reviewed_on", "parq_any_yes", "stroke", "cognition",
                      "depression", "continence", "vision_problem", "vision_checked", "footwear_unsafe", "foot_problem",
                      "home_hazards", "inactive", "alcohol", "lives_alone"}      # for the list of factors, or only kept


def test_protected_forms_show_no_wording():
    for key in ("fes_i", "berg", "poma", "morse", "par_q"):
        assert "official form" in INSTRUMENTS[key].licence, key
    labels = [field.label for field in INSTRUMENTS["fes_i"].fields]
    assert labels == ["Total", *(f"Item {n}" for n in range(1, 17))]


@pytest.mark.parametrize(("key", "value", "sentence"), [
    ("tug_s", 2.9, "from 3 to 180 s"), ("tug_s", math.nan, "number in s"), ("tug_s", "twelve", "number in s"),
    ("tug_s", True, "number in s"), ("tug_s", 10**400, "number in s"), ("falls_12m", 1.5, "whole number"),
    ("falls_12m", -1, "from 0"), ("kq_fallen", "yes", "yes or no"), ("kq_fallen", 1, "yes or no"),
    ("bp_start", "standing", "Choose one of"), ("bp_start", ["supine"], "Choose one of"),
    ("last_fall_on", "2026-02-30", "YYYY-MM-DD"), ("last_fall_on", 5, "YYYY-MM-DD"),
    ("kq_fallen", "unable", "not done"), ("no_such_key", 1, "no such question"),
])
def test_a_wrong_answer_names_its_field(key, value, sentence):
    clean, errors = check_answers({key: value})
    assert clean == {} and sentence in errors[key]
    with pytest.raises(InputError, match=key):
        clean_answers({key: value})


@pytest.mark.parametrize("edge", [3, 180, 3.0])
def test_the_ends_of_a_range_are_inside(edge):
    assert clean_answers({"tug_s": edge}) == {"tug_s": float(edge)}


def test_not_done_declined_unable_and_zero_stay_apart():
    given = {"cst_count": 0, "falls_12m": "not_done", "tug_s": "unable", "frailty": "declined", "dizziness": False,
             "parkinson": None}
    clean = clean_answers(given)
    assert clean == {key: value for key, value in given.items() if value is not None}
    answers = Answers(clean)
    assert answers.get("cst_count") == 0 and answers.given("cst_count")
    assert answers.get("falls_12m") is None and not answers.given("falls_12m")
    assert answers.get("tug_s") is None and answers.given("tug_s") and answers.unable("tug_s")
    assert answers.get("dizziness") is False and answers.given("dizziness")
    assert answers.missing("falls_12m", "frailty", "tug_s", "parkinson") == ["falls_12m", "frailty", "parkinson"]


def test_what_cannot_both_be_right():
    _, errors = check_answers({"bp_rest_systolic": 80, "bp_rest_diastolic": 80})
    assert "below" in errors["bp_rest_diastolic"]
    items = {f"fes_{n}": 1 for n in range(1, 17)}
    assert "sum to 16" in check_answers({**items, "fes_total": 17})[1]["fes_total"]
    assert check_answers({**items, "fes_total": 16})[1] == {}
