"""The clinic's report as REST."""
from __future__ import annotations

from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from clinic.apis import TableAPI
from fall_risk import selectors
from fall_risk.models import MonthlyReport
from fall_risk.reporting.document import report_document
from fall_risk.views.report import due_form, filters_of, report_form
from patients.models import Patient


class DueOut(serializers.ModelSerializer):
    """Names and dates, nothing clinical."""

    due_on = serializers.DateField(allow_null=True, help_text="Empty: never assessed.")

    class Meta:
        model = Patient
        fields = ["id", "given_name", "family_name", "due_on"]


class MonthlyReportOut(serializers.ModelSerializer):
    class Meta:
        model = MonthlyReport
        fields = ["id", "month", "content", "created_at"]


class ReportAPI(TableAPI):
    """`?start=2026-01&end=2026-06&clinician=&age_band=&condition=&group=`; hidden counts are null. `group` is what a
    cell's row names in `groups`, such as `age/75-84/high`: the report of these people alone."""

    actions = {"GET": "fall_report.view"}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request) -> Response:
        form = report_form(request.user, request.query_params)
        if not form.is_valid():
            raise serializers.ValidationError(form.errors)
        return Response(report_document(clinic=request.user.clinic, filters=filters_of(form.cleaned_data)))


class DueListAPI(TableAPI):
    """`?only=overdue` or `never`, `&clinician=` for the patients of one care team."""

    actions = {"GET": "fall_report.view"}
    listed = True
    output_class = DueOut

    def get(self, request) -> Response:
        form = due_form(request.user, request.query_params)
        if not form.is_valid():
            raise serializers.ValidationError(form.errors)
        return self.page(selectors.due_list(user=request.user, **form.cleaned_data))


class MonthlyReportListAPI(TableAPI):
    actions = {"GET": "fall_report.view"}
    listed = True
    output_class = MonthlyReportOut

    def get(self, request) -> Response:
        return self.page(selectors.monthly_report_list(user=request.user))


class MonthlyReportAPI(TableAPI):
    actions = {"GET": "fall_report.view"}
    output_class = MonthlyReportOut

    def get(self, request, report_id: UUID) -> Response:
        return self.answer(selectors.monthly_report_get(user=request.user, report_id=report_id))
