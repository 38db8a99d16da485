"""Pages of a patient's fall risk, its assessments and recordings."""
from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from clinic.errors import ServiceError
from clinic.pages import attempted, page, paged, status_of, submitted
from fall_risk import charts, forms, selectors, services, words
from fall_risk.models import Assessment, AssessmentStatus, RecordingStatus
from fall_risk.scores.movement_profile import APART
from fall_risk.services.assessments import saves_of
from fall_risk.services.recordings import profile_outdated
from generation.selectors import candidate_get
from patients.selectors import patient_get

_FILTERS = {"": "All", "overdue": "Overdue", "never": "Never assessed", "high": "High risk"}


@page(GET="fall_risk.list")
def worklist(request: HttpRequest) -> HttpResponse:
    only = request.GET.get("only", "")
    rows = selectors.worklist(user=request.user, only=only)
    return render(request, "fall_risk/worklist.html", {
        "patients": paged(request, rows), "only": only if only in _FILTERS else "", "filters": _FILTERS,
    })


@page(GET="fall_risk.view")
def patient_overview(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    patient = patient_get(user=request.user, patient_id=patient_id, action="fall_risk.view")
    return _patient_page(request, patient)


@page(POST="fall_risk.assess")
def start(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    patient = patient_get(user=request.user, patient_id=patient_id, action="fall_risk.assess")
    made = services.assessment_start(actor=request.user, patient=patient)
    return redirect("fall_assessment", made.pk)


@page(GET="fall_risk.view")
def assessment(request: HttpRequest, assessment_id: UUID) -> HttpResponse:
    """A draft is a form, what is complete is a document."""
    row = selectors.assessment_get(user=request.user, assessment_id=assessment_id)
    context = {"assessment": row, "patient": row.patient, "sections": selectors.sections(row),
               "recordings": selectors.recording_list(user=request.user, assessment=row)}
    if row.is_draft:
        context |= {"saves": saves_of(row), "recording_form": forms.RecordingForm(),
                    "falls_on_record": selectors.falls_since(row.patient, row.assessed_on)}
        return render(request, "fall_risk/assessment_form.html", context)
    return render(request, "fall_risk/assessment.html", {
        **context, "scores": selectors.stored_scores(row), "correct_form": forms.ReasonForm(),
        "correction": Assessment.objects.filter(corrects=row).first(),
    })


@page(POST="fall_risk.assess")
def section_save(request: HttpRequest, assessment_id: UUID, name: str) -> HttpResponse:
    """Autosave: answers with the state of the section, and what could not be saved beside each field."""
    row = selectors.assessment_get(user=request.user, assessment_id=assessment_id, action="fall_risk.assess")
    answers, errors = forms.read_answers(name, request.POST)
    version = request.POST.get("version", "")
    refused, status = "", 200
    try:
        saved = services.assessment_section_save(
            actor=request.user, assessment=row, section=name, answers=answers, partly=True,
            version=int(version) if version.isascii() and version.isdigit() else -1,
        )
        row, errors = saved.assessment, saved.errors | errors
        status = 422 if errors else 200
    except ServiceError as error:
        refused, status = str(error), error.status
    if not request.headers.get("HX-Request"):       # a browser without scripts
        for sentence in (refused, *errors.values()):
            if sentence:
                from django.contrib import messages

                messages.error(request, sentence)
        return redirect("fall_assessment", row.pk)
    section = next((s for s in selectors.sections(row) if s.key == name), None)
    return render(request, "fall_risk/_saved.html", {
        "assessment": row, "section": section, "name": name, "errors": errors, "refused": refused, "version": version,
        "saves": saves_of(row),
    }, status=status)


@page(POST="fall_risk.assess")
def complete(request: HttpRequest, assessment_id: UUID) -> HttpResponse:
    row = selectors.assessment_get(user=request.user, assessment_id=assessment_id, action="fall_risk.assess")
    saves = request.POST.get("saves", "")
    done = attempted(
        request, services.assessment_complete, "The assessment is complete.", actor=request.user, assessment=row,
        saves=int(saves) if saves.isascii() and saves.isdigit() else -1,
    )
    return redirect("fall_risk", row.patient_id) if done else redirect("fall_assessment", row.pk)


@page(POST="fall_risk.assess")
def discard(request: HttpRequest, assessment_id: UUID) -> HttpResponse:
    row = selectors.assessment_get(user=request.user, assessment_id=assessment_id, action="fall_risk.assess")

    def throw_away() -> bool:
        services.assessment_discard(actor=request.user, assessment=row)
        return True

    attempted(request, throw_away, "The draft is discarded.")
    return redirect("fall_risk", row.patient_id)


@page(POST="fall_risk.assess")
def correct(request: HttpRequest, assessment_id: UUID) -> HttpResponse:
    row = selectors.assessment_get(user=request.user, assessment_id=assessment_id, action="fall_risk.assess")
    made = attempted(
        request, services.assessment_correct, "A copy to be put right. Until it is complete, the old one counts.",
        actor=request.user, assessment=row, reason=request.POST.get("reason", ""),
    )
    return redirect("fall_assessment", (made or row).pk)


@page(POST="fall_risk.release")
def release(request: HttpRequest, assessment_id: UUID) -> HttpResponse:
    row = selectors.assessment_get(user=request.user, assessment_id=assessment_id, action="fall_risk.release")
    form = forms.SummaryForm(request.POST)
    if submitted(form, services.summary_release, actor=request.user, assessment=row):
        return redirect("fall_risk", row.patient_id)
    return _patient_page(request, row.patient, form)


@page(POST="fall_risk.release")
def take_back(request: HttpRequest, summary_id: UUID) -> HttpResponse:
    row = selectors.summary_get(user=request.user, summary_id=summary_id)
    attempted(request, services.summary_withdraw, "The patient no longer sees it.", actor=request.user, summary=row)
    return redirect("fall_risk", row.patient_id)


@page(POST="fall_risk.assess")
def upload(request: HttpRequest, assessment_id: UUID) -> HttpResponse:
    row = selectors.assessment_get(user=request.user, assessment_id=assessment_id, action="fall_risk.assess")
    form = forms.RecordingForm(request.POST, request.FILES)

    def store(*, kind: str, file, go_s: float | None):
        return services.recording_upload(
            actor=request.user, assessment=row, kind=kind, file_name=file.name, content=file.read(), go_s=go_s
        )

    if made := submitted(form, store):
        return redirect("fall_recording", made.pk)
    return render(request, "fall_risk/upload.html", {"form": form, "assessment": row, "patient": row.patient},
                  status=status_of(form))


@page(GET="fall_risk.view", POST="fall_risk.assess")
def recording(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    """What was measured, and the form that takes it over; its own state while a worker is on it."""
    action = "fall_risk.view" if request.method == "GET" else "fall_risk.assess"
    row = selectors.recording_get(user=request.user, recording_id=recording_id, action=action)
    refused, status = "", 200
    if request.method == "POST":
        taken, refused = _taken(row, request.POST)
        if not refused:
            try:
                services.recording_confirm(actor=request.user, recording=row, answers=taken)
                return redirect("fall_assessment", row.assessment_id)
            except ServiceError as error:
                refused = str(error)
        status = 422
    context = {"recording": row, "patient": row.patient, "refused": refused,
               "proposals": words.proposals(row) if row.status == RecordingStatus.DONE else []}
    if row.status == RecordingStatus.DONE:
        context["figure"] = charts.recording_figure(row.result)
    return render(request, "fall_risk/recording.html", context, status=status)


@page(POST="fall_risk.assess")
def recording_cancel(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    row = selectors.recording_get(user=request.user, recording_id=recording_id, action="fall_risk.assess")
    attempted(request, services.recording_cancel, "The analysis is cancelled; the file stays.", actor=request.user,
              recording=row)
    return redirect("fall_recording", row.pk)


@page(POST="fall_risk.assess")
def recording_repeat(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    row = selectors.recording_get(user=request.user, recording_id=recording_id, action="fall_risk.assess")
    attempted(request, services.recording_repeat, "The recording is analysed again.", actor=request.user,
              recording=row)
    return redirect("fall_recording", row.pk)


@page(GET="fall_risk.view")
def recording_file(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    row = selectors.recording_get(user=request.user, recording_id=recording_id)
    ending = row.file_name.rsplit(".", 1)[-1].lower()       # "mot" or "trc": nothing else is taken
    return HttpResponse(bytes(row.file), content_type="application/octet-stream", headers={
        "Content-Disposition": f'attachment; filename="recording-{row.pk}.{ending}"',
        "Cache-Control": "private, no-store",
    })


@page(POST="fall_risk.assess")
def movement_profile(request: HttpRequest, candidate_id: UUID) -> HttpResponse:
    candidate = candidate_get(user=request.user, candidate_id=candidate_id, action="fall_risk.assess")
    services.profile_request(actor=request.user, candidate=candidate)
    return redirect("fall_risk", candidate.request.patient_id)


def _taken(row, typed) -> tuple[dict, str]:
    """The proposals that were ticked, with the values as the clinician left them."""
    taken = {}
    for proposal in words.proposals(row):
        key = proposal["field"].key
        if typed.get(f"take_{key}"):
            answers, _ = forms.read_answers(proposal["section"], {key: typed.get(key, "")})
            taken[key] = answers[key]
    return taken, "" if all(value is not None for value in taken.values()) else "Enter the values that you take over."


def _patient_page(request: HttpRequest, patient, summary_form=None) -> HttpResponse:
    overview = selectors.overview(user=request.user, patient=patient)
    form = summary_form or forms.SummaryForm(initial={"text": words.summary_draft(overview)})
    return render(request, "fall_risk/patient.html", {
        "patient": patient, "overview": overview, "summary_form": form, "signed": overview.signed,
        "profile": overview.profile,
        "profile_outdated": bool(overview.profile) and profile_outdated(overview.profile),
        "figure": charts.trend_figure(overview.trends), "apart": APART,
        "complete": [row for row in overview.history if row.status == AssessmentStatus.COMPLETE],
    }, status=status_of(form))
