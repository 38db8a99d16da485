"""Clinics and accounts: what is read."""
from __future__ import annotations

from django.db.models import QuerySet

from clinic.models import User
from clinic.permissions import permitted


def user_list(*, user: User) -> QuerySet[User]:
    return permitted(user, "user.list", User.objects.all()).order_by("role", "full_name", "id")


def colleague_list(*, user: User) -> QuerySet[User]:
    """Active clinicians of the user's clinic."""
    return User.objects.filter(clinic_id=user.clinic_id, role="clinician", is_active=True)
