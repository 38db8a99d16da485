"""Alerts and falls as REST."""
from __future__ import annotations

from uuid import UUID

from rest_framework import serializers
from rest_framework.response import Response

from clinic.apis import Input, TableAPI
from clinic.errors import conflict
from fall_risk import selectors, services
from fall_risk.models import Alert, FallEvent, Injury
from patients.selectors import patient_get


class AlertOut(serializers.ModelSerializer):
    class Meta:
        model = Alert
        fields = ["id", "patient", "kind", "assessment", "fall", "sentence", "created_at", "acknowledged_at",
                  "acknowledged_by", "note"]


class NoteIn(Input):
    note = serializers.CharField(max_length=1000)


class FallOut(serializers.ModelSerializer):
    class Meta:
        model = FallEvent
        fields = ["id", "patient", "occurred_on", "injury", "unable_to_rise", "lost_consciousness", "circumstances",
                  "by_patient", "reported_by", "created_at", "retracted_at", "retracted_reason"]


class FallIn(Input):
    occurred_on = serializers.DateField()
    injury = serializers.ChoiceField(Injury.choices)
    unable_to_rise = serializers.BooleanField(allow_null=True, default=None)
    lost_consciousness = serializers.BooleanField(allow_null=True, default=None)
    circumstances = serializers.CharField(max_length=2000, allow_blank=True, default="")
    submission = serializers.UUIDField(help_text="Made by the sender; the same report sent twice is stored once.")


class RetractIn(Input):
    reason = serializers.CharField(max_length=1000)


class OwnFallOut(serializers.ModelSerializer):
    class Meta:
        model = FallEvent
        fields = ["id", "occurred_on", "injury", "unable_to_rise", "lost_consciousness", "circumstances", "created_at"]


class AlertListAPI(TableAPI):
    """`?open=1` for those that nobody has acknowledged."""

    actions = {"GET": "alert.list"}
    listed = True
    output_class = AlertOut

    def get(self, request) -> Response:
        only_open = request.query_params.get("open", "") not in ("", "0", "false")
        return self.page(selectors.alert_list(user=request.user, only_open=only_open))


class AlertAcknowledgeAPI(TableAPI):
    actions = {"POST": "alert.acknowledge"}
    input_class, output_class = NoteIn, AlertOut

    def post(self, request, alert_id: UUID) -> Response:
        row = selectors.alert_get(user=request.user, alert_id=alert_id)
        return self.answer(services.alert_acknowledge(actor=request.user, alert=row, **self.read(request)))


class FallListAPI(TableAPI):
    actions = {"GET": "fall_risk.view", "POST": "fall.record"}
    listed = True
    input_class, output_class = FallIn, FallOut

    def get(self, request, patient_id: UUID) -> Response:
        patient = patient_get(user=request.user, patient_id=patient_id, action="fall_risk.view")
        return self.page(selectors.fall_list(user=request.user, patient=patient))

    def post(self, request, patient_id: UUID) -> Response:
        patient = patient_get(user=request.user, patient_id=patient_id, action="fall.record")
        made = services.fall_record(actor=request.user, patient=patient, **self.read(request))
        return self.answer(made, status=201)


class FallRetractAPI(TableAPI):
    actions = {"POST": "fall.record"}
    input_class, output_class = RetractIn, FallOut

    def post(self, request, fall_id: UUID) -> Response:
        row = selectors.fall_get(user=request.user, fall_id=fall_id)
        return self.answer(services.fall_retract(actor=request.user, fall=row, **self.read(request)))


class OwnFallListAPI(TableAPI):
    """The patient's own reports."""

    actions = {"GET": "fall.report", "POST": "fall.report"}
    listed = True
    input_class, output_class = FallIn, OwnFallOut

    def get(self, request) -> Response:
        return self.page(selectors.own_fall_list(user=request.user))

    def post(self, request) -> Response:
        patient = selectors.own_record(user=request.user)
        data = self.read(request)
        if patient is None:
            raise conflict("Your account is not connected with your record yet. Please call your clinic.")
        return self.answer(services.fall_report(actor=request.user, patient=patient, **data), status=201)
