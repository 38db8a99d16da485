"""Hints to the pages that are open. The rows are the truth: a hint only says that they changed."""
from __future__ import annotations

import logging
from collections.abc import Iterable
from uuid import UUID

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction

from clinic.models import User
from patients.models import Patient

logger = logging.getLogger(__name__)


def alerts_group(user: User) -> str:
    return f"fall-alerts.{user.pk}"


def report_group(user: User) -> str:
    return f"fall-report.{user.clinic_id}"


def patient_group(patient_id: UUID) -> str:
    return f"fall-patient.{patient_id}"


def patient_changed(patient_id: UUID) -> None:
    """Tell the open fall-risk pages of one patient, once the present transaction is committed."""
    _on_commit([patient_group(patient_id)])


def alerts_changed(patient: Patient) -> None:
    """Tell the open pages of the care team, once the present transaction is committed."""
    _on_commit([alerts_group(clinician) for clinician in patient.care_team.all()])


def report_changed(user: User) -> None:
    """Tell the open reports of the user's clinic, once the present transaction is committed."""
    _on_commit([report_group(user)])


def _on_commit(groups: Iterable[str]) -> None:
    for group in groups:
        transaction.on_commit(lambda group=group: _send(group), robust=True)


def _send(group: str) -> None:
    try:
        async_to_sync(get_channel_layer().group_send)(group, {"type": "rows.changed"})
    except Exception:           # a lost hint costs a delay: the page also asks again by itself
        logger.warning("A hint could not be sent.", exc_info=True)
