"""`manage.py seed_demo`: a demo clinic with people, patients and a signed squat, made by the services the pages use.

Running it again changes nothing that is there. It is for demonstrations only: everybody can read its password here, so
it refuses a database that holds accounts of anybody else, and any site that is not a demo (GENUFLEX_DEMO=0).
"""
from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from unittest import mock

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from procrastinate.contrib.django import app as queue

from clinic.models import Clinic, Role, User
from clinic.services import clinic_create, user_create
from generation.checks import candidate_check_hurry, candidate_check_run
from generation.models import CandidateCheck, GenerationRequest, RequestStatus
from generation.selectors import candidate_get, candidate_list
from generation.services import generation_request_create
from patients import services as record
from patients.models import Patient
from prescriptions.models import Prescription
from prescriptions.services import prescription_create, prescription_new_version, prescription_sign
from prescriptions.videos import video_cancel
from prescriptions.words import instructions

CLINIC = "Riverside Physiotherapy (demo)"
PASSWORD = "squat-demo-2026"    # noqa: S105 - a demo's, printed for everybody
ACCOUNTS = (
    ("admin@demo.example", "Ada Lindqvist", Role.ADMINISTRATOR),
    ("maria@demo.example", "Maria Okafor", Role.CLINICIAN),
    ("jonas@demo.example", "Jonas Weber", Role.CLINICIAN),
    ("lena@demo.example", "Lena Hofmann", Role.PATIENT),
    ("rosa@demo.example", "Rosa Marchetti", Role.PATIENT),
)
MARIA, JONAS = "maria@demo.example", "jonas@demo.example"
# given name, family name, sex, age, height, mass, clinician, account, conditions (name, phase, side, weeks since)
PATIENTS = (
    ("Lena", "Hofmann", "female", 24, 1.86, 74.0, MARIA, "lena@demo.example",
     (("ACLR_isolated", "wk 6-16", "left", 10),)),
    ("Rosa", "Marchetti", "female", 71, 1.52, 58.0, MARIA, "rosa@demo.example", (("knee_OA", "", "right", 160),)),
    ("Derek", "Coleman", "male", 34, 1.80, 118.0, MARIA, None, (("LBP", "", "", 14),)),
    ("Ingrid", "Solberg", "female", 82, 1.60, 52.0, JONAS, None, (("frail_elderly", "", "", 60),)),
    ("Peter", "Nakamura", "male", 55, 1.70, 81.0, JONAS, None, (("TKA", "wk 6+ strengthening", "right", 9),)),
    ("Sam", "Adeyemi", "male", 29, 1.75, 70.0, MARIA, None, ()),
)
AWAITED = "Hofmann"         # generated and signed before the command ends
QUEUED = ("Marchetti",)     # left to the worker
CANDIDATES = 6
FIRST_SIGNED_DAYS = 13      # ago
WAIT_SECONDS = 900
LIVE_SECONDS = 15           # a worker that has not taken the job by then is taken for absent


class Command(BaseCommand):
    help = "Make the demo clinic (for demonstrations only)."

    def handle(self, **options) -> None:
        if not settings.DEMO:
            raise CommandError("This site is not a demo (GENUFLEX_DEMO=0): no demo accounts are made here.")
        if User.objects.exclude(clinic__name=CLINIC).exists():
            raise CommandError("This database has accounts of a real clinic: no demo accounts are made beside them.")
        users = self._accounts()
        patients = [self._patient(users, *row) for row in PATIENTS]
        for patient in patients:
            if patient.family_name == AWAITED:
                self._prescribe(patient)
        for patient in patients:
            if patient.family_name in QUEUED:
                self._requested(patient)
        call_command("seed_fall_risk")
        call_command("seed_exercise")
        self.stdout.write(self._sentence())

    def _accounts(self) -> dict[str, User]:
        clinic = Clinic.objects.filter(name=CLINIC).first() or clinic_create(name=CLINIC)
        administrator = None
        for email, full_name, role in ACCOUNTS:
            user = User.objects.filter(email=email).first() or user_create(
                actor=administrator, clinic=clinic, email=email, full_name=full_name, role=role, password=PASSWORD
            )
            administrator = administrator or user
        return {user.email: user for user in clinic.users.all()}

    def _patient(
        self, users, given, family, sex, age, height_m, mass_kg, clinician, account, conditions
    ) -> Patient:
        actor = users[clinician]
        patient = Patient.objects.filter(clinic=actor.clinic, given_name=given, family_name=family).first()
        if patient is None:
            patient = record.patient_create(
                actor=actor, given_name=given, family_name=family, sex=sex, birth_date=_born(age)
            )
        if not patient.bodymeasurements.exists():
            record.body_measurement_record(
                actor=actor, patient=patient, height_m=height_m, mass_kg=mass_kg, measured_on=timezone.localdate()
            )
        for name, phase, side, weeks in conditions:
            if not patient.conditions.filter(name=name).exists():
                record.condition_record(
                    actor=actor, patient=patient, name=name, phase=phase, side=side,
                    onset_on=timezone.localdate() - timedelta(weeks=weeks),
                )
        if account and patient.account is None:
            record.patient_account_link(actor=actor, patient=patient, account=users[account])
        return patient

    def _requested(self, patient: Patient) -> GenerationRequest:
        open_or_done = patient.generation_requests.exclude(status__in=(RequestStatus.FAILED, RequestStatus.CANCELLED))
        return open_or_done.first() or generation_request_create(
            actor=patient.care_team.first(), patient=patient, seed=0, candidate_count=CANDIDATES
        )

    def _prescribe(self, patient: Patient) -> None:
        """Generate through the queue, take the best accepted motion that OpenSim confirms, sign it."""
        if Prescription.objects.filter(patient=patient).exists():
            return
        clinician = patient.care_team.first()
        request = self._finished(self._requested(patient))
        accepted = candidate_list(user=clinician, request=request).filter(accepted=True)
        for best in accepted:
            if self._checked(candidate_check_hurry(candidate=best)).is_passed:
                motion = candidate_get(user=clinician, candidate_id=best.pk, with_files=True)
                draft = prescription_create(
                    actor=clinician, candidate=motion, sets=3, repetitions=8, rest_s=60, sessions_per_week=3, weeks=2,
                    instructions=instructions(motion), equipment="A stable chair within reach.",
                )
                self._sign_twice(clinician, draft)
                return
        raise CommandError(f"No generated squat keeps every limit of {patient.full_name}: nothing can be signed.")

    def _sign_twice(self, clinician: User, draft: Prescription) -> None:
        """What the sessions of two weeks are of, and what is in force after it. Only the second is filmed."""
        with _clock_put_back(timedelta(days=FIRST_SIGNED_DAYS)):
            first = prescription_sign(actor=clinician, prescription=draft, password=PASSWORD)
        video_cancel(actor=clinician, video=first.videos.get())
        second = prescription_new_version(actor=clinician, prescription=first)
        prescription_sign(actor=clinician, prescription=second, password=PASSWORD)

    def _checked(self, check: CandidateCheck) -> CandidateCheck:
        """Wait for OpenSim's word on this one candidate; the others are left to the worker."""
        return self._over(check, lambda: candidate_check_run(candidate_id=check.pk), "check by OpenSim")

    def _finished(self, request: GenerationRequest) -> GenerationRequest:
        request = self._over(request, _work_here, "squat")
        if request.status != RequestStatus.SUCCEEDED:
            raise CommandError(f"The demo squat was not generated: {request.error} {request.error_detail}".strip())
        return request

    def _over(self, row, work_here: Callable[[], None], what: str):
        """Wait until the worker is done with a row; where none runs, do it here."""
        started = time.monotonic()
        while row.is_open:
            waited = time.monotonic() - started
            if row.attempt == 0 and waited > LIVE_SECONDS:
                work_here()
            elif waited > WAIT_SECONDS:
                raise CommandError(f"The demo's {what} was not ready within {WAIT_SECONDS} s.")
            else:
                time.sleep(0.25)
            row.refresh_from_db()
        return row

    def _sentence(self) -> str:
        width = max(len(email) for email, _, _ in ACCOUNTS)
        lines = [f"  {email:<{width}}  {role.label}, {name}" for email, name, role in ACCOUNTS]
        return "\n".join([f"Demo accounts (for demonstrations only), password {PASSWORD}", *lines, ""])


def _work_here() -> None:
    """Do what the queue holds, in this process."""
    with queue.replace_connector(queue.connector.get_worker_connector()) as app:
        app.run_worker(queues=["generation"], wait=False, concurrency=1, install_signal_handlers=False)


def _born(age: int) -> date:
    """A birth date that makes somebody `age` years old for most of a year."""
    today = timezone.localdate()
    return date(today.year - age, 1, 15) if (today.month, today.day) >= (1, 15) else date(today.year - age - 1, 1, 15)


@contextmanager
def _clock_put_back(by: timedelta) -> Iterator[None]:
    """A demo needs a past. The services that make it keep all their checks."""
    now = timezone.now
    with mock.patch.object(timezone, "now", lambda: now() - by):
        yield
