"""The clinic's report for its administrators: page, CSV, PDF, the stored reports of past months."""
from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from clinic.models import Role, User
from clinic.pages import page, paged
from fall_risk import charts, selectors
from fall_risk.files.report_pdf import report_pdf
from fall_risk.forms import DueForm, ReportForm
from fall_risk.reporting.csv_file import report_csv
from fall_risk.reporting.document import Filters, last_twelve_months, report_document

MONTHS_BACK = 60


@page(GET="fall_report.view")
def report(request: HttpRequest) -> HttpResponse:
    form, document = _asked(request)
    chosen = form.cleaned_data.get("group")
    return render(request, "fall_risk/report.html", {
        "form": form, "document": document, "figures": charts.report_figures(document), "group": chosen,
        "query": request.GET.urlencode(), "whole": _query(request, "group"),
        "closer": "" if chosen else _query(request, "group"),
        "months": selectors.monthly_report_list(user=request.user)[:24],
    })


@page(GET="fall_report.view")
def report_as_csv(request: HttpRequest) -> HttpResponse:
    return _csv(_asked(request)[1])


@page(GET="fall_report.view")
def report_as_pdf(request: HttpRequest) -> HttpResponse:
    return _pdf(_asked(request)[1])


@page(GET="fall_report.view")
def due(request: HttpRequest) -> HttpResponse:
    form = due_form(request.user, request.GET)
    form.is_valid()
    rows = selectors.due_list(user=request.user, **{name: form.cleaned_data.get(name) or None for name in form.fields})
    return render(request, "fall_risk/due.html", {
        "form": form, "patients": paged(request, rows), "query": _query(request, "page").rstrip("&"),
    })


@page(GET="fall_report.view")
def monthly(request: HttpRequest, report_id: UUID) -> HttpResponse:
    row = selectors.monthly_report_get(user=request.user, report_id=report_id)
    return render(request, "fall_risk/monthly.html", {
        "report": row, "document": row.content, "figures": charts.report_figures(row.content),
    })


@page(GET="fall_report.view")
def monthly_as_csv(request: HttpRequest, report_id: UUID) -> HttpResponse:
    return _csv(selectors.monthly_report_get(user=request.user, report_id=report_id).content)


@page(GET="fall_report.view")
def monthly_as_pdf(request: HttpRequest, report_id: UUID) -> HttpResponse:
    return _pdf(selectors.monthly_report_get(user=request.user, report_id=report_id).content)


def filters_of(data: dict) -> Filters:
    """Whole months; without any, the last twelve. The end never lies before the start, nor after today."""
    today = timezone.localdate()
    start = _month(data.get("start")) or last_twelve_months(today).start
    end = _month(data.get("end")) or today.replace(day=1)
    start, end = min(start, end), max(start, end)
    last = (end.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    clinician = data.get("clinician")
    return Filters(
        start=start, end=min(last, today), clinician=clinician.pk if clinician else None,
        age_band=data.get("age_band") or "", condition=data.get("condition") or "", group=data.get("group"),
    )


def report_form(user: User, data) -> ReportForm:
    """The filters that this administrator may choose from."""
    return ReportForm(data, months=[("", "–"), *_months()], clinicians=_clinicians(user))


def due_form(user: User, data) -> DueForm:
    return DueForm(data, clinicians=_clinicians(user))


def _clinicians(user: User) -> QuerySet[User]:
    return User.objects.filter(clinic_id=user.clinic_id, role=Role.CLINICIAN).order_by("full_name", "id")


def _query(request: HttpRequest, without: str) -> str:
    """What the address asks for, without one of its questions; ends so that another one can follow."""
    asked = request.GET.copy()
    asked.pop(without, None)
    asked.pop("page", None)
    return f"{asked.urlencode()}&" if asked else ""


def _asked(request: HttpRequest) -> tuple[ReportForm, dict]:
    """What cannot be understood is left out of the filters, and the form says so."""
    form = report_form(request.user, request.GET)
    form.is_valid()
    filters = filters_of(form.cleaned_data)
    return form, report_document(clinic=request.user.clinic, filters=filters)


def _month(text: str | None) -> date | None:
    return date.fromisoformat(f"{text}-01") if text else None


def _months() -> list[tuple[str, str]]:
    month, found = timezone.localdate().replace(day=1), []
    for _ in range(MONTHS_BACK):
        found.append((f"{month:%Y-%m}", f"{month:%B %Y}"))
        month = (month - timedelta(days=1)).replace(day=1)
    return found


def _csv(document: dict) -> HttpResponse:
    return _file(report_csv(document).encode(), "text/csv; charset=utf-8", document, "csv")


def _pdf(document: dict) -> HttpResponse:
    return _file(report_pdf(document), "application/pdf", document, "pdf")


def _file(body: bytes, kind: str, document: dict, ending: str) -> HttpResponse:
    name = f"fall-risk-{document['start'][:7]}-to-{document['end'][:7]}.{ending}"
    return HttpResponse(body, content_type=kind, headers={
        "Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store",
    })
