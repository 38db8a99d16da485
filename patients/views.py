"""Pages of the record."""
from __future__ import annotations

from datetime import date
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from clinic.errors import ServiceError
from clinic.models import User
from clinic.pages import attempted, page, paged, status_of, submitted
from clinic.selectors import colleague_list, patient_account_find
from generation.engine.presets import CONDITIONS
from generation.engine.variables import VARIABLES
from patients import forms, rules, selectors, services
from patients.models import Patient


@page(GET="patient.list")
def patient_list(request: HttpRequest) -> HttpResponse:
    search = request.GET.get("q", "").strip()
    rows = selectors.patient_list(user=request.user, search=search)
    return render(request, "patients/list.html", {"patients": paged(request, rows), "search": search})


@page(GET="directory.list")
def directory(request: HttpRequest) -> HttpResponse:
    patients = paged(request, selectors.directory_list(user=request.user))
    return render(request, "patients/directory.html", {"patients": patients})


@page(GET="patient.create", POST="patient.create")
def patient_new(request: HttpRequest) -> HttpResponse:
    form = forms.PatientForm(request.POST or None)
    if request.method == "POST" and (patient := submitted(form, services.patient_create, actor=request.user)):
        return redirect("body", patient.pk)
    return render(request, "patients/new.html", {"form": form}, status=status_of(form))


@page(GET="patient.view")
def patient_detail(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    patient = selectors.patient_get(user=request.user, patient_id=patient_id)
    return render(request, "patients/detail.html", {
        "patient": patient,
        "overview": selectors.patient_overview(user=request.user, patient=patient),
    })


@page(GET="patient.edit", POST="patient.edit")
def patient_edit(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    patient = _patient(request, patient_id)
    initial = {name: getattr(patient, name) for name in ("given_name", "family_name", "birth_date", "sex")}
    return _record_form(request, patient, "Person", forms.PatientForm, services.patient_update, initial)


@page(GET="patient.edit", POST="patient.edit")
def care_team(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    patient = _patient(request, patient_id)
    form = forms.CareTeamForm(
        request.POST or None, colleagues=colleague_list(user=request.user).exclude(patients=patient)
    )

    def add(*, clinician: User) -> bool:
        services.care_team_add(actor=request.user, patient=patient, clinician=clinician)
        return True

    if request.method == "POST" and submitted(form, add):
        return redirect("patient_detail", patient.pk)
    return render(request, "patients/form.html", {
        "form": form, "patient": patient, "title": "Add to the care team",
        "intro": "Everyone in the care team sees this record and may change it.",
    }, status=status_of(form))


@page(GET="patient.edit", POST="patient.edit")
def account(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    patient = _patient(request, patient_id)
    form = forms.AccountForm(request.POST or None, initial={"email": patient.account.email if patient.account else ""})

    def link(*, email: str) -> bool:
        found = patient_account_find(user=request.user, email=email) if email else None
        if email and found is None:
            raise ServiceError.of(
                "No patient of your clinic signs in with this address. Ask your administrator to make the account.",
                "email",
            )
        try:
            services.patient_account_link(actor=request.user, patient=patient, account=found)
        except ServiceError as error:
            raise ServiceError.of(str(error), "email") from None
        return True

    if request.method == "POST" and submitted(form, link):
        return redirect("patient_detail", patient.pk)
    return render(request, "patients/form.html", {
        "form": form, "patient": patient, "title": "Patient's sign-in",
        "intro": "With this account the patient sees the squat that is signed for them, nothing else of the record.",
    }, status=status_of(form))


@page(GET="patient.edit", POST="patient.edit")
def body(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    patient = _patient(request, patient_id)
    return _record_form(
        request, patient, "Body size", forms.BodyForm, services.body_measurement_record,
        intro="The skeleton, the motion and the limits are computed for this size.",
    )


@page(GET="patient.edit", POST="patient.edit")
def range_of_motion(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    patient = _patient(request, patient_id)
    return _record_form(
        request, patient, "Range of motion", forms.RangeOfMotionForm, services.range_of_motion_record,
        intro="A measured range becomes a limit: no generated squat leaves it. The newest measurement counts.",
    )


@page(GET="patient.edit", POST="patient.edit")
def strength(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    patient = _patient(request, patient_id)
    return _record_form(
        request, patient, "Strength", forms.StrengthForm, services.strength_record,
        intro="Measured strength scales the muscles of the patient's body model, and with it what a motion demands.",
    )


@page(GET="patient.edit", POST="patient.edit")
def segment_length(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    patient = _patient(request, patient_id)
    return _record_form(
        request, patient, "Segment length", forms.SegmentLengthForm, services.segment_length_record,
        intro="A measured length replaces the one that is expected for sex, height and mass; the rest of the body is "
        "stretched so that the height stays.",
    )


@page(GET="patient.edit", POST="patient.edit")
def tempo(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    patient = _patient(request, patient_id)
    row = selectors.tempo_get(patient)
    initial = {name: getattr(row, name) for name in ("descent_s", "pause_s", "ascent_s")} if row else {}
    return _record_form(
        request, patient, "Tempo", forms.TempoForm, services.tempo_set, initial,
        intro="How long one squat takes. Without it the generator chooses.",
    )


@page(GET="patient.edit", POST="patient.edit")
def execution(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    patient = _patient(request, patient_id)
    row = selectors.execution_get(patient)
    initial = {"arms": row.arms, "repetitions": row.repetitions} if row else {}
    return _record_form(
        request, patient, "Arms and repetitions", forms.ExecutionForm, services.execution_set, initial,
        intro="Where the arms are in the squat, and how many squats follow one another.",
    )


@page(POST="patient.edit")
def tempo_clear(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    patient = _patient(request, patient_id)
    services.tempo_clear(actor=request.user, patient=patient)
    return redirect("patient_detail", patient.pk)


@page(GET="patient.edit", POST="patient.edit")
def condition_new(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """The same page answers when another condition or phase is chosen: the form then offers what fits."""
    patient = _patient(request, patient_id)
    chosen = request.POST or request.GET
    name = chosen.get("name", "")
    form = forms.ConditionForm(request.POST or None, initial=request.GET.dict(), name=name)
    if request.method == "POST" and submitted(form, services.condition_record, actor=request.user, patient=patient):
        return _done(request, patient)
    return render(request, "patients/condition.html", {
        "form": form, "patient": patient, **_preset(name, chosen),
    }, status=status_of(form))


@page(GET="patient.edit", POST="patient.edit")
def condition_edit(request: HttpRequest, condition_id: UUID) -> HttpResponse:
    condition = selectors.condition_get(user=request.user, condition_id=condition_id)
    fields = {name: getattr(condition, name) for name in ("phase", "side", "onset_on")}
    form = forms.ConditionForm(
        request.POST or None, initial={**fields, **request.GET.dict()}, name=condition.name, fixed=True
    )
    if request.method == "POST" and submitted(
        form, services.condition_update, actor=request.user, condition=condition
    ):
        return _done(request, condition.patient)
    return render(request, "patients/condition.html", {
        "form": form, "patient": condition.patient, "condition": condition,
        **_preset(condition.name, request.POST or {**fields, **request.GET.dict()}),
    }, status=status_of(form))


@page(POST="patient.edit")
def condition_resolve(request: HttpRequest, condition_id: UUID) -> HttpResponse:
    condition = selectors.condition_get(user=request.user, condition_id=condition_id)
    attempted(
        request, services.condition_resolve, f"{condition.label} is resolved; its limits are gone.",
        actor=request.user, condition=condition,
    )
    return redirect("patient_detail", condition.patient_id)


@page(GET="patient.edit", POST="patient.edit")
def limit_new(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    patient = _patient(request, patient_id)
    variable = (request.POST or request.GET).get("variable", "")
    form = forms.LimitForm(request.POST or None, initial=request.GET.dict(), variable=variable)
    if request.method == "POST" and submitted(form, services.movement_limit_add, actor=request.user, patient=patient):
        return _done(request, patient)
    return render(request, "patients/limit_new.html", {
        "form": form, "patient": patient,
        "meaning": _meaning(variable),
    }, status=status_of(form))


@page(GET="patient.edit", POST="patient.edit")
def limit_edit(request: HttpRequest, limit_id: UUID) -> HttpResponse:
    limit = selectors.movement_limit_get(user=request.user, limit_id=limit_id)
    initial = {name: getattr(limit, name) for name in ("minimum", "maximum", "weight", "reason")}
    form = forms.LimitBoundsForm(request.POST or None, initial=initial, from_protocol=limit.is_preset)
    if request.method == "POST" and submitted(
        form, services.movement_limit_change, actor=request.user, limit=limit
    ):
        return _done(request, limit.patient)
    return render(request, "patients/limit_edit.html", {
        "form": form, "limit": limit, "patient": limit.patient, "meaning": _meaning(limit.variable),
        "remove_form": forms.ReasonForm(prefix="remove", from_protocol=limit.is_preset),
    }, status=status_of(form))


@page(POST="patient.edit")
def limit_remove(request: HttpRequest, limit_id: UUID) -> HttpResponse:
    limit = selectors.movement_limit_get(user=request.user, limit_id=limit_id)
    form = forms.ReasonForm(request.POST, prefix="remove", from_protocol=limit.is_preset)
    if submitted(form, services.movement_limit_remove, actor=request.user, limit=limit):
        return _done(request, limit.patient)
    return render(request, "patients/limit_edit.html", {
        "form": forms.LimitBoundsForm(
            initial={name: getattr(limit, name) for name in ("minimum", "maximum", "weight")}),
        "limit": limit, "patient": limit.patient, "meaning": _meaning(limit.variable), "remove_form": form,
    }, status=422)


def _patient(request: HttpRequest, patient_id: UUID) -> Patient:
    return selectors.patient_get(user=request.user, patient_id=patient_id, action="patient.edit")


def _record_form(
    request: HttpRequest, patient: Patient, title: str, form_class, service, initial: dict | None = None,
    intro: str = "",
) -> HttpResponse:
    """A form that writes one thing into the record and goes back to the patient."""
    form = form_class(request.POST or None, initial=initial)
    if request.method == "POST" and submitted(form, service, actor=request.user, patient=patient):
        return _done(request, patient)
    return render(
        request, "patients/form.html", {"form": form, "patient": patient, "title": title, "intro": intro},
        status=status_of(form),
    )


def _done(request: HttpRequest, patient: Patient) -> HttpResponse:
    return redirect("patient_detail", patient.pk)


def _meaning(variable: str) -> str:
    return rules.plain(VARIABLES[variable].meaning) if variable in VARIABLES else ""


def _preset(name: str, chosen) -> dict:
    """What the chosen condition, phase and side would bring, for the page; nothing while the choice is incomplete."""
    phase, said = chosen.get("phase", ""), {}
    known = CONDITIONS.get(name)
    if known and known.weeks and not phase and (day := _day(chosen.get("onset_on"))):
        week = (timezone.localdate() - day).days // 7
        try:
            phase = rules.phase_from_week(name, week)
            said = {"week_words": f"Week {week}: {rules.phase_words(phase).lower()}."}
        except ServiceError as error:
            said = {"week_words": str(error)}
    try:
        preset = rules.condition_preset(name, phase, chosen.get("side", ""))
    except ServiceError:
        return said
    return {"preset": preset, "refusal": rules.refusal_words(preset, phase), **said}


def _day(typed) -> date | None:
    """A day that is past, as a form sends it or the record holds it; None for anything else."""
    try:
        day = typed if isinstance(typed, date) else date.fromisoformat(typed or "")
    except ValueError:
        return None
    return day if day <= timezone.localdate() else None
