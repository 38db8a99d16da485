"""The page that compares motions of one patient."""
from __future__ import annotations

import tempfile
from pathlib import Path
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from clinic.errors import ServiceError
from generation import services
from generation.models import CandidateMotion, OwnMotion
from tests.world import Side, make_patient, make_side


@pytest.fixture
def browser(side: Side) -> Client:
    client = Client()
    client.force_login(side.clinician)
    return client


@pytest.fixture
def own(side: Side) -> OwnMotion:
    """A recording of the patient, which moves as a candidate does."""
    return OwnMotion.objects.create(
        patient=side.record.patient, file_name="own.mot", file=b"sent", sha256="0" * 64, uploaded_by=side.clinician,
        status="ready", mot_file=b"read", playback_gzip=side.record.candidate.playback_gzip, duration_s=1.0,
    )


def address(side: Side, *motions, **more) -> str:
    query = "&".join([*(f"motion={motion}" for motion in motions), *(f"{k}={v}" for k, v in more.items())])
    return f"{reverse('compare', args=[side.record.patient.pk])}?{query}"


def test_two_candidates_and_an_own_recording(browser: Client, side: Side, own: OwnMotion):
    rows = list(CandidateMotion.objects.filter(request=side.record.request).order_by("index"))
    page = browser.get(address(side, rows[0].pk, rows[1].pk, own.pk))
    assert page.status_code == 200
    motions = page.context["motions"]
    assert [motion.letter for motion in motions] == ["A", "B", "C"] and motions[2].is_own
    text = page.content.decode()
    assert text.count("<motion-player") == 3 and text.count('data-follows="player"') == 2
    groups = {group["title"]: group["rows"] for group in page.context["groups"]}
    knee = next(row for row in groups["Depth and tempo"] if row["label"] == "Greatest knee bend, right")
    assert len(knee["values"]) == 3 and all(value["text"].endswith("°") for value in knee["values"])
    limits = groups["Room left inside each limit"]
    assert limits and all(row["values"][2]["text"] == "–" for row in limits)        # a recording has no limits
    assert f'{reverse("generate", args=[side.record.patient.pk])}?candidate={rows[1].pk}' in text
    assert f"own_motion={own.pk}" in text


def test_one_over_the_other_and_by_time_stand_in_the_address(browser: Client, side: Side):
    rows = list(CandidateMotion.objects.filter(request=side.record.request).order_by("index"))
    page = browser.get(address(side, rows[0].pk, rows[1].pk, view="over", align="time"))
    text = page.content.decode()
    assert text.count("<motion-player") == 1 and 'align="time"' in text and "compare-src=" in text
    for link in ("view=side&amp;align=time", "view=over&amp;align=phase"):
        assert link in text
    page = browser.get(address(side, rows[0].pk, rows[1].pk, view="upside-down", align="no"))
    assert (page.context["view"], page.context["align"]) == ("side", "phase")


def test_too_few_are_asked_for_more(browser: Client, side: Side):
    for motions in ((), (side.record.candidate.pk,), (side.record.candidate.pk, side.record.candidate.pk)):
        page = browser.get(address(side, *motions))
        assert page.status_code == 200 and "Choose two to 4 motions." in page.content.decode()
    assert f'value="{side.record.candidate.pk}" checked' in page.content.decode()


def test_no_more_than_four(browser: Client, side: Side, own: OwnMotion):
    rows = list(CandidateMotion.objects.filter(request=side.record.request))
    wanted = [*(row.pk for row in rows), own.pk]
    page = browser.get(address(side, *wanted, *wanted))
    assert len(page.context["motions"]) == min(4, len(wanted))


def test_motions_of_others_and_nonsense_do_not_exist(browser: Client, side: Side):
    foreign = make_side("south").record
    for motion in (foreign.candidate.pk, foreign.motion.pk, uuid4(), "nonsense"):
        assert browser.get(address(side, side.record.candidate.pk, motion)).status_code == 404


def test_a_generation_starts_from_a_candidate(browser: Client, side: Side):
    patient, candidate = side.record.patient, side.record.candidate
    form = reverse("generate", args=[patient.pk])
    page = browser.get(f"{form}?candidate={candidate.pk}")
    assert page.context["form"].initial["start_candidate"] == str(candidate.pk)
    assert f'<option value="{candidate.pk}" selected' in page.content.decode()
    answer = browser.post(form, {"candidate_count": 2, "seed": 3, "start_candidate": candidate.pk})
    assert answer.status_code == 302
    request = patient.generation_requests.get(start_candidate=candidate)
    assert request.profile["reference_motion"].startswith(f"candidate {candidate.number} of ")
    with tempfile.TemporaryDirectory() as folder:
        files = services._files_of(request, Path(folder))
        assert Path(files["reference_motion"]).read_bytes() == bytes(candidate.mot_file)
    foreign = make_side("south").record.candidate
    browser.post(form, {"candidate_count": 2, "seed": 3, "start_candidate": foreign.pk})
    assert not patient.generation_requests.exclude(pk=request.pk).filter(start_candidate__isnull=False).exists()
    assert browser.get(f"{form}?candidate=nonsense").status_code == 200
    api = reverse("api:generation_list", args=[patient.pk])
    for wrong in (foreign.pk, uuid4()):
        answer = browser.post(api, {"start_candidate": str(wrong)}, content_type="application/json")
        assert answer.status_code == 400 and "start_candidate" in answer.content.decode()
    answer = browser.post(api, {"start_candidate": str(candidate.pk)}, content_type="application/json")
    assert answer.status_code == 202
    with pytest.raises(ServiceError, match="not from both"):
        services.generation_request_create(
            actor=side.clinician, patient=patient, seed=1, candidate_count=1, own_motion=side.record.motion,
            start_candidate=candidate)
    with pytest.raises(ServiceError, match="of this patient"):
        services.generation_request_create(
            actor=side.clinician, patient=make_patient(side.clinician, "Zoe"), seed=1, candidate_count=1,
            start_candidate=candidate)
