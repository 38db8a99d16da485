"""Who may do what: the one table, and the three questions that are asked of it.

Services, selectors, pages, API and sockets all ask here. A row of the table is an action; it names the roles that have
it and how far each reaches. What lies outside that reach does not exist for the asker: the answer is 404, so that
nobody learns from an error that a record is there.
"""
from __future__ import annotations

from enum import StrEnum

from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.http import Http404
from django.utils import timezone

from clinic.models import Role, User


class Scope(StrEnum):
    ANYONE = "anyone signed in"
    CLINIC = "own clinic"
    CARE_TEAM = "patients whose care team they belong to"
    OWN = "own record"
    OWN_SIGNED = "own record, and there what is signed, not withdrawn and not expired"
    SHARED = "what somebody of the clinic shares with them at this time; a patient: of their own record, while signed"


_ADMIN, _CLINICIAN, _PATIENT = Role.ADMINISTRATOR, Role.CLINICIAN, Role.PATIENT
_TREATS = {_CLINICIAN: Scope.CARE_TEAM}
_RUNS = {_ADMIN: Scope.CLINIC, _CLINICIAN: Scope.CARE_TEAM}

TABLE: dict[str, dict[Role, Scope]] = {
    # action                     role -> scope
    "self.view":                 dict.fromkeys(Role, Scope.ANYONE),
    "user.list":                 {_ADMIN: Scope.CLINIC},
    "user.create":               {_ADMIN: Scope.CLINIC},
    "directory.list":            {_ADMIN: Scope.CLINIC},     # names and care teams of patients, nothing clinical
    "patient.list":              _TREATS,
    "patient.view":              _TREATS,
    "patient.create":            {_CLINICIAN: Scope.CLINIC},
    "patient.edit":              _TREATS,                    # the record: measurements, conditions, limits, tempo
    "own_model.edit":           _TREATS,                    # the patient's own scaled OpenSim model
    "own_motion.view":          _TREATS,                    # recordings of the patient to start from
    "own_motion.edit":          _TREATS,
    "catalogue.view":            {_CLINICIAN: Scope.CLINIC},  # conditions, variables and preset limits of the engine
    "generation.list":           _TREATS,
    "generation.view":           _TREATS,
    "generation.create":         _TREATS,
    "generation.cancel":         _RUNS,
    "generation.retry":          _RUNS,
    "job.list":                  {_ADMIN: Scope.CLINIC},     # state, errors and seconds of generations, no motion
    "candidate.view":           _TREATS,                    # the motion, its check by OpenSim, its tables
    "check.cancel":             _RUNS,                      # of a candidate, by OpenSim
    "check.retry":              _RUNS,
    "prescription.list":         _TREATS,
    "prescription.view":         _TREATS,
    "prescription.create":       _TREATS,
    "prescription.edit":         _TREATS,
    "prescription.sign":         _TREATS,
    "prescription.withdraw":     _TREATS,
    "prescription.hold":         _TREATS,                    # put on hold and end the hold
    "video.view":                _TREATS,                    # videos and pictures of what was signed
    "video.create":              _TREATS,                    # ask for one, tell the patient of it
    "video.cancel":              _RUNS,                      # and make it again
    "share.list":                _TREATS,                    # to whom a motion is shown
    "share.create":              _TREATS,
    "share.revoke":              _TREATS,
    "shared.view":               {_CLINICIAN: Scope.SHARED, _PATIENT: Scope.SHARED},
    "fall_risk.list":            _TREATS,
    "fall_risk.view":            _TREATS,                    # assessments, scores, falls
    "fall_risk.assess":          _TREATS,                    # fill in, upload a recording, complete, correct
    "fall_risk.release":         _TREATS,                    # what the patient is told about it
    "fall.record":               _TREATS,
    "fall.report":               {_PATIENT: Scope.OWN},
    "fall_summary.view":         {_PATIENT: Scope.OWN},      # what a clinician released
    "alert.list":                _TREATS,
    "alert.acknowledge":         _TREATS,
    "fall_report.view":          {_ADMIN: Scope.CLINIC},     # counts with small groups hidden; who is due, by name
    "session.list":             _TREATS,                    # what the patient did and how it went
    "session.view":             _TREATS,
    "session.record":           {_PATIENT: Scope.OWN},
    "own_session.view":         {_PATIENT: Scope.OWN},
    "exercise.held":             {_PATIENT: Scope.OWN},      # that the exercise is on hold, and whom to ask
    "exercise.view":             {_PATIENT: Scope.OWN_SIGNED},
}


def has_action(user, action: str) -> bool:
    """Does the role have this action at all, whatever the object?"""
    return bool(user.is_authenticated and user.is_active and user.role in TABLE[action])


def require(user, action: str) -> Scope:
    """The reach of `action` for this user; PermissionDenied when the role does not have it."""
    if not has_action(user, action):
        raise PermissionDenied("Your role does not allow this.")
    return TABLE[action][user.role]


def permitted(user: User, action: str, rows: QuerySet) -> QuerySet:
    """`rows` cut down to those that `user` reaches with `action`."""
    return rows.filter(_reach(user, require(user, action), rows.model))


def get_permitted(user: User, action: str, rows: QuerySet, **lookup) -> Model:
    """One row, or Http404 when it does not exist for this user."""
    try:
        return permitted(user, action, rows).get(**lookup)
    except rows.model.DoesNotExist:
        raise Http404("Not found.") from None


def require_on(user: User, action: str, row: Model) -> None:
    """As `get_permitted`, for a row in the hand: services ask this first."""
    get_permitted(user, action, type(row)._default_manager.all(), pk=row.pk)


def _reach(user: User, scope: Scope, model: type[Model]) -> Q:
    """The scope as a filter. Models of the record say in `patient_path` how they hang on the patient."""
    if scope is Scope.ANYONE:
        return Q()
    path = getattr(model, "patient_path", None)
    if path is None:                                    # rows of the clinic itself
        if scope is Scope.CLINIC:
            return Q(clinic_id=user.clinic_id)
        raise TypeError(f"{model.__name__} has no patient_path, so the scope '{scope}' cannot be applied to it.")
    prefix = f"{path}__" if path else ""
    own_clinic = Q(**{f"{prefix}clinic_id": user.clinic_id})
    if scope is Scope.CLINIC:
        return own_clinic
    if scope is Scope.CARE_TEAM:
        return own_clinic & Q(**{f"{prefix}care_team": user})
    own_record = own_clinic & Q(**{f"{prefix}account": user})
    if scope is Scope.OWN:
        return own_record
    if scope is Scope.SHARED:
        return own_clinic & _shared_with(user, own_record)
    in_force = Q(status="signed", expires_at__gt=timezone.now())
    return own_record & in_force


def _shared_with(user: User, own_record: Q) -> Q:
    """Rows that say with whom and until when a motion is shared."""
    shared = Q(shared_with=user, revoked_at=None, expires_at__gt=timezone.now())
    if user.role != Role.PATIENT:
        return shared
    return shared & own_record & Q(prescription__status="signed", prescription__expires_at__gt=timezone.now())
