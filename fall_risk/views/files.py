"""Files of one patient's fall risk: PDF and FHIR."""
from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse

from clinic.pages import page
from fall_risk import selectors
from fall_risk.files.fhir import risk_bundle
from fall_risk.files.patient_pdf import patient_pdf
from patients.selectors import patient_get


@page(GET="fall_risk.view")
def patient_as_pdf(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    patient = patient_get(user=request.user, patient_id=patient_id, action="fall_risk.view")
    body = patient_pdf(patient, selectors.overview(user=request.user, patient=patient))
    return _file(body, "application/pdf", f"fall-risk-{patient.pk}.pdf")


@page(GET="fall_risk.view")
def patient_as_fhir(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    patient = patient_get(user=request.user, patient_id=patient_id, action="fall_risk.view")
    body = risk_bundle(patient, selectors.overview(user=request.user, patient=patient)).encode()
    return _file(body, "application/fhir+json", f"fall-risk-{patient.pk}.json")


def _file(body: bytes, kind: str, name: str) -> HttpResponse:
    return HttpResponse(body, content_type=kind, headers={
        "Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store",
    })
