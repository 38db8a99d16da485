"""Requests: queued with their row, run once, owned by one worker, cancelled, retried, parked."""
from __future__ import annotations

import gzip
import json

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from clinic.errors import ServiceError
from generation import services
from generation.engine.formats import read_mot
from generation.models import CandidateMotion, GenerationRequest
from tests.world import Side, make_patient, plain_engine


@pytest.fixture
def queued(side: Side) -> GenerationRequest:
    return services.generation_request_create(
        actor=side.clinician, patient=side.record.patient, seed=3, candidate_count=2
    )


def test_the_job_is_queued_with_the_row(queued: GenerationRequest):
    jobs = ProcrastinateJob.objects.filter(task_name="generation.run", args={"request_id": str(queued.pk)})
    assert [job.status for job in jobs] == ["todo"]
    assert queued.profile["height_m"] == 1.78 and queued.status == "queued"


def test_a_run_stores_files_that_open_again(side: Side):
    candidate = side.record.candidate
    motion = read_mot(bytes(candidate.mot_file))
    assert motion.frame_rate == pytest.approx(60, rel=1e-3)
    document = json.loads(gzip.decompress(candidate.playback_gzip))
    assert document["version"] == 2 and document["frames"] == len(motion.values)


def test_running_again_changes_nothing(side: Side):
    request = side.record.request
    before = list(request.candidates.values_list("pk", flat=True))
    services.generation_request_run(request_id=request.pk)
    assert list(request.candidates.values_list("pk", flat=True)) == before


def test_a_worker_that_was_replaced_stores_nothing(queued: GenerationRequest, monkeypatch):
    """The first worker is given up for dead in the middle; the second finishes; the first comes back to life."""

    def overtaken(request, owner):
        services.run_engine = plain_engine
        services.generation_request_run(request_id=request.pk)      # the second worker takes over and finishes
        assert owner.lost()
        return plain_engine(request, _Deaf())

    class _Deaf:
        def report(self, *args, **kwargs): ...
        def lost(self): return False

    monkeypatch.setattr(services, "run_engine", overtaken)
    services.generation_request_run(request_id=queued.pk)
    queued.refresh_from_db()
    assert queued.status == "succeeded" and queued.attempt == 2 and queued.interruptions == 1
    assert CandidateMotion.objects.filter(request=queued).count() == 2


def test_a_request_that_kills_workers_is_parked(queued: GenerationRequest):
    for _ in range(services.MOST_INTERRUPTIONS + 1):
        assert services._take(queued.pk) is not None        # and the worker dies
    assert services._take(queued.pk) is None
    queued.refresh_from_db()
    assert queued.status == "failed" and "parked" in queued.error


def test_cancelling_reaches_the_engine_and_keeps_nothing(queued: GenerationRequest, side: Side, monkeypatch):
    def cancelled_meanwhile(request, owner):
        services.generation_request_cancel(actor=side.clinician, request=request)
        return plain_engine(request, owner)

    monkeypatch.setattr(services, "run_engine", cancelled_meanwhile)
    services.generation_request_run(request_id=queued.pk)
    queued.refresh_from_db()
    assert queued.status == "cancelled" and not queued.candidates.exists()
    with pytest.raises(ServiceError) as error:
        services.generation_request_cancel(actor=side.clinician, request=queued)
    assert error.value.status == 409


def test_an_error_of_the_engine_is_told_and_can_be_retried(queued: GenerationRequest, side: Side, monkeypatch):
    def broken(request, owner):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(services, "run_engine", broken)
    services.generation_request_run(request_id=queued.pk)
    queued.refresh_from_db()
    assert queued.status == "failed"
    assert "out of memory" in queued.error_detail and "out of memory" not in queued.error
    monkeypatch.setattr(services, "run_engine", plain_engine)
    services.generation_request_retry(actor=side.administrator, request=queued)
    services.generation_request_run(request_id=queued.pk)
    queued.refresh_from_db()
    assert queued.status == "succeeded" and queued.candidates.count() == 2 and queued.error == ""


def test_progress_is_written_but_not_for_every_step(queued: GenerationRequest, monkeypatch):
    told = []
    monkeypatch.setattr(services.push, "changed", lambda request: told.append(request.stage))

    def busy(request, owner):
        for step in range(200):
            owner.report("guiding", step / 200, f"step {step}")
        row = GenerationRequest.objects.get(pk=request.pk)
        assert row.stage == "guiding" and row.detail.startswith("step")
        return plain_engine(request, owner)

    monkeypatch.setattr(services, "run_engine", busy)
    services.generation_request_run(request_id=queued.pk)
    assert told.count("guiding") < 20


def test_without_a_body_nothing_is_queued(side: Side):
    patient = make_patient(side.clinician, "Nobody")
    patient.bodymeasurements.all().delete()
    with pytest.raises(ServiceError, match="height and body mass"):
        services.generation_request_create(actor=side.clinician, patient=patient, seed=0, candidate_count=2)


def test_the_real_engine_through_the_same_door(side: Side, monkeypatch):
    """Two candidates by the model that ships: files, checks and the scaled model are what the pages need."""
    monkeypatch.undo()
    side.record.patient.ownmodels.all().delete()
    request = services.generation_request_create(
        actor=side.clinician, patient=side.record.patient, seed=0, candidate_count=2
    )
    services.generation_request_run(request_id=request.pk)
    request.refresh_from_db()
    assert request.status == "succeeded", request.error_detail
    assert request.model_versions["motion_model"]
    assert request.candidates.count() == 2
    for candidate in request.candidates.all():
        assert read_mot(bytes(candidate.mot_file)).frame_rate == pytest.approx(60, rel=1e-3)
        if candidate.accepted:
            assert all(check["satisfied"] for check in candidate.checks)
        else:
            assert candidate.reasons
    assert b"<OpenSimDocument" in gzip.decompress(request.scaled_model.osim_gzip)[:500]
