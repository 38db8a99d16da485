"""The scheduled report: one row for each clinic and month, and an e-mail to the administrators that it is there."""
from __future__ import annotations

import logging
from datetime import date, timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from clinic.models import Clinic, Role, User
from fall_risk.models import MonthlyReport
from fall_risk.reporting.document import Filters, report_document

logger = logging.getLogger(__name__)


def monthly_reports_make(*, today: date | None = None) -> list[MonthlyReport]:
    """The reports of the last full month that are not there yet, of all clinics that were there in it. May run as often
    as it likes.

    Raises OSError, after all the others are done, when an e-mail was not taken."""
    day = today or timezone.localdate()
    month = (day.replace(day=1) - timedelta(days=1)).replace(day=1)
    made, fault = [], None
    for clinic in Clinic.objects.filter(created_at__date__lt=day.replace(day=1)):
        try:
            made.append(monthly_report_make(clinic=clinic, month=month))
        except OSError as error:        # one clinic's mail does not stop the others'
            fault = error
    if fault is not None:
        raise fault
    return made


def monthly_report_make(*, clinic: Clinic, month: date) -> MonthlyReport:
    """The report of one month; the one that is there already, unchanged, where there is one.

    Called by the system. The e-mail names no number: whoever follows its link has to sign in.
    """
    last = (month.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    report = MonthlyReport.objects.filter(clinic=clinic, month=month).first()
    if report is None:
        content = report_document(clinic=clinic, filters=Filters(start=month, end=last))
        report, _ = MonthlyReport.objects.get_or_create(clinic=clinic, month=month, defaults={"content": content})
    with transaction.atomic():
        report = MonthlyReport.objects.select_for_update(of=("self",)).select_related("clinic").get(pk=report.pk)
        if report.mailed_at is None:
            _mail(report)
            report.mailed_at = timezone.now()
            report.save(update_fields=["mailed_at"])
    return report


def _mail(report: MonthlyReport) -> None:
    """Raises OSError when the mail server does not take it; the task then comes again."""
    address = f"{settings.SITE_URL}{reverse('monthly_report', args=[report.pk])}"
    for administrator in User.objects.filter(clinic=report.clinic, role=Role.ADMINISTRATOR, is_active=True):
        greeting = f"Dear {administrator.full_name},"
        text = f"{greeting}\n\nThe fall-risk report of {report.month:%B %Y} is ready:\n\n{address}\n\nGenuflex"
        EmailMessage(f"Genuflex: fall-risk report, {report.month:%B %Y}", text, to=[administrator.email]).send()
