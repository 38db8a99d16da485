"""Clinics and accounts: what is read."""
from __future__ import annotations

from django.db.models import QuerySet

from clinic.models import User
from clinic.permissions import permitted


def user_list(*, user: User) -> QuerySet[User]:
    return permitted(user, "user.list", User.objects.all()).order_by("role", "full_name", "id")


def patient_account_find(*, user: User, email: str) -> User | None:
    """The open patient's account of the user's clinic that signs in with exactly this address."""
    rows = User.objects.filter(clinic_id=user.clinic_id, role="patient", is_active=True)
    return rows.filter(email__iexact=email.strip()).first()


def colleague_list(*, user: User) -> QuerySet[User]:
    """Active clinicians of the user's clinic."""
    return User.objects.filter(clinic_id=user.clinic_id, role="clinician", is_active=True)
