"""The record of a patient as REST."""
from __future__ import annotations

from uuid import UUID

from rest_framework import serializers
from rest_framework.response import Response

from clinic.apis import Input, Number, TableAPI
from generation.engine.presets import CONDITIONS
from generation.engine.presets import Condition as ConditionRow
from generation.engine.variables import PHASES, VARIABLES
from patients import rules, selectors, services
from patients.models import (
    ArmPosture,
    BodyMeasurement,
    Condition,
    Execution,
    MovementLimit,
    MuscleGroup,
    Patient,
    RangeOfMotionMeasurement,
    Segment,
    SegmentLength,
    Sex,
    StrengthMeasurement,
    Tempo,
)

SIDES = ["left", "right", "both"]


class PatientOut(serializers.ModelSerializer):
    age_years = serializers.IntegerField(read_only=True)

    class Meta:
        model = Patient
        fields = ["id", "given_name", "family_name", "birth_date", "age_years", "sex", "created_at"]


class PatientIn(Input):
    given_name = serializers.CharField(max_length=80)
    family_name = serializers.CharField(max_length=80)
    birth_date = serializers.DateField()
    sex = serializers.ChoiceField(Sex.choices)


class BodyOut(serializers.ModelSerializer):
    class Meta:
        model = BodyMeasurement
        fields = ["id", "height_m", "mass_kg", "measured_on"]


class BodyIn(Input):
    height_m = Number()
    mass_kg = Number()
    measured_on = serializers.DateField()


class RangeOfMotionOut(serializers.ModelSerializer):
    class Meta:
        model = RangeOfMotionMeasurement
        fields = ["id", "movement", "side", "minimum_deg", "maximum_deg", "measured_on", "method"]


class RangeOfMotionIn(Input):
    movement = serializers.CharField(max_length=60)
    side = serializers.ChoiceField(SIDES, allow_blank=True, default="")
    minimum_deg = Number(allow_null=True, default=None)
    maximum_deg = Number(allow_null=True, default=None)
    measured_on = serializers.DateField()
    method = serializers.CharField(max_length=80, allow_blank=True, default="")


class StrengthOut(serializers.ModelSerializer):
    class Meta:
        model = StrengthMeasurement
        fields = ["id", "muscle_group", "side", "torque_nm", "percent", "at_deg", "measured_on", "method"]


class StrengthIn(Input):
    muscle_group = serializers.ChoiceField(MuscleGroup.choices)
    side = serializers.ChoiceField(["left", "right"])
    torque_nm = Number(allow_null=True, default=None)
    percent = Number(allow_null=True, default=None)
    at_deg = Number(allow_null=True, default=None)
    measured_on = serializers.DateField()
    method = serializers.CharField(max_length=80, allow_blank=True, default="")


class SegmentLengthOut(serializers.ModelSerializer):
    class Meta:
        model = SegmentLength
        fields = ["id", "segment", "side", "length_m", "measured_on", "method"]


class SegmentLengthIn(Input):
    segment = serializers.ChoiceField(Segment.choices)
    side = serializers.ChoiceField(SIDES, allow_blank=True, default="")
    length_m = Number()
    measured_on = serializers.DateField()
    method = serializers.CharField(max_length=80, allow_blank=True, default="")


class ConditionOut(serializers.ModelSerializer):
    class Meta:
        model = Condition
        fields = ["id", "name", "phase", "side", "onset_on", "resolved_on"]


class ConditionChangeIn(Input):
    phase = serializers.CharField(max_length=60, allow_blank=True, default="")
    side = serializers.ChoiceField(SIDES, allow_blank=True, default="")
    onset_on = serializers.DateField(allow_null=True, default=None)


class ConditionIn(ConditionChangeIn):
    name = serializers.CharField(max_length=60)


class LimitOut(serializers.ModelSerializer):
    origin = serializers.CharField(read_only=True)

    class Meta:
        model = MovementLimit
        fields = ["id", "variable", "side", "phase", "minimum", "maximum", "weight", "unit", "source", "status",
                  "origin", "condition", "preset_minimum", "preset_maximum", "preset_weight", "reason", "removed_at"]


class LimitChangeIn(Input):
    """`weight` null: the limit must be kept; a number above 0 makes it a goal."""

    minimum = Number(allow_null=True, default=None)
    maximum = Number(allow_null=True, default=None)
    weight = Number(allow_null=True, default=None)
    reason = serializers.CharField(max_length=2000, allow_blank=True, default="")


class LimitIn(LimitChangeIn):
    variable = serializers.CharField(max_length=60)
    side = serializers.ChoiceField(SIDES, allow_blank=True, default="")
    phase = serializers.ChoiceField([*PHASES], allow_blank=True, default="")


class ReasonIn(Input):
    reason = serializers.CharField(max_length=2000, allow_blank=True, default="")


class TempoData(Input):
    descent_s = Number()
    pause_s = Number()
    ascent_s = Number()


class ExecutionData(Input):
    """`arms` empty: as the protocols say, else raised forward."""

    arms = serializers.ChoiceField([*filter(None, ArmPosture.values)], allow_blank=True, default="")
    repetitions = serializers.IntegerField(default=1)


class PatientListAPI(TableAPI):
    actions = {"GET": "patient.list", "POST": "patient.create"}
    listed = True
    input_class, output_class = PatientIn, PatientOut

    def get(self, request) -> Response:
        return self.page(selectors.patient_list(user=request.user, search=request.query_params.get("search", "")))

    def post(self, request) -> Response:
        return self.answer(services.patient_create(actor=request.user, **self.read(request)), status=201)


class PatientAPI(TableAPI):
    actions = {"GET": "patient.view", "PUT": "patient.edit"}
    input_class, output_class = PatientIn, PatientOut

    def get(self, request, patient_id: UUID) -> Response:
        return self.answer(selectors.patient_get(user=request.user, patient_id=patient_id))

    def put(self, request, patient_id: UUID) -> Response:
        patient = selectors.patient_get(user=request.user, patient_id=patient_id, action="patient.edit")
        return self.answer(services.patient_update(actor=request.user, patient=patient, **self.read(request)))


class PatientRowsAPI(TableAPI):
    """Rows that hang on one patient: listed, and added through one service."""

    actions = {"GET": "patient.view", "POST": "patient.edit"}
    listed = True
    related = ""
    service = None

    def get(self, request, patient_id: UUID) -> Response:
        patient = selectors.patient_get(user=request.user, patient_id=patient_id)
        return self.page(getattr(patient, self.related).all())

    def post(self, request, patient_id: UUID) -> Response:
        patient = selectors.patient_get(user=request.user, patient_id=patient_id, action="patient.edit")
        return self.answer(type(self).service(actor=request.user, patient=patient, **self.read(request)), status=201)


class BodyListAPI(PatientRowsAPI):
    input_class, output_class = BodyIn, BodyOut
    related, service = "bodymeasurements", services.body_measurement_record


class RangeOfMotionListAPI(PatientRowsAPI):
    input_class, output_class = RangeOfMotionIn, RangeOfMotionOut
    related, service = "rangeofmotionmeasurements", services.range_of_motion_record


class StrengthListAPI(PatientRowsAPI):
    input_class, output_class = StrengthIn, StrengthOut
    related, service = "strengthmeasurements", services.strength_record


class SegmentLengthListAPI(PatientRowsAPI):
    input_class, output_class = SegmentLengthIn, SegmentLengthOut
    related, service = "segmentlengths", services.segment_length_record


class ConditionListAPI(PatientRowsAPI):
    input_class, output_class = ConditionIn, ConditionOut
    related, service = "conditions", services.condition_record


class LimitListAPI(PatientRowsAPI):
    input_class, output_class = LimitIn, LimitOut
    related, service = "movementlimits", services.movement_limit_add


class ConditionAPI(TableAPI):
    actions = {"PUT": "patient.edit"}
    input_class, output_class = ConditionChangeIn, ConditionOut

    def put(self, request, condition_id: UUID) -> Response:
        condition = selectors.condition_get(user=request.user, condition_id=condition_id)
        return self.answer(services.condition_update(actor=request.user, condition=condition, **self.read(request)))


class ConditionResolveAPI(TableAPI):
    actions = {"POST": "patient.edit"}
    input_class, output_class = Input, ConditionOut

    def post(self, request, condition_id: UUID) -> Response:
        condition = selectors.condition_get(user=request.user, condition_id=condition_id)
        self.read(request)
        return self.answer(services.condition_resolve(actor=request.user, condition=condition))


class LimitAPI(TableAPI):
    actions = {"PUT": "patient.edit"}
    input_class, output_class = LimitChangeIn, LimitOut

    def put(self, request, limit_id: UUID) -> Response:
        limit = selectors.movement_limit_get(user=request.user, limit_id=limit_id)
        return self.answer(services.movement_limit_change(actor=request.user, limit=limit, **self.read(request)))


class LimitRemoveAPI(TableAPI):
    actions = {"POST": "patient.edit"}
    input_class, output_class = ReasonIn, LimitOut

    def post(self, request, limit_id: UUID) -> Response:
        limit = selectors.movement_limit_get(user=request.user, limit_id=limit_id)
        return self.answer(services.movement_limit_remove(actor=request.user, limit=limit, **self.read(request)))


class TempoAPI(TableAPI):
    actions = {"GET": "patient.view", "PUT": "patient.edit", "DELETE": "patient.edit"}
    input_class, output_class = TempoData, TempoData

    def get(self, request, patient_id: UUID) -> Response:
        patient = selectors.patient_get(user=request.user, patient_id=patient_id)
        return self.answer(selectors.tempo_get(patient) or Tempo(patient=patient))

    def put(self, request, patient_id: UUID) -> Response:
        patient = selectors.patient_get(user=request.user, patient_id=patient_id, action="patient.edit")
        return self.answer(services.tempo_set(actor=request.user, patient=patient, **self.read(request)))

    def delete(self, request, patient_id: UUID) -> Response:
        patient = selectors.patient_get(user=request.user, patient_id=patient_id, action="patient.edit")
        services.tempo_clear(actor=request.user, patient=patient)
        return Response(status=204)


class ExecutionAPI(TableAPI):
    """Where the arms are, and how many squats in a row."""

    actions = {"GET": "patient.view", "PUT": "patient.edit"}
    input_class, output_class = ExecutionData, ExecutionData

    def get(self, request, patient_id: UUID) -> Response:
        patient = selectors.patient_get(user=request.user, patient_id=patient_id)
        return self.answer(selectors.execution_get(patient) or Execution(patient=patient))

    def put(self, request, patient_id: UUID) -> Response:
        patient = selectors.patient_get(user=request.user, patient_id=patient_id, action="patient.edit")
        return self.answer(services.execution_set(actor=request.user, patient=patient, **self.read(request)))


class ConditionKind(serializers.Serializer):
    name = serializers.CharField()
    label = serializers.CharField()
    phases = serializers.ListField(child=serializers.CharField())
    sided = serializers.BooleanField()
    weeks = serializers.SerializerMethodField()

    def get_weeks(self, kind: ConditionRow) -> dict[str, list[int | None]]:
        """Phase to the weeks since surgery or injury that it counts, the last not included."""
        return {phase: list(ends) for phase, ends in kind.weeks.items()}


class VariableKind(serializers.Serializer):
    name = serializers.CharField()
    label = serializers.CharField()
    unit = serializers.CharField()
    sided = serializers.BooleanField()
    kind = serializers.CharField()
    phases = serializers.ListField(child=serializers.CharField())
    meaning = serializers.CharField()
    lowest = serializers.FloatField()
    highest = serializers.FloatField()


class ConditionKindsAPI(TableAPI):
    actions = {"GET": "catalogue.view"}
    listed = True
    output_class = ConditionKind

    def get(self, request) -> Response:
        return self.page(list(CONDITIONS.values()))


class VariablesAPI(TableAPI):
    actions = {"GET": "catalogue.view"}
    listed = True
    output_class = VariableKind

    def get(self, request) -> Response:
        return self.page(list(VARIABLES.values()))


class PresetLimit(serializers.Serializer):
    variable = serializers.CharField()
    side = serializers.CharField(allow_null=True)
    phase = serializers.CharField(allow_blank=True)
    weight = serializers.FloatField(allow_null=True)
    min = serializers.FloatField(allow_null=True)
    max = serializers.FloatField(allow_null=True)
    unit = serializers.CharField()
    source = serializers.CharField()
    status = serializers.CharField()


class PresetReminder(serializers.Serializer):
    text = serializers.CharField()
    source = serializers.CharField()
    status = serializers.CharField()


class PresetOut(serializers.Serializer):
    limits = PresetLimit(many=True)
    reminders = PresetReminder(many=True)
    refused = serializers.CharField(allow_blank=True)
    support = serializers.BooleanField()


class PresetAPI(TableAPI):
    """What a condition would bring: `?phase=...&side=...`."""

    actions = {"GET": "catalogue.view"}
    output_class = PresetOut

    def get(self, request, name: str) -> Response:
        query = request.query_params
        return self.answer(rules.condition_preset(name, query.get("phase", ""), query.get("side", "")))
