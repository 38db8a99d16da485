"""The form that asks for a generation."""
from __future__ import annotations

import secrets

from django import forms

from generation.models import MAX_CANDIDATES, MAX_SEED


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
