"""Forms of the record. They check the shape of what is typed; the services check its sense."""
from __future__ import annotations

from django import forms
from django.utils import timezone

from clinic.models import User
from generation.engine.presets import CONDITIONS
from generation.engine.profile import MOST_REPETITIONS
from generation.engine.variables import MUSCLE_GROUPS, VARIABLES, Variable
from patients import rules
from patients.models import ArmPosture, MovementPhase, MuscleGroup, Segment, Sex

WEIGHTS = (None, 3.0, 1.0, 0.3)      # of a limit: hard, and what a goal can count


def _theme(variable: Variable) -> str:
    """Where a variable stands in the list to choose from."""
    name, unit = variable.name, variable.unit
    if name.endswith("_activation_peak"):
        group = name.removesuffix("_activation_peak")
        return "Muscle activity" if group in MUSCLE_GROUPS else "Muscle activity, single muscles"
    if variable.label.startswith("Depth"):
        return "Depth"
    if name.startswith("foot_load_share") or name.endswith("_asymmetry"):
        return "Left and right"
    if variable.kind == "duration":
        return "Tempo"
    if unit in ("deg/s", "m/s", "m/s2", "1"):
        return "Speed and smoothness"
    if unit in ("Nm/kg", "body weights", "%"):
        return "Load on the joints and demand on strength"
    return "Joint angles and trunk" if unit == "deg" and name != "joint_range_margin" else "Knees, feet and balance"


_THEMES = ("Depth", "Joint angles and trunk", "Knees, feet and balance", "Left and right", "Tempo",
           "Speed and smoothness", "Load on the joints and demand on strength", "Muscle activity",
           "Muscle activity, single muscles")


def _date(**kwargs) -> forms.DateField:
    return forms.DateField(widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **kwargs)


class _NumberField(forms.FloatField):
    """A number that stands in its field as people write it: `60`, not `60.0`."""

    def prepare_value(self, value):
        return f"{value:.6g}" if isinstance(value, float) else value


def _number(step: str = "any", **kwargs) -> forms.FloatField:
    return _NumberField(widget=forms.NumberInput(attrs={"step": step, "inputmode": "decimal"}), **kwargs)


def _measured_on() -> forms.DateField:
    return _date(label="Measured on", initial=timezone.localdate)


def _sides(sided: bool) -> list[tuple[str, str]]:
    return [("", "Choose"), ("left", "Left"), ("right", "Right"), ("both", "Both")] if sided else [("", "No side")]


class PatientForm(forms.Form):
    given_name = forms.CharField(label="Given name", max_length=80)
    family_name = forms.CharField(label="Family name", max_length=80)
    birth_date = _date(label="Date of birth")
    sex = forms.ChoiceField(
        label="Sex", choices=[("", "Choose"), *Sex.choices], help_text="For the proportions of the body model."
    )


class CareTeamForm(forms.Form):
    clinician = forms.ModelChoiceField(label="Clinician", queryset=User.objects.none(), empty_label="Choose")

    def __init__(self, *args, colleagues, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["clinician"].queryset = colleagues


class AccountForm(forms.Form):
    """The account is named by its address: clinicians get no list of people whom they do not treat."""

    email = forms.EmailField(
        label="E-mail of the patient's account", max_length=254, required=False,
        help_text="Your clinic's administrator makes the account. Leave it empty for no account.",
    )


class BodyForm(forms.Form):
    height_m = _number("0.01", label="Height (m)", help_text="1.20 to 2.20")
    mass_kg = _number("0.1", label="Body mass (kg)", help_text="30 to 250")
    measured_on = _measured_on()


class RangeOfMotionForm(forms.Form):
    movement = forms.ChoiceField(label="Movement")
    side = forms.ChoiceField(label="Side", required=False, choices=[
        ("", "No side"), ("left", "Left"), ("right", "Right"), ("both", "Both")])
    minimum_deg = _number("0.5", label="From (degrees)", required=False, help_text="Leave empty if not measured.")
    maximum_deg = _number("0.5", label="To (degrees)", required=False)
    measured_on = _measured_on()
    method = forms.CharField(label="Method", max_length=80, required=False, help_text="Such as: goniometer, active.")

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["movement"].choices = [("", "Choose"), *((v.name, v.label) for v in rules.joint_ranges())]


class StrengthForm(forms.Form):
    muscle_group = forms.ChoiceField(label="Muscle group", choices=[("", "Choose"), *MuscleGroup.choices])
    side = forms.ChoiceField(label="Side", choices=[("", "Choose"), ("left", "Left"), ("right", "Right")])
    torque_nm = _number("0.1", label="Torque (Nm)", required=False, help_text="Or the percent below.")
    at_deg = _number("1", label="Joint angle of the test (degrees)", required=False,
                     help_text="Of the torque; empty for the usual one of the group.")
    percent = _number("1", label="Percent of the expected", required=False,
                      help_text="Of what is expected for sex, age, height and mass.")
    measured_on = _measured_on()
    method = forms.CharField(label="Method", max_length=80, required=False, help_text="For example: dynamometer.")


class SegmentLengthForm(forms.Form):
    segment = forms.ChoiceField(label="Segment", choices=[("", "Choose"), *Segment.choices])
    side = forms.ChoiceField(label="Side", required=False, choices=[
        ("", "No side"), ("left", "Left"), ("right", "Right"), ("both", "Both")],
        help_text="Trunk and pelvis have none.")
    length_m = _number("0.001", label="Length (m)", help_text="Between joint centres.")
    measured_on = _measured_on()
    method = forms.CharField(label="Method", max_length=80, required=False, help_text="Such as: tape, X-ray.")


class TempoForm(forms.Form):
    descent_s = _number("0.1", label="Going down (s)")
    pause_s = _number("0.1", label="Pause at the bottom (s)")
    ascent_s = _number("0.1", label="Coming up (s)")


class ExecutionForm(forms.Form):
    arms = forms.ChoiceField(
        label="Arms", required=False, choices=ArmPosture.choices,
        help_text="They count in the balance. A support is for safety: the squat is balanced without it, and no force "
        "on it is taken off the loads.",
    )
    repetitions = forms.IntegerField(
        label="Squats in a row", min_value=1, max_value=MOST_REPETITIONS, initial=1,
        help_text=f"1 to {MOST_REPETITIONS}. They differ a little in depth and tempo, as people's do; each keeps every "
        "limit.",
    )


class ConditionForm(forms.Form):
    """Phases and sides offered are those of the condition chosen; `name` is fixed when a condition is changed."""

    name = forms.ChoiceField(label="Condition")
    phase = forms.ChoiceField(label="Phase", required=False)
    side = forms.ChoiceField(label="Side", required=False)
    onset_on = _date(label="Date of surgery or onset", required=False)

    def __init__(self, *args, name: str = "", fixed: bool = False, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].choices = [("", "Choose"), *((c.name, c.label) for c in CONDITIONS.values())]
        known = CONDITIONS.get(name)
        phases = known.phases if known else ()
        dated = bool(known and known.weeks)
        offered = [("", "From the date below" if dated else "Choose"), *((p, rules.phase_words(p)) for p in phases)]
        self.fields["phase"].choices = offered if phases else [("", "No phases")]
        if phases:
            self.fields["phase"].help_text = "Weeks count from the surgery or the injury."
            self.fields["phase"].choices += [("all", rules.phase_words("all"))]
        self.fields["side"].choices = _sides(bool(known and known.sided))
        # a phase that counts weeks can come from the date; the service says so where it cannot
        self.fields["phase"].required = bool(phases) and not dated
        self.fields["side"].required = bool(known and known.sided)
        self.fields["onset_on"].widget.attrs["hx-preserve"] = "true"     # what is being typed outlives an answer
        if fixed:
            del self.fields["name"]


class LimitBoundsForm(forms.Form):
    weight = forms.TypedChoiceField(
        label="How strict", required=False, coerce=float, empty_value=None,
        choices=[("" if weight is None else f"{weight:g}", rules.weight_words(weight)) for weight in WEIGHTS],
        help_text="What must be kept is kept by every squat that is shown. A goal is kept as well as that allows.",
    )
    minimum = _number(label="At least", required=False)
    maximum = _number(label="At most", required=False)
    reason = forms.CharField(
        label="Reason", required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Needed when you allow more than the protocol does. It is kept with the change.",
    )

    def __init__(self, *args, from_protocol: bool = True, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if not from_protocol:
            self.fields["reason"].help_text = "It is kept with the limit."
        now = self.initial.get("weight")
        if now not in ("", *WEIGHTS):                  # set by a program: it stays to be chosen
            self.fields["weight"].choices += [(f"{now:g}", rules.weight_words(now))]
        if isinstance(now, float):
            self.initial["weight"] = f"{now:g}"


class LimitForm(LimitBoundsForm):
    variable = forms.ChoiceField(label="What is limited")
    side = forms.ChoiceField(label="Side", required=False)
    phase = forms.ChoiceField(label="Part of the squat", required=False)
    field_order = ["variable", "side", "phase", "minimum", "maximum", "weight", "reason"]

    def __init__(self, *args, variable: str = "", **kwargs) -> None:
        super().__init__(*args, from_protocol=False, **kwargs)
        groups = [
            (theme, [(v.name, " ".join([v.label, f"({unit})" if (unit := rules.written_unit(v.unit).strip()) else ""]))
                     for v in VARIABLES.values() if _theme(v) == theme])
            for theme in _THEMES
        ]
        self.fields["variable"].choices = [("", "Choose"), *groups]
        known = VARIABLES.get(variable)
        self.fields["side"].choices = _sides(bool(known and known.sided))
        self.fields["side"].required = bool(known and known.sided)
        parts = [(part, label) for part, label in MovementPhase.choices if not part or (known and part in known.phases)]
        self.fields["phase"].choices = parts
        if known and known.sided:
            self.initial.setdefault("side", "both")
        hint = "Fill in one of the two, or both."
        if known:
            hint = f"{known.lowest:g} to {known.highest:g}{rules.written_unit(known.unit)}"
        self.fields["minimum"].help_text = self.fields["maximum"].help_text = hint


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label="Reason", required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Needed for a limit that comes from a protocol.",
    )

    def __init__(self, *args, from_protocol: bool = True, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if not from_protocol:
            self.fields["reason"].help_text = ""
