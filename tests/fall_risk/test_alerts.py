"""Alerts: raised with their event, never lost, acknowledged by name; a fall puts the exercise on hold."""
from __future__ import annotations

import smtplib
from datetime import timedelta
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync
from channels.db import database_sync_to_async
from django.core import mail
from django.db import connection, transaction
from django.db.utils import DatabaseError
from django.http import Http404
from django.test import Client
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from clinic.errors import ServiceError
from clinic.models import User
from fall_risk import services
from fall_risk.models import Alert, AlertMail, FallEvent
from fall_risk.selectors import overview
from fall_risk.services.alerts import MailNotSent
from fall_risk.words import summary_draft
from patients import services as record
from prescriptions.selectors import exercise_held, exercise_list
from tests.sockets import Socket, sockets_in_process  # noqa: F401 - a fixture
from tests.world import Side, assessed, fallen, make_patient

HIGH = {"falls_12m": 2, "fall_injury": True}


def own_fall(side: Side, **changes) -> FallEvent:
    return services.fall_report(actor=side.patient, patient=side.record.patient, **{
        "occurred_on": timezone.localdate(), "injury": "none", "submission": uuid4(), **changes})


def jobs(task: str) -> list[dict]:
    return [job.args for job in ProcrastinateJob.objects.filter(task_name=task, status="todo")]


def mails_of(alert: Alert) -> list[str]:
    return sorted(str(pk) for pk in alert.mails.values_list("pk", flat=True))


def test_a_reported_fall_alerts_and_holds_in_one_transaction(side: Side):
    assert exercise_list(user=side.patient).exists()
    fall = own_fall(side, circumstances="I tripped over the cat.")
    alert = fall.alerts.get()
    assert alert.kind == "fall" and "reported by the patient" in alert.sentence and "cat" not in alert.sentence
    assert not exercise_list(user=side.patient).exists() and exercise_held(user=side.patient).exists()
    side.record.signed.refresh_from_db()
    assert side.record.signed.held_reason == "A fall was reported." and side.record.signed.held_by == side.patient
    assert [m.recipient for m in alert.mails.all()] == [side.clinician]
    assert {"mail_id": str(alert.mails.get().pk)} in jobs("fall_risk.send_alert_mail")


def test_nothing_of_it_stays_when_one_part_fails(side: Side, monkeypatch):
    before = FallEvent.objects.count(), Alert.objects.count(), AlertMail.objects.count()

    def broken(**kwargs):
        raise RuntimeError("no")

    monkeypatch.setattr("fall_risk.services.falls.alert_raise", broken)
    with pytest.raises(RuntimeError):
        own_fall(side)
    assert (FallEvent.objects.count(), Alert.objects.count(), AlertMail.objects.count()) == before
    assert exercise_list(user=side.patient).exists()


def test_a_report_that_arrives_twice_is_stored_once(side: Side):
    key = uuid4()
    assert own_fall(side, submission=key) == own_fall(side, submission=key)
    assert FallEvent.objects.filter(submission=key).count() == 1
    assert Alert.objects.filter(fall__submission=key).count() == 1
    with pytest.raises(ServiceError):       # somebody else's key opens nothing
        fallen(side.clinician, make_patient(side.clinician, "Ida"), submission=key)


@pytest.mark.parametrize("change", [
    {"occurred_on": timezone.localdate() + timedelta(days=1)}, {"injury": "terrible"}, {"circumstances": "x" * 2001},
    {"occurred_on": timezone.localdate() - timedelta(days=40_000)},
])
def test_a_report_that_cannot_be_right_names_the_field(side: Side, change: dict):
    with pytest.raises(Exception) as error:     # noqa: B017 - of the service or of the model
        own_fall(side, **change)
    assert next(iter(change)) in str(getattr(error.value, "error_dict", None) or error.value.errors)


def test_a_high_category_alerts_the_whole_care_team_and_not_the_outsider(side: Side):
    patient = make_patient(side.clinician, "Nora")
    record.care_team_add(actor=side.clinician, patient=patient, clinician=side.outsider)
    alert = assessed(side.clinician, patient, **HIGH).alerts.get()
    assert {m.recipient for m in alert.mails.all()} == {side.clinician, side.outsider}
    other = assessed(side.clinician, make_patient(side.clinician, "Ida"), **HIGH).alerts.get()
    with pytest.raises(Http404):
        services.alert_acknowledge(actor=side.outsider, alert=other, note="Mine.")


def test_without_anybody_in_the_care_team_the_administrator_is_told(side: Side):
    User.objects.filter(pk=side.clinician.pk).update(is_active=False)
    alert = own_fall(side).alerts.get()
    assert [m.recipient for m in alert.mails.all()] == [side.administrator]


def test_the_email_names_nobody_and_goes_once(side: Side):
    message = own_fall(side).alerts.get().mails.get()
    services.alert_mail_send(mail_id=message.pk)
    services.alert_mail_send(mail_id=message.pk)
    (sent,) = mail.outbox
    assert sent.to == [side.clinician.email] and "http://" in sent.body
    assert not any(word in sent.body + sent.subject for word in ("Lena", "Hofmann", "fall"))


def test_an_email_that_is_refused_is_tried_again(side: Side, monkeypatch):
    message = own_fall(side).alerts.get().mails.get()

    def refuse(self):
        raise smtplib.SMTPServerDisconnected("away")

    monkeypatch.setattr("django.core.mail.EmailMessage.send", refuse)
    for tries in (1, 2):
        with pytest.raises(MailNotSent):        # so the queue tries again
            services.alert_mail_send(mail_id=message.pk)
        message.refresh_from_db()
        assert (message.status, message.tries) == ("queued", tries) and "away" in message.error
    monkeypatch.undo()
    services.alert_mail_send(mail_id=message.pk)
    message.refresh_from_db()
    assert message.status == "sent" and not message.error


def test_a_job_that_was_lost_with_its_worker_is_made_again(side: Side):
    """Whatever became of the queue, the rows bring the e-mails back; acknowledged alerts need none."""
    alert = own_fall(side).alerts.get()
    assert services.alert_mails_requeue() == 0          # their jobs are there
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")
    services.alert_acknowledge(actor=side.clinician, alert=side.record.alert, note="Called.")
    assert services.alert_mails_requeue() == AlertMail.objects.filter(alert__acknowledged_at=None).count()
    waiting = {args["mail_id"] for args in jobs("fall_risk.send_alert_mail")}
    assert set(mails_of(alert)) <= waiting and not set(mails_of(side.record.alert)) & waiting
    assert services.alert_mails_requeue() == 0
    ProcrastinateJob.objects.filter(task_name="fall_risk.send_alert_mail").update(status="failed")     # given up
    assert services.alert_mails_requeue() == AlertMail.objects.filter(alert__acknowledged_at=None).count()


def test_acknowledged_by_name_with_a_note_once(side: Side):
    alert = own_fall(side).alerts.get()
    with pytest.raises(ServiceError):
        services.alert_acknowledge(actor=side.clinician, alert=alert, note=" ")
    services.alert_acknowledge(actor=side.clinician, alert=alert, note="Called, seen tomorrow.")
    with pytest.raises(ServiceError, match="Clinician North has acknowledged"):
        services.alert_acknowledge(actor=side.clinician, alert=alert, note="Again.")
    for change in ({"note": "x"}, {"acknowledged_at": None}, {"sentence": "x"}):
        with pytest.raises(DatabaseError), transaction.atomic():
            Alert.objects.filter(pk=alert.pk).update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        alert.delete()


def test_open_alerts_stay_on_top_of_every_page_until_acknowledged(side: Side):
    browser = Client()
    browser.force_login(side.clinician)
    own_fall(side)
    number = Alert.objects.filter(acknowledged_at=None).count()
    for address in ("/patients/", f"/patients/{side.record.patient.pk}/", "/fall-risk/"):
        assert f"{number} alerts to acknowledge" in browser.get(address).content.decode(), address
    for alert in Alert.objects.filter(acknowledged_at=None):
        browser.post(f"/alerts/{alert.pk}/", {"note": "Called."})
    assert "to acknowledge" not in browser.get("/patients/").content.decode()
    browser.force_login(side.outsider)
    own_fall(side)
    assert "to acknowledge" not in browser.get("/patients/").content.decode()
    browser.force_login(side.patient)
    assert "alert-bar" not in browser.get("/today/").content.decode()


def test_a_hint_reaches_the_care_team_at_once(side: Side, sockets_in_process, django_capture_on_commit_callbacks):  # noqa: F811
    client = Client()
    client.force_login(side.clinician)

    async def scenario() -> tuple[dict, dict]:
        socket = Socket("/ws/alerts/", client)
        connected = await socket.open()

        def report() -> None:
            with django_capture_on_commit_callbacks(execute=True):
                own_fall(side)

        await database_sync_to_async(report, thread_sensitive=True)()
        hint = await socket.receive_output(timeout=10)
        await socket.leave()
        return connected, hint

    connected, hint = async_to_sync(scenario)()
    assert "connected" in connected["text"] and "changed" in hint["text"]


def test_a_fall_is_retracted_not_deleted(side: Side):
    fall = fallen(side.clinician, side.record.patient)
    services.fall_retract(actor=side.clinician, fall=fall, reason="It was another patient.")
    with pytest.raises(ServiceError):
        services.fall_retract(actor=side.clinician, fall=fall, reason="Again.")
    with pytest.raises(DatabaseError), transaction.atomic():
        fall.delete()
    with pytest.raises(DatabaseError), transaction.atomic():
        FallEvent.objects.filter(pk=side.record.fall.pk).update(injury="none")


def test_the_patient_reports_on_a_page_and_sees_only_what_was_released(side: Side):
    phone = Client()
    phone.force_login(side.patient)
    form = phone.get("/today/fall/").context["form"]
    sent = {"occurred_on": timezone.localdate().isoformat(), "injury": "minor", "unable_to_rise": "yes",
            "lost_consciousness": "", "circumstances": "In the bath.", "submission": str(form["submission"].value())}
    assert phone.post("/today/fall/", {**sent, "injury": ""}).status_code == 422
    done = phone.post("/today/fall/", sent, follow=True).content.decode()
    assert "Your clinicians have been told" in done and "In the bath." in done
    fall = FallEvent.objects.get(circumstances="In the bath.")
    assert (fall.unable_to_rise, fall.lost_consciousness, fall.by_patient) == (True, None, True)
    shown = phone.get("/today/fall-risk/").content.decode()
    assert "Train your legs." in shown and "%" not in shown.partition("<main")[2]
    listed = phone.get("/api/v1/own-fall-summaries/").json()["results"]
    assert [row["text"] for row in listed] == ["Train your legs."] and set(listed[0]) == {
        "id", "text", "released_by", "created_at"}
    services.summary_withdraw(actor=side.clinician, summary=side.record.summary)
    assert "Train your legs." not in phone.get("/today/fall-risk/").content.decode()


def test_a_summary_has_no_percentage_and_the_newest_counts(side: Side):
    row = side.record.assessment
    with pytest.raises(ServiceError, match="percentage"):
        services.summary_release(actor=side.clinician, assessment=row, text="You fall with 46 %.")
    services.summary_release(actor=side.clinician, assessment=row, text="Walk every day.")
    phone = Client()
    phone.force_login(side.patient)
    text = phone.get("/today/fall-risk/").content.decode()
    assert "Walk every day." in text and "Train your legs." not in text
    draft = summary_draft(overview(user=side.clinician, patient=side.record.patient))
    services.summary_release(actor=side.clinician, assessment=row, text=draft)      # what we propose can be released
    assert "%" not in draft and "probab" not in draft


def test_an_account_without_a_record_is_told_so(side: Side):
    record.patient_account_link(actor=side.clinician, patient=side.record.patient, account=None)
    phone = Client()
    phone.force_login(side.patient)
    assert "not connected with your record" in phone.get("/today/fall/").content.decode()
    sent = {"occurred_on": timezone.localdate().isoformat(), "injury": "none", "submission": str(uuid4())}
    assert phone.post("/today/fall/", sent).status_code == 422
    assert phone.post("/api/v1/own-falls/", sent, content_type="application/json").status_code == 409
