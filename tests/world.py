"""Two clinics with people of every role, made through the services: what tests of permissions and pages work on."""
from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

import pytest
from django.db import transaction
from django.utils import timezone

from clinic.models import Clinic, Role, User
from clinic.services import clinic_create, user_create
from generation import services as generation
from generation.models import CandidateMotion, GenerationRequest
from patients import services as record
from patients.models import Condition, MovementLimit, Patient
from prescriptions.models import Prescription
from prescriptions.services import prescription_create, prescription_sign
from tests.generation import plain_squat

PASSWORD = "a-long-password-7"
DOSE = {
    "sets": 3, "repetitions": 8, "rest_s": 60, "sessions_per_week": 3, "weeks": 2,
    "instructions": "Go down.\nCome up.",
}


@dataclass
class Record:
    """One patient's record with a finished generation, a signed prescription and a draft."""

    patient: Patient
    condition: Condition
    limit: MovementLimit
    request: GenerationRequest
    candidate: CandidateMotion
    signed: Prescription
    draft: Prescription

    def ids(self, prescription: Prescription | None = None) -> dict:
        """What the addresses ask for."""
        return {
            "patient_id": self.patient.pk, "condition_id": self.condition.pk, "limit_id": self.limit.pk,
            "request_id": self.request.pk, "candidate_id": self.candidate.pk,
            "prescription_id": (prescription or self.signed).pk, "name": "ACLR_isolated",
        }


@dataclass
class Side:
    """One clinic: an administrator, the clinician of the patient, one who is not in the care team, the patient."""

    clinic: Clinic
    administrator: User
    clinician: User
    outsider: User
    patient: User
    record: Record

    def users(self) -> dict[str, User]:
        return {name: getattr(self, name) for name in ("administrator", "clinician", "outsider", "patient")}


@dataclass
class World:
    own: Side
    foreign: Side


@cache
def _answer(candidates: int, profile_key: str) -> plain_squat.PlainResult:
    return plain_squat.generate(json.loads(profile_key), candidates)


def plain_engine(request, owner):
    """The engine's place in tests of what surrounds it: reports progress, listens to cancellation, answers at once."""
    owner.report("searching", 0.5, "half way")
    if owner.lost():
        raise generation.Interrupted
    return _answer(request.candidate_count, json.dumps(request.profile, sort_keys=True))


def make_patient(clinician: User, given_name: str = "Lena", account: User | None = None) -> Patient:
    patient = record.patient_create(
        actor=clinician, given_name=given_name, family_name="Hofmann", birth_date=date(2001, 3, 4), sex="female"
    )
    record.body_measurement_record(
        actor=clinician, patient=patient, height_m=1.78, mass_kg=70, measured_on=timezone.localdate()
    )
    if account:
        record.patient_account_link(actor=clinician, patient=patient, account=account)
    return patient


def finished_request(clinician: User, patient: Patient, candidates: int = 3) -> GenerationRequest:
    request = generation.generation_request_create(
        actor=clinician, patient=patient, seed=1, candidate_count=candidates
    )
    generation.generation_request_run(request_id=request.pk)
    request.refresh_from_db()
    assert request.status == "succeeded", request.error_detail
    return request


def make_side(name: str) -> Side:
    clinic = clinic_create(name=name)
    people = {
        who: user_create(
            actor=None, clinic=clinic, email=f"{who}@{name}.example", full_name=f"{who.title()} {name.title()}",
            role=role, password=PASSWORD,
        )
        for who, role in (("administrator", Role.ADMINISTRATOR), ("clinician", Role.CLINICIAN),
                          ("outsider", Role.CLINICIAN), ("patient", Role.PATIENT))
    }
    clinician = people["clinician"]
    patient = make_patient(clinician, account=people["patient"])
    condition = record.condition_record(
        actor=clinician, patient=patient, name="ACLR_isolated", phase="wk 6-16", side="left",
        onset_on=timezone.localdate() - timedelta(weeks=9),
    )
    request = finished_request(clinician, patient)
    candidate = request.candidates.first()
    signed = prescription_create(actor=clinician, candidate=candidate, **DOSE)
    signed = prescription_sign(actor=clinician, prescription=signed, password=PASSWORD)
    draft = prescription_create(actor=clinician, candidate=candidate, **DOSE)
    limit = condition.limits.get(variable="knee_flexion")
    return Side(clinic=clinic, **people, record=Record(patient, condition, limit, request, candidate, signed, draft))


@pytest.fixture(scope="module")
def shared_world(django_db_setup, django_db_blocker):
    """One world for a module whose tests undo what they do."""
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch, transaction.atomic():
        patch.setattr(generation, "run_engine", plain_engine)
        yield World(make_side("north"), make_side("south"))
        transaction.set_rollback(True)


@pytest.fixture
def engine(monkeypatch) -> None:
    """Every test of the rooms around the engine that does not say otherwise runs with the plain squat."""
    monkeypatch.setattr(generation, "run_engine", plain_engine)


@pytest.fixture
def world(db, engine) -> World:
    return World(make_side("north"), make_side("south"))


@pytest.fixture
def side(db, engine) -> Side:
    return make_side("north")
