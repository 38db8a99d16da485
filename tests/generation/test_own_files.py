"""A patient's own model and own motions: looked through before they are kept, told where they are wrong, used."""
from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import Http404
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob

from clinic.errors import ServiceError
from generation import own_models, own_motions, ownership, reading, services
from generation.engine.body import COORDINATES, MODEL_FILE, TorchBody, scale_body
from generation.engine.formats import Motion, read_mot, write_mot
from generation.engine.profile import parse_profile
from generation.models import OwnMotion
from patients import services as record
from patients.models import OwnModel
from patients.selectors import own_model_current, patient_profile
from tests.generation import plain_squat
from tests.world import Side, World

GENERIC = MODEL_FILE.read_bytes()


@pytest.fixture
def squat_file(tmp_path: Path) -> bytes:
    """A squat of the patient as OpenSim would write it."""
    motion = plain_squat.squat(TorchBody(scale_body("female", 25, 1.78, 70)).double(), 70.0)
    write_mot(tmp_path / "own.mot", motion)
    return (tmp_path / "own.mot").read_bytes()


def read(side: Side, name: str, content: bytes) -> OwnMotion:
    """Upload, and let the worker read it."""
    side.record.patient.ownmodels.all().delete()
    row = own_motions.own_motion_upload(
        actor=side.clinician, patient=side.record.patient, file_name=name, content=content
    )
    own_motions.own_motion_read(motion_id=row.pk)
    row.refresh_from_db()
    return row


# ---- the model ----------------------------------------------------------------------------------------------------

def test_a_model_is_read_before_it_is_kept_and_replaces_the_earlier(side: Side):
    patient = side.record.patient
    row = own_models.own_model_upload(
        actor=side.clinician, patient=patient, file_name="C:\\cases\\anna.osim", content=GENERIC
    )
    assert row.file_name == "anna.osim" and row.muscle_count == 80 and row.mass_kg > 60
    assert own_model_current(patient) == row and OwnModel.objects.filter(patient=patient).count() == 2
    assert gzip.decompress(row.osim_gzip) == GENERIC
    request = services.generation_request_create(
        actor=side.clinician, patient=patient, seed=1, candidate_count=1
    )
    assert request.profile["model_osim"] == "anna.osim" and request.own_model == row
    own_models.own_model_remove(actor=side.clinician, patient=patient)
    assert own_model_current(patient) is None and "model_osim" not in patient_profile(patient)
    request.refresh_from_db()
    assert request.own_model == row         # what was asked stays what was asked


@pytest.mark.parametrize(("name", "content", "told"), [
    ("body.txt", b"x", "kind .osim"),
    ("body.osim", b"", "empty"),
    ("body.osim", b"<OpenSimDocument><Model/>", "Line 1"),
    ("body.osim", b'<!DOCTYPE a [<!ENTITY b "c">]><OpenSimDocument/>', "document types"),
    ("body.osim", b"<OpenSimDocument><Model><a/></Model></OpenSimDocument>", ""),
])
def test_a_model_that_is_none_is_refused_with_a_sentence(side: Side, name, content, told):
    patient = side.record.patient
    before = own_model_current(patient)
    with pytest.raises(ServiceError) as error:
        own_models.own_model_upload(actor=side.clinician, patient=patient, file_name=name, content=content)
    assert error.value.errors[0].field == "file" and told in str(error.value)
    assert own_model_current(patient) == before       # nothing is lost


def test_the_model_that_stands_for_the_patient_is_downloaded(side: Side):
    patient = side.record.patient
    patient.ownmodels.all().delete()
    record.segment_length_record(actor=side.clinician, patient=patient, segment="thigh", side="both", length_m=0.47,
                                 measured_on=patient.birth_date)
    browser = Client()
    browser.force_login(side.clinician)
    answer = browser.get(f"/patients/{patient.pk}/model.osim")
    assert answer.status_code == 200 and b"<OpenSimDocument" in answer.content
    record.segment_length_record(actor=side.clinician, patient=patient, segment="shank", side="left", length_m=0.9,
                                 measured_on=patient.birth_date)
    told = browser.get(f"/api/v1/patients/{patient.pk}/model.osim")
    assert told.status_code == 400
    assert told.json()["errors"][0]["field"].startswith("segment_lengths_m.shank")
    page = browser.get(f"/patients/{patient.pk}/model.osim")
    assert page.status_code == 422 and "check the unit" in page.content.decode()


# ---- motions ------------------------------------------------------------------------------------------------------

def test_joint_angles_are_read_and_shown(side: Side, squat_file):
    row = read(side, "own.mot", squat_file)
    assert row.is_ready and row.error == "" and row.duration_s == pytest.approx(1.0, abs=0.02)
    kept = read_mot(bytes(row.mot_file), COORDINATES)
    knee = np.degrees(kept.column("knee_angle_r"))
    assert knee.max() - knee.min() == pytest.approx(70, abs=1)
    document = json.loads(gzip.decompress(row.playback_gzip))
    assert document["version"] == 2 and document["frames"] == len(kept.values)
    before = bytes(row.mot_file)
    own_motions.own_motion_read(motion_id=row.pk)       # the queue calls at least once
    row.refresh_from_db()
    assert bytes(row.mot_file) == before and row.attempt == 1


@pytest.mark.parametrize(("name", "change", "told"), [
    ("own.mot", lambda text: text.replace("endheader", "endhead"), "endheader"),
    ("own.mot", lambda text: "\n".join([*text.splitlines()[:20], "0.2\tx"]), "ine"),
    ("own.mot", lambda text: text.replace("knee_angle_r\t", "elbow_r\t", 1), "knee_angle_r"),
    ("own.trc", lambda text: text, "Line 1"),
])
def test_a_motion_that_is_none_is_refused_with_its_place_and_kept(side: Side, squat_file, name, change, told):
    sent = change(squat_file.decode()).encode()
    row = read(side, name, sent)
    assert row.status == "failed" and told in row.error, row.error
    assert bytes(row.file) == sent          # nothing is lost
    page = Client()
    page.force_login(side.clinician)
    assert "This recording cannot be used" in page.get(f"/own-motions/{row.pk}/").content.decode()


def test_a_fast_recording_is_thinned(side: Side, tmp_path):
    slow = plain_squat.squat(TorchBody(scale_body("female", 25, 1.78, 70)).double(), 70.0)
    fast = Motion(COORDINATES, np.repeat(slow.values, 3, axis=0), 180.0)
    write_mot(tmp_path / "fast.mot", fast)
    row = read(side, "fast.mot", (tmp_path / "fast.mot").read_bytes())
    kept = read_mot(bytes(row.mot_file), COORDINATES)
    assert kept.frame_rate == pytest.approx(60, rel=1e-3) and len(kept.values) == len(slow.values)
    given = [not name.endswith("_beta") for name in COORDINATES]       # the patella's are derived from the knee's
    np.testing.assert_allclose(kept.values[:, given], slow.values[:, given], atol=1e-6)


def test_markers_of_a_person_are_told_what_is_missing(side: Side):
    trc = ("PathFileType\t4\t(X/Y/Z)\tx.trc\n"
           "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames\n"
           "60\t60\t2\t1\tmm\t60\t1\t2\nFrame#\tTime\tLASI\t\t\n\t\tX1\tY1\tZ1\n\n"
           "1\t0.0\t1\t2\t3\n2\t0.016667\t1\t2\t3\n")
    row = read(side, "markers.trc", trc.encode())
    assert row.status == "failed" and "missing" in row.error and "RASI" in row.error


def test_wrong_kinds_and_sizes_are_refused_at_once(side: Side):
    for name, content, told in (("own.c3d", b"x", "kind .mot or .trc"), ("own.mot", b"", "empty"),
                                ("own.mot", b"x" * (own_motions.MOST_BYTES + 1), "larger than 10 MB")):
        with pytest.raises(ServiceError, match=told):
            own_motions.own_motion_upload(
                actor=side.clinician, patient=side.record.patient, file_name=name, content=content
            )


def test_a_recording_that_kills_workers_is_given_up(side: Side, squat_file):
    row = own_motions.own_motion_upload(
        actor=side.clinician, patient=side.record.patient, file_name="own.mot", content=squat_file
    )
    for _ in range(own_motions.MOST_ATTEMPTS):
        assert own_motions._take(row.pk) is not None        # and the worker dies
    assert own_motions._take(row.pk) is None
    row.refresh_from_db()
    assert row.status == "failed" and "given up" in row.error


def test_markers_make_room_for_what_people_wait_for(side: Side, monkeypatch):
    monkeypatch.setattr(ownership, "LOOK_S", 0.0)
    row = own_motions.own_motion_upload(
        actor=side.clinician, patient=side.record.patient, file_name="own.trc", content=b"markers"
    )
    services.generation_request_create(actor=side.clinician, patient=side.record.patient, seed=5, candidate_count=1)

    def stopped(*, cancelled, **asked):
        assert any(cancelled() for _ in range(3)) == (row.attempt < ownership.MOST_ASIDE)
        raise reading.Cancelled if row.attempt < ownership.MOST_ASIDE else reading.ReadingFailed("No markers.")

    monkeypatch.setattr(reading, "read", stopped)
    jobs = ProcrastinateJob.objects.filter(queue_name="recordings", args={"motion_id": str(row.pk)})
    for count in range(1, ownership.MOST_ASIDE + 1):
        own_motions.own_motion_read(motion_id=row.pk)
        row.refresh_from_db()
        assert (row.status, row.attempt, jobs.count()) == ("queued", count, count + 1)
    own_motions.own_motion_read(motion_id=row.pk)
    row.refresh_from_db()
    assert (row.status, row.error) == ("failed", "No markers.")


def test_a_generation_starts_from_it(side: Side, squat_file, monkeypatch):
    row = read(side, "own.mot", squat_file)
    asked = {}

    def engine(profile, **rest):
        asked["knee"] = read_mot(profile.reference_motion, COORDINATES).column("knee_angle_r").max()
        return plain_squat.generate(request.profile, 1)

    monkeypatch.undo()
    monkeypatch.setattr("generation.engine.generate.generate", engine)
    request = services.generation_request_create(
        actor=side.clinician, patient=side.record.patient, seed=1, candidate_count=1, own_motion=row
    )
    assert parse_profile(request.profile).reference_motion == "own.mot"
    monkeypatch.setattr(plain_squat, "generate", _with_profile(plain_squat.generate))
    services.generation_request_run(request_id=request.pk)
    request.refresh_from_db()
    assert request.status == "succeeded", request.error_detail
    assert np.degrees(asked["knee"]) == pytest.approx(70, abs=2)
    assert request.report["profile"]["reference_motion"] == "own.mot"       # no path of this machine


def _with_profile(generate):
    def plain(profile, candidates):
        result = generate(profile, candidates)
        result.report["profile"] = dict(profile)
        return result

    return plain


def test_only_a_recording_of_this_patient_that_was_read(world: World, squat_file):
    foreign = world.foreign.record.motion
    with pytest.raises(ServiceError) as error:
        services.generation_request_create(
            actor=world.own.clinician, patient=world.own.record.patient, seed=1, candidate_count=1, own_motion=foreign
        )
    assert error.value.errors[0].field == "own_motion"
    api = Client()
    api.force_login(world.own.clinician)
    address = f"/api/v1/patients/{world.own.record.patient.pk}/generation-requests/"
    told = api.post(address, json.dumps({"own_motion": str(foreign.pk)}), content_type="application/json")
    assert told.status_code == 400 and told.json()["errors"][0]["field"] == "own_motion"
    with pytest.raises(Http404):
        own_motions.own_motion_remove(actor=world.own.clinician, motion=foreign)


def test_pages_and_api_take_the_files(side: Side, squat_file):
    browser = Client()
    browser.force_login(side.clinician)
    patient = side.record.patient.pk
    side.record.patient.ownmodels.all().delete()
    wrong = browser.post(f"/patients/{patient}/own-motions/new/", {"file": SimpleUploadedFile("a.txt", b"x")})
    assert wrong.status_code == 422 and "kind .mot or .trc" in wrong.content.decode()
    made = browser.post(f"/patients/{patient}/own-motions/new/", {"file": SimpleUploadedFile("a.mot", squat_file)})
    assert made.status_code == 302
    assert "data-socket" in browser.get(made.url).content.decode()
    sent = {"file_name": "b.mot", "content": base64.b64encode(squat_file).decode()}
    queued = browser.post(f"/api/v1/patients/{patient}/own-motions/", json.dumps(sent), content_type="application/json")
    assert queued.status_code == 202 and queued.json()["status"] == "queued"
    not_yet = browser.get(f"/api/v1/own-motions/{queued.json()['id']}/playback/")
    assert not_yet.status_code == 404
    own_motions.own_motion_read(motion_id=queued.json()["id"])
    page = browser.get(f"/patients/{patient}/generate/?own_motion={queued.json()['id']}").content.decode()
    assert "Start from the patient" in page and "b.mot" in page
    bad = browser.post(f"/api/v1/patients/{patient}/own-motions/", json.dumps({**sent, "content": "?"}),
                       content_type="application/json")
    assert bad.status_code == 400 and bad.json()["errors"][0]["field"] == "content"
    gone = browser.delete(f"/api/v1/own-motions/{queued.json()['id']}/")
    assert gone.status_code == 204
    assert "b.mot" not in browser.get(f"/patients/{patient}/").content.decode()
