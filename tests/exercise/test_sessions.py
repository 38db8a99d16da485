"""Sessions: stored once, never changed, only of an exercise in force; what alarms holds the exercise and alerts."""
from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core import mail
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone

from clinic.errors import ServiceError
from exercise import pain, selectors
from exercise.models import ExerciseSession
from fall_risk.models import Alert
from fall_risk.services.alerts import alert_mail_send
from prescriptions.models import Prescription
from prescriptions.pain import AFTER_OPERATION, EVERYBODY, pain_limit
from prescriptions.selectors import exercise_held, exercise_list
from prescriptions.services import prescription_release, prescription_withdraw
from tests.world import Side, told


def entry(side: Side, **changes) -> dict:
    now = timezone.now()
    return {"id": str(uuid4()), "prescription": str(side.record.signed.pk), "sets": 3, "repetitions": 24,
            "started_at": (now - timedelta(minutes=4)).isoformat(), "finished_at": now.isoformat(),
            "pain_during": 2, "pain_after": 1, **changes}


@pytest.fixture
def phone(side: Side) -> Client:
    client = Client()
    client.force_login(side.patient)
    return client


def post(phone: Client, body: dict):
    return phone.post("/api/v1/own-sessions/", body, content_type="application/json")


def test_an_entry_sent_twice_is_stored_once_and_answered_alike(side: Side, phone: Client):
    body = entry(side, note="Fine.", red_flags=["dizziness", "gave_way"])
    before = ExerciseSession.objects.count()
    first, second = post(phone, body), post(phone, {**body, "red_flags": ["gave_way", "dizziness"]})
    assert (first.status_code, second.status_code) == (201, 201) and first.json() == second.json()
    assert first.json()["alarmed"] and ExerciseSession.objects.count() == before + 1
    assert Alert.objects.filter(kind="exercise").count() == 1
    other = post(phone, {**body, "repetitions": 25})
    assert other.status_code == 409 and "Another entry" in other.json()["errors"][0]["message"]


@pytest.mark.parametrize("changes, words", [
    ({"pain_during": 4}, "pain during it 4 of 10 (limit 3)"), ({"pain_after": 10}, "pain after it 10 of 10 (limit 3)"),
    ({"red_flags": ["chest_pain"]}, "chest pain"), ({"stopped_early": "unwell"}, "not feeling well"),
])
def test_what_alarms_holds_the_exercise_and_alerts_the_care_team(side: Side, changes: dict, words: str):
    session = told(side.patient, side.record.signed, **changes)
    assert session.pain_limit == 3      # after an operation of the ligament
    assert words in session.alert.sentence and words in exercise_held(user=side.patient).get().held_reason
    assert not exercise_list(user=side.patient).exists()
    for row in session.alert.mails.all():
        alert_mail_send(mail_id=row.pk)
    assert [letter.to for letter in mail.outbox] == [[side.clinician.email]]
    assert words not in mail.outbox[0].body and side.record.patient.family_name not in mail.outbox[0].body


def test_pain_at_the_limit_alarms_nobody(side: Side):
    assert told(side.patient, side.record.signed, pain_during=3, pain_after=3).alert is None
    assert exercise_list(user=side.patient).exists()


def test_the_longest_alert_fits_its_row(side: Side):
    worst = told(side.patient, side.record.signed, pain_during=10, pain_after=10, red_flags=list(pain.RED_FLAGS),
                 stopped_early="unwell")
    assert all(words[1] in worst.alert.sentence for words in pain.RED_FLAGS.values())


def test_the_strictest_limit_of_the_conditions_counts():
    assert pain_limit([]) == EVERYBODY and EVERYBODY.most == 5
    assert pain_limit(["LBP", "knee_OA"]).before == 4
    assert pain_limit(["knee_OA", "TKA"]) == AFTER_OPERATION


def _end(side: Side, **changes) -> Prescription:
    """Move the end of what is signed; the database refuses it to everybody else."""
    from pgtrigger import ignore

    with ignore("prescriptions.Prescription:signed_is_frozen"):
        Prescription.objects.filter(pk=side.record.signed.pk).update(**changes)
    return Prescription.objects.get(pk=side.record.signed.pk)


def test_nothing_is_told_of_an_exercise_that_ran_out_before(side: Side):
    now = timezone.now()
    row = _end(side, signed_at=now - timedelta(days=15), expires_at=now - timedelta(days=1))
    with pytest.raises(ServiceError, match="not in force"):
        told(side.patient, row)
    # What was done in time may arrive late.
    day = now - timedelta(days=2)
    assert told(side.patient, row, started_at=day, finished_at=day + timedelta(minutes=9)).pk


def test_a_late_alarm_holds_what_is_signed_now(side: Side):
    from prescriptions.services import prescription_sign
    from tests.world import PASSWORD

    signed = prescription_sign(actor=side.clinician, prescription=side.record.draft, password=PASSWORD)
    side.record.signed.refresh_from_db()
    assert side.record.signed.status == "withdrawn"
    told(side.patient, side.record.signed, pain_after=9)
    signed.refresh_from_db()
    assert signed.status == "held"


@pytest.mark.parametrize("start, end, field", [
    (timedelta(minutes=-3), timedelta(minutes=-9), "finished_at"),
    (timedelta(hours=-7), timedelta(0), "finished_at"),
    (timedelta(days=-2), timedelta(days=-2, minutes=5), "started_at"),
    (timedelta(0), timedelta(hours=1), "finished_at"),
])
def test_times_that_cannot_be(side: Side, phone: Client, start, end, field):
    now = timezone.now()
    answer = post(phone, entry(side, started_at=(now + start).isoformat(), finished_at=(now + end).isoformat()))
    assert answer.status_code == 400 and answer.json()["errors"][0]["field"] == field


def test_after_a_hold_or_withdrawal_nothing_new_begins(side: Side):
    told(side.patient, side.record.signed, pain_after=9)
    later = dict.fromkeys(("started_at", "finished_at"), timezone.now() + timedelta(minutes=10))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("exercise.services.timezone.now", lambda: later["finished_at"])
        with pytest.raises(ServiceError, match="not in force"):
            told(side.patient, side.record.signed, **later)
        prescription_release(actor=side.clinician, prescription=side.record.signed, reason="Better.")
        assert told(side.patient, side.record.signed, **later).pk
        prescription_withdraw(actor=side.clinician, prescription=side.record.signed, reason="Enough.")
    Prescription.objects.filter(pk=side.record.signed.pk).update(withdrawn_at=timezone.now() - timedelta(hours=1))
    with pytest.raises(ServiceError, match="not in force"):
        told(side.patient, side.record.signed)


def test_a_row_never_changes_and_a_correction_takes_its_place(side: Side):
    first = told(side.patient, side.record.signed, pain_after=9)
    for change in (lambda: ExerciseSession.objects.filter(pk=first.pk).update(pain_after=1), first.delete):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    prescription_release(actor=side.clinician, prescription=side.record.signed, reason="Spoken.")
    second = told(side.patient, side.record.signed, pain_after=9, repetitions=20, corrects=first,
                  started_at=first.started_at, finished_at=first.finished_at)
    assert second.alert is None and exercise_list(user=side.patient).exists()       # said before, looked at since
    third = told(side.patient, side.record.signed, pain_after=9, pain_during=8, corrects=second,
                 started_at=first.started_at, finished_at=first.finished_at)
    assert "pain during" in third.alert.sentence and "pain after" not in third.alert.sentence
    with pytest.raises(ServiceError, match="corrected already"):
        told(side.patient, side.record.signed, corrects=first, started_at=first.started_at)
    own = [row.pk for row in selectors.own_session_list(user=side.patient)]
    assert third.pk in own and first.pk not in own and second.pk not in own


@pytest.mark.parametrize("changes", [
    {"pain_during": 11}, {"pain_after": -1}, {"sets": 21}, {"repetitions": 1.5}, {"started_at": "soon"}, {"id": "1"},
    {"red_flags": ["tired"]}, {"red_flags": "gave_way"}, {"note": "x" * 2001}, {"note": "a\0b"}, {"surprise": 1},
    {"prescription": str(uuid4())}, {"corrects": str(uuid4())}, {"started_at": "0001-01-01T00:00:00+14:00"},
    {"finished_at": "9999-12-31T23:59:59-12:00"},
])
def test_bad_input_is_named(side: Side, phone: Client, changes: dict):
    answer = post(phone, entry(side, **changes))
    assert answer.status_code == 400 and answer.json()["errors"][0]["field"].split(".")[0] in changes


def test_another_patients_exercise_is_none_of_ones_own(world):
    client = Client()
    client.force_login(world.own.patient)
    assert post(client, entry(world.foreign)).status_code == 400
    assert post(client, entry(world.own, prescription=str(world.own.record.draft.pk))).status_code == 400
    taken = post(client, entry(world.own, id=str(world.foreign.record.session.pk)))
    assert taken.status_code == 409


def test_adherence_counts_days_in_force(side: Side):
    now = timezone.now()
    row = _end(side, signed_at=now - timedelta(days=14), expires_at=now + timedelta(days=1))
    for days in (1, 3, 5):
        then = now - timedelta(days=days)
        told(side.patient, row, started_at=then, finished_at=then + timedelta(minutes=5))
    rows = selectors.session_list(user=side.clinician, patient=side.record.patient)
    found = selectors.progress(sessions=rows, patient=side.record.patient)
    assert len(found.weeks) == selectors.WEEKS and found.weeks[-1].is_present and found.done == 4
    assert all(week.start.weekday() == 0 for week in found.weeks)
    assert 5 <= found.prescribed <= 7       # 15 days at 3 a week, each week rounded
    assert found.weeks[0].prescribed == 0


def test_the_form_works_without_script(side: Side, phone: Client):
    page = phone.get("/today/").content.decode()
    assert "How did it go?" in page and 'name="pain_during"' in page
    assert "above 3 of 10" in page and "above 3 out of 10" in page
    address = f"/today/{side.record.signed.pk}/session/"
    typed = {"session_id": str(uuid4()), "sets": 3, "repetitions": 20, "minutes": 3, "pain_during": "2"}
    refused = phone.post(address, typed)
    assert refused.status_code == 422 and 'value="20"' in refused.content.decode()
    before = ExerciseSession.objects.count()
    for _ in range(2):
        done = phone.post(address, {**typed, "pain_after": "1", "note": "=1+1"}, follow=True)
        assert "Well done" in done.content.decode()
    assert ExerciseSession.objects.count() == before + 1
    stop = phone.post(address, {**typed, "session_id": str(uuid4()), "pain_after": "8"}, follow=True).content.decode()
    assert "Stop, and rest" in stop and "emergency number" in stop
    assert "My progress" in phone.get("/progress/").content.decode()


def test_a_correction_by_the_page(side: Side, phone: Client):
    row = side.record.session
    address = f"/progress/{row.pk}/correct/"
    assert phone.get(address).status_code == 200
    typed = {"session_id": str(uuid4()), "started_at": row.started_at.isoformat(), "minutes": row.minutes,
             "finished_at": row.finished_at.isoformat(), "sets": 2, "repetitions": 16, "pain_during": 2,
             "pain_after": 1}
    assert phone.post(address, typed).status_code == 302
    row.refresh_from_db()
    assert row.correction.repetitions == 16 and row.correction.started_at == row.started_at


def test_the_clinician_sees_how_it_goes_and_takes_it_as_csv(side: Side):
    told(side.patient, side.record.signed, pain_after=9, note="=cmd()")
    browser = Client()
    browser.force_login(side.clinician)
    page = browser.get(f"/patients/{side.record.patient.pk}/").content.decode()
    assert "How it goes" in page and "On hold since" in page and "=cmd()" in page and "pain after it 9" in page
    listed = browser.get(f"/patients/{side.record.patient.pk}/sessions/").content.decode()
    assert "Alarmed" in listed
    answer = browser.get(f"/patients/{side.record.patient.pk}/sessions.csv")
    lines = answer.content.decode("utf-8-sig").splitlines()
    assert len(lines) == 3 and "'=cmd()" in lines[1] and lines[0].startswith("id,corrects")
    rows = browser.get(f"/api/v1/patients/{side.record.patient.pk}/sessions/").json()["results"]
    assert [row["pain_after"] for row in rows] == [9, 1]
