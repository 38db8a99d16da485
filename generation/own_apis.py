"""A patient's own model and own motions as REST. Files come and go as base64 or as files."""
from __future__ import annotations

import base64
import binascii
from uuid import UUID

from django.http import Http404, HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from clinic.apis import Input, TableAPI
from generation import downloads, own_models, own_motions, selectors
from generation.models import OwnMotion
from patients.models import OwnModel
from patients.selectors import own_model_get, patient_get

FILE = {(200, "application/octet-stream"): OpenApiTypes.BINARY}


class FileIn(Input):
    file_name = serializers.CharField(max_length=120)
    content = serializers.CharField(help_text="The file, base64.", max_length=30_000_000, trim_whitespace=False)

    def validate_content(self, value: str) -> bytes:
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise serializers.ValidationError("This is not base64.") from None


class OwnModelOut(serializers.ModelSerializer):
    class Meta:
        model = OwnModel
        fields = ["id", "file_name", "sha256", "mass_kg", "muscle_count", "notes", "created_at"]


class OwnMotionOut(serializers.ModelSerializer):
    class Meta:
        model = OwnMotion
        fields = ["id", "patient", "file_name", "sha256", "status", "stage", "fraction", "error", "duration_s", "notes",
                  "created_at", "removed_at"]


class OwnModelAPI(TableAPI):
    """The patient's own scaled OpenSim model."""

    actions = {"GET": "patient.view", "PUT": "own_model.edit", "DELETE": "own_model.edit"}
    input_class, output_class = FileIn, OwnModelOut

    def get(self, request, patient_id: UUID) -> Response:
        return self.answer(_model(request, patient_id))

    def put(self, request, patient_id: UUID) -> Response:
        patient = patient_get(user=request.user, patient_id=patient_id, action="own_model.edit")
        return self.answer(own_models.own_model_upload(actor=request.user, patient=patient, **self.read(request)))

    def delete(self, request, patient_id: UUID) -> Response:
        patient = patient_get(user=request.user, patient_id=patient_id, action="own_model.edit")
        own_models.own_model_remove(actor=request.user, patient=patient)
        return Response(status=204)


class OwnModelFileAPI(TableAPI):
    actions = {"GET": "patient.view"}

    @extend_schema(responses=FILE)
    def get(self, request, patient_id: UUID) -> HttpResponse:
        return downloads.own_model(_model(request, patient_id))


class PersonalModelAPI(TableAPI):
    """The OpenSim model that stands for the patient now: predicted and measured, or their own."""

    actions = {"GET": "patient.view"}

    @extend_schema(responses=FILE)
    def get(self, request, patient_id: UUID) -> HttpResponse:
        patient = patient_get(user=request.user, patient_id=patient_id)
        return downloads.osim(own_models.personal_model(patient=patient), "genuflex_person.osim")


class OwnMotionListAPI(TableAPI):
    """Recordings of the patient, `.mot` or `.trc`; a worker reads them."""

    actions = {"GET": "own_motion.view", "POST": "own_motion.edit"}
    listed = True
    made_status = 202
    input_class, output_class = FileIn, OwnMotionOut

    def get(self, request, patient_id: UUID) -> Response:
        patient = patient_get(user=request.user, patient_id=patient_id, action="own_motion.view")
        return self.page(selectors.own_motion_list(user=request.user, patient=patient))

    def post(self, request, patient_id: UUID) -> Response:
        patient = patient_get(user=request.user, patient_id=patient_id, action="own_motion.edit")
        made = own_motions.own_motion_upload(actor=request.user, patient=patient, **self.read(request))
        return self.answer(made, status=202)


class OwnMotionAPI(TableAPI):
    actions = {"GET": "own_motion.view", "DELETE": "own_motion.edit"}
    output_class = OwnMotionOut

    def get(self, request, motion_id: UUID) -> Response:
        return self.answer(selectors.own_motion_get(user=request.user, motion_id=motion_id))

    def delete(self, request, motion_id: UUID) -> Response:
        row = selectors.own_motion_get(user=request.user, motion_id=motion_id, action="own_motion.edit")
        own_motions.own_motion_remove(actor=request.user, motion=row)
        return Response(status=204)


class OwnMotionPlaybackAPI(TableAPI):
    """The playback document of the player."""

    actions = {"GET": "own_motion.view"}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request, motion_id: UUID) -> HttpResponse:
        row = selectors.own_motion_get(user=request.user, motion_id=motion_id, with_files=True)
        if row.playback_gzip is None:
            raise Http404("Not read yet.")
        return downloads.own_motion_playback(request, row)


def _model(request, patient_id: UUID) -> OwnModel:
    return own_model_get(user=request.user, patient=patient_get(user=request.user, patient_id=patient_id))
