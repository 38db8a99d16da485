"""Pages of sessions: the patient's form and progress, the care team's list and its CSV."""
from __future__ import annotations

import csv
import io
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from clinic.errors import ServiceError, field_errors
from clinic.pages import page, paged, status_of
from exercise import forms, selectors, services
from exercise.models import ExerciseSession
from patients.selectors import patient_get
from prescriptions.models import Prescription
from prescriptions.pain import limit_of


@page(GET="session.record", POST="session.record")
def session_new(request: HttpRequest, prescription_id: UUID) -> HttpResponse:
    """The form by itself: where it is sent without script, and where what was refused is shown."""
    prescription = selectors.recordable(user=request.user, prescription_id=prescription_id)
    form = forms.SessionForm(request.POST if request.method == "POST" else None,
                             initial=forms.first_answers(prescription))
    if request.method == "POST" and (made := _told(request, form, prescription)):
        return redirect("own_session", made.pk)
    return render(request, "exercise/session_form.html", {
        "form": form, "prescription": prescription, "limit": limit_of(prescription),
    }, status=status_of(form))


@page(GET="session.record", POST="session.record")
def session_correct(request: HttpRequest, session_id: UUID) -> HttpResponse:
    row = selectors.own_session_get(user=request.user, session_id=session_id, action="session.record")
    prescription = selectors.recordable(user=request.user, prescription_id=row.prescription_id)
    form = forms.SessionForm(request.POST if request.method == "POST" else None, initial=forms.told(row))
    if request.method == "POST" and (made := _told(request, form, prescription, corrects=row)):
        messages.success(request, "Corrected. Your clinician sees both.")
        return redirect("own_session", made.pk)
    return render(request, "exercise/session_form.html", {
        "form": form, "prescription": prescription, "corrects": row, "limit": limit_of(prescription),
    }, status=status_of(form))


@page(GET="own_session.view")
def own_session(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """What the patient is told after an entry."""
    row = selectors.own_session_get(user=request.user, session_id=session_id)
    return render(request, "exercise/own_session.html", {
        "session": row, "held": selectors.held_of(row.patient),
        **_progress(selectors.own_session_list(user=request.user), row.patient),
    })


@page(GET="own_session.view")
def own_progress(request: HttpRequest) -> HttpResponse:
    patient = getattr(request.user, "patient_record", None)
    rows = selectors.own_session_list(user=request.user)
    return render(request, "exercise/own_progress.html", {
        "sessions": paged(request, rows), **(_progress(rows, patient) if patient else {}),
    })


@page(GET="session.list")
def patient_sessions(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    patient = patient_get(user=request.user, patient_id=patient_id, action="session.list")
    rows = selectors.session_list(user=request.user, patient=patient)
    last = rows.first()
    return render(request, "exercise/patient_sessions.html", {
        "patient": patient, "sessions": paged(request, rows), "held": selectors.held_of(patient),
        "limit": limit_of(last.prescription) if last else None, **_progress(rows, patient),
    })


COLUMNS = ("id", "corrects", "prescription", "version", "started_at", "finished_at", "received_at", "sets",
           "repetitions", "pain_before", "pain_during", "pain_after", "pain_limit", "effort_cr10", "red_flags",
           "stopped_early", "note", "replaced_by")
_FORMULA = ("=", "+", "-", "@")


@page(GET="session.list")
def patient_sessions_csv(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """RFC 4180 with a byte order mark, which Excel needs to read UTF-8."""
    patient = patient_get(user=request.user, patient_id=patient_id, action="session.list")
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows(_line(row) for row in selectors.session_list(user=request.user, patient=patient).iterator())
    return HttpResponse("\ufeff" + out.getvalue(), content_type="text/csv; charset=utf-8", headers={
        "Content-Disposition": f'attachment; filename="sessions-{patient.pk}.csv"',
        "Cache-Control": "private, no-store",
    })


def _line(row: ExerciseSession) -> tuple:
    later = getattr(row, "correction", None)
    # A note that a spreadsheet would compute gets an apostrophe in front (OWASP, CSV injection).
    note = f"'{row.note}" if row.note.lstrip(" \t\r\n\u00a0\ufeff")[:1] in _FORMULA and row.note else row.note
    return (row.pk, row.corrects_id, row.prescription_id, row.prescription.version, row.started_at.isoformat(),
            row.finished_at.isoformat(), row.created_at.isoformat(), row.sets, row.repetitions, row.pain_before,
            row.pain_during, row.pain_after, row.pain_limit, row.difficulty, " ".join(row.red_flags),
            row.stopped_early, note, later.pk if later else None)


def _progress(rows, patient) -> dict:
    return {"progress": selectors.progress(sessions=rows, patient=patient)}


def _told(
    request: HttpRequest, form: forms.SessionForm, prescription: Prescription, corrects: ExerciseSession | None = None
) -> ExerciseSession | None:
    """The row, or None when the form says what is wrong."""
    if not form.is_valid():
        return None
    earlier = selectors.own_session_list(user=request.user).filter(pk=form.cleaned_data["session_id"]).first()
    try:
        return services.session_record(
            actor=request.user, prescription=prescription, corrects=corrects, **form.arguments(earlier)
        )
    except ServiceError as error:
        for item in field_errors(error):
            visible = item.field in form.fields and not form.fields[item.field].widget.is_hidden
            form.add_error(item.field if visible else None, item.message)
        return None
