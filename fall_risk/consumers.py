"""Sockets of fall risk: hints that the rows behind an open page changed, for those who may see them."""
from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import Http404

from clinic.models import User
from clinic.permissions import has_action
from clinic.sockets import SessionSocket
from fall_risk.push import alerts_group, patient_group, report_group
from patients.selectors import patient_get


class AlertConsumer(SessionSocket):
    """One clinician's alerts."""

    permission_actions = {"CONNECT": "alert.list"}

    def permitted_group(self, user: User) -> str | None:
        return alerts_group(user) if has_action(user, "alert.list") else None

    async def rows_changed(self, event: dict) -> None:
        await self.push({"event": "changed"})


class PatientConsumer(SessionSocket):
    """One patient's falls, assessments, alerts and recordings, for the care team."""

    permission_actions = {"CONNECT": "fall_risk.view"}

    def permitted_group(self, user: User) -> str | None:
        try:
            patient_id = self.scope["url_route"]["kwargs"]["patient_id"]
            return patient_group(patient_get(user=user, patient_id=patient_id, action="fall_risk.view").pk)
        except (Http404, PermissionDenied):
            return None

    async def rows_changed(self, event: dict) -> None:
        await self.push({"event": "changed"})


class ReportConsumer(SessionSocket):
    """The counts of one clinic, for its administrators."""

    permission_actions = {"CONNECT": "fall_report.view"}

    def permitted_group(self, user: User) -> str | None:
        return report_group(user) if has_action(user, "fall_report.view") else None

    async def rows_changed(self, event: dict) -> None:
        await self.push({"event": "changed"})
