"""The form that asks for a generation."""
from __future__ import annotations

import secrets

from django import forms

from generation.models import MAX_CANDIDATES, MAX_SEED, CandidateMotion, OwnMotion


def _fresh_seed() -> int:
    return secrets.randbelow(10_000)


class GenerateForm(forms.Form):
    candidate_count = forms.IntegerField(
        label="Candidates", min_value=1, max_value=MAX_CANDIDATES, initial=16,
        help_text=f"1 to {MAX_CANDIDATES}. More candidates give more choice and take longer.",
    )
    seed = forms.IntegerField(
        label="Seed", min_value=0, max_value=MAX_SEED, initial=_fresh_seed,
        help_text="The same seed gives the same motions again.",
    )
    own_motion = forms.ModelChoiceField(
        label="Start from the patient's own squat", queryset=OwnMotion.objects.none(), required=False,
        empty_label="No, from the learned motions",
        help_text="The result stays as near to it as the limits allow, and says what to change.",
    )

    start_candidate = forms.ModelChoiceField(
        label="Start from an earlier candidate", queryset=CandidateMotion.objects.none(), required=False,
        empty_label="No",
        help_text="The result stays as near to it as the present limits allow.",
    )

    def __init__(self, *args, motions=None, candidates=None, **kwargs) -> None:
        """`candidates` are those that were asked for by name: usually none, or one."""
        super().__init__(*args, **kwargs)
        if candidates is None or not candidates.exists():
            del self.fields["start_candidate"]
        else:
            self.fields["start_candidate"].queryset = candidates
            self.fields["start_candidate"].label_from_instance = (
                lambda row: f"Candidate {row.number}, {row.request.created_at:%d %b %Y %H:%M}")
        if motions is None or not motions.exists():
            del self.fields["own_motion"]
        else:
            self.fields["own_motion"].queryset = motions
            self.fields["own_motion"].label_from_instance = lambda row: f"{row.file_name}, {row.created_at:%d %b %Y}"


class UploadForm(forms.Form):
    """One file; what it must be stands in `endings`."""

    file = forms.FileField(label="File", max_length=200)

    def __init__(self, *args, endings: str, help_text: str, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["file"].label = f"File ({endings})"
        self.fields["file"].help_text = help_text
        self.fields["file"].widget.attrs["accept"] = endings.replace(" or ", ",")
