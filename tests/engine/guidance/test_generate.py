"""Generated motions: limits recomputed by OpenSim on the written files, the same files for the same seed, honest
rejection, cancellation. Small searches with the shipped motion model, not simpler ones."""
from __future__ import annotations

import json
import math

import numpy as np
import opensim
import pytest

from generation.engine import generate as entry
from generation.engine.formats.mot import read_mot
from generation.engine.generate import Cancelled, LimitConflict, ProfileError, generate
from generation.engine.profile import parse_profile

PERSON = {"sex": "male", "age_years": 61, "height_m": 1.76, "mass_kg": 84}
KNEE_DEG, HIP_DEG = 75.0, 80.0
LIMITED = {**PERSON, "tempo": {"descent_s": 1.5, "pause_s": 0.5, "ascent_s": 1.5}, "constraints": [
    {"variable": "knee_flexion", "max": KNEE_DEG, "unit": "deg", "side": "right"},
    {"variable": "hip_flexion", "max": HIP_DEG, "unit": "deg"},
    {"variable": "knee_flexion_peak", "min": 55, "unit": "deg"}]}
STEPS = 50


def run(profile: dict, count: int = 2, **options):
    return generate(parse_profile(profile), candidates=count, device="cpu", steps=STEPS, **options)


@pytest.fixture(scope="module")
def limited():
    told = []
    return run(LIMITED, 3, seed=3, progress=lambda *step: told.append(step)), told


@pytest.fixture(scope="module")
def folder(limited, tmp_path_factory):
    target = tmp_path_factory.mktemp("limited")
    limited[0].write(target)
    return target


def test_the_limits_hold_when_opensim_measures_the_file(limited, folder):
    """Joint angles and soles of an accepted file, through OpenSim and the written model only."""
    accepted = [candidate for candidate in limited[0].candidates if candidate.accepted]
    assert accepted
    opensim.Logger.setLevelString("Error")
    model = opensim.Model(str(folder / "model.osim"))
    state = model.initSystem()
    table = opensim.TimeSeriesTable(str(folder / accepted[0].file))
    times = np.array(table.getIndependentColumn())
    assert np.diff(times) == pytest.approx(1 / 60, abs=1e-6)
    coordinates = {name: table.getDependentColumn(name).to_numpy() for name in table.getColumnLabels()}
    assert set(coordinates) == {coordinate.getName() for coordinate in model.getCoordinateSet()}
    for side in "rl":
        assert coordinates[f"hip_flexion_{side}"].max() <= HIP_DEG + 0.01
        assert coordinates[f"knee_angle_{side}"].max() >= 55 - 0.01
    assert coordinates["knee_angle_r"].max() <= KNEE_DEG + 0.01
    markers = [marker for marker in model.getMarkerSet() if marker.getName().startswith("contact_")]
    assert len(markers) == 12
    soles = []
    for frame in range(0, len(times), 10):
        for coordinate in model.getCoordinateSet():
            value = coordinates[coordinate.getName()][frame]
            length = coordinate.getName().endswith(("_tx", "_ty", "_tz"))
            if not coordinate.get_locked():
                coordinate.setValue(state, value if length else math.radians(value), False)
        model.realizePosition(state)
        soles.append([marker.getLocationInGround(state).to_numpy() for marker in markers])
    soles = np.array(soles)                                        # (frame, marker, 3)
    assert np.abs(soles[..., 1]).max() < 1e-3
    assert np.linalg.norm(soles - soles[:1], axis=-1).max() < 1e-4


def test_every_check_agrees_with_the_file(limited, folder):
    for candidate in limited[0].candidates:
        knee = np.degrees(read_mot(folder / candidate.file).column("knee_angle_r"))
        check = next(c for c in candidate.checks if c["variable"] == "knee_flexion" and c["max"] == KNEE_DEG)
        assert min(abs(check["worst"] - knee.max()), abs(check["worst"] - knee.min())) < 1e-5
        assert check["satisfied"] == (knee.max() <= KNEE_DEG + 0.01)
        assert candidate.accepted == (not candidate.reasons) == all(c["satisfied"] for c in candidate.checks)


def test_tempo_is_as_asked_and_the_motion_loops_without_a_jump(limited):
    for candidate in (c for c in limited[0].candidates if c.accepted):
        measured = [candidate.metrics[name] for name in ("descent_s", "pause_s", "ascent_s")]
        assert measured == pytest.approx([1.5, 0.5, 1.5], abs=0.1)
        values = candidate.motion.values
        assert values[0] == pytest.approx(values[-1], abs=1e-6)
        speed = np.diff(values, axis=0) * 60
        assert np.abs(np.diff(speed, axis=0) * 60).max() < 80                 # rad/s2, m/s2: no kink
        assert np.abs(speed[[0, -1]]).max() < 1e-4


def test_candidates_are_ranked_and_differ(limited):
    made = limited[0].candidates
    order = [(not candidate.accepted, candidate.like is not None, -candidate.score) for candidate in made]
    assert order == sorted(order) and all(0 <= candidate.score <= 1 for candidate in made)
    knees = [candidate.metrics["depth_knee_flexion_deg"] for candidate in made]
    assert max(knees) - min(knees) > 2


def test_progress_rises_from_0_to_1(limited):
    fractions = [fraction for _, fraction, _ in limited[1]]
    assert fractions == sorted(fractions) and fractions[0] == 0 and fractions[-1] == 1
    assert {"loading", "guiding", "writing"} <= {stage for stage, _, _ in limited[1]}


def test_the_report_is_strict_json_and_complete(limited, folder):
    report = json.loads((folder / "report.json").read_text(), parse_constant=pytest.fail)
    assert report["run"]["seed"] == 3 and report["run"]["device"] == "cpu" and report["run"]["seconds"] > 0
    assert report["run"]["versions"]["motion_model"] and report["run"]["versions"]["body_model"]
    assert report["body"]["mass_kg"] == 84
    assert [entry["file"] for entry in report["candidates"]] == [f"candidate_{i:03d}.mot" for i in range(3)]
    for made in report["candidates"]:
        assert (folder / made["file"]).is_file()
        assert {"knee_flexion", "hip_flexion", "knee_flexion_peak", "descent_s", "foot_slide", "joint_range_margin",
                "static_balance_margin", "repetition_s"} <= {check["variable"] for check in made["constraints"]}
        for check in made["constraints"]:
            assert {"min", "max", "unit", "side", "worst", "satisfied", "source", "status", "origin"} <= set(check)


def test_same_seed_same_files_other_seed_others(tmp_path):
    contents = []
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        run(PERSON, seed=seed, repairs=0).write(tmp_path / name)
        contents.append([path.read_bytes() for path in sorted((tmp_path / name).glob("*.mot"))])
    assert contents[0] == contents[1] != contents[2]


def test_the_impossible_is_rejected_with_the_reason_and_what_blocks():
    result = run({**PERSON, "constraints": [{"variable": "ankle_dorsiflexion", "max": 5, "unit": "deg"},
                                            {"variable": "trunk_forward_lean", "max": 15, "unit": "deg"},
                                            {"variable": "knee_flexion_peak", "min": 100, "unit": "deg"}]}, 1,
                 repairs=0)
    assert not any(candidate.accepted for candidate in result.candidates)
    for candidate in result.candidates:
        assert candidate.reasons and any("deg" in reason for reason in candidate.reasons)
        assert any(not check["satisfied"] for check in candidate.checks)
    assert len(result.report["summary"]["blocking"]) >= 1
    blocking = result.report["summary"]["blocking"][0]
    assert blocking["limit"]["variable"] in ("ankle_dorsiflexion", "trunk_forward_lean", "knee_flexion_peak")
    assert blocking["by"] > 0 and "stands in the way" in blocking["text"]
    for blocking in result.report["summary"]["blocking"]:
        if blocking["limit"]["variable"] == "knee_flexion_peak":
            assert blocking["needed"] >= 12 - 0.01           # what holds for every squat still holds


def test_a_depth_nobody_can_reach_is_named_as_what_blocks():
    result = run({**PERSON, "constraints": [{"variable": "pelvis_drop", "min": 100, "unit": "cm"}]}, 1, repairs=0)
    assert not result.candidates[0].accepted
    (blocking,) = result.report["summary"]["blocking"]
    assert blocking["limit"]["variable"] == "pelvis_drop" and 30 < blocking["needed"] < 90


def test_limits_on_durations_are_aimed_at_where_no_tempo_was_asked_for():
    result = run({**PERSON, "constraints": [{"variable": "repetition_s", "min": 7, "unit": "s"}]}, 1)
    assert result.candidates[0].accepted
    assert sum(result.report["tempo"].values()) == pytest.approx(7.1)


def test_contradictions_are_refused_before_any_work(monkeypatch):
    monkeypatch.setattr(entry, "_model", lambda device: pytest.fail("the model was loaded"))
    with pytest.raises(LimitConflict, match="knee_flexion_peak"):
        run({**PERSON, "constraints": [{"variable": "knee_flexion", "max": 60, "unit": "deg"},
                                       {"variable": "knee_flexion_peak", "min": 90, "unit": "deg"}]})


@pytest.mark.parametrize("patience", [0, 7])
def test_cancelling_stops_between_steps(patience):
    asked = []

    def cancelled():
        asked.append(True)
        return len(asked) > patience

    with pytest.raises(Cancelled):
        run(PERSON, cancelled=cancelled)
    assert len(asked) == patience + 1


def test_a_reference_motion_is_kept_and_changed_only_as_far_as_needed(folder, limited):
    own = str(folder / limited[0].candidates[0].file)
    depth = limited[0].candidates[0].metrics["depth_knee_flexion_deg"]
    as_it_is = run({**PERSON, "reference_motion": own}, 1).candidates[0]
    assert as_it_is.accepted
    assert as_it_is.metrics["depth_knee_flexion_deg"] == pytest.approx(depth, abs=2.5)
    shallower = run({**PERSON, "reference_motion": own, "constraints": [
        {"variable": "knee_flexion", "max": depth - 12, "unit": "deg"}]}, 1).candidates[0]
    assert shallower.accepted
    assert depth - 24 < shallower.metrics["depth_knee_flexion_deg"] < depth - 12
    first = shallower.changes[0]                      # what the limit demands comes first
    assert first["quantity"] == "depth" and first["asked"] and "deg earlier" in first["text"]


@pytest.mark.parametrize("content", ["", "no motion", "Coordinates\nendheader\ntime knee_angle_r\n0 1\n"])
def test_a_reference_that_cannot_be_read_names_the_field(tmp_path, content):
    path = tmp_path / "own.mot"
    path.write_text(content)
    with pytest.raises(ProfileError) as caught:
        run({**PERSON, "reference_motion": str(path)})
    assert caught.value.field == "reference_motion"


@pytest.mark.parametrize("fields", [{"height_m": 2.1, "mass_kg": 31}])
def test_a_body_nobody_has_names_a_field(fields):
    with pytest.raises(ProfileError) as caught:
        run({**PERSON, **fields})
    assert caught.value.field in ("height_m", "mass_kg")
