"""The patient's form after a session. It checks the shape of what is typed; the service checks its sense."""
from __future__ import annotations

import uuid
from datetime import timedelta

from django import forms
from django.utils import timezone

from exercise.models import MOST_REPETITIONS, MOST_SETS, ExerciseSession, StoppedEarly
from exercise.pain import RED_FLAG_CHOICES
from prescriptions.models import Prescription

_PAIN = [("0", "0"), *((str(number), str(number)) for number in range(1, 11))]
SECONDS_A_REPETITION = 5        # E: only to propose how long it took


class ScaleField(forms.TypedChoiceField):
    """0 to 10 as a row of buttons."""

    widget = forms.RadioSelect

    def __init__(self, *, low: str, high: str, **kwargs) -> None:
        super().__init__(choices=_PAIN, coerce=int, empty_value=None, **kwargs)
        self.low, self.high = low, high         # what the ends mean


class SessionForm(forms.Form):
    """`started_at` and `finished_at` are filled by the page's script when it counted; else the minutes say."""

    session_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    started_at = forms.DateTimeField(widget=forms.HiddenInput, required=False)
    finished_at = forms.DateTimeField(widget=forms.HiddenInput, required=False)
    sets = forms.IntegerField(label="Sets", min_value=0, max_value=MOST_SETS)
    repetitions = forms.IntegerField(label="Repetitions in all", min_value=0, max_value=MOST_REPETITIONS)
    minutes = forms.IntegerField(label="Minutes it took", min_value=1, max_value=360)
    pain_before = ScaleField(label="Pain before you began", low="no pain", high="worst pain", required=False)
    pain_during = ScaleField(label="Worst pain while you did it", low="no pain", high="worst pain")
    pain_after = ScaleField(label="Pain now", low="no pain", high="worst pain")
    difficulty = ScaleField(
        label="How hard was it?", low="no effort", high="the hardest you can imagine", required=False
    )
    red_flags = forms.MultipleChoiceField(
        label="Did one of these happen?", choices=RED_FLAG_CHOICES,
        widget=forms.CheckboxSelectMultiple, required=False,
    )
    stopped_early = forms.ChoiceField(label="Did you stop early?", choices=StoppedEarly.choices, required=False)
    note = forms.CharField(
        label="Anything to tell your clinician?", max_length=2000, required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def arguments(self, earlier: ExerciseSession | None) -> dict:
        """What the service takes. An entry without times of its own ends now; sent again it keeps the first's times."""
        data = dict(self.cleaned_data)
        minutes = data.pop("minutes")
        if data["started_at"] is None or data["finished_at"] is None:
            data["finished_at"] = earlier.finished_at if earlier else timezone.now()
            data["started_at"] = earlier.started_at if earlier else data["finished_at"] - timedelta(minutes=minutes)
        return data


def first_answers(prescription: Prescription) -> dict:
    """The dose as prescribed: what most people did. The page's script puts what it counted in its place."""
    moving = prescription.sets * prescription.repetitions * SECONDS_A_REPETITION
    resting = (prescription.sets - 1) * prescription.rest_s
    return {"sets": prescription.sets, "repetitions": prescription.sets * prescription.repetitions,
            "minutes": max(1, round((moving + resting) / 60))}


def told(session: ExerciseSession) -> dict:
    """An entry as the form shows it, to be corrected."""
    names = ("sets", "repetitions", "minutes", "pain_before", "pain_during", "pain_after", "difficulty", "red_flags",
             "stopped_early", "note")
    return {**{name: getattr(session, name) for name in names},
            "started_at": session.started_at.isoformat(), "finished_at": session.finished_at.isoformat()}
