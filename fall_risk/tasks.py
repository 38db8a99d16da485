"""The queue's doorways: e-mails of alerts, recordings, the monthly report."""
from __future__ import annotations

from django.db import DatabaseError, InterfaceError
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from clinic.queue import MESSAGES, at_start
from fall_risk import services
from fall_risk.services.alerts import MAIL_TASK, MailNotSent

# About two hours in all; after that `requeue_alert_mails` starts anew, as long as nobody has acknowledged.
WHILE_MAIL_IS_AWAY = RetryStrategy(
    max_attempts=12, exponential_wait=2, retry_exceptions={MailNotSent, DatabaseError, InterfaceError}
)
WHEN_DATABASE_IS_AWAY = RetryStrategy(
    max_attempts=8, exponential_wait=2, retry_exceptions={DatabaseError, InterfaceError}
)
WHEN_REPORT_FAILS = RetryStrategy(
    max_attempts=12, exponential_wait=2, retry_exceptions={OSError, DatabaseError, InterfaceError}
)
URGENT = 100


@app.task(name=MAIL_TASK, queue=MESSAGES, priority=URGENT, retry=WHILE_MAIL_IS_AWAY)
def send_alert_mail(mail_id: str) -> None:
    services.alert_mail_send(mail_id=mail_id)


@at_start
@app.periodic(cron="*/5 * * * *")
@app.task(name="fall_risk.requeue_alert_mails", queue=MESSAGES, queueing_lock="fall_risk.requeue")
def requeue_alert_mails(timestamp: int) -> None:
    services.alert_mails_requeue()


@app.task(name="fall_risk.analyse_recording", queue="recordings", retry=WHEN_DATABASE_IS_AWAY)
def analyse_recording(recording_id: str) -> None:
    services.recording_analyse(recording_id=recording_id)


@app.task(name="fall_risk.compute_profile", queue="generation", retry=WHEN_DATABASE_IS_AWAY)
def compute_profile(profile_id: str) -> None:
    services.profile_compute(profile_id=profile_id)


@at_start
@app.periodic(cron="0 5 * * *")
@app.task(name="fall_risk.monthly_reports", queue=MESSAGES, queueing_lock="fall_risk.monthly", retry=WHEN_REPORT_FAILS)
def monthly_reports(timestamp: int) -> None:
    """Every day: whoever missed the first of the month makes up for it on the next."""
    services.monthly_reports_make()
