"""Recordings: analysed by the engine in a worker, proposed, confirmed or corrected by a clinician."""
from __future__ import annotations

import gzip
import io
import json
from types import SimpleNamespace

import numpy as np
import pytest
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob
from pypdf import PdfReader

from clinic.errors import ServiceError
from fall_risk import services
from fall_risk.demand import demands_of
from fall_risk.models import Assessment, MotionProfile, MotionRecording
from fall_risk.services import recordings
from generation import ownership
from generation.engine.analysis import Cancelled
from generation.engine.body import COORDINATES, MODEL_FILE, load_body
from generation.engine.formats import Motion, read_mot, write_mot
from generation.engine.profile import parse_profile
from patients.models import OwnModel
from prescriptions.services import prescription_new_version, prescription_sign
from tests.fall_risk.test_files import r4_faults
from tests.world import PASSWORD, Side, make_patient

RISES, PERIOD_S, RATE = 11, 2.8, 20.0       # 30.8 s: eleven rises, and 30 s from the first; seldom: it is slow


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


def uploaded(side: Side, draft: Assessment, content: bytes, kind: str = "sit_to_stand",
             file_name: str = "chair.mot") -> MotionRecording:
    row = services.recording_upload(
        actor=side.clinician, assessment=draft, kind=kind, file_name=file_name, content=content
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


def queue_of(row: MotionRecording) -> list[str]:
    jobs = ProcrastinateJob.objects.filter(args={"recording_id": str(row.pk)}, status="todo")
    return list(jobs.values_list("queue_name", flat=True))


@pytest.fixture
def markers(side: Side, draft: Assessment) -> MotionRecording:
    """Markers that wait for a worker."""
    return services.recording_upload(
        actor=side.clinician, assessment=draft, kind="squat", file_name="squat.trc", content=b"markers"
    )


def test_markers_wait_behind_generations_and_make_room_for_them(side: Side, markers: MotionRecording, monkeypatch):
    angles = services.recording_upload(
        actor=side.clinician, assessment=markers.assessment, kind="squat", file_name="a.mot", content=b"x"
    )
    assert (queue_of(markers), queue_of(angles)) == (["recordings"], ["generation"])
    monkeypatch.setattr(ownership, "LOOK_S", 0.0)

    def until_stopped(row, progress, cancelled):
        progress("markers", 0.4, "half way")
        if any(cancelled() for _ in range(3)):
            raise Cancelled
        return {"rises": [], "proposals": [], "measures": [], "notes": [], "curve": {"times": [], "height_cm": []}}

    monkeypatch.setattr("fall_risk.motion.analyse", until_stopped)
    browser = Client()
    browser.force_login(side.clinician)
    for count in range(1, ownership.MOST_ASIDE + 1):        # a generation waits all the time
        services.recording_analyse(recording_id=markers.pk)
        markers.refresh_from_db()
        assert (markers.status, markers.stepped_aside) == ("queued", count) and len(queue_of(markers)) == count + 1
    assert "Made room for a generation" in browser.get(f"/fall-recordings/{markers.pk}/").content.decode()
    services.recording_analyse(recording_id=markers.pk)
    markers.refresh_from_db()
    assert markers.status == "done"


def test_an_analysis_shows_its_progress_is_cancelled_and_begun_again(
    side: Side, markers: MotionRecording, monkeypatch
):
    monkeypatch.setattr(ownership, "PROGRESS_SECONDS", 0.0)
    browser = Client()
    browser.force_login(side.clinician)
    address = f"/fall-recordings/{markers.pk}/"

    def watched(row, progress, cancelled):
        progress("markers", 0.4, "frame 40 of 100")
        shown = browser.get(address).content.decode()
        assert 'value="40"' in shown and "Markers: frame 40 of 100" in shown
        browser.post(f"{address}cancel/")
        assert cancelled()
        raise Cancelled

    monkeypatch.setattr("fall_risk.motion.analyse", watched)
    services.recording_analyse(recording_id=markers.pk)
    markers.refresh_from_db()
    assert markers.status == "cancelled" and markers.result is None
    assert "The analysis was cancelled" in browser.get(address).content.decode()
    with pytest.raises(ServiceError, match="nothing to cancel"):
        services.recording_cancel(actor=side.clinician, recording=markers)
    answer = browser.post(f"/api/v1/fall-recordings/{markers.pk}/repeat/", {}, content_type="application/json")
    assert answer.json()["status"] == "queued" and len(queue_of(markers)) == 2
    with pytest.raises(ServiceError, match="cancelled or refused"):
        services.recording_repeat(actor=side.clinician, recording=markers)


def test_a_recording_on_which_workers_die_is_given_up(markers: MotionRecording):
    for _ in range(recordings.MOST_INTERRUPTIONS + 1):
        assert recordings._take(markers.pk) is not None
    assert recordings._take(markers.pk) is None
    markers.refresh_from_db()
    assert markers.status == "failed" and "given up" in markers.error


def test_the_patients_own_model_is_used(side: Side, draft: Assessment, chair_stands: bytes, monkeypatch):
    plain = uploaded(side, draft, chair_stands)
    OwnModel.objects.create(
        patient=draft.patient, file_name="mine.osim", sha256="0" * 64, osim_gzip=gzip.compress(MODEL_FILE.read_bytes()),
        mass_kg=75.0, muscle_count=80, uploaded_by=side.clinician,
    )
    own = uploaded(side, draft, chair_stands)
    assert own.status == "done", own.error
    assert own.result["notes"][0] == "Measured on the patient's own model, mine.osim."
    peaks = [next(one["value"] for one in row.result["measures"] if one["key"] == "peak_velocity")
             for row in (plain, own)]
    assert peaks[0] != peaks[1]         # of a woman of 1.78 m, and of the model as it is


@pytest.mark.parametrize(("name", "content"), [("a.txt", b"x"), ("a.mot", b""), ("a.mot", b"x" * (10 * 2**20 + 1))])
def test_what_is_not_taken_at_all(side: Side, draft: Assessment, name: str, content: bytes):
    with pytest.raises(ServiceError) as error:
        services.recording_upload(
            actor=side.clinician, assessment=draft, kind="squat", file_name=name, content=content
        )
    assert error.value.errors[0].field == "file"


TRC = """PathFileType\t4\t(X/Y/Z)\tchair.trc
DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames
100\t100\t2\t1\t{unit}\t100\t1\t2
Frame#\tTime\tr.ASIS\t\t
\t\tX1\tY1\tZ1

1\t0.0\t0.1\t1.0\t0.2
2\t{second}\t0.1\t1.0\t0.2
"""


@pytest.mark.parametrize(("content", "words"), [
    (b"not markers", "not a .trc marker file"),
    (TRC.format(unit="inch", second="0.01").encode(), "Units must be m or mm"),
    (TRC.format(unit="m", second="0.01").encode(), "these of its markers are missing"),
    (TRC.format(unit="m", second="121").encode(), "at most 120 s"),
])
def test_markers_that_are_refused_are_a_sentence(side: Side, draft: Assessment, content: bytes, words: str):
    row = uploaded(side, draft, content, file_name="chair.TRC")
    assert row.status == "failed" and words in row.error, row.error


def test_markers_become_a_motion_on_the_body_that_they_show(
    side: Side, draft: Assessment, chair_stands: bytes, monkeypatch
):
    """The inverse kinematics itself, minutes long, is tested in its own room."""
    rates = []

    def fitted(person, markers):
        rates.append((person.height_m, markers.frame_rate, len(markers.times)))
        return load_body(MODEL_FILE), None, markers.positions

    def followed(markers, body, person, positions, **asked):
        return SimpleNamespace(motion=read_mot(chair_stands))

    monkeypatch.setattr("generation.reading.body_from_markers", fitted)
    monkeypatch.setattr("generation.reading.motion_from_markers", followed)
    content = TRC.format(unit="m", second="0.01").replace("100\t100", "240\t240").encode()
    row = uploaded(side, draft, content, file_name="chair.trc")
    assert row.status == "done", row.error
    assert len(row.result["rises"]) == RISES and {one["field"] for one in row.result["proposals"]} >= {"fcs_s"}
    assert rates == [(1.78, 60.0, 1)]           # every fourth frame of 240 Hz
    browser = Client()
    browser.force_login(side.clinician)
    answer = browser.get(f"/fall-recordings/{row.pk}/file/")
    assert answer.content == content and f'recording-{row.pk}.trc"' in answer["Content-Disposition"]


def computed(side: Side) -> MotionProfile:
    """The movement profile of the signed squat, which was queued when it was signed."""
    row = MotionProfile.objects.get(candidate=side.record.candidate)
    assert row.status == "queued"
    services.profile_compute(profile_id=row.pk)
    row.refresh_from_db()
    return row


def test_a_signature_queues_the_movement_profile(side: Side):
    row = MotionProfile.objects.get()
    assert row.candidate == side.record.signed.candidate and row.patient == side.record.patient
    waiting = ProcrastinateJob.objects.filter(task_name="fall_risk.compute_profile", args={"profile_id": str(row.pk)})
    assert waiting.count() == 1
    prescription = prescription_new_version(actor=side.clinician, prescription=side.record.signed)
    prescription_sign(actor=side.clinician, prescription=prescription, password=PASSWORD)
    assert waiting.count() == 1                 # of the same motion there is one


def test_the_movement_profile_stands_apart_from_every_score(side: Side):
    browser = Client()
    browser.force_login(side.clinician)
    row = computed(side)
    assert row.status == "done" and len(row.result["margin_cm"]) == 101
    text = browser.get(f"/patients/{side.record.patient.pk}/fall-risk/").content.decode()
    assert "Least margin of stability" in text and "no published coefficient" in text
    assert not side.record.assessment.scores.filter(key__contains="margin").exists()
    demands = [one for one in row.result["measures"] if one["key"].startswith("demand_")]
    assert len(demands) == 6 and {one["value"] for one in demands} == {30.0}       # as the check by OpenSim stored it
    assert "Demand: knee, right" in text and "strength not measured" in text and "needs more of theirs" in text
    assert "estimated without force plates" in text and "In 1 of 16 moments" in text
    assert not side.record.assessment.scores.filter(key__contains="demand").exists()
    address = f"/api/v1/patients/{side.record.patient.pk}/fall-risk/"
    told = browser.get(address).json()["movement_profile"]
    assert told["result"] == row.result and told["prescription"] == str(side.record.signed.pk)
    pdf = browser.get(f"/patients/{side.record.patient.pk}/fall-risk/report.pdf").content
    words = " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).split())
    assert "Demand: knee, right" in words and "no published coefficient" in words
    body = browser.get(f"{address}fhir/").content
    assert r4_faults(body) == []
    resources = [entry["resource"] for entry in json.loads(body)["entry"]]
    found = [r for r in resources if "-movement-" in r["id"]]
    assert len(found) == len(row.result["measures"])
    for one in found:
        assert "no published coefficient" in one["note"][0]["text"] and "simulated" in one["code"]["text"]
    (risk,) = [r for r in resources if r["resourceType"] == "RiskAssessment"]
    assert not any("-movement-" in basis["reference"] for basis in risk["basis"])


def test_a_profile_without_the_demand_is_computed_again_once_opensim_has_answered(side: Side):
    browser = Client()
    browser.force_login(side.clinician)
    candidate, address = side.record.candidate, f"/patients/{side.record.patient.pk}/fall-risk/"
    row = computed(side)
    browser.post(f"/candidates/{candidate.pk}/movement-profile/")
    assert MotionProfile.objects.get(pk=row.pk).status == "done"          # there is nothing new to compute
    row.result["measures"] = [one for one in row.result["measures"] if not one["key"].startswith("demand_")]
    row.save(update_fields=["result"])
    assert "Compute the profile again" in browser.get(address).content.decode()
    browser.post(f"/candidates/{candidate.pk}/movement-profile/")
    assert MotionProfile.objects.get(pk=row.pk).status == "queued"
    assert "It is being computed" in browser.get(address).content.decode()


@pytest.mark.parametrize(("strength", "measured"), [
    ({}, set()), ({"knee_extension_nm": {"right": 100.0}}, {"knee_right"}),
    ({"ankle_plantarflexion_percent": 80.0}, {"ankle_right", "ankle_left"}),
])
def test_a_demand_says_whether_the_strength_was_measured(side: Side, strength: dict, measured: set):
    person = parse_profile({**side.record.request.profile, "strength": strength})
    demands, caveats = demands_of(side.record.candidate, person)
    assert {one.key for one in demands if one.measured} == measured and any("dynamometer" in one for one in caveats)
