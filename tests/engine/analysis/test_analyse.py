"""One result for both routes: they agree, their files say what the result says."""

import json

import numpy as np
import pytest

from generation.engine.analysis import Cancelled, analyse, write_analysis
from generation.engine.analysis.measures import asymmetries, demand
from generation.engine.body import COORDINATES
from generation.engine.formats import FormatError, Motion, read_storage
from tests.engine.reference.squat import RATE, squat

EVERY = 15


def motion(**changes) -> Motion:
    s = squat()
    kept = [i for i, name in enumerate(COORDINATES) if name not in changes.get("without", ())]
    return Motion(tuple(COORDINATES[i] for i in kept), s["q"][:, kept], RATE, ("a note of the file",), 2.0)


@pytest.fixture(scope="module")
def fast():
    return analyse(motion(), squat()["body"], route="fast", every=EVERY)


@pytest.fixture(scope="module")
def opensim():
    return analyse(motion(), squat()["body"], route="opensim", every=EVERY)


def test_both_routes_say_the_same(fast, opensim):
    np.testing.assert_allclose(fast.time, [2.0, 2.75, 3.5])
    for name in ("q", "u", "udot", "extrapolated_com", "margin_of_stability"):
        np.testing.assert_allclose(getattr(fast, name), getattr(opensim, name), atol=1e-3)
    np.testing.assert_allclose(fast.com, opensim.com, atol=1e-5)
    np.testing.assert_allclose(fast.moments, opensim.moments, atol=0.5)
    order = [opensim.muscles.index(name) for name in fast.muscles]
    difference = np.abs(fast.activations - opensim.activations[:, order])
    assert difference.mean() < 0.01 and difference.max() < 0.15
    assert set(fast.contacts) == set(opensim.contacts) and set(fast.loads) == set(opensim.loads)
    for name in fast.contacts:
        theirs = np.linalg.norm(opensim.contacts[name], axis=-1).max()
        assert np.abs(fast.contacts[name] - opensim.contacts[name]).max() < 0.1 * theirs + 10, name
    for name in fast.demand:
        np.testing.assert_allclose(fast.demand[name], opensim.demand[name], atol=0.02)


def test_a_result_is_plausible(fast):
    knee = fast.column("moments", "knee_angle_r")
    assert knee[1] < -20 and abs(knee[1]) > abs(knee[0])                  # extension at the bottom
    np.testing.assert_allclose(fast.powers, fast.moments * fast.u)
    assert fast.contact_in_body_weights("tibiofemoral_r")[1] > 0.8
    assert 0.05 < fast.demand["knee_angle_r"][1] < 1
    assert fast.ground.source == "estimated"
    np.testing.assert_allclose(fast.ground.force[:, :, 1].sum(-1)[1], fast.body_weight, rtol=0.5)
    assert all(abs(value) < 0.05 for name, value in fast.asymmetries.items() if not name.endswith("_deg"))
    assert "a note of the file" in fast.notes
    assert set(fast.smoothness) == {"sparc", "log_dimensionless_jerk"} and fast.smoothness["sparc"] < 0
    assert fast.trusted.dtype == bool and fast.trusted.shape == fast.time.shape


def test_files_hold_the_result(fast, tmp_path):
    names = write_analysis(fast, tmp_path / "out", {"input": {"motion": "m.mot"}})
    assert sorted(names) == sorted(path.name for path in (tmp_path / "out").iterdir())
    moments = read_storage(tmp_path / "out" / "moments.sto")
    np.testing.assert_allclose(moments.times, fast.time)
    np.testing.assert_allclose(moments.values, fast.moments, rtol=1e-8, atol=1e-12)
    assert "knee_angle_r_moment" in moments.labels and "pelvis_ty_force" in moments.labels
    assert read_storage(tmp_path / "out" / "activations.sto").labels == fast.muscles
    reserves = read_storage(tmp_path / "out" / "reserves.sto")
    np.testing.assert_allclose(reserves.values[:, reserves.labels.index("trusted")], fast.trusted)
    for name in names:
        if name.endswith(".sto"):
            assert np.isfinite(read_storage(tmp_path / "out" / name).values).all()
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["trust"]["share"] == pytest.approx(fast.trusted.mean(), abs=1e-6)
    assert report["input"] == {"motion": "m.mot"} and report["ground_reaction"]["source"] == "estimated"
    assert any("estimated" in sentence for sentence in report["estimated"])


def test_missing_coordinates_and_a_floating_motion_are_told():
    body = squat()["body"]
    values = motion(without=("lumbar_bending", "arm_rot_r")).values.copy()
    names = motion(without=("lumbar_bending", "arm_rot_r")).coordinates
    values[:, names.index("pelvis_ty")] += 0.3
    found = analyse(Motion(names, values, RATE), body, route="fast", every=30)
    assert any("lumbar_bending, arm_rot_r" in note for note in found.notes)
    assert any("30.0 cm" in note and "moved onto the floor" in note for note in found.notes)


def test_refusals():
    body = squat()["body"]
    with pytest.raises(ValueError, match="route must be"):
        analyse(motion(), body, route="slow")
    with pytest.raises(ValueError, match="MocoInverse"):
        analyse(motion(), body, route="fast", moco=True)
    with pytest.raises(FormatError, match="at least 6"):
        analyse(Motion(COORDINATES, squat()["q"][:4], RATE), body, route="fast")
    with pytest.raises(FormatError, match="None of the model's coordinates"):
        analyse(Motion(("elbow",), np.zeros((20, 1)), RATE), body, route="fast")
    with pytest.raises(Cancelled):
        analyse(motion(), body, route="fast", cancelled=lambda: True)


def test_demand_takes_the_direction_and_the_patella():
    names = ("knee_angle_r", "knee_angle_r_beta")
    moments = np.array([[-40.0, -10.0], [20.0, 0.0]])
    found = demand(names, moments, {"knee_angle_r": np.array([[-100.0, 50.0], [-100.0, 0.0]])})
    np.testing.assert_allclose(found["knee_angle_r"], [0.5, 20.0])


def test_asymmetry_is_right_less_left():
    names = [f"{joint}_{side}" for joint in ("hip_flexion", "knee_angle", "ankle_angle") for side in "rl"]
    q = np.zeros((4, 6))
    q[:, 2] = np.radians(10)
    moments = np.ones((4, 6))
    moments[:, 2] = -3
    force = np.zeros((4, 2, 3))
    force[:, 0, 1] = 300
    found = asymmetries(names, q, moments, force, {"hip_r": np.ones((4, 3)), "hip_l": np.ones((4, 3))})
    assert found["knee_flexion_angle_deg"] == pytest.approx(10) and found["knee_flexion_moment"] == pytest.approx(0.5)
    assert found["vertical_force"] == 1.0 and found["hip_contact"] == 0.0 and found["hip_flexion_moment"] == 0.0
