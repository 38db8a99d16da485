"""Pages of alerts and falls: the care team's, and the patient's own."""
from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from clinic.pages import page, paged, status_of, submitted
from fall_risk import forms, selectors, services
from patients.selectors import patient_get


@page(GET="alert.list")
def alert_list(request: HttpRequest) -> HttpResponse:
    rows = selectors.alert_list(user=request.user).order_by("acknowledged_at", "-created_at")
    rows = rows.order_by("-created_at") if request.GET.get("all") else rows.filter(acknowledged_at=None)
    return render(request, "fall_risk/alerts.html", {"alerts": paged(request, rows), "all": request.GET.get("all")})


@page(GET="alert.list")
def alert_bar(request: HttpRequest) -> HttpResponse:
    """The part of every page that is read again at each hint."""
    return render(request, "fall_risk/_alert_bar_page.html")


@page(GET="alert.acknowledge", POST="alert.acknowledge")
def alert(request: HttpRequest, alert_id: UUID) -> HttpResponse:
    row = selectors.alert_get(user=request.user, alert_id=alert_id)
    form = forms.AcknowledgeForm(request.POST or None) if row.acknowledged_at is None else None
    if request.method == "POST":
        form = forms.AcknowledgeForm(request.POST)
        if submitted(form, services.alert_acknowledge, actor=request.user, alert=row):
            messages.success(request, "Acknowledged in your name.")
            return redirect("alert", row.pk)
    return render(request, "fall_risk/alert.html", {
        "alert": row, "patient": row.patient, "form": form,
        "held": selectors.held_prescription(user=request.user, patient=row.patient),
    }, status=status_of(form) if form else 200)


@page(GET="fall.record", POST="fall.record")
def fall_new(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    patient = patient_get(user=request.user, patient_id=patient_id, action="fall.record")
    form = forms.FallForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and submitted(form, services.fall_record, actor=request.user, patient=patient):
        messages.success(request, "The fall is recorded. What was signed for the patient is on hold.")
        return redirect("fall_risk", patient.pk)
    return render(request, "fall_risk/fall_form.html", {"form": form, "patient": patient}, status=status_of(form))


@page(GET="fall.record", POST="fall.record")
def fall_retract(request: HttpRequest, fall_id: UUID) -> HttpResponse:
    row = selectors.fall_get(user=request.user, fall_id=fall_id)
    form = forms.ReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and submitted(form, services.fall_retract, actor=request.user, fall=row):
        return redirect("fall_risk", row.patient_id)
    return render(request, "patients/form.html", {
        "form": form, "patient": row.patient, "title": "Retract a fall",
        "intro": f"Reported for {row.occurred_on:%d %B %Y}. It stays in the record, marked as wrong, and no longer "
                 "counts. A prescription that it put on hold stays on hold until you end that.",
    }, status=status_of(form))


@page(GET="fall.report", POST="fall.report")
def own_fall(request: HttpRequest) -> HttpResponse:
    """The patient's page: a fall in plain words."""
    patient = selectors.own_record(user=request.user)
    form = forms.OwnFallForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and patient and submitted(
        form, services.fall_report, actor=request.user, patient=patient
    ):
        return redirect("own_fall_done")
    return render(request, "fall_risk/own_fall.html", {"form": form, "linked": patient is not None},
                  status=status_of(form))


@page(GET="fall.report")
def own_fall_done(request: HttpRequest) -> HttpResponse:
    return render(request, "fall_risk/own_fall_done.html", {"falls": selectors.own_fall_list(user=request.user)[:5]})


@page(GET="fall_summary.view")
def own_summary(request: HttpRequest) -> HttpResponse:
    return render(request, "fall_risk/own_summary.html", {
        "summary": selectors.own_summary_list(user=request.user).first()
    })
