"""The best motion so far of a running generation: stored by its worker alone, shown to clinicians, gone at the end."""
from __future__ import annotations

import json

import pytest
from django.test import Client
from django.urls import reverse

from generation import services
from generation.models import GenerationPreview, GenerationRequest
from generation.ownership import Interrupted
from tests.world import Side, plain_engine

PICTURE = {"version": 2, "frames": 1}


@pytest.fixture
def queued(side: Side) -> GenerationRequest:
    return services.generation_request_create(actor=side.clinician, patient=side.record.patient, seed=1,
                                              candidate_count=2)


def test_a_running_generation_shows_its_best_motion_and_keeps_no_picture(queued, side: Side, monkeypatch):
    browser = Client()
    browser.force_login(side.clinician)
    addresses = [reverse(name, kwargs={"request_id": queued.pk}) for name in
                 ("generation_preview", "api:generation_preview")]
    assert [browser.get(address).status_code for address in addresses] == [204, 204]
    monkeypatch.setattr(services, "PREVIEW_SECONDS", 0.0)

    def with_pictures(request, owner):
        previews = services.Previews(owner)
        for number in (1, 2):
            previews.show(PICTURE | {"frames": number})
            for address in addresses:
                answer = browser.get(address)
                assert json.loads(answer.content)["frames"] == number
                assert answer["Preview-Number"] == str(number) and "no-store" in answer["Cache-Control"]
        return plain_engine(request, owner)

    monkeypatch.setattr(services, "run_engine", with_pictures)
    services.generation_request_run(request_id=queued.pk)
    queued.refresh_from_db()
    assert queued.status == "succeeded", queued.error_detail
    assert not GenerationPreview.objects.exists() and browser.get(addresses[0]).status_code == 204


def test_pictures_in_a_hurry_are_passed_over_and_a_lost_owner_stores_none(queued, side: Side, monkeypatch):
    def cancelled_meanwhile(request, owner):
        hurried = services.Previews(owner)
        hurried.show(PICTURE)
        hurried.show(PICTURE)
        assert GenerationPreview.objects.get().number == 1
        services.generation_request_cancel(actor=side.clinician, request=request)
        services.Previews(owner).show(PICTURE)
        raise Interrupted

    monkeypatch.setattr(services, "run_engine", cancelled_meanwhile)
    services.generation_request_run(request_id=queued.pk)
    assert not GenerationPreview.objects.exists()
