"""How the OpenAPI schema reads our API views: from `input_class`, `output_class` and `listed`."""
from __future__ import annotations

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers


class SessionScheme(OpenApiAuthenticationExtension):
    target_class = "clinic.api_defaults.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema) -> dict:
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}


class FieldProblem(serializers.Serializer):
    field = serializers.CharField(help_text="Empty when the error belongs to no single field.")
    message = serializers.CharField()


class Problem(serializers.Serializer):
    """The one error shape, after RFC 9457."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    errors = FieldProblem(many=True)


class TableSchema(AutoSchema):
    def get_request_serializer(self):
        return self.view.input_class() if self.method in ("POST", "PUT") and self.view.input_class else None

    def get_response_serializers(self):
        if self.method == "DELETE":
            done = {204: None}
        elif self.view.output_class is None:
            return super().get_response_serializers()
        else:
            done = {self.view.made_status if self._creates() else 200: self._output()}
        refused = {status: Problem for status in (401, 403, *((404,) if self.path.count("{") else ()))}
        if self.method in ("POST", "PUT"):
            refused |= {400: Problem, 409: Problem}
        return done | refused

    def _creates(self) -> bool:
        return self.method == "POST" and self.view.listed

    def _output(self):
        return self.view.output_class(many=self._is_list_view())

    def _is_list_view(self, serializer=None) -> bool:
        return self.method == "GET" and self.view.listed
