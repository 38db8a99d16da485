"""Sessions as REST: the patient's own, and what the care team reads."""
from __future__ import annotations

from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from clinic.apis import Input, TableAPI
from clinic.errors import ServiceError
from exercise import selectors, services
from exercise.models import MOST_REPETITIONS, MOST_SETS, ExerciseSession, StoppedEarly
from exercise.pain import RED_FLAG_CHOICES
from patients.selectors import patient_get

_TOLD = ["id", "prescription", "corrects", "started_at", "finished_at", "sets", "repetitions", "pain_before",
         "pain_during", "pain_after", "difficulty", "red_flags", "stopped_early", "note", "pain_limit", "created_at"]


class SessionOut(serializers.ModelSerializer):
    class Meta:
        model = ExerciseSession
        fields = ["patient", *_TOLD, "alert"]


class OwnSessionOut(serializers.ModelSerializer):
    alarmed = serializers.SerializerMethodField(help_text="Your clinicians were told, and the exercise is on hold.")

    class Meta:
        model = ExerciseSession
        fields = [*_TOLD, "alarmed"]

    def get_alarmed(self, row) -> bool:
        return row.alert_id is not None


def _scale(**kwargs) -> serializers.IntegerField:
    return serializers.IntegerField(min_value=0, max_value=10, **kwargs)


class SessionIn(Input):
    id = serializers.UUIDField(help_text="Made by the sender; the same entry sent twice is stored once.")
    prescription = serializers.UUIDField()
    corrects = serializers.UUIDField(allow_null=True, default=None, help_text="The entry that this one replaces.")
    started_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField()
    sets = serializers.IntegerField(min_value=0, max_value=MOST_SETS)
    repetitions = serializers.IntegerField(min_value=0, max_value=MOST_REPETITIONS, help_text="Of all sets.")
    pain_before = _scale(allow_null=True, default=None)
    pain_during = _scale(help_text="Numeric rating scale; the worst.")
    pain_after = _scale()
    difficulty = _scale(allow_null=True, default=None, help_text="Borg's CR10 scale.")
    red_flags = serializers.ListField(child=serializers.ChoiceField(RED_FLAG_CHOICES), max_length=10, default=list)
    stopped_early = serializers.ChoiceField(StoppedEarly.choices, allow_blank=True, default="")
    note = serializers.CharField(max_length=2000, allow_blank=True, default="")


EXAMPLE = OpenApiExample("Three sets without trouble", request_only=True, value={
    "id": "7f4a3f0a-6f2b-4a53-9d0e-0f7f2f9b8a11", "prescription": "3c1f0d52-8b77-4a0d-a7a1-7b2f4b3f6f10",
    "started_at": "2026-11-20T08:00:00Z", "finished_at": "2026-11-20T08:09:00Z", "sets": 3, "repetitions": 24,
    "pain_before": 1, "pain_during": 2, "pain_after": 1, "difficulty": 4,
})


class SessionListAPI(TableAPI):
    """All that a patient told, newest first; a row that another names in `corrects` no longer counts."""

    actions = {"GET": "session.list"}
    listed = True
    output_class = SessionOut

    def get(self, request, patient_id: UUID) -> Response:
        patient = patient_get(user=request.user, patient_id=patient_id, action="session.list")
        return self.page(selectors.session_list(user=request.user, patient=patient))


class SessionAPI(TableAPI):
    actions = {"GET": "session.view"}
    output_class = SessionOut

    def get(self, request, session_id: UUID) -> Response:
        return self.answer(selectors.session_get(user=request.user, session_id=session_id))


class OwnSessionListAPI(TableAPI):
    """The patient's own sessions. Sent again with the same id and content, an entry is answered as the first time;
    with another content it is a conflict (409)."""

    actions = {"GET": "own_session.view", "POST": "session.record"}
    listed = True
    input_class, output_class = SessionIn, OwnSessionOut

    def get(self, request) -> Response:
        return self.page(selectors.own_session_list(user=request.user))

    @extend_schema(examples=[EXAMPLE])
    def post(self, request) -> Response:
        data = self.read(request)
        prescription = _own(selectors.recordable, "prescription", "This is no exercise of yours.",
                            user=request.user, prescription_id=data.pop("prescription"))
        if data["corrects"]:
            data["corrects"] = _own(selectors.own_session_get, "corrects", "This is no entry of yours.",
                                    user=request.user, session_id=data["corrects"])
        made = services.session_record(
            actor=request.user, prescription=prescription, session_id=data.pop("id"), **data
        )
        return self.answer(made, status=201)


class OwnSessionAPI(TableAPI):
    actions = {"GET": "own_session.view"}
    output_class = OwnSessionOut

    def get(self, request, session_id: UUID) -> Response:
        return self.answer(selectors.own_session_get(user=request.user, session_id=session_id))


def _own(selector, field: str, message: str, **lookup):
    try:
        return selector(**lookup)
    except Http404:
        raise ServiceError.of(message, field) from None
