"""Assessments, their sections and scores, recordings, files, as REST."""
from __future__ import annotations

import base64
import binascii
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from clinic.apis import Input, Number, TableAPI
from fall_risk import selectors, services
from fall_risk.files.fhir import risk_bundle
from fall_risk.models import Assessment, MotionRecording, RecordingKind, ReleasedSummary
from fall_risk.scores import INSTRUMENTS
from fall_risk.services.assessments import saves_of
from patients.selectors import patient_get


class Answers(serializers.DictField):
    """Field key to answer: true, false, a number, a choice, a date, null (not filled in), or one of the words
    "not_done", "declined", "unable". None of these is zero."""

    child = serializers.JSONField(allow_null=True)


class AssessmentOut(serializers.ModelSerializer):
    saves = serializers.SerializerMethodField(help_text="To be given when the assessment is completed.")

    class Meta:
        model = Assessment
        fields = ["id", "patient", "status", "assessed_on", "answers", "origins", "versions", "saves", "facts",
                  "category", "next_due_on", "started_by", "completed_by", "completed_at", "corrects",
                  "correction_reason", "created_at"]

    def get_saves(self, row) -> int:
        return saves_of(row)


class AssessmentIn(Input):
    assessed_on = serializers.DateField(allow_null=True, default=None)


class SectionIn(Input):
    version = serializers.IntegerField(min_value=0, help_text="The one that you have read; another's save is a 409.")
    answers = Answers()


class CompleteIn(Input):
    saves = serializers.IntegerField(min_value=0)


class CorrectionIn(Input):
    reason = serializers.CharField(max_length=1000)


class ScoreOut(serializers.Serializer):
    key = serializers.CharField()
    version = serializers.CharField()
    inputs = serializers.JSONField()
    result = serializers.JSONField()


class InstrumentOut(serializers.Serializer):
    """A questionnaire or test with its fields, units, ranges, source and licence."""

    def to_representation(self, instance) -> dict:
        return instance.document()


class RiskOut(serializers.Serializer):
    """The latest complete assessment at a glance."""

    def to_representation(self, overview) -> dict:
        latest = overview.latest
        return {
            "assessment": str(latest.pk) if latest else None, "category": latest.category if latest else "",
            "assessed_on": latest.assessed_on.isoformat() if latest else None,
            "next_due_on": latest.next_due_on.isoformat() if latest else None,
            "guideline": overview.guideline.document() if overview.guideline else None,
            "estimate": overview.estimate.document() if overview.estimate else None,
            "scores": [score.document() for score in overview.others],
            "modifiable": [factor.model_dump(mode="json") for factor in overview.modifiable],
            "changes": [{"label": c.label, "before": c.before, "now": c.now} for c in overview.changes],
            "falls_in_12_months": overview.falls_year,
            "movement_profile": _movement(overview),
        }


def _movement(overview) -> dict | None:
    """Of the signed squat; kept apart from the risk: its notes say that no coefficient leads from one to the other."""
    if overview.signed is None:
        return None
    row = overview.profile
    return {"prescription": str(overview.signed.pk), "candidate": str(overview.signed.candidate_id),
            "status": row.status if row else "not computed", "error": row.error if row else "",
            "result": overview.movement}


class SummaryOut(serializers.ModelSerializer):
    class Meta:
        model = ReleasedSummary
        fields = ["id", "assessment", "text", "released_by", "created_at", "withdrawn_at"]


class SummaryIn(Input):
    text = serializers.CharField(max_length=4000)


class RecordingOut(serializers.ModelSerializer):
    class Meta:
        model = MotionRecording
        fields = ["id", "assessment", "kind", "file_name", "sha256", "go_s", "status", "stage", "detail",
                  "fraction", "result", "error",
                  "confirmed_at", "confirmed_by", "created_at"]


class RecordingIn(Input):
    kind = serializers.ChoiceField(RecordingKind.choices)
    file_name = serializers.CharField(max_length=120)
    content = serializers.CharField(
        help_text="The .mot or .trc file, base64.", max_length=15_000_000, trim_whitespace=False
    )
    go_s = Number(allow_null=True, default=None)

    def validate_content(self, value: str) -> bytes:
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise serializers.ValidationError("This is not base64.") from None


class ConfirmIn(Input):
    answers = Answers()


class InstrumentListAPI(TableAPI):
    actions = {"GET": "catalogue.view"}
    listed = True
    output_class = InstrumentOut

    def get(self, request) -> Response:
        return self.page(list(INSTRUMENTS.values()))


class RiskAPI(TableAPI):
    actions = {"GET": "fall_risk.view"}
    output_class = RiskOut

    def get(self, request, patient_id: UUID) -> Response:
        patient = patient_get(user=request.user, patient_id=patient_id, action="fall_risk.view")
        return self.answer(selectors.overview(user=request.user, patient=patient))


class RiskFhirAPI(TableAPI):
    """FHIR R4: a bundle of Patient, Observations and RiskAssessment."""

    actions = {"GET": "fall_risk.view"}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request, patient_id: UUID) -> HttpResponse:
        patient = patient_get(user=request.user, patient_id=patient_id, action="fall_risk.view")
        body = risk_bundle(patient, selectors.overview(user=request.user, patient=patient))
        return HttpResponse(body, content_type="application/fhir+json")


class AssessmentListAPI(TableAPI):
    """POST starts one, or answers with the draft that is there."""

    actions = {"GET": "fall_risk.view", "POST": "fall_risk.assess"}
    listed = True
    input_class, output_class = AssessmentIn, AssessmentOut

    def get(self, request, patient_id: UUID) -> Response:
        patient = patient_get(user=request.user, patient_id=patient_id, action="fall_risk.view")
        return self.page(selectors.assessment_list(user=request.user, patient=patient))

    def post(self, request, patient_id: UUID) -> Response:
        patient = patient_get(user=request.user, patient_id=patient_id, action="fall_risk.assess")
        made = services.assessment_start(actor=request.user, patient=patient, **self.read(request))
        return self.answer(made, status=201)


class AssessmentAPI(TableAPI):
    actions = {"GET": "fall_risk.view", "DELETE": "fall_risk.assess"}
    output_class = AssessmentOut

    def get(self, request, assessment_id: UUID) -> Response:
        return self.answer(selectors.assessment_get(user=request.user, assessment_id=assessment_id))

    def delete(self, request, assessment_id: UUID) -> Response:
        services.assessment_discard(actor=request.user, assessment=_to_assess(request, assessment_id))
        return Response(status=204)


class SectionAPI(TableAPI):
    """All answers of one section: what is not given is not filled in. One wrong answer refuses all."""

    actions = {"PUT": "fall_risk.assess"}
    input_class, output_class = SectionIn, AssessmentOut

    def put(self, request, assessment_id: UUID, name: str) -> Response:
        saved = services.assessment_section_save(
            actor=request.user, assessment=_to_assess(request, assessment_id), section=name, **self.read(request)
        )
        return self.answer(saved.assessment)


class CompleteAPI(TableAPI):
    actions = {"POST": "fall_risk.assess"}
    input_class, output_class = CompleteIn, AssessmentOut

    def post(self, request, assessment_id: UUID) -> Response:
        return self.answer(services.assessment_complete(
            actor=request.user, assessment=_to_assess(request, assessment_id), **self.read(request)
        ))


class CorrectAPI(TableAPI):
    actions = {"POST": "fall_risk.assess"}
    input_class, output_class = CorrectionIn, AssessmentOut

    def post(self, request, assessment_id: UUID) -> Response:
        return self.answer(services.assessment_correct(
            actor=request.user, assessment=_to_assess(request, assessment_id), **self.read(request)
        ))


class ScoreListAPI(TableAPI):
    actions = {"GET": "fall_risk.view"}
    listed = True
    output_class = ScoreOut

    def get(self, request, assessment_id: UUID) -> Response:
        row = selectors.assessment_get(user=request.user, assessment_id=assessment_id)
        return self.page(selectors.score_list(user=request.user, assessment=row))


class SummaryListAPI(TableAPI):
    """What is told to the patient; a new one takes the place of the earlier."""

    actions = {"GET": "fall_risk.view", "POST": "fall_risk.release"}
    listed = True
    input_class, output_class = SummaryIn, SummaryOut

    def get(self, request, assessment_id: UUID) -> Response:
        row = selectors.assessment_get(user=request.user, assessment_id=assessment_id)
        return self.page(selectors.summary_list(user=request.user, patient=row.patient).filter(assessment=row))

    def post(self, request, assessment_id: UUID) -> Response:
        row = selectors.assessment_get(user=request.user, assessment_id=assessment_id, action="fall_risk.release")
        made = services.summary_release(actor=request.user, assessment=row, **self.read(request))
        return self.answer(made, status=201)


class SummaryTakeBackAPI(TableAPI):
    actions = {"POST": "fall_risk.release"}
    input_class, output_class = Input, SummaryOut

    def post(self, request, summary_id: UUID) -> Response:
        row = selectors.summary_get(user=request.user, summary_id=summary_id)
        self.read(request)
        return self.answer(services.summary_withdraw(actor=request.user, summary=row))


class RecordingListAPI(TableAPI):
    actions = {"GET": "fall_risk.view", "POST": "fall_risk.assess"}
    listed = True
    input_class, output_class = RecordingIn, RecordingOut

    def get(self, request, assessment_id: UUID) -> Response:
        row = selectors.assessment_get(user=request.user, assessment_id=assessment_id)
        return self.page(selectors.recording_list(user=request.user, assessment=row))

    def post(self, request, assessment_id: UUID) -> Response:
        row = _to_assess(request, assessment_id)
        made = services.recording_upload(actor=request.user, assessment=row, **self.read(request))
        return self.answer(made, status=201)


class RecordingAPI(TableAPI):
    actions = {"GET": "fall_risk.view"}
    output_class = RecordingOut

    def get(self, request, recording_id: UUID) -> Response:
        return self.answer(selectors.recording_get(user=request.user, recording_id=recording_id))


class RecordingConfirmAPI(TableAPI):
    """Takes what the recording proposed, as it is or corrected, into the assessment."""

    actions = {"POST": "fall_risk.assess"}
    input_class, output_class = ConfirmIn, AssessmentOut

    def post(self, request, recording_id: UUID) -> Response:
        row = selectors.recording_get(user=request.user, recording_id=recording_id, action="fall_risk.assess")
        return self.answer(services.recording_confirm(actor=request.user, recording=row, **self.read(request)))


class RecordingCancelAPI(TableAPI):
    actions = {"POST": "fall_risk.assess"}
    input_class, output_class = Input, RecordingOut

    def post(self, request, recording_id: UUID) -> Response:
        row = selectors.recording_get(user=request.user, recording_id=recording_id, action="fall_risk.assess")
        self.read(request)
        return self.answer(services.recording_cancel(actor=request.user, recording=row))


class RecordingRepeatAPI(TableAPI):
    """Analyses what was cancelled or refused again."""

    actions = {"POST": "fall_risk.assess"}
    input_class, output_class = Input, RecordingOut

    def post(self, request, recording_id: UUID) -> Response:
        row = selectors.recording_get(user=request.user, recording_id=recording_id, action="fall_risk.assess")
        self.read(request)
        return self.answer(services.recording_repeat(actor=request.user, recording=row))


class OwnSummaryListAPI(TableAPI):
    """The patient's own: what a clinician released."""

    actions = {"GET": "fall_summary.view"}
    listed = True

    class output_class(serializers.ModelSerializer):
        released_by = serializers.CharField(source="released_by.full_name", read_only=True)

        class Meta:
            model = ReleasedSummary
            fields = ["id", "text", "released_by", "created_at"]
            ref_name = "OwnSummary"

    def get(self, request) -> Response:
        return self.page(selectors.own_summary_list(user=request.user))


def _to_assess(request, assessment_id: UUID) -> Assessment:
    return selectors.assessment_get(user=request.user, assessment_id=assessment_id, action="fall_risk.assess")
