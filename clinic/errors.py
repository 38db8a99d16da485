"""One error shape. Services raise `ServiceError`; pages show it beside the field, the API as a problem document.

The API's shape follows RFC 9457: {"type", "title", "status", "errors": [{"field", "message"}]}.
"""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions as drf
from rest_framework.response import Response


@dataclass(frozen=True)
class FieldError:
    field: str      # "" when the error belongs to no single field
    message: str


class ServiceError(Exception):
    """A rule was not met. `status` is what the API answers: 400 for input, 409 for a state that forbids the action."""

    def __init__(self, *errors: FieldError, title: str = "Please correct what is marked.", status: int = 400) -> None:
        self.errors = list(errors)
        self.title = title
        self.status = status
        super().__init__("; ".join(error.message for error in errors))

    @classmethod
    def of(cls, message: str, field: str = "", **kwargs) -> ServiceError:
        return cls(FieldError(field, message), **kwargs)


def conflict(message: str) -> ServiceError:
    """The thing exists but its state forbids the action."""
    return ServiceError.of(message, title="Not possible in the present state.", status=409)


def field_errors(error: Exception) -> list[FieldError]:
    """Any of the errors we know, flattened to field and message."""
    if isinstance(error, ServiceError):
        return error.errors
    if isinstance(error, ValidationError):
        if hasattr(error, "error_dict"):
            return [
                FieldError("" if field == NON_FIELD_ERRORS else field, message)
                for field, items in error.message_dict.items() for message in items
            ]
        return [FieldError("", message) for message in error.messages]
    if isinstance(error, drf.ValidationError):
        return list(_flatten(error.detail))
    return []


def _flatten(detail, path: str = "") -> Iterable[FieldError]:
    if isinstance(detail, dict):
        for key, value in detail.items():
            name = "" if key == "non_field_errors" else str(key)
            yield from _flatten(value, ".".join(part for part in (path, name) if part))
    elif isinstance(detail, list):
        for position, value in enumerate(detail):
            nested = isinstance(value, (dict, list))
            yield from _flatten(value, f"{path}.{position}" if nested and len(detail) > 1 else path)
    else:
        yield FieldError(path, str(detail))


def problem(title: str, status: int, errors: Iterable[FieldError] = ()) -> dict:
    return {
        "type": "about:blank",
        "title": title,
        "status": status,
        "errors": [{"field": error.field, "message": error.message} for error in errors],
    }


def api_exception_handler(error: Exception, context: dict) -> Response | None:
    """Called by DRF for every exception of an API view. What we do not know stays an exception (and is logged)."""
    headers: dict[str, str] = {}
    if isinstance(error, ServiceError):
        body = problem(error.title, error.status, error.errors)
    elif isinstance(error, (ValidationError, drf.ValidationError)):
        body = problem("Please correct what is marked.", 400, field_errors(error))
    elif isinstance(error, (Http404, drf.NotFound)):
        body = problem("Not found.", 404)
    elif isinstance(error, PermissionDenied):
        body = problem(str(error) or "Not allowed.", 403)
    elif isinstance(error, drf.APIException):
        body = problem(str(error.detail), error.status_code)
        if getattr(error, "auth_header", None):
            headers["WWW-Authenticate"] = error.auth_header
        if getattr(error, "wait", None):
            headers["Retry-After"] = str(int(error.wait))
    else:
        return None
    from rest_framework.views import set_rollback  # not at import: it loads the defaults that name this module

    set_rollback()
    return Response(body, status=body["status"], headers=headers, content_type="application/problem+json")


def api_not_found(request: HttpRequest, *args, **kwargs) -> JsonResponse:
    """An address under /api/ that nothing serves: the same shape as every other error."""
    return JsonResponse(problem("Not found.", 404), status=404, content_type="application/problem+json")
