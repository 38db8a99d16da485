"""Two clinics with people of every role, made through the services: what tests of permissions and pages work on."""
from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone

from clinic.models import Clinic, Role, User
from clinic.services import clinic_create, user_create
from exercise.models import ExerciseSession
from exercise.services import session_record
from fall_risk import services as fall_risk
from fall_risk.models import Alert, Assessment, FallEvent, MonthlyReport, MotionRecording, ReleasedSummary
from fall_risk.reporting.document import Filters, report_document
from fall_risk.scores import INSTRUMENTS
from fall_risk.services.assessments import saves_of
from generation import apart, checks
from generation import services as generation
from generation.models import CandidateCheck, CandidateMotion, GenerationRequest, OwnMotion
from patients import services as record
from patients.models import Condition, MovementLimit, OwnModel, Patient
from prescriptions.models import MotionPicture, MotionShare, MotionVideo, Prescription
from prescriptions.services import prescription_create, prescription_sign
from prescriptions.shares import share_create
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
    assessment: Assessment
    fall: FallEvent
    alert: Alert
    summary: ReleasedSummary
    recording: MotionRecording
    report: MonthlyReport
    motion: OwnMotion
    video: MotionVideo
    share: MotionShare
    session: ExerciseSession

    def ids(self, prescription: Prescription | None = None) -> dict:
        """What the addresses ask for."""
        return {
            "patient_id": self.patient.pk, "condition_id": self.condition.pk, "limit_id": self.limit.pk,
            "request_id": self.request.pk, "candidate_id": self.candidate.pk,
            "prescription_id": (prescription or self.signed).pk, "name": "ACLR_isolated",
            "assessment_id": self.assessment.pk, "fall_id": self.fall.pk, "alert_id": self.alert.pk,
            "summary_id": self.summary.pk, "recording_id": self.recording.pk, "report_id": self.report.pk,
            "motion_id": self.motion.pk, "video_id": self.video.pk, "moment": "bottom", "share_id": self.share.pk,
            "session_id": self.session.pk,
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


def plain_check(check, owner):
    """OpenSim's place in tests of what surrounds it: confirms at once. `test_checks.py` asks OpenSim itself."""
    owner.report("statics", 0.5, "half way")
    if owner.lost():
        raise generation.Interrupted
    return plain_squat.verdict(check.candidate)


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


def checked(request: GenerationRequest) -> None:
    """Let the worker come to the checks of a request."""
    for check in CandidateCheck.objects.filter(candidate__request=request):
        checks.candidate_check_run(candidate_id=check.pk)


def assessed(clinician: User, patient: Patient, **answers) -> Assessment:
    """A complete assessment with these answers."""
    row = fall_risk.assessment_start(actor=clinician, patient=patient)
    return completed(clinician, filled_in(clinician, row, **answers))


def filled_in(clinician: User, row: Assessment, **answers) -> Assessment:
    """A draft with these answers, each in its section, the others of the section emptied."""
    for key, instrument in INSTRUMENTS.items():
        own = {field.key: answers[field.key] for field in instrument.fields if field.key in answers}
        if own:
            row = fall_risk.assessment_section_save(
                actor=clinician, assessment=row, section=key, answers=own, version=row.versions.get(key, 0)
            ).assessment
    return row


def completed(clinician: User, row: Assessment) -> Assessment:
    return fall_risk.assessment_complete(actor=clinician, assessment=row, saves=saves_of(row))


def fallen(clinician: User, patient: Patient, **changes) -> FallEvent:
    """A fall that the clinician records."""
    fall = {"occurred_on": timezone.localdate(), "injury": "minor", "submission": uuid4(), **changes}
    return fall_risk.fall_record(actor=clinician, patient=patient, **fall)


def _at_risk(clinician: User, patient: Patient) -> tuple:
    """A complete assessment, what is told to the patient, a fall with its alert, a recording, a monthly report. The
    fall comes before anything is signed, so that it puts nothing on hold."""
    fall = fallen(clinician, patient)
    recording_of = fall_risk.assessment_start(actor=clinician, patient=patient)
    recording = fall_risk.recording_upload(
        actor=clinician, assessment=recording_of, kind="sit_to_stand", file_name="chair.mot", content=b"not a motion"
    )
    assessment = completed(clinician, filled_in(clinician, recording_of, falls_12m=1, fall_injury=True, tug_s=16.0))
    summary = fall_risk.summary_release(actor=clinician, assessment=assessment, text="Train your legs.")
    month = timezone.localdate().replace(day=1)
    report = MonthlyReport.objects.create(
        clinic=patient.clinic, month=month,
        content=report_document(clinic=patient.clinic, filters=Filters(start=month, end=timezone.localdate())),
    )
    return assessment, fall, fall.alerts.get(), summary, recording, report


def _own_files(clinician: User, candidate: CandidateMotion) -> OwnMotion:
    """A model and a recording of the patient's own, as they are kept once they were read: it moves as the candidate."""
    patient = candidate.request.patient
    OwnModel.objects.create(
        patient=patient, file_name="own.osim", sha256="0" * 64, osim_gzip=gzip.compress(b"<OpenSimDocument/>"),
        mass_kg=70.0, muscle_count=80, uploaded_by=clinician,
    )
    return OwnMotion.objects.create(
        patient=patient, file_name="squat.mot", file=b"sent", sha256="0" * 64, uploaded_by=clinician, status="ready",
        mot_file=b"read", playback_gzip=candidate.playback_gzip, duration_s=3.0,
    )


def told(patient: User, signed: Prescription, **changes) -> ExerciseSession:
    """A session that the patient tells of, without trouble."""
    now = timezone.now()
    session = {"session_id": uuid4(), "started_at": now - timedelta(minutes=4), "finished_at": now, "sets": 3,
               "repetitions": 24, "pain_during": 2, "pain_after": 1, **changes}
    return session_record(actor=patient, prescription=signed, **session)


def made_video(signed: Prescription) -> MotionVideo:
    """The video that the signature asked for, as a worker leaves it; the file is none."""
    MotionPicture.objects.create(candidate=signed.candidate, moment="bottom", seconds=0.5, alt="Knees bent.", jpeg=b"x")
    MotionVideo.objects.filter(prescription=signed).update(
        status="ready", mp4=b"0123456789", captions="WEBVTT", poster=b"jpg", duration_s=9.0, facts={"bytes": 10},
        finished_at=timezone.now(),
    )
    return signed.videos.get()


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
    risk = _at_risk(clinician, patient)
    request = finished_request(clinician, patient)
    checked(request)
    candidate = request.candidates.first()
    signed = prescription_create(actor=clinician, candidate=candidate, **DOSE)
    signed = prescription_sign(actor=clinician, prescription=signed, password=PASSWORD)
    draft = prescription_create(actor=clinician, candidate=candidate, **DOSE)
    limit = condition.limits.get(variable="knee_flexion")
    return Side(clinic=clinic, **people, record=Record(
        patient, condition, limit, request, candidate, signed, draft, *risk, _own_files(clinician, candidate),
        made_video(signed), share_create(actor=clinician, candidate=candidate, shared_with=people["outsider"]),
        told(people["patient"], signed)))


@pytest.fixture(scope="module")
def shared_world(django_db_setup, django_db_blocker):
    """One world for a module whose tests undo what they do."""
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch, transaction.atomic():
        patch.setattr(generation, "run_engine", plain_engine)
        patch.setattr(checks, "run_opensim", plain_check)
        patch.setattr(apart, "personal_model", lambda profile, own_model: b"<OpenSimDocument/>")
        yield World(make_side("north"), make_side("south"))
        transaction.set_rollback(True)


@pytest.fixture
def engine(monkeypatch) -> None:
    """Every test of the rooms around the engine that does not say otherwise runs with the plain squat."""
    monkeypatch.setattr(generation, "run_engine", plain_engine)
    monkeypatch.setattr(checks, "run_opensim", plain_check)


@pytest.fixture
def world(db, engine) -> World:
    return World(make_side("north"), make_side("south"))


@pytest.fixture
def side(db, engine) -> Side:
    return make_side("north")
