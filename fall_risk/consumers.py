"""Sockets of fall risk: hints that the rows behind an open page changed, for those who may see them."""
from __future__ import annotations

from clinic.models import User
from clinic.permissions import has_action
from clinic.sockets import SessionSocket
from fall_risk.push import alerts_group, report_group


class AlertConsumer(SessionSocket):
    """One clinician's alerts."""

    permission_actions = {"CONNECT": "alert.list"}

    def permitted_group(self, user: User) -> str | None:
        return alerts_group(user) if has_action(user, "alert.list") else None

    async def rows_changed(self, event: dict) -> None:
        await self.push({"event": "changed"})


class ReportConsumer(SessionSocket):
    """The counts of one clinic, for its administrators."""

    permission_actions = {"CONNECT": "fall_report.view"}

    def permitted_group(self, user: User) -> str | None:
        return report_group(user) if has_action(user, "fall_report.view") else None

    async def rows_changed(self, event: dict) -> None:
        await self.push({"event": "changed"})
