"""Prescriptions as REST: the clinician's, and the patient's own."""
from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from clinic.apis import Input, TableAPI
from generation import downloads
from generation.selectors import candidate_get
from patients.selectors import patient_get
from prescriptions import selectors, services
from prescriptions.models import Prescription
from prescriptions.pain import safety_of
from prescriptions.words import STATEMENT


class PrescriptionOut(serializers.ModelSerializer):
    state = serializers.CharField(read_only=True)

    class Meta:
        model = Prescription
        fields = ["id", "patient", "candidate", "version", "previous", "status", "state", "sets", "repetitions",
                  "rest_s", "sessions_per_week", "weeks", "instructions", "equipment", "created_at", "signed_by",
                  "signed_at", "expires_at", "document", "content_hash", "held_at", "held_reason", "withdrawn_at",
                  "withdrawn_reason"]


class DoseIn(Input):
    sets = serializers.IntegerField(min_value=1, max_value=10)
    repetitions = serializers.IntegerField(min_value=1, max_value=50)
    rest_s = serializers.IntegerField(min_value=0, max_value=600)
    sessions_per_week = serializers.IntegerField(min_value=1, max_value=14)
    weeks = serializers.IntegerField(min_value=1, max_value=26)
    instructions = serializers.CharField(max_length=4000)
    equipment = serializers.CharField(max_length=300, allow_blank=True, default="")


class PrescriptionIn(DoseIn):
    candidate = serializers.UUIDField()


class SignIn(Input):
    password = serializers.CharField(max_length=200, write_only=True, trim_whitespace=False)


class WithdrawIn(Input):
    reason = serializers.CharField(max_length=1000)


class ExerciseOut(serializers.ModelSerializer):
    """What the patient is told: nothing unsigned, nothing clinical beyond the exercise."""

    signed_by = serializers.CharField(source="signed_by.full_name", read_only=True)
    safety = serializers.SerializerMethodField()
    statement = serializers.SerializerMethodField()

    class Meta:
        model = Prescription
        fields = ["id", "sets", "repetitions", "rest_s", "sessions_per_week", "weeks", "instructions", "equipment",
                  "signed_by", "signed_at", "expires_at", "safety", "statement"]

    def get_safety(self, row) -> str:
        return safety_of(row)

    def get_statement(self, row) -> str:
        return STATEMENT


class ExerciseHeldOut(serializers.Serializer):
    """That an exercise is on hold, and whom to ask."""

    id = serializers.UUIDField()
    held_at = serializers.DateTimeField()
    talk_to = serializers.CharField(source="signed_by.full_name")


class PrescriptionListAPI(TableAPI):
    actions = {"GET": "prescription.list", "POST": "prescription.create"}
    listed = True
    input_class, output_class = PrescriptionIn, PrescriptionOut

    def get(self, request, patient_id: UUID) -> Response:
        patient = patient_get(user=request.user, patient_id=patient_id, action="prescription.list")
        return self.page(selectors.prescription_list(user=request.user, patient=patient))

    def post(self, request, patient_id: UUID) -> Response:
        patient = patient_get(user=request.user, patient_id=patient_id, action="prescription.create")
        data = self.read(request)
        candidate = candidate_get(user=request.user, candidate_id=data.pop("candidate"), action="prescription.create")
        if candidate.request.patient_id != patient.pk:
            raise serializers.ValidationError({"candidate": ["This motion was made for another patient."]})
        return self.answer(services.prescription_create(actor=request.user, candidate=candidate, **data), status=201)


class PrescriptionAPI(TableAPI):
    actions = {"GET": "prescription.view", "PUT": "prescription.edit"}
    input_class, output_class = DoseIn, PrescriptionOut

    def get(self, request, prescription_id: UUID) -> Response:
        return self.answer(selectors.prescription_get(user=request.user, prescription_id=prescription_id))

    def put(self, request, prescription_id: UUID) -> Response:
        row = selectors.prescription_get(
            user=request.user, prescription_id=prescription_id, action="prescription.edit"
        )
        return self.answer(services.prescription_update(actor=request.user, prescription=row, **self.read(request)))


class PrescriptionSignAPI(TableAPI):
    actions = {"POST": "prescription.sign"}
    input_class, output_class = SignIn, PrescriptionOut

    def post(self, request, prescription_id: UUID) -> Response:
        row = selectors.prescription_get(user=request.user, prescription_id=prescription_id, action="prescription.sign")
        return self.answer(services.prescription_sign(actor=request.user, prescription=row, **self.read(request)))


class PrescriptionWithdrawAPI(TableAPI):
    actions = {"POST": "prescription.withdraw"}
    input_class, output_class = WithdrawIn, PrescriptionOut

    def post(self, request, prescription_id: UUID) -> Response:
        row = selectors.prescription_get(
            user=request.user, prescription_id=prescription_id, action="prescription.withdraw"
        )
        return self.answer(services.prescription_withdraw(actor=request.user, prescription=row, **self.read(request)))


class PrescriptionHoldAPI(TableAPI):
    """The exercise stops for now; the patient is told to talk to the clinician."""

    actions = {"POST": "prescription.hold"}
    input_class, output_class = WithdrawIn, PrescriptionOut
    service = staticmethod(services.prescription_hold)

    def post(self, request, prescription_id: UUID) -> Response:
        row = selectors.prescription_get(user=request.user, prescription_id=prescription_id, action="prescription.hold")
        return self.answer(self.service(actor=request.user, prescription=row, **self.read(request)))


class PrescriptionReleaseAPI(PrescriptionHoldAPI):
    """The hold ends."""

    service = staticmethod(services.prescription_release)


class PrescriptionVersionAPI(TableAPI):
    """A new draft from a signed or withdrawn prescription."""

    actions = {"POST": "prescription.create"}
    input_class, output_class = Input, PrescriptionOut

    def post(self, request, prescription_id: UUID) -> Response:
        row = selectors.prescription_get(
            user=request.user, prescription_id=prescription_id, action="prescription.create"
        )
        self.read(request)
        return self.answer(services.prescription_new_version(actor=request.user, prescription=row), status=201)


class ExerciseListAPI(TableAPI):
    actions = {"GET": "exercise.view"}
    listed = True
    output_class = ExerciseOut

    def get(self, request) -> Response:
        return self.page(selectors.exercise_list(user=request.user))


class ExerciseHeldAPI(TableAPI):
    actions = {"GET": "exercise.held"}
    listed = True
    output_class = ExerciseHeldOut

    def get(self, request) -> Response:
        return self.page(selectors.exercise_held(user=request.user))


class ExercisePlaybackAPI(TableAPI):
    actions = {"GET": "exercise.view"}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request, prescription_id: UUID) -> HttpResponse:
        row = selectors.exercise_get(user=request.user, prescription_id=prescription_id, with_motion=True)
        return downloads.playback(request, row.candidate)
