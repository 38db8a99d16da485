"""Clinics and accounts: what is written."""
from __future__ import annotations

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from clinic.audit import recorded
from clinic.errors import FieldError, ServiceError
from clinic.models import Clinic, User
from clinic.permissions import require


def clinic_create(*, name: str) -> Clinic:
    """A new tenant. Only the system does this: no role reaches beyond its own clinic."""
    clinic = Clinic(name=name)
    clinic.full_clean()
    with recorded(None, "Clinic set up"):
        clinic.save()
    return clinic


def user_create(
    *, actor: User | None, clinic: Clinic, email: str, full_name: str, role: str, password: str
) -> User:
    """An account in the clinic. `actor` None is the system setting up a clinic's first account."""
    if actor is not None:
        require(actor, "user.create")
        if actor.clinic_id != clinic.pk:
            raise ServiceError.of("You can add people to your own clinic only.")
    user = User(clinic=clinic, email=email.strip().lower(), full_name=full_name.strip(), role=role)
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ServiceError(*(FieldError("password", message) for message in error.messages)) from None
    user.set_password(password)
    user.full_clean()
    with recorded(actor, "Account made"):
        user.save()
    return user
