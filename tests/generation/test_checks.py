"""Checks by OpenSim: what OpenSim really answers, and the way of a check from the queue to a signature."""
from __future__ import annotations

import io
import time
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from django.db import DatabaseError, transaction
from django.http import Http404
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob

from clinic.errors import ServiceError
from generation import checking, checks, ownership, services
from generation.engine.body import COORDINATES, TorchBody, personal_body
from generation.engine.formats import Motion, write_mot
from generation.engine.limits import MODEL_LIMITS, Limit
from generation.engine.metrics import LoadMeter, measure
from generation.engine.profile import parse_profile
from generation.engine.variables import LOAD_VARIABLES
from generation.models import CandidateAnalysis, CandidateCheck, GenerationRequest
from prescriptions.models import Prescription
from prescriptions.services import prescription_create, prescription_sign
from tests.generation import plain_squat
from tests.world import DOSE, PASSWORD, Side, finished_request

LOADS_LIMITED = ("knee_extension_moment_peak", "knee_adduction_moment_peak", "tibiofemoral_force_peak",
                 "patellofemoral_force_peak", "hip_force_peak", "knee_extension_demand_peak")
LENA = {"sex": "female", "age_years": 24, "height_m": 1.78, "mass_kg": 70}


# ---- OpenSim itself -----------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def delivered(tmp_path_factory) -> SimpleNamespace:
    """A short squat as it is delivered: the two files, and the checks of its limits by the fast route."""
    body = personal_body(parse_profile(LENA))
    torch_body = TorchBody(body)
    motion = plain_squat.squat(torch_body.double(), 50.0)
    file = tmp_path_factory.mktemp("delivered") / "squat.mot"
    write_mot(file, motion)
    limits = [Limit("knee_flexion", "left", max=60.0), Limit("trunk_forward_lean", max=80.0),
              *(Limit(name, "both", max=300.0 if name.endswith("demand_peak") else 30.0 if "force" in name else 5.0)
                for name in LOADS_LIMITED), Limit("foot_load_share", "both", min=1.0),
              *(limit for limit in MODEL_LIMITS if limit.variable in ("joint_range_margin", "floor_penetration"))]
    values = torch.as_tensor(motion.values, dtype=torch.float64)
    measured = measure(torch_body, values, 60.0)
    measured.add_loads(LoadMeter(body, torch.float64).measure([motion.values], 60.0, [measured.phases])[0], values)
    stated = [check.document() for check in measured.check(limits)]
    return SimpleNamespace(mot=file.read_bytes(), osim=body.osim, stated=stated, motion=motion)


@pytest.fixture(scope="module")
def verdict(delivered) -> checking.Verdict:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checking, "MOST_FRAMES", 4)
        return _check(delivered)


def _check(delivered, **changes) -> checking.Verdict:
    asked = {"mot": delivered.mot, "osim": delivered.osim, "stated": delivered.stated,
             "progress": lambda *said: None, "cancelled": lambda: False, **changes}
    return checking.check(**asked)


def test_opensim_agrees_with_the_fast_route_on_every_limit(verdict, delivered):
    assert verdict.reasons == []
    for found, before in zip(verdict.result["checks"], delivered.stated, strict=True):
        assert found["satisfied"] and found["fast_margin"] == pytest.approx(before["margin"], abs=1e-5)
        near = 0.02 * abs(before["worst"]) + 0.5 if found["variable"] in LOAD_VARIABLES else 1e-3   # fewer frames
        assert found["worst"] == pytest.approx(before["worst"], abs=near), found["variable"]


def test_forces_of_both_routes_and_what_is_not_trusted_are_stored(verdict):
    kinds = {row["kind"] for row in verdict.result["comparison"]}
    assert kinds == {"moment", "activation", "load"}
    for row in verdict.result["comparison"]:
        if row["kind"] == "moment":
            assert row["fast"] == pytest.approx(row["opensim"], abs=0.5), row["name"]
    physics = verdict.result["physics"]
    assert physics["route"] == "opensim" and 0 <= physics["trust"]["frames"] <= verdict.result["frames"] <= 5
    assert physics["ground_reaction"]["source"] == "estimated" and physics["trust"]["largest_reserve_share"]
    assert verdict.result["versions"]["opensim"].startswith("4.")
    assert len(verdict.curves["time_s"]) == len(verdict.curves["trusted"]) == verdict.result["frames"]


def test_the_tables_are_those_of_the_command(verdict):
    names = zipfile.ZipFile(io.BytesIO(verdict.tables_zip)).namelist()
    assert {"moments.sto", "activations.sto", "loads.sto", "reserves.sto", "report.json"} <= set(names)


def test_the_stand_in_of_other_tests_has_the_shape_of_the_real_one(verdict):
    stand_in = plain_squat.verdict(SimpleNamespace(checks=[], mot_sha256=""))
    assert stand_in.result.keys() == verdict.result.keys()
    assert stand_in.curves.keys() == verdict.curves.keys()
    for part in ("moments", "activations", "loads"):
        assert stand_in.curves[part].keys() == verdict.curves[part].keys()
    assert stand_in.result["physics"].keys() == verdict.result["physics"].keys()


def test_a_limit_that_does_not_hold_on_the_delivered_model_withdraws(delivered, monkeypatch):
    """The model file allows less than the limit that the fast route was told: a joint range of the file counts."""
    monkeypatch.setattr(checking, "MOST_FRAMES", 4)
    narrow = personal_body(parse_profile({**LENA, "range_of_motion_deg": {"knee_flexion_right": [0, 40]}}))
    reasons = _check(delivered, osim=narrow.osim).reasons
    assert len(reasons) == 1 and "joint" in reasons[0].lower()


def test_files_that_opensim_cannot_use_are_told_in_a_sentence(delivered):
    with pytest.raises(checking.CheckFailed):
        _check(delivered, osim=b"<OpenSimDocument/>")


def test_a_cancelled_check_stops(delivered):
    began = time.monotonic()
    with pytest.raises(checking.Cancelled):
        _check(delivered, cancelled=lambda: time.monotonic() > began)


@pytest.mark.parametrize(("frames", "rate", "every"), [(181, 60.0, 4), (1200, 60.0, 8), (20, 15.0, 1)])
def test_how_often_forces_are_computed(frames, rate, every):
    assert checking.frames_between(frames, rate) == every


# ---- the way of a check -------------------------------------------------------------------------------------------

@pytest.fixture
def waiting(side: Side) -> CandidateCheck:
    """The check of the best candidate of a second generation, not yet run."""
    request = finished_request(side.clinician, side.record.patient)
    return CandidateCheck.objects.get(candidate=request.candidates.first())


def _jobs(check: CandidateCheck) -> list[ProcrastinateJob]:
    return list(ProcrastinateJob.objects.filter(task_name="generation.check", args={"candidate_id": str(check.pk)})
                .order_by("-priority"))


def test_each_accepted_candidate_is_queued_behind_the_generations(waiting: CandidateCheck):
    request = waiting.candidate.request
    assert CandidateCheck.objects.filter(candidate__request=request).count() == request.candidates.filter(
        accepted=True).count()
    assert [job.priority for job in _jobs(waiting)] == [checks.BEHIND_GENERATIONS]
    assert waiting.status == "waiting" and not waiting.urgent


def test_choosing_a_candidate_moves_its_check_to_the_front(waiting: CandidateCheck, side: Side):
    prescription_create(actor=side.clinician, candidate=waiting.candidate, **DOSE)
    prescription_create(actor=side.clinician, candidate=waiting.candidate, **DOSE)      # once is enough
    waiting.refresh_from_db()
    assert waiting.urgent
    assert [job.priority for job in _jobs(waiting)] == [checks.BEFORE_GENERATIONS, checks.BEHIND_GENERATIONS]


def test_a_run_decides_once_for_all(waiting: CandidateCheck):
    checks.candidate_check_run(candidate_id=waiting.pk)
    waiting.refresh_from_db()
    assert waiting.status == "passed" and waiting.attempt == 1 and waiting.seconds is not None
    assert CandidateAnalysis.objects.filter(candidate=waiting.candidate_id).exists()
    checks.candidate_check_run(candidate_id=waiting.pk)         # its second job
    waiting.refresh_from_db()
    assert waiting.attempt == 1
    for change in ({"status": "waiting"}, {"reasons": ["?"]}, {"result": {}}):
        with pytest.raises(DatabaseError), transaction.atomic():
            CandidateCheck.objects.filter(pk=waiting.pk).update(**change)


def test_nothing_unchecked_is_signed_neither_by_the_service_nor_by_the_database(waiting: CandidateCheck, side: Side):
    draft = prescription_create(actor=side.clinician, candidate=waiting.candidate, **DOSE)
    with pytest.raises(ServiceError) as error:
        prescription_sign(actor=side.clinician, prescription=draft, password=PASSWORD)
    assert error.value.status == 409 and "being checked by OpenSim" in str(error.value)
    signed = Prescription.objects.get(pk=side.record.signed.pk)
    with pytest.raises(DatabaseError, match="OpenSim has not passed"), transaction.atomic():
        Prescription.objects.filter(pk=draft.pk).update(
            status="signed", content_hash="0" * 64, signed_by=side.clinician, patient=_other_patient(side))
    checks.candidate_check_run(candidate_id=waiting.pk)
    later = prescription_sign(actor=side.clinician, prescription=draft, password=PASSWORD)
    assert later.document["checked_by_opensim"]["versions"]["opensim"]
    signed.refresh_from_db()
    assert signed.status == "withdrawn"


def _other_patient(side: Side):
    from tests.world import make_patient

    return make_patient(side.clinician, "Other")


def test_a_withdrawn_candidate_says_why_and_is_not_prescribed(waiting: CandidateCheck, side: Side, monkeypatch):
    draft = prescription_create(actor=side.clinician, candidate=waiting.candidate, **DOSE)
    monkeypatch.setattr(checks, "run_opensim", _refuses)
    checks.candidate_check_run(candidate_id=waiting.pk)
    waiting.refresh_from_db()
    assert waiting.status == "withdrawn" and waiting.reasons == ["Knee bend: 61.0 deg, should be at most 60 deg."]
    with pytest.raises(ServiceError, match="Knee bend: 61.0 deg"):
        prescription_sign(actor=side.clinician, prescription=draft, password=PASSWORD)
    with pytest.raises(ServiceError, match="Knee bend: 61.0 deg"):
        prescription_create(actor=side.clinician, candidate=waiting.candidate, **DOSE)
    page = _page(side, waiting)
    assert "OpenSim does not confirm this motion" in page and "Cannot be prescribed" in page


def _refuses(check, owner):
    """OpenSim's word against a candidate, simulated: the generator delivers none that breaks a limit."""
    found = plain_squat.verdict(check.candidate)
    return checking.Verdict(["Knee bend: 61.0 deg, should be at most 60 deg."], found.result, found.curves,
                            found.tables_zip, found.muscles)


def _page(side: Side, check: CandidateCheck) -> str:
    browser = Client()
    browser.force_login(side.clinician)
    return browser.get(f"/generations/{check.candidate.request_id}/?candidate={check.pk}").content.decode()


def test_an_error_is_told_and_the_check_can_be_repeated(waiting: CandidateCheck, side: Side, monkeypatch):
    def broken(check, owner):
        raise RuntimeError("segmentation")

    right = checks.run_opensim
    monkeypatch.setattr(checks, "run_opensim", broken)
    checks.candidate_check_run(candidate_id=waiting.pk)
    waiting.refresh_from_db()
    assert waiting.status == "failed" and "segmentation" in waiting.error_detail and "segm" not in waiting.error
    with pytest.raises(Http404):
        checks.candidate_check_retry(actor=side.outsider, check=waiting)
    monkeypatch.setattr(checks, "run_opensim", right)
    checks.candidate_check_retry(actor=side.administrator, check=waiting)
    checks.candidate_check_run(candidate_id=waiting.pk)
    waiting.refresh_from_db()
    assert waiting.is_passed and waiting.error == ""
    with pytest.raises(ServiceError) as error:
        checks.candidate_check_retry(actor=side.clinician, check=waiting)
    assert error.value.status == 409


def test_cancelling_reaches_opensim_and_keeps_nothing(waiting: CandidateCheck, side: Side, monkeypatch):
    def cancelled_meanwhile(check, owner):
        checks.candidate_check_cancel(actor=side.clinician, check=check)
        assert owner.lost()
        raise checks.Interrupted

    monkeypatch.setattr(checks, "run_opensim", cancelled_meanwhile)
    checks.candidate_check_run(candidate_id=waiting.pk)
    waiting.refresh_from_db()
    assert waiting.status == "cancelled" and waiting.result is None
    assert not CandidateAnalysis.objects.filter(candidate=waiting.candidate_id).exists()


def test_a_worker_that_was_replaced_decides_nothing(waiting: CandidateCheck, monkeypatch):
    right = checks.run_opensim

    def overtaken(check, owner):
        monkeypatch.setattr(checks, "run_opensim", right)
        checks.candidate_check_run(candidate_id=check.pk)       # the second worker takes over and finishes
        return _refuses(check, owner)

    monkeypatch.setattr(checks, "run_opensim", overtaken)
    checks.candidate_check_run(candidate_id=waiting.pk)
    waiting.refresh_from_db()
    assert waiting.status == "passed" and waiting.attempt == 2 and waiting.interruptions == 1


def test_a_check_that_kills_workers_is_given_up(waiting: CandidateCheck):
    for _ in range(checks.MOST_INTERRUPTIONS + 1):
        assert checks._take(waiting.pk) is not None
    assert checks._take(waiting.pk) is None
    waiting.refresh_from_db()
    assert waiting.status == "failed" and "given up" in waiting.error


def test_a_check_makes_room_for_a_generation_but_not_for_ever(waiting: CandidateCheck, side: Side, monkeypatch):
    ProcrastinateJob.objects.filter(queue_name="generation")    # of the fixtures: done without a worker
    monkeypatch.setattr(ownership, "LOOK_S", 0.0)
    services.generation_request_create(actor=side.clinician, patient=side.record.patient, seed=5, candidate_count=1)
    assert ownership.others_wait()

    def until_stopped(check, owner):
        watch = ownership.Watch(owner, aside=check.stepped_aside, limit_s=1200, too_long="Too long.")
        for _ in range(3):
            if watch.must_stop():
                raise watch.why()
        return plain_squat.verdict(check.candidate)

    monkeypatch.setattr(checks, "run_opensim", until_stopped)
    for count in range(1, ownership.MOST_ASIDE + 1):
        checks.candidate_check_run(candidate_id=waiting.pk)
        waiting.refresh_from_db()
        assert (waiting.status, waiting.stepped_aside) == ("waiting", count)
    checks.candidate_check_run(candidate_id=waiting.pk)
    waiting.refresh_from_db()
    assert waiting.is_passed


def test_the_pages_and_files_of_a_checked_candidate(side: Side):
    browser = Client()
    browser.force_login(side.clinician)
    candidate = side.record.candidate
    page = browser.get(f"/generations/{candidate.request_id}/?candidate={candidate.pk}").content.decode()
    for words in ("Forces and muscles", "Checked by OpenSim", "Demand on this person", "Reserves carry at most",
                  "estimated without force plates", "Quadriceps"):
        assert words in page, words
    parts = f"/generations/{candidate.request_id}/checks/?candidate={candidate.pk}&seen="
    assert 'id="physics"' in browser.get(f"{parts}running").content.decode()
    assert 'id="physics"' not in browser.get(f"{parts}passed").content.decode()     # nothing folds up under a reader
    answer = browser.get(f"/candidates/{candidate.pk}/analysis.zip")
    assert "moments.sto" in zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    told = browser.get(f"/api/v1/candidates/{candidate.pk}/check/").json()
    assert told["status"] == "passed" and told["result"]["physics"]["route"] == "opensim"
    rejected = side.record.request.candidates.get(accepted=False)
    assert browser.get(f"/api/v1/candidates/{rejected.pk}/check/").status_code == 404


def test_the_sign_page_waits_for_the_check(waiting: CandidateCheck, side: Side):
    browser = Client()
    browser.force_login(side.clinician)
    draft = prescription_create(actor=side.clinician, candidate=waiting.candidate, **DOSE)
    page = browser.get(f"/prescriptions/{draft.pk}/").content.decode()
    assert f"/ws/generations/{waiting.candidate.request_id}/" in page and "Your password" not in page
    checks.candidate_check_run(candidate_id=waiting.pk)
    page = browser.get(f"/prescriptions/{draft.pk}/").content.decode()
    assert "data-socket" not in page and "Your password" in page


def test_an_older_candidate_without_a_check_gets_one_when_it_is_prescribed(side: Side):
    request: GenerationRequest = finished_request(side.clinician, side.record.patient)
    CandidateCheck.objects.filter(candidate__request=request).delete()
    prescription_create(actor=side.clinician, candidate=request.candidates.first(), **DOSE)
    check = CandidateCheck.objects.get(candidate=request.candidates.first())
    assert check.urgent and [job.priority for job in _jobs(check)][0] == checks.BEFORE_GENERATIONS


def test_frames_of_the_fixture_are_those_of_the_file(delivered):
    assert isinstance(delivered.motion, Motion) and delivered.motion.coordinates == COORDINATES
    assert np.isfinite(delivered.motion.values).all()
