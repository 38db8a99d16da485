"""Forms of fall risk. They check the shape of what is typed; the services check its sense."""
from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils import timezone

from fall_risk.facts import BAND_NAMES
from fall_risk.models import Injury, RecordingKind
from fall_risk.reporting.groups import Group, parse_group
from fall_risk.scores import INSTRUMENTS
from fall_risk.scores.fields import ABSENT_REASONS, BOOLEAN, NUMBER, UNABLE, WHOLE
from generation.engine.presets import CONDITIONS

ABSENT = "__absent"         # beside a field's own key: why there is no value
BOTH = "Enter a value, or say why there is none: not both."


def _date(**kwargs) -> forms.DateField:
    return forms.DateField(widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **kwargs)


def _text(label: str, rows: int = 3, most: int = 1000, **kwargs) -> forms.CharField:
    return forms.CharField(label=label, max_length=most, widget=forms.Textarea(attrs={"rows": rows}), **kwargs)


def read_answers(section: str, typed: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """The answers of one section as a browser sends them, and what cannot be read: field key to a sentence.

    A number may have a decimal comma. What is no number stays text, which the check of the answers then refuses.
    """
    answers, errors = {}, {}
    for field in INSTRUMENTS[section].fields if section in INSTRUMENTS else ():
        value, absent = typed.get(field.key, "").strip(), typed.get(field.key + ABSENT, "").strip()
        if absent:
            if value:
                errors[field.key] = BOTH
            answers[field.key] = absent
        elif value in ("", None):
            answers[field.key] = None
        elif field.kind == BOOLEAN:
            answers[field.key] = {"yes": True, "no": False}.get(value, value)
        elif field.kind in (NUMBER, WHOLE) and value not in (*ABSENT_REASONS, UNABLE):
            answers[field.key] = _number(value)
        else:
            answers[field.key] = value
    return {key: value for key, value in answers.items() if key not in errors}, errors


def _number(text: str) -> float | int | str:
    plain = text.replace(",", ".") if text.count(",") == 1 and "." not in text else text
    try:
        number = float(plain)
    except ValueError:
        return text
    return int(number) if number.is_integer() and abs(number) < 1e15 else number


class _KnownField(forms.TypedChoiceField):
    """Yes, no, or not known."""

    def __init__(self, **kwargs) -> None:
        super().__init__(
            choices=[("", "Not known"), ("yes", "Yes"), ("no", "No")], required=False, empty_value=None,
            coerce=lambda value: value == "yes", **kwargs,
        )


class FallForm(forms.Form):
    """A fall, as a clinician records it."""

    occurred_on = _date(label="Date of the fall", initial=timezone.localdate)
    injury = forms.ChoiceField(label="Injury", choices=Injury.choices, initial=Injury.UNKNOWN)
    unable_to_rise = _KnownField(label="Could not get up without help, or lay for an hour or more")
    lost_consciousness = _KnownField(label="Fainted or lost consciousness")
    circumstances = _text(
        "What happened", most=2000, required=False, help_text="Where, doing what, which shoes, light."
    )
    submission = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)


class OwnFallForm(FallForm):
    """The same in plain words, for the patient on a phone."""

    occurred_on = _date(label="When did you fall?", initial=timezone.localdate)
    injury = forms.ChoiceField(label="Did you hurt yourself?", widget=forms.RadioSelect, choices=[
        (Injury.NONE, "No"), (Injury.MINOR, "A little: a bruise, a graze or pain"),
        (Injury.CARE, "Yes, and somebody treated me"),
        (Injury.SERIOUS, "Badly: a broken bone, my head, or I was in hospital"), (Injury.UNKNOWN, "I am not sure"),
    ])
    unable_to_rise = _KnownField(label="Did you need help to get up, or lie there for a long time?")
    lost_consciousness = _KnownField(label="Did you faint or black out?")
    circumstances = _text("What happened?", most=2000, required=False, help_text="In your own words, if you like.")


class ReasonForm(forms.Form):
    reason = _text("Reason", rows=2)


class AcknowledgeForm(forms.Form):
    note = _text("What you do about it", help_text="For example: called the patient, seen tomorrow. It is kept with "
                                                   "your name.")


class SummaryForm(forms.Form):
    text = _text("What the patient reads", rows=9, most=4000, help_text="Plain words, no percentages. Nothing else of "
                                                                        "the assessment is shown to the patient.")


class RecordingForm(forms.Form):
    kind = forms.ChoiceField(label="What was recorded", choices=RecordingKind.choices)
    file = forms.FileField(
        label="Motion file (.mot) or marker file (.trc)", max_length=200,
        widget=forms.FileInput(attrs={"accept": ".mot,.trc"}),
        help_text="Markers are turned into joint angles first, which takes some minutes.",
    )
    go_s = forms.FloatField(
        label="Start signal at (s)", required=False, widget=forms.NumberInput(attrs={"step": "any"}),
        help_text="Time in the recording at which you said “go”. Empty: counted from the first rise.",
    )


class DueForm(forms.Form):
    """Of whom the list of the due speaks."""

    only = forms.ChoiceField(label="Show", required=False, choices=[
        ("", "Overdue and never assessed"), ("overdue", "Overdue"), ("never", "Never assessed")])
    clinician = forms.ModelChoiceField(label="Care team of", queryset=None, required=False, empty_label="Everybody")

    def __init__(self, *args, clinicians, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["clinician"].queryset = clinicians


class ReportForm(forms.Form):
    """The filters of the clinic's report. Whole months: single days would let people be told apart."""

    start = forms.ChoiceField(label="From", required=False)
    end = forms.ChoiceField(label="To", required=False)
    clinician = forms.ModelChoiceField(label="Care team of", queryset=None, required=False, empty_label="Everybody")
    age_band = forms.ChoiceField(label="Age", required=False, choices=[("", "All"), *((b, b) for b in BAND_NAMES)])
    condition = forms.ChoiceField(
        label="Condition", required=False, choices=[("", "All"), *((c.name, c.label) for c in CONDITIONS.values())]
    )

    group = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)

    def clean_group(self) -> Group | None:
        try:
            return parse_group(self.cleaned_data["group"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None

    def __init__(self, *args, clinicians, months, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["clinician"].queryset = clinicians
        for name in ("start", "end"):
            self.fields[name].choices = months
