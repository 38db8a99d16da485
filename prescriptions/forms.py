"""Forms of a prescription."""
from __future__ import annotations

from django import forms

from clinic.models import User
from prescriptions.models import MotionVideo, Prescription
from prescriptions.shares import LONGEST_DAYS, USUAL_DAYS


class PrescriptionForm(forms.Form):
    """Dose and words; the bounds are those of the model."""

    sets = forms.IntegerField(initial=3)
    repetitions = forms.IntegerField(initial=8)
    rest_s = forms.IntegerField(initial=60)
    sessions_per_week = forms.IntegerField(initial=3)
    weeks = forms.IntegerField(initial=2)
    equipment = forms.CharField(required=False, max_length=300, help_text="For example: a chair behind you, shoes on.")
    instructions = forms.CharField(
        max_length=4000, widget=forms.Textarea(attrs={"rows": 7}),
        help_text="Written from the motion; change it into your words. One instruction on each line.",
    )

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            column = Prescription._meta.get_field(name)
            field.label = str(column.verbose_name)
            for validator in column.validators:
                if validator.code in ("min_value", "max_value"):
                    setattr(field, validator.code, validator.limit_value)
                    field.widget.attrs["min" if validator.code == "min_value" else "max"] = validator.limit_value
                    field.validators.append(validator)


class SignForm(forms.Form):
    password = forms.CharField(
        label="Your password", strip=False, max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class WithdrawForm(forms.Form):
    reason = forms.CharField(
        label="Reason for withdrawing", max_length=1000, widget=forms.Textarea(attrs={"rows": 2})
    )


class HoldForm(forms.Form):
    reason = forms.CharField(label="Reason", max_length=1000, widget=forms.Textarea(attrs={"rows": 2}))


class VideoForm(forms.Form):
    height = forms.TypedChoiceField(label="Size", choices=MotionVideo.Height.choices, coerce=int)
    view = forms.ChoiceField(label="Seen from", choices=MotionVideo.View.choices)
    repetitions = forms.TypedChoiceField(label="Repetitions", coerce=int)

    def __init__(self, *args, prescription: Prescription, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        count = prescription.repetitions
        whole = [(count, f"One set: {count} repetitions")] if count > 1 else []
        self.fields["repetitions"].choices = [*whole, (1, "One repetition")]


class PersonChoice(forms.ModelChoiceField):
    def label_from_instance(self, user: User) -> str:
        return f"{user.full_name}, {user.get_role_display().lower()}"


class ShareForm(forms.Form):
    shared_with = PersonChoice(label="With", queryset=User.objects.none(), empty_label="Choose a person")
    days = forms.IntegerField(label="For how many days", min_value=1, max_value=LONGEST_DAYS, initial=USUAL_DAYS)
    note = forms.CharField(
        label="Note", required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The other person reads it. They see the motion and its limits, not the patient's record or name.",
    )

    def __init__(self, *args, people, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["shared_with"].queryset = people
