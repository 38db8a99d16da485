"""What all API views share, and the endpoints of the clinic itself."""
from __future__ import annotations

import math

from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from clinic.models import Role, User
from clinic.selectors import user_list
from clinic.services import user_create


class Number(serializers.FloatField):
    """A finite number."""

    default_error_messages = {"finite": "Enter a finite number."}

    def to_internal_value(self, data) -> float:
        if isinstance(data, bool):
            self.fail("invalid")
        try:
            value = super().to_internal_value(data)
        except OverflowError:       # an integer too large for a float
            self.fail("finite")
        if not math.isfinite(value):
            self.fail("finite")
        return value


class Input(serializers.Serializer):
    """Input that names what it does not know instead of passing over it."""

    def to_internal_value(self, data):
        if isinstance(data, dict) and (unknown := set(data) - set(self.fields)):
            raise serializers.ValidationError({str(name)[:60]: ["Unknown field."] for name in sorted(unknown, key=str)})
        return super().to_internal_value(data)


class TableAPI(APIView):
    """An API view names in `actions` the row of the permission table behind each of its methods."""

    actions: dict[str, str] = {}
    input_class: type[serializers.Serializer] | None = None
    output_class: type[serializers.Serializer] | None = None
    listed = False          # GET answers a page of rows
    made_status = 201
    pagination_class = api_settings.DEFAULT_PAGINATION_CLASS

    @property
    def allowed_methods(self) -> list[str]:
        return list(self.actions)

    def read(self, request) -> dict:
        """The checked input of this request."""
        serializer = self.input_class(data=request.data)
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data

    def answer(self, row, status: int = 200) -> Response:
        return Response(self.output_class(row).data, status=status)

    def page(self, rows, output_class=None) -> Response:
        paginator = self.pagination_class()
        found = paginator.paginate_queryset(rows, self.request, view=self)
        return paginator.get_paginated_response((output_class or self.output_class)(found, many=True).data)


class UserOut(serializers.ModelSerializer):
    class Meta:
        model = User
        fields = ["id", "email", "full_name", "role", "is_active", "last_login", "created_at"]


class UserIn(Input):
    email = serializers.EmailField(max_length=254)
    full_name = serializers.CharField(max_length=150)
    role = serializers.ChoiceField(Role.choices)
    password = serializers.CharField(max_length=200, write_only=True, trim_whitespace=False)


class MeAPI(TableAPI):
    actions = {"GET": "self.view"}
    output_class = UserOut

    def get(self, request) -> Response:
        return self.answer(request.user)


class UserListAPI(TableAPI):
    actions = {"GET": "user.list", "POST": "user.create"}
    listed = True
    input_class, output_class = UserIn, UserOut

    def get(self, request) -> Response:
        return self.page(user_list(user=request.user))

    def post(self, request) -> Response:
        user = user_create(actor=request.user, clinic=request.user.clinic, **self.read(request))
        return self.answer(user, status=201)
