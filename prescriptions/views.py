"""Pages of prescriptions, and the patient's page of today."""
from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from clinic.pages import attempted, page, status_of, submitted
from generation import downloads
from generation.selectors import candidate_get
from prescriptions import forms, selectors, services
from prescriptions.models import Prescription
from prescriptions.pain import safety_of
from prescriptions.video_views import videos_of
from prescriptions.words import CHECKED, NOT_CHECKED, STATEMENT, instructions

_WORDS = {"statement": STATEMENT, "checked": CHECKED, "not_checked": NOT_CHECKED}


@page(GET="prescription.create", POST="prescription.create")
def prescribe(request: HttpRequest, candidate_id: UUID) -> HttpResponse:
    candidate = candidate_get(
        user=request.user, candidate_id=candidate_id, action="prescription.create", with_files=True
    )
    form = forms.PrescriptionForm(request.POST or None, initial={"instructions": instructions(candidate)})
    if request.method == "POST":
        made = submitted(form, services.prescription_create, actor=request.user, candidate=candidate)
        if made:
            return redirect("prescription_detail", made.pk)
    return render(request, "prescriptions/form.html", {
        "form": form, "candidate": candidate, "patient": candidate.request.patient,
    }, status=status_of(form))


@page(GET="prescription.view")
def prescription_detail(request: HttpRequest, prescription_id: UUID) -> HttpResponse:
    row = selectors.prescription_get(user=request.user, prescription_id=prescription_id)
    return _detail(request, row)


@page(GET="prescription.edit", POST="prescription.edit")
def prescription_edit(request: HttpRequest, prescription_id: UUID) -> HttpResponse:
    row = _get(request, prescription_id, "prescription.edit")
    if not row.is_draft:
        return redirect("prescription_detail", row.pk)
    form = forms.PrescriptionForm(request.POST or None, initial={
        name: getattr(row, name) for name in (*services.DOSE_FIELDS, "instructions", "equipment")
    })
    if request.method == "POST" and submitted(
        form, services.prescription_update, actor=request.user, prescription=row
    ):
        return redirect("prescription_detail", row.pk)
    return render(request, "prescriptions/form.html", {
        "form": form, "prescription": row, "candidate": row.candidate, "patient": row.patient,
    }, status=status_of(form))


@page(POST="prescription.sign")
def prescription_sign(request: HttpRequest, prescription_id: UUID) -> HttpResponse:
    row = _get(request, prescription_id, "prescription.sign")
    form = forms.SignForm(request.POST)
    if submitted(form, services.prescription_sign, actor=request.user, prescription=row):
        return redirect("prescription_detail", row.pk)
    return _detail(request, row, sign_form=form)


@page(POST="prescription.withdraw")
def prescription_withdraw(request: HttpRequest, prescription_id: UUID) -> HttpResponse:
    row = _get(request, prescription_id, "prescription.withdraw")
    form = forms.WithdrawForm(request.POST)
    if submitted(form, services.prescription_withdraw, actor=request.user, prescription=row):
        return redirect("prescription_detail", row.pk)
    return _detail(request, row, withdraw_form=form)


@page(POST="prescription.hold")
def prescription_hold(request: HttpRequest, prescription_id: UUID) -> HttpResponse:
    return _hold(request, prescription_id, services.prescription_hold)


@page(POST="prescription.hold")
def prescription_release(request: HttpRequest, prescription_id: UUID) -> HttpResponse:
    return _hold(request, prescription_id, services.prescription_release)


@page(POST="prescription.create")
def prescription_new_version(request: HttpRequest, prescription_id: UUID) -> HttpResponse:
    row = _get(request, prescription_id, "prescription.create")
    made = attempted(
        request, services.prescription_new_version, "A new draft. Nothing changes for the patient until you sign it.",
        actor=request.user, prescription=row,
    )
    return redirect("prescription_edit", made.pk) if made else redirect("prescription_detail", row.pk)


@page(GET="exercise.view")
def today(request: HttpRequest) -> HttpResponse:
    """The patient's page: what was signed for them, and nothing else."""
    exercise = selectors.exercise_list(user=request.user).first()
    held = None if exercise else selectors.exercise_held(user=request.user).first()
    video = selectors.video_ready(prescription=exercise) if exercise else None
    return render(request, "prescriptions/today.html", {
        "exercise": exercise, "safety": safety_of(exercise) if exercise else "",
        "held": held, "video": video, "shares": selectors.shared_list(user=request.user),
        **_WORDS,
    })


@page(GET="exercise.view")
def exercise_playback(request: HttpRequest, prescription_id: UUID) -> HttpResponse:
    row = selectors.exercise_get(user=request.user, prescription_id=prescription_id, with_motion=True)
    return downloads.playback(request, row.candidate)


def _get(request: HttpRequest, prescription_id: UUID, action: str) -> Prescription:
    return selectors.prescription_get(user=request.user, prescription_id=prescription_id, action=action)


def _hold(request: HttpRequest, prescription_id: UUID, service) -> HttpResponse:
    row = _get(request, prescription_id, "prescription.hold")
    form = forms.HoldForm(request.POST, auto_id="hold_%s")
    if submitted(form, service, actor=request.user, prescription=row):
        return redirect("prescription_detail", row.pk)
    return _detail(request, row, hold_form=form)


def _detail(request: HttpRequest, row: Prescription, **bound_forms) -> HttpResponse:
    context = {
        "prescription": row, "patient": row.patient, "candidate": row.candidate, **_WORDS,
        "check": row.candidate.check_by_opensim,
        "sign_form": forms.SignForm(), "withdraw_form": forms.WithdrawForm(),
        "hold_form": forms.HoldForm(auto_id="hold_%s"),
        "holds": not row.is_draft and selectors.signature_holds(row),
        **({} if row.is_draft else videos_of(request, row)),
        **bound_forms,
    }
    return render(request, "prescriptions/detail.html", context, status=422 if bound_forms else 200)
