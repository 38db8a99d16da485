"""Recordings: analysed by the engine in a worker, proposed, confirmed or corrected by a clinician."""
from __future__ import annotations

import numpy as np
import pytest
from django.test import Client

from clinic.errors import ServiceError
from fall_risk import services
from fall_risk.models import Assessment, MotionProfile, MotionRecording
from generation.engine.body import COORDINATES
from generation.engine.formats import Motion, write_mot
from tests.world import Side, make_patient

RISES, PERIOD_S, RATE = 11, 2.8, 60.0       # 30.8 s: eleven rises, and 30 s from the first


@pytest.fixture
def draft(side: Side) -> Assessment:
    return services.assessment_start(actor=side.clinician, patient=make_patient(side.clinician, "Nora"))


@pytest.fixture(scope="module")
def chair_stands(tmp_path_factory) -> bytes:
    """A body that sits and stands eleven times, as a .mot file."""
    times = np.arange(0, 1 + RISES * PERIOD_S, 1 / RATE)
    phase = np.clip(times - 0.5, 0, RISES * PERIOD_S) / PERIOD_S * 2 * np.pi
    seated = (1 + np.cos(phase)) / 2            # 1 on the chair, 0 upright
    values = np.zeros((len(times), len(COORDINATES)))
    for name, sitting, standing in (
        ("pelvis_ty", 0.60, 0.93), ("hip_flexion_r", 1.5, 0.1), ("hip_flexion_l", 1.5, 0.1),
        ("knee_angle_r", 1.6, 0.1), ("knee_angle_l", 1.5, 0.1), ("pelvis_tilt", -0.3, 0.0),
    ):
        values[:, COORDINATES.index(name)] = standing + (sitting - standing) * seated
    path = tmp_path_factory.mktemp("recording") / "chair.mot"
    write_mot(path, Motion(COORDINATES, values, RATE))
    return path.read_bytes()


def uploaded(side: Side, draft: Assessment, content: bytes, kind: str = "sit_to_stand") -> MotionRecording:
    row = services.recording_upload(
        actor=side.clinician, assessment=draft, kind=kind, file_name="chair.mot", content=content
    )
    services.recording_analyse(recording_id=row.pk)
    row.refresh_from_db()
    return row


def test_chair_stands_are_counted_and_enter_only_when_confirmed(side: Side, draft: Assessment, chair_stands: bytes):
    row = uploaded(side, draft, chair_stands)
    assert row.status == "done", row.error
    proposed = {item["field"]: item["value"] for item in row.result["proposals"]}
    assert len(row.result["rises"]) == RISES and proposed["cst_count"] in (RISES - 1, RISES)
    assert proposed["fcs_s"] == pytest.approx(4 * PERIOD_S + PERIOD_S / 2, abs=0.4)
    keys = {measure["key"] for measure in row.result["measures"]}
    assert {"peak_velocity", "mean_power", "knee_asymmetry", "trunk_lean", "sparc"} <= keys
    assert "margin_of_stability" not in keys        # on a chair it has no meaning
    draft.refresh_from_db()
    assert draft.answers == {}
    saved = services.assessment_section_save(
        actor=side.clinician, assessment=draft, section="chair_stand_30s", answers={"cst_used_arms": False}, version=0
    )
    done = services.recording_confirm(actor=side.clinician, recording=row, answers={"cst_count": 9})
    assert done.answers == {"cst_used_arms": False, "cst_count": 9}
    assert done.origins["cst_count"]["measured"] == proposed["cst_count"] and done.versions["chair_stand_30s"] == 2
    with pytest.raises(ServiceError) as error:      # an editor who has not seen it
        services.assessment_section_save(actor=side.clinician, assessment=saved.assessment, section="chair_stand_30s",
                                         answers={}, version=1)
    assert error.value.status == 409
    with pytest.raises(ServiceError, match="confirmed already"):
        services.recording_confirm(actor=side.clinician, recording=row, answers={"cst_count": 9})


def test_on_the_page_it_is_corrected_and_taken_over(side: Side, draft: Assessment, chair_stands: bytes):
    row = uploaded(side, draft, chair_stands)
    browser = Client()
    browser.force_login(side.clinician)
    address = f"/fall-recordings/{row.pk}/"
    assert "times of getting up" in browser.get(address).content.decode()
    wrong = browser.post(address, {"take_cst_count": "on", "cst_count": "many"})
    assert wrong.status_code == 422 and "Enter a number" in wrong.content.decode()
    browser.post(address, {"take_cst_count": "on", "cst_count": "8", "fcs_s": "12"})
    draft.refresh_from_db()
    assert draft.answers == {"cst_count": 8}        # what was not ticked stays out
    text = browser.get(f"/fall-assessments/{draft.pk}/").content.decode()
    assert "From the recording chair.mot, confirmed by Clinician North." in text
    assert browser.get(f"{address}file/").content == chair_stands


def test_squats_are_measured_and_propose_nothing(side: Side, draft: Assessment, chair_stands: bytes):
    row = uploaded(side, draft, chair_stands, kind="squat")
    assert row.result["proposals"] == []
    assert "margin_of_stability" in {measure["key"] for measure in row.result["measures"]}


@pytest.mark.parametrize(("content", "words"), [
    (b"not a motion", ""), (b"\x00" * 100, ""), (b"name\nendheader\ntime\tpelvis_ty\n0\t1\n0.1\t1\n", "lacks"),
])
def test_a_file_that_is_no_motion_is_a_sentence(side: Side, draft: Assessment, content: bytes, words: str):
    row = uploaded(side, draft, content)
    assert row.status == "failed" and words in row.error and "error of the software" not in row.error
    browser = Client()
    browser.force_login(side.clinician)
    assert "could not be analysed" in browser.get(f"/fall-recordings/{row.pk}/").content.decode()
    with pytest.raises(ServiceError, match="not analysed"):
        services.recording_confirm(actor=side.clinician, recording=row, answers={"cst_count": 1})


@pytest.mark.parametrize(("name", "content"), [("a.txt", b"x"), ("a.mot", b""), ("a.mot", b"x" * (10 * 2**20 + 1))])
def test_what_is_not_taken_at_all(side: Side, draft: Assessment, name: str, content: bytes):
    with pytest.raises(ServiceError) as error:
        services.recording_upload(
            actor=side.clinician, assessment=draft, kind="squat", file_name=name, content=content
        )
    assert error.value.errors[0].field == "file"


def test_the_movement_profile_stands_apart_from_every_score(side: Side):
    browser = Client()
    browser.force_login(side.clinician)
    candidate = side.record.candidate
    browser.post(f"/candidates/{candidate.pk}/movement-profile/")
    row = MotionProfile.objects.get(candidate=candidate)
    services.profile_compute(profile_id=row.pk)
    row.refresh_from_db()
    assert row.status == "done" and len(row.result["margin_cm"]) == 101
    text = browser.get(f"/patients/{side.record.patient.pk}/fall-risk/").content.decode()
    assert "Least margin of stability" in text and "no published coefficient" in text
    assert not side.record.assessment.scores.filter(key__contains="margin").exists()
