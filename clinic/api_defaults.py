"""What every API view has by default: who is asking, whether the table allows it, and pages of results."""
from __future__ import annotations

from rest_framework import authentication, exceptions, pagination, parsers, permissions

from clinic.permissions import has_action


class SessionAuthentication(authentication.SessionAuthentication):
    def authenticate_header(self, request) -> str:
        """With a challenge, an unknown caller gets 401 instead of 403."""
        return "Session"


class JSONParser(parsers.JSONParser):
    def parse(self, stream, media_type=None, parser_context=None):
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise exceptions.ParseError("JSON parse error - nested too deeply.") from None


class TablePermission(permissions.BasePermission):
    """Asks the permission table for the action that the view names for the method."""

    message = "Your role does not allow this."

    def has_permission(self, request, view) -> bool:
        action = view.actions.get(request.method)
        if action is None:      # a method that the view does not have: DRF answers 405
            return bool(request.user and request.user.is_authenticated)
        return has_action(request.user, action)


class Pagination(pagination.PageNumberPagination):
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200
