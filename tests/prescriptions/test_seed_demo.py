"""The demo clinic: a squat for every role to see, made once, refused where it does not belong."""
from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command

from clinic.models import User
from exercise.models import ExerciseSession
from exercise.selectors import own_session_list
from generation import services as generation
from generation.models import GenerationRequest
from patients.models import Patient
from prescriptions.management.commands import seed_demo
from prescriptions.models import Prescription
from prescriptions.selectors import exercise_held, exercise_list
from tests.world import Side

MODELS = (User, Patient, GenerationRequest, Prescription, ExerciseSession)


@pytest.fixture
def worker(db, engine, settings, monkeypatch) -> None:
    """A worker that takes each job as soon as somebody waits for it."""
    settings.DEMO = True

    def work() -> None:
        for request in GenerationRequest.objects.filter(status="queued"):
            generation.generation_request_run(request_id=request.pk)

    monkeypatch.setattr(seed_demo, "_work_here", work)
    monkeypatch.setattr(seed_demo, "LIVE_SECONDS", 0)


def seed() -> str:
    said = io.StringIO()
    call_command("seed_demo", stdout=said)
    return said.getvalue()


def test_every_role_has_something_to_see_and_twice_is_once(worker):
    said = seed()
    assert all(email in said for email, _, _ in seed_demo.ACCOUNTS) and seed_demo.PASSWORD in said
    counts = [model.objects.count() for model in MODELS]
    lena = User.objects.get(email="lena@demo.example")
    assert exercise_list(user=lena).count() == 1
    assert own_session_list(user=lena).count() > 3 and not exercise_held(user=lena).exists()
    assert len({(p.body.height_m, p.body.mass_kg) for p in _with_bodies()}) == len(seed_demo.PATIENTS) >= 5
    assert GenerationRequest.objects.filter(status="queued").exists()
    assert seed() == said
    assert [model.objects.count() for model in MODELS] == counts


def _with_bodies() -> list[Patient]:
    patients = list(Patient.objects.all())
    for patient in patients:
        patient.body = patient.bodymeasurements.get()
    return patients


def test_it_refuses_beside_real_accounts_and_off_a_demo(side: Side, settings):
    settings.DEMO = True
    with pytest.raises(CommandError, match="real clinic"):
        seed()
    settings.DEMO = False
    with pytest.raises(CommandError, match="not a demo"):
        seed()
