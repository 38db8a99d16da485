"""Alerts: raised with the event behind them, brought to the care team, acknowledged by name.

The row is written in the transaction of the event, and the jobs that send its e-mails too: whoever dies later, it is
there. Pages show it until somebody acknowledges it, whether an e-mail arrived or not.
"""
from __future__ import annotations

import logging
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import connection, transaction
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from clinic.audit import recorded
from clinic.errors import ServiceError, conflict
from clinic.models import Role, User
from clinic.permissions import require_on
from fall_risk import push
from fall_risk.models import Alert, AlertKind, AlertMail, Assessment, FallEvent, MailStatus
from patients.models import Patient

logger = logging.getLogger(__name__)
MAIL_TASK = "fall_risk.send_alert_mail"


class MailNotSent(Exception):
    """The mail server did not take it; the queue tries again."""


def alert_raise(
    *, patient: Patient, kind: AlertKind, sentence: str, assessment: Assessment | None = None,
    fall: FallEvent | None = None,
) -> Alert:
    """Inside the transaction of the event: the alert, an e-mail for everybody responsible, the hint to open pages."""
    if not connection.in_atomic_block:
        raise RuntimeError("An alert is raised in the transaction of its event.")
    alert = Alert(patient=patient, kind=kind, sentence=sentence, assessment=assessment, fall=fall)
    alert.full_clean()
    alert.save()
    for recipient in _responsible(patient):
        _defer(AlertMail.objects.create(alert=alert, recipient=recipient))
    push.alerts_changed(patient)
    push.patient_changed(patient.pk)
    return alert


def alert_acknowledge(*, actor: User, alert: Alert, note: str) -> Alert:
    """Somebody of the care team takes it on, and says what they do about it."""
    require_on(actor, "alert.acknowledge", alert)
    if not note.strip():
        raise ServiceError.of("Say what you do about it; the record keeps it with your name.", "note")
    with recorded(actor, f"Alert acknowledged: {note.strip()}"):
        alert = Alert.objects.select_for_update(of=("self",)).select_related("patient", "acknowledged_by").get(
            pk=alert.pk
        )
        if alert.acknowledged_at is not None:
            raise conflict(f"{alert.acknowledged_by.full_name} has acknowledged this already.")
        alert.acknowledged_at, alert.acknowledged_by, alert.note = timezone.now(), actor, note.strip()
        alert.full_clean()
        alert.save()
        push.alerts_changed(alert.patient)
        push.patient_changed(alert.patient_id)
    return alert


def alert_mail_send(*, mail_id: UUID | str) -> None:
    """Send one e-mail; called by the queue, at least once. What is sent is not sent again. Raises MailNotSent.

    It names neither the patient nor the finding: e-mail is not a safe place for either.
    """
    with transaction.atomic():
        mail = AlertMail.objects.select_for_update(of=("self",)).select_related("alert__patient", "recipient").filter(
            pk=mail_id, status=MailStatus.QUEUED
        ).first()
        if mail is None:
            return
        mail.tries += 1
        try:
            _message(mail).send()
        except OSError as error:        # of the network, and smtplib's own
            mail.error = f"{type(error).__name__}: {error}"[:300]
        else:
            mail.status, mail.sent_at, mail.error = MailStatus.SENT, timezone.now(), ""
        mail.save()
    if mail.error:
        raise MailNotSent(mail.error)


def alert_mails_requeue() -> int:
    """Queue the e-mails whose job was lost or given up, as long as nobody has acknowledged. Returns how many.

    An e-mail and its job are written in one transaction: one that has no job now has lost it.
    """
    with transaction.atomic():
        rows = AlertMail.objects.select_for_update(skip_locked=True, of=("self",)).filter(
            status=MailStatus.QUEUED, alert__acknowledged_at=None
        )
        on_their_way = {job.args["mail_id"] for job in ProcrastinateJob.objects.filter(
            task_name=MAIL_TASK, status__in=("todo", "doing")
        ).only("args")}
        mails = [mail for mail in rows if str(mail.pk) not in on_their_way][:500]
        for mail in mails:
            mail.queued_at = timezone.now()
            mail.save(update_fields=["queued_at"])
            _defer(mail)
    return len(mails)


def _responsible(patient: Patient) -> list[User]:
    """The care team; where nobody of it can sign in, the administrators: somebody must see to it."""
    team = list(patient.care_team.filter(is_active=True))
    return team or list(User.objects.filter(clinic_id=patient.clinic_id, role=Role.ADMINISTRATOR, is_active=True))


def _message(mail: AlertMail) -> EmailMessage:
    recipient = mail.recipient
    if recipient.is_clinician:
        what = (
            "There is a new alert for a patient of yours. It stays on top of your pages until somebody of the care "
            "team acknowledges it."
        )
    else:
        what = (
            "There is an alert for a patient of whom nobody in the care team can sign in. Please open the account of a "
            "clinician of the team, or speak to them."
        )
    text = f"Dear {recipient.full_name},\n\n{what}\n\n{settings.SITE_URL}/\n\nGenuflex"
    return EmailMessage("Genuflex: an alert needs you", text, to=[recipient.email])


def _defer(mail: AlertMail) -> None:
    from fall_risk.tasks import send_alert_mail

    send_alert_mail.defer(mail_id=str(mail.pk))
