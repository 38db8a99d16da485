"""Generations, candidates and their files as REST."""
from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from clinic.apis import Input, TableAPI
from generation import checks, downloads, muscles, selectors, services
from generation.models import MAX_CANDIDATES, MAX_SEED, CandidateCheck, CandidateMotion, GenerationRequest, OwnMotion
from patients.selectors import patient_get


class GenerationOut(serializers.ModelSerializer):
    class Meta:
        model = GenerationRequest
        fields = ["id", "patient", "status", "stage", "detail", "fraction", "error", "seed", "candidate_count",
                  "attempt", "model_versions", "created_at", "started_at", "finished_at"]


class GenerationDetailOut(GenerationOut):
    class Meta(GenerationOut.Meta):
        fields = [*GenerationOut.Meta.fields, "profile", "report"]


class GenerationIn(Input):
    seed = serializers.IntegerField(min_value=0, max_value=MAX_SEED, default=0)
    candidate_count = serializers.IntegerField(min_value=1, max_value=MAX_CANDIDATES, default=16)
    own_motion = serializers.UUIDField(allow_null=True, default=None, help_text="A recording to start from.")
    start_candidate = serializers.UUIDField(
        allow_null=True, default=None, help_text="An earlier candidate of the patient to start from instead."
    )


class CandidateOut(serializers.ModelSerializer):
    checked_by_opensim = serializers.SerializerMethodField(
        help_text="Where the check by OpenSim stands; null for a rejected candidate, which has none."
    )

    class Meta:
        model = CandidateMotion
        fields = ["id", "request", "index", "accepted", "reasons", "score", "score_parts", "changes", "checks",
                  "metrics", "mot_sha256", "checked_by_opensim"]

    def get_checked_by_opensim(self, row) -> str | None:
        return row.check_by_opensim.status if row.check_by_opensim else None


class CheckStateOut(serializers.ModelSerializer):
    """A check by OpenSim as a job."""

    seconds = serializers.FloatField(read_only=True, allow_null=True)

    class Meta:
        model = CandidateCheck
        fields = ["candidate", "status", "urgent", "stage", "fraction", "error", "attempt", "interruptions", "seconds",
                  "created_at", "started_at", "finished_at"]


class CheckOut(CheckStateOut):
    """The check with what OpenSim found: limits with margins, the comparison of the routes, the forces."""

    class Meta(CheckStateOut.Meta):
        fields = [*CheckStateOut.Meta.fields, "reasons", "result"]


class JobOut(serializers.ModelSerializer):
    seconds = serializers.FloatField(read_only=True, allow_null=True)

    class Meta:
        model = GenerationRequest
        fields = ["id", "status", "stage", "fraction", "error", "error_detail", "attempt", "interruptions", "seconds",
                  "created_at", "started_at", "finished_at"]


class GenerationListAPI(TableAPI):
    actions = {"GET": "generation.list", "POST": "generation.create"}
    listed = True
    made_status = 202       # accepted: the motions come later
    input_class, output_class = GenerationIn, GenerationOut

    def get(self, request, patient_id: UUID) -> Response:
        patient = patient_get(user=request.user, patient_id=patient_id, action="generation.list")
        return self.page(selectors.generation_request_list(user=request.user, patient=patient))

    def post(self, request, patient_id: UUID) -> Response:
        patient = patient_get(user=request.user, patient_id=patient_id, action="generation.create")
        data = self.read(request)
        if data["own_motion"] is not None:
            data["own_motion"] = _own_motion(request, data["own_motion"])
        if data["start_candidate"] is not None:
            data["start_candidate"] = _start_candidate(request, data["start_candidate"])
        made = services.generation_request_create(actor=request.user, patient=patient, **data)
        return self.answer(made, status=202)


def _own_motion(request, motion_id: UUID) -> OwnMotion:
    try:
        return selectors.own_motion_get(user=request.user, motion_id=motion_id)
    except Http404:
        raise serializers.ValidationError({"own_motion": ["There is no such recording."]}) from None


def _start_candidate(request, candidate_id: UUID) -> CandidateMotion:
    try:
        return selectors.candidate_get(user=request.user, candidate_id=candidate_id)
    except Http404:
        raise serializers.ValidationError({"start_candidate": ["There is no such candidate."]}) from None


class GenerationAPI(TableAPI):
    actions = {"GET": "generation.view"}
    output_class = GenerationDetailOut

    def get(self, request, request_id: UUID) -> Response:
        return self.answer(selectors.generation_request_get(user=request.user, request_id=request_id))


class GenerationPreviewAPI(TableAPI):
    """The playback document of the best motion so far, while a generation runs; 204 before the first and after the
    end."""

    actions = {"GET": "generation.view"}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request, request_id: UUID) -> HttpResponse:
        return downloads.preview(request, selectors.preview_find(user=request.user, request_id=request_id))


class GenerationCancelAPI(TableAPI):
    actions = {"POST": "generation.cancel"}
    input_class, output_class = Input, JobOut

    def post(self, request, request_id: UUID) -> Response:
        row = selectors.generation_request_get(user=request.user, request_id=request_id, action="generation.cancel")
        self.read(request)
        return self.answer(services.generation_request_cancel(actor=request.user, request=row))


class GenerationRetryAPI(TableAPI):
    actions = {"POST": "generation.retry"}
    input_class, output_class = Input, JobOut

    def post(self, request, request_id: UUID) -> Response:
        row = selectors.generation_request_get(user=request.user, request_id=request_id, action="generation.retry")
        self.read(request)
        return self.answer(services.generation_request_retry(actor=request.user, request=row), status=202)


class CandidateListAPI(TableAPI):
    actions = {"GET": "candidate.view"}
    listed = True
    output_class = CandidateOut

    def get(self, request, request_id: UUID) -> Response:
        row = selectors.generation_request_get(user=request.user, request_id=request_id, action="candidate.view")
        return self.page(selectors.candidate_list(user=request.user, request=row))


class CandidateAPI(TableAPI):
    actions = {"GET": "candidate.view"}
    output_class = CandidateOut

    def get(self, request, candidate_id: UUID) -> Response:
        return self.answer(selectors.candidate_get(user=request.user, candidate_id=candidate_id))


class CandidateMotionAPI(TableAPI):
    """The OpenSim motion file."""

    actions = {"GET": "candidate.view"}

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def get(self, request, candidate_id: UUID) -> HttpResponse:
        return downloads.motion(
            selectors.candidate_get(user=request.user, candidate_id=candidate_id, with_files=True)
        )


class CandidatePlaybackAPI(TableAPI):
    """The playback document of the player."""

    actions = {"GET": "candidate.view"}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request, candidate_id: UUID) -> HttpResponse:
        return downloads.playback(
            request, selectors.candidate_get(user=request.user, candidate_id=candidate_id, with_files=True)
        )


class CandidateMusclesAPI(TableAPI):
    """The muscle document of the player: paths, activations and ground reaction. 404 until they are computed."""

    actions = {"GET": "candidate.view"}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request, candidate_id: UUID) -> HttpResponse:
        return downloads.muscles(request, muscles.muscles_get(user=request.user, candidate_id=candidate_id))


class CandidateCheckAPI(TableAPI):
    """The check of an accepted candidate by OpenSim. Only a motion that has passed it can be signed."""

    actions = {"GET": "candidate.view"}
    output_class = CheckOut

    def get(self, request, candidate_id: UUID) -> Response:
        return self.answer(selectors.check_get(user=request.user, candidate_id=candidate_id))


class CandidateCheckCancelAPI(TableAPI):
    actions = {"POST": "check.cancel"}
    input_class, output_class = Input, CheckStateOut

    def post(self, request, candidate_id: UUID) -> Response:
        row = selectors.check_get(user=request.user, candidate_id=candidate_id, action="check.cancel")
        self.read(request)
        return self.answer(checks.candidate_check_cancel(actor=request.user, check=row))


class CandidateCheckRetryAPI(TableAPI):
    actions = {"POST": "check.retry"}
    input_class, output_class = Input, CheckStateOut

    def post(self, request, candidate_id: UUID) -> Response:
        row = selectors.check_get(user=request.user, candidate_id=candidate_id, action="check.retry")
        self.read(request)
        return self.answer(checks.candidate_check_retry(actor=request.user, check=row), status=202)


class CandidateAnalysisAPI(TableAPI):
    """OpenSim's tables of a checked candidate: moments, activations, loads and more as `.sto`, in one archive."""

    actions = {"GET": "candidate.view"}

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def get(self, request, candidate_id: UUID) -> HttpResponse:
        return downloads.analysis_tables(
            selectors.analysis_get(user=request.user, candidate_id=candidate_id, with_tables=True)
        )


class ScaledModelAPI(TableAPI):
    """The OpenSim model at the patient's size."""

    actions = {"GET": "candidate.view"}

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def get(self, request, request_id: UUID) -> HttpResponse:
        return downloads.scaled_model(selectors.scaled_model_get(user=request.user, request_id=request_id))


class JobListAPI(TableAPI):
    actions = {"GET": "job.list"}
    listed = True
    output_class = JobOut

    def get(self, request) -> Response:
        return self.page(selectors.job_list(user=request.user))
