"""Assessments: filled in by pieces, two editors, completion, correction, scores that stay computable."""
from __future__ import annotations

import io
from datetime import timedelta

import pgtrigger
import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.utils import DatabaseError
from django.http import Http404
from django.test import Client
from django.utils import timezone

from clinic.errors import ServiceError
from fall_risk import services
from fall_risk.facts import person_facts
from fall_risk.models import Alert, Assessment, AssessmentEvent, ScoreRecord
from fall_risk.scores import INSTRUMENTS
from fall_risk.selectors import overview
from fall_risk.services.assessments import saves_of
from patients import services as record
from tests.world import Side, assessed, completed, filled_in, make_patient

HIGH = {"falls_12m": 2, "fall_injury": True}
LOW = {"falls_12m": 0, "kq_fallen": False}


@pytest.fixture
def draft(side: Side) -> Assessment:
    return services.assessment_start(actor=side.clinician, patient=make_patient(side.clinician, "Nora"))


def save(side: Side, row: Assessment, section: str, version: int = 0, **answers):
    return services.assessment_section_save(
        actor=side.clinician, assessment=row, section=section, answers=answers, version=version
    )


def test_a_half_done_assessment_is_kept_and_not_done_is_not_zero(side: Side, draft: Assessment):
    save(side, draft, "falls_history", falls_12m=0, fall_injury="not_done")
    save(side, draft, "tug", tug_s="declined")
    draft.refresh_from_db()
    assert draft.answers == {"falls_12m": 0, "fall_injury": "not_done", "tug_s": "declined"}
    assert draft.is_draft and not draft.scores.exists()
    again = services.assessment_start(actor=side.clinician, patient=draft.patient)
    assert again.pk == draft.pk     # a second draft would drift apart from the first


def test_a_section_is_replaced_as_a_whole_and_the_others_stay(side: Side, draft: Assessment):
    save(side, draft, "tug", tug_s=11.5, tug_aid=True)
    save(side, draft, "gait_speed", gait_speed_m_s=0.9)
    save(side, draft, "tug", version=1, tug_s=12.5)
    draft.refresh_from_db()
    assert draft.answers == {"tug_s": 12.5, "gait_speed_m_s": 0.9}
    assert draft.versions == {"tug": 2, "gait_speed": 1}


def test_two_editors_do_not_overwrite_each_other(side: Side, draft: Assessment):
    record.care_team_add(actor=side.clinician, patient=draft.patient, clinician=side.outsider)
    save(side, draft, "tug", tug_s=11.5)
    with pytest.raises(ServiceError) as error:
        services.assessment_section_save(
            actor=side.outsider, assessment=draft, section="tug", answers={"tug_s": 20.0}, version=0
        )
    assert error.value.status == 409
    services.assessment_section_save(       # another section is no conflict
        actor=side.outsider, assessment=draft, section="gait_speed", answers={"gait_speed_m_s": 1.0}, version=0
    )
    draft.refresh_from_db()
    assert draft.answers == {"tug_s": 11.5, "gait_speed_m_s": 1.0}


@pytest.mark.parametrize(("section", "answers", "field"), [
    ("tug", {"tug_s": 0}, "tug_s"), ("tug", {"tug_s": "fast"}, "tug_s"), ("tug", {"tug_s": float("nan")}, "tug_s"),
    ("tug", {"tug_s": True}, "tug_s"), ("tug", {"tug_s": [1]}, "tug_s"),
    ("tug", {"gait_speed_m_s": 1}, "gait_speed_m_s"), ("falls_history", {"falls_12m": 1.5}, "falls_12m"),
    ("falls_history", {"last_fall_on": "2999-01-01"}, "last_fall_on"),
    ("falls_history", {"last_fall_on": "1900-01-01"}, "last_fall_on"), ("key_questions", {"kq_fallen": 1}, "kq_fallen"),
    ("key_questions", {"kq_fallen": "unable"}, "kq_fallen"), ("nothing", {}, "section"),
    ("blood_pressure", {"bp_rest_systolic": 70, "bp_rest_diastolic": 90}, "bp_rest_diastolic"),
])
def test_what_cannot_be_right_is_named_by_its_field(side: Side, draft: Assessment, section, answers, field):
    with pytest.raises(ServiceError) as error:
        save(side, draft, section, **answers)
    assert [e.field for e in error.value.errors] == [field] and all(e.message for e in error.value.errors)
    draft.refresh_from_db()
    assert draft.answers == {} and draft.versions == {}


def test_autosave_keeps_the_right_answers_and_names_the_wrong_ones(side: Side, draft: Assessment):
    browser = Client()
    browser.force_login(side.clinician)
    address = f"/fall-assessments/{draft.pk}/sections/tug/"
    answer = browser.post(address, {"version": "0", "tug_s": "12,5", "tug_aid": "no"}, headers={"HX-Request": "true"})
    assert answer.status_code == 200 and 'name="version" value="1"' in answer.content.decode()
    answer = browser.post(address, {"version": "1", "tug_s": "999", "tug_aid": "yes"}, headers={"HX-Request": "true"})
    text = answer.content.decode()
    assert answer.status_code == 422 and "Enter a number from 3 to 180 s." in text
    draft.refresh_from_db()
    assert draft.answers == {"tug_aid": True}       # an earlier value does not stand behind what the page shows
    answer = browser.post(address, {"version": "1", "tug_s": "10"}, headers={"HX-Request": "true"})
    assert answer.status_code == 409 and "Somebody else saved this section" in answer.content.decode()
    both = browser.post(address, {"version": "2", "tug_s": "10", "tug_s__absent": "not_done"},
                        headers={"HX-Request": "true"})
    assert both.status_code == 422 and "not both" in both.content.decode()


@pytest.mark.parametrize("version", ["", "x", "-1", "9" * 30, "\u00b2"])
def test_a_strange_version_is_a_conflict(side: Side, draft: Assessment, version: str):
    browser = Client()
    browser.force_login(side.clinician)
    answer = browser.post(f"/fall-assessments/{draft.pk}/sections/tug/", {"version": version, "tug_s": "10"},
                          headers={"HX-Request": "true"})
    assert answer.status_code == 409


def test_completion_freezes_answers_person_and_scores(side: Side, draft: Assessment):
    row = completed(side.clinician, filled_in(side.clinician, draft, **HIGH))
    assert row.category == "high" and row.age_band == "under 65" and row.facts["height_m"] == 1.78
    assert row.next_due_on == row.assessed_on + timedelta(days=90)
    guideline = row.scores.get(key="world_guidelines")
    assert guideline.result["category"] == "high" and guideline.inputs["answers"]["falls_12m"] == 2
    for change in ({"answers": {}}, {"category": "low"}, {"status": "draft"}, {"facts": {}}):
        with pytest.raises(DatabaseError), transaction.atomic():
            Assessment.objects.filter(pk=row.pk).update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        row.scores.update(version="2")
    with pytest.raises(DatabaseError), transaction.atomic():
        row.scores.all().delete()
    with pytest.raises(ServiceError):
        save(side, row, "tug", tug_s=10)


def test_completing_needs_answers_and_the_last_save_seen(side: Side, draft: Assessment):
    with pytest.raises(ServiceError, match="Nothing has been filled in"):
        services.assessment_complete(actor=side.clinician, assessment=draft, saves=0)
    filled_in(side.clinician, draft, **HIGH)
    with pytest.raises(ServiceError) as error:
        services.assessment_complete(actor=side.clinician, assessment=draft, saves=0)
    assert error.value.status == 409


def test_too_little_filled_in_gives_no_category_and_no_alert(side: Side, draft: Assessment):
    row = completed(side.clinician, filled_in(side.clinician, draft, kq_worried=True))
    assert row.category == "" and not Alert.objects.filter(assessment=row).exists()
    guideline = row.scores.get(key="world_guidelines")
    assert not guideline.result["applies"] and guideline.result["missing"]


def test_a_correction_takes_the_place_of_what_was_wrong(side: Side, draft: Assessment):
    wrong = completed(side.clinician, filled_in(side.clinician, draft, **LOW))
    with pytest.raises(ServiceError):
        services.assessment_correct(actor=side.clinician, assessment=wrong, reason=" ")
    right = services.assessment_correct(actor=side.clinician, assessment=wrong, reason="Two falls were forgotten.")
    assert right.answers == wrong.answers
    right = completed(side.clinician, filled_in(side.clinician, right, falls_12m=2, kq_fallen=True))
    wrong.refresh_from_db()
    assert (wrong.status, right.status) == ("corrected", "complete")
    shown = overview(user=side.clinician, patient=draft.patient)
    assert shown.latest == right and not shown.changes
    event = AssessmentEvent.objects.filter(pgh_obj_id=right.pk, pgh_label="insert").get()
    assert event.pgh_context.metadata["reason"] == "Correction: Two falls were forgotten."


def test_a_discarded_draft_is_gone_with_its_recordings(side: Side, draft: Assessment):
    services.recording_upload(actor=side.clinician, assessment=draft, kind="squat", file_name="a.mot", content=b"x")
    services.assessment_discard(actor=side.clinician, assessment=draft)
    assert not Assessment.objects.filter(pk=draft.pk).exists()
    with pytest.raises(Http404):
        save(side, draft, "tug", tug_s=10)


def test_only_the_care_team_assesses(side: Side, draft: Assessment):
    with pytest.raises(Http404):
        services.assessment_section_save(
            actor=side.outsider, assessment=draft, section="tug", answers={"tug_s": 10}, version=0
        )


def test_every_field_of_every_instrument_has_an_input(side: Side, draft: Assessment):
    browser = Client()
    browser.force_login(side.clinician)
    page = browser.get(f"/fall-assessments/{draft.pk}/").content.decode()
    for instrument in INSTRUMENTS.values():
        assert f'id="section-{instrument.key}"' in page
        for field in instrument.fields:
            assert f'name="{field.key}"' in page, field.key


def test_the_patient_page_shows_path_estimate_changes_and_trend(side: Side, draft: Assessment):
    patient = draft.patient
    type(patient).objects.filter(pk=patient.pk).update(birth_date=timezone.localdate() - timedelta(days=75 * 366))
    completed(side.clinician, filled_in(side.clinician, draft, **LOW, tug_s=9.0, cst_count=14))
    assessed(side.clinician, patient, **HIGH, tug_s=16.0, cst_count=8, mobility_problem=True, walking_aid=False,
             dizziness=True, parkinson=False, med_antidepressant=True, med_benzodiazepine=False,
             med_antipsychotic=False, med_opioid=False, med_antiepileptic=False, med_count=3)
    shown = overview(user=side.clinician, patient=patient)
    assert shown.guideline.category == "high" and len(shown.guideline.path) >= 2
    assert shown.estimate.applies and 0 < shown.estimate.interval.low < shown.estimate.value
    assert {change.label for change in shown.changes} >= {"Timed Up and Go", "World Falls Guidelines 2022"}
    assert [p["value"] for t in shown.trends if t["key"] == "tug" for p in t["points"]] == [9.0, 16.0]
    browser = Client()
    browser.force_login(side.clinician)
    text = browser.get(f"/patients/{patient.pk}/fall-risk/").content.decode()
    assert "AUC" in text and "odds ratio 2.8" in text and "A fall in the last 12 months? yes." in text
    assert "no published coefficient" in text and "Review with the prescriber" in text


def test_under_65_the_estimate_does_not_apply_and_says_so(side: Side, draft: Assessment):
    completed(side.clinician, filled_in(side.clinician, draft, **HIGH))
    browser = Client()
    browser.force_login(side.clinician)
    text = browser.get(f"/patients/{draft.patient.pk}/fall-risk/").content.decode()
    assert "Does not apply." in text and "under 65 years" in text


def test_recent_surgery_is_taken_from_the_record(side: Side, draft: Assessment):
    today = timezone.localdate()
    assert person_facts(draft.patient, today)["recent_surgery"] is False
    record.condition_record(actor=side.clinician, patient=draft.patient, name="TKA", phase="wk 6+ strengthening",
                            side="left", onset_on=None)
    assert person_facts(draft.patient, today)["recent_surgery"] is None
    record.condition_record(actor=side.clinician, patient=draft.patient, name="ACLR_isolated", phase="wk 6-16",
                            side="left", onset_on=today - timedelta(weeks=9))
    assert person_facts(draft.patient, today)["recent_surgery"] is True


def test_stored_scores_come_out_the_same_and_a_difference_is_told(side: Side):
    said = io.StringIO()
    call_command("recheck_scores", stdout=said)
    assert f"{ScoreRecord.objects.count()} stored scores, all the same" in said.getvalue()
    stored = side.record.assessment.scores.get(key="tug")
    with pgtrigger.ignore("fall_risk.ScoreRecord:never_changed"):
        ScoreRecord.objects.filter(pk=stored.pk).update(result={**stored.result, "value": 7})
    said = io.StringIO()
    with pytest.raises(CommandError, match="1 of"):
        call_command("recheck_scores", stdout=said)
    assert "value was 7, is 16.0" in said.getvalue()


def test_the_same_by_rest(side: Side):
    client = Client()
    client.force_login(side.clinician)
    patient = make_patient(side.clinician, "Ida")

    def send(method: str, address: str, body: dict | None = None):
        return getattr(client, method)(f"/api/v1/{address}", data=body or {}, content_type="application/json")

    made = send("post", f"patients/{patient.pk}/fall-assessments/").json()
    address = f"fall-assessments/{made['id']}/"
    wrong = send("put", f"{address}sections/tug/", {"version": 0, "answers": {"tug_s": 1, "x": 2}})
    assert wrong.status_code == 400 and {e["field"] for e in wrong.json()["errors"]} == {"tug_s", "x"}
    saved = send("put", f"{address}sections/falls_history/", {"version": 0, "answers": HIGH})
    assert saved.status_code == 200 and saved.json()["saves"] == 1
    stale = send("put", f"{address}sections/falls_history/", {"version": 0, "answers": HIGH})
    assert stale.status_code == 409
    done = send("post", f"{address}complete/", {"saves": 1})
    assert done.status_code == 200 and done.json()["category"] == "high"
    scores = client.get(f"/api/v1/{address}scores/").json()["results"]
    assert "world_guidelines" in {score["key"] for score in scores}
    risk = client.get(f"/api/v1/patients/{patient.pk}/fall-risk/").json()
    assert risk["category"] == "high" and risk["assessment"] == made["id"]
    assert client.get("/api/v1/catalogue/fall-risk-instruments/").json()["count"] == len(INSTRUMENTS)
    assert client.delete(f"/api/v1/{address}").status_code == 409
    assert saves_of(Assessment.objects.get(pk=made["id"])) == 1
