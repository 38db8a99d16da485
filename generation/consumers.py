"""The socket of one generation: hints that its row changed, for those who may see it."""
from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import Http404

from clinic.models import User
from clinic.sockets import SessionSocket
from generation.selectors import generation_request_get, own_motion_get


class GenerationConsumer(SessionSocket):
    permission_actions = {"CONNECT": "generation.view"}

    def permitted_group(self, user: User) -> str | None:
        try:
            request_id = self.scope["url_route"]["kwargs"]["request_id"]
            return generation_request_get(user=user, request_id=request_id).channel_group
        except (Http404, PermissionDenied):
            return None

    async def generation_changed(self, event: dict) -> None:
        await self.push({"event": "changed", "status": event["status"]})

    async def generation_previewed(self, event: dict) -> None:
        await self.push({"event": "preview", "status": event["status"], "number": event["number"]})

    async def generation_checked(self, event: dict) -> None:
        await self.push({"event": "checked", "candidate": event["candidate"], "status": event["status"]})


class OwnMotionConsumer(SessionSocket):
    permission_actions = {"CONNECT": "own_motion.view"}

    def permitted_group(self, user: User) -> str | None:
        try:
            return own_motion_get(user=user, motion_id=self.scope["url_route"]["kwargs"]["motion_id"]).channel_group
        except (Http404, PermissionDenied):
            return None

    async def own_motion_changed(self, event: dict) -> None:
        await self.push({"event": "changed", "status": event["status"]})
