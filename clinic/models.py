"""Clinics and their people. A clinic is a tenant: nothing crosses from one to another."""
from __future__ import annotations

import uuid

import pghistory
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower


def every_change() -> tuple:
    """What the audit trail records of a row. Made anew for each model: the trackers keep what they are given."""
    return pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent()



class Role(models.TextChoices):
    ADMINISTRATOR = "administrator", "Administrator"
    CLINICIAN = "clinician", "Clinician"
    PATIENT = "patient", "Patient"


@pghistory.track(*every_change())
class Clinic(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager):
    def get_by_natural_key(self, email: str) -> User:
        return self.get(email__iexact=email)


@pghistory.track(*every_change(), exclude=["password", "last_login"])
class User(AbstractBaseUser):
    """A person who signs in, by e-mail address. Accounts are made by the clinic: there is no open sign-up."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="users")
    email = models.EmailField(
        unique=True, error_messages={"unique": "An account has this e-mail address already."}
    )
    full_name = models.CharField(max_length=150)
    role = models.CharField(max_length=20, choices=Role.choices)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    objects = UserManager()

    class Meta:
        ordering = ["full_name", "id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="user_email_lower_case"),
        ]
        indexes = [models.Index(fields=["clinic", "role"])]

    def __str__(self) -> str:
        return self.full_name

    def get_full_name(self) -> str:
        return self.full_name

    def get_short_name(self) -> str:
        return self.full_name.split(" ")[0]

    def clean(self) -> None:
        super().clean()
        self.email = self.email.lower()

    @property
    def is_administrator(self) -> bool:
        return self.role == Role.ADMINISTRATOR

    @property
    def is_clinician(self) -> bool:
        return self.role == Role.CLINICIAN

    @property
    def is_patient(self) -> bool:
        return self.role == Role.PATIENT
