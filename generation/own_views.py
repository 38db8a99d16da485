"""Pages of a patient's own model and own motions."""
from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from clinic.errors import ServiceError
from clinic.pages import attempted, page, status_of, submitted
from generation import downloads, own_models, own_motions, selectors
from generation.forms import UploadForm
from patients.selectors import own_model_get, patient_get


@page(GET="own_model.edit", POST="own_model.edit")
def own_model(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    patient = patient_get(user=request.user, patient_id=patient_id, action="own_model.edit")

    def store(*, file):
        return own_models.own_model_upload(
            actor=request.user, patient=patient, file_name=file.name, content=file.read(own_models.MOST_BYTES + 1)
        )

    form = _form(request, ".osim", "A scaled model of the Rajagopal, LaiArnold or LaiUhlrich family, as of OpenCap. It "
                 "is read before it is kept, which takes some seconds.")
    if request.method == "POST" and submitted(form, store):
        return redirect("patient_detail", patient.pk)
    return render(request, "generation/upload.html", {
        "form": form, "patient": patient, "title": "Own model",
        "intro": "Used for the forces instead of a body predicted from sex, age, height and mass; the generated motion "
        "takes its sizes.",
    }, status=status_of(form))


@page(POST="own_model.edit")
def own_model_remove(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    patient = patient_get(user=request.user, patient_id=patient_id, action="own_model.edit")
    own_models.own_model_remove(actor=request.user, patient=patient)
    return redirect("patient_detail", patient.pk)


@page(GET="patient.view")
def own_model_file(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    patient = patient_get(user=request.user, patient_id=patient_id)
    return downloads.own_model(own_model_get(user=request.user, patient=patient))


@page(GET="patient.view")
def personal_model(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    patient = patient_get(user=request.user, patient_id=patient_id)
    try:
        return downloads.osim(own_models.personal_model(patient=patient), "genuflex_person.osim")
    except ServiceError as error:
        return render(request, "generation/no_model.html", {"patient": patient, "error": error}, status=422)


@page(GET="own_motion.edit", POST="own_motion.edit")
def own_motion_new(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    patient = patient_get(user=request.user, patient_id=patient_id, action="own_motion.edit")

    def store(*, file):
        return own_motions.own_motion_upload(
            actor=request.user, patient=patient, file_name=file.name, content=file.read(own_motions.MOST_BYTES + 1)
        )

    form = _form(request, ".mot or .trc", "Joint angles as OpenSim or OpenCap write them, or markers (Plug-in-Gait, "
                 "OpenCap, or those of the patient's own model), at most two minutes.")
    if request.method == "POST" and (made := submitted(form, store)):
        return redirect("own_motion", made.pk)
    return render(request, "generation/upload.html", {
        "form": form, "patient": patient, "title": "Own squat",
        "intro": "A recording of the patient squatting. A generation can start from it and say what to change.",
    }, status=status_of(form))


@page(GET="own_motion.view")
def own_motion(request: HttpRequest, motion_id: UUID) -> HttpResponse:
    row = selectors.own_motion_get(user=request.user, motion_id=motion_id)
    return render(request, "generation/own_motion.html", {"motion": row, "patient": row.patient})


@page(POST="own_motion.edit")
def own_motion_remove(request: HttpRequest, motion_id: UUID) -> HttpResponse:
    row = selectors.own_motion_get(user=request.user, motion_id=motion_id, action="own_motion.edit")
    attempted(request, own_motions.own_motion_remove, "The recording is removed.", actor=request.user, motion=row)
    return redirect("patient_detail", row.patient_id)


@page(GET="own_motion.view")
def own_motion_playback(request: HttpRequest, motion_id: UUID) -> HttpResponse:
    return downloads.own_motion_playback(request, _ready(request, motion_id))


@page(GET="own_motion.view")
def own_motion_file(request: HttpRequest, motion_id: UUID) -> HttpResponse:
    return downloads.own_motion_file(
        selectors.own_motion_get(user=request.user, motion_id=motion_id, with_files=True)
    )


def _ready(request: HttpRequest, motion_id: UUID):
    row = selectors.own_motion_get(user=request.user, motion_id=motion_id, with_files=True)
    if row.playback_gzip is None:
        raise Http404("Not read yet.")
    return row


def _form(request: HttpRequest, endings: str, help_text: str) -> UploadForm:
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    return UploadForm(*sent, endings=endings, help_text=help_text)
