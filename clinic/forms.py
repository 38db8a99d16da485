"""Forms of the clinic's own pages."""
from __future__ import annotations

from django import forms

from clinic.models import Role


class UserForm(forms.Form):
    full_name = forms.CharField(label="Full name", max_length=150)
    email = forms.EmailField(label="E-mail", max_length=254, help_text="They sign in with it.")
    role = forms.ChoiceField(
        label="Role", choices=Role.choices, initial=Role.CLINICIAN,
        help_text="A patient sees nothing until a clinician enters this e-mail as the sign-in of the patient's record.",
    )
    password = forms.CharField(
        label="First password", max_length=200, strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 10 characters. Hand it over in person; they can change it after signing in.",
    )
