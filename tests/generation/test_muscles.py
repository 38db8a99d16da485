"""Muscle documents of candidates: made by a job, replaced by OpenSim's, seen by those who see the candidate."""
from __future__ import annotations

import gzip
import json

import pytest
from django.http import Http404
from django.test import Client
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob

from generation import muscles
from generation.engine.body import MODEL_FILE
from generation.models import CandidateMuscles, ScaledModel
from tests.generation import plain_squat
from tests.world import Side


@pytest.fixture
def candidate(side: Side):
    return side.record.candidate


def test_a_job_makes_the_documents_by_the_fast_route(side: Side, candidate, monkeypatch):
    CandidateMuscles.objects.all().delete()
    jobs = ProcrastinateJob.objects.filter(task_name="generation.muscles")
    assert str(candidate.request_id) in [job.args["request_id"] for job in jobs]
    asked = []

    def no_forces(motion, body, route, every):      # the physics has its own tests, and takes a minute for a new body
        asked.append((route, every))

    ScaledModel.objects.filter(pk=candidate.request_id).update(osim_gzip=gzip.compress(MODEL_FILE.read_bytes()))
    monkeypatch.setattr("generation.engine.analysis.analyse", no_forces)
    muscles.muscles_run(request_id=candidate.request_id)
    muscles.muscles_run(request_id=candidate.request_id)        # the queue calls at least once
    accepted = candidate.request.candidates.filter(accepted=True).count()
    assert asked == [("fast", 4)] * accepted and CandidateMuscles.objects.count() == accepted
    row = CandidateMuscles.objects.get(pk=candidate.pk)
    assert row.route == "fast"
    document = json.loads(gzip.decompress(row.document_gzip))
    assert len(document["muscles"]) == 80 and "activation" not in document


def test_the_check_by_opensim_puts_its_own_in_their_place(side: Side, candidate):
    CandidateMuscles.objects.all().delete()
    muscles.muscles_by_opensim(candidate_id=candidate.pk, document=plain_squat.verdict(candidate).muscles)
    row = CandidateMuscles.objects.get(pk=candidate.pk)
    assert row.route == "opensim" and json.loads(gzip.decompress(row.document_gzip))["by"] == "OpenSim"


def test_who_may_see_them(side: Side, candidate):
    CandidateMuscles.objects.all().delete()
    with pytest.raises(Http404):
        muscles.muscles_get(user=side.clinician, candidate_id=candidate.pk)
    muscles.muscles_by_opensim(candidate_id=candidate.pk, document={"version": 1})
    browser = Client()
    for name in ("candidate_muscles", "api:candidate_muscles"):
        address = reverse(name, kwargs={"candidate_id": candidate.pk})
        browser.force_login(side.clinician)
        answer = browser.get(address, headers={"accept-encoding": "gzip"})
        assert answer.status_code == 200 and answer["Content-Encoding"] == "gzip"
        assert json.loads(gzip.decompress(answer.content)) == {"version": 1}
        browser.force_login(side.patient)
        assert browser.get(address).status_code in (403, 404)
