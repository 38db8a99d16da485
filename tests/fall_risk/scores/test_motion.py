"""Recordings and prescribed motions: made-up chair stands whose answers are known."""
from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fall_risk.scores
from fall_risk.scores import InputError, check_answers
from fall_risk.scores.motion import GRAVITY, Recording, analyse_recording, asymmetry_index
from fall_risk.scores.movement_profile import Demand, demand_level, movement_profile
from generation.engine.body import COORDINATES
from generation.engine.motion_data import load_repetitions

SEAT, STAND, RATE = 0.60, 1.00, 100.0


def stands(count: int, rise_s: float = 1.0, down_s: float = 1.0, pause_s: float = 0.5, before_s: float = 1.0,
           after_s: float = 1.0, rate: float = RATE):
    """(times, com): ``count`` rises of 0.40 m along a minimum-jerk profile, sitting down between them."""
    def curve(seconds):
        u = np.linspace(0, 1, round(seconds * rate), endpoint=False)
        return 10 * u**3 - 15 * u**4 + 6 * u**5

    def still(seconds, value):
        return np.full(round(seconds * rate), value)

    parts = [still(before_s, 0.0)]
    for _ in range(count):
        parts += [curve(rise_s), still(pause_s / 2, 1.0), 1 - curve(down_s), still(pause_s / 2, 0.0)]
    height = SEAT + (STAND - SEAT) * np.concatenate([*parts, still(after_s, 0.0)])
    com = np.zeros((len(height), 3))
    com[:, 1] = height
    return np.arange(len(height)) / rate, com


def found(count, **options):
    keep = {key: options.pop(key) for key in list(options) if key in Recording.__dataclass_fields__}
    return analyse_recording(Recording(*stands(count, **options), **keep))


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 8), st.floats(0.6, 3.0), st.floats(0.6, 2.0), st.sampled_from([50.0, 60.0, 100.0, 200.0]))
def test_every_rise_is_found_with_its_duration_and_height(count, rise_s, down_s, rate):
    findings = found(count, rise_s=rise_s, down_s=down_s, rate=rate)
    assert len(findings.rises) == count
    for rise in findings.rises:
        # a minimum-jerk rise is above 5 % of its peak speed during 78 % of its time, and passes 98 % of its height
        # there
        assert rise.end_s - rise.start_s == pytest.approx(0.78 * rise_s, abs=0.12 * rise_s + 0.06)
        assert rise.height_gain_m == pytest.approx(0.40, abs=0.02)
        assert rise.peak_velocity_m_s == pytest.approx(1.875 * 0.40 / rise_s, rel=0.08)
        assert 0 < rise.mean_velocity_m_s < rise.peak_velocity_m_s


def test_power_is_work_against_gravity_over_time():
    rise = found(1, rise_s=1.5).rises[0]
    assert rise.mean_power_w_per_kg == pytest.approx(GRAVITY * rise.height_gain_m / (rise.end_s - rise.start_s),
                                                     rel=0.01)
    assert rise.peak_power_w_per_kg > rise.mean_power_w_per_kg


def test_slower_rises_have_less_power_and_speed():
    fast, slow = found(3, rise_s=0.8).rises[0], found(3, rise_s=2.4).rises[0]
    assert fast.mean_power_w_per_kg > 2 * slow.mean_power_w_per_kg
    assert fast.peak_velocity_m_s > 2 * slow.peak_velocity_m_s


def test_five_times_from_the_start_signal_to_the_fifth_stand():
    findings = found(5, go_s=0.5)
    assert findings.proposals["fcs_s"] == pytest.approx(0.5 + 4 * 2.5 + 0.89, abs=0.06)
    assert "cst_count" not in findings.proposals and any("ends before 30 s" in note for note in findings.notes)
    assert "fcs_s" not in found(4).proposals
    assert check_answers(findings.proposals)[1] == {}


def test_a_time_that_no_test_takes_is_not_proposed():
    findings = found(5, pause_s=100.0, rate=20.0)
    assert len(findings.rises) == 5 and "fcs_s" not in findings.proposals
    assert any("out of range" in note for note in findings.notes)


@pytest.mark.parametrize(("share", "counts"), [(0.45, 12), (0.55, 13)])
def test_more_than_half_way_up_at_thirty_seconds_counts(share, counts):
    """Rises begin every 2.5 s; the 13th begins 30 s after the first, which comes ``before`` s after the signal."""
    u = np.linspace(0, 1, 10_001)
    reach = float(u[np.searchsorted(10 * u**3 - 15 * u**4 + 6 * u**5, share)])       # time of that height, rise of 1 s
    findings = found(14, before_s=1.0, go_s=1.0 + reach)
    assert findings.proposals["cst_count"] == counts


def test_go_signal_leaves_out_what_came_before():
    assert found(14, go_s=3.0).proposals["cst_count"] == found(14).proposals["cst_count"]
    early = found(14, before_s=1.0, go_s=2.2)                       # the first rise is over by then
    assert len(early.rises) == 14 and early.proposals["cst_count"] == 12


def test_squats_count_their_way_up_too_and_cut_off_rises_do_not():
    times, com = stands(4)
    squat = com.copy()
    squat[:, 1] = SEAT + STAND - com[:, 1]                          # starts and ends standing
    assert len(analyse_recording(Recording(times, squat)).rises) == 4
    cut = slice(round(1.5 * RATE), None)                            # begins in the middle of the first rise
    assert len(analyse_recording(Recording(times[cut], com[cut])).rises) == 3


def test_every_recorded_squat_that_ships_is_one_time_of_getting_up():
    repetitions = load_repetitions()
    height = COORDINATES.index("pelvis_ty")
    counts = []
    for one in repetitions:
        com = np.zeros((len(one.values), 3))
        com[:, 1] = one.values[:, height]
        counts.append(len(analyse_recording(Recording(np.arange(len(com)) / one.frame_rate, com)).rises))
    assert counts == [1] * len(repetitions)


def test_noise_of_tracking_does_not_make_repetitions():
    times, com = stands(6, rise_s=1.5)
    noisy = com + np.random.default_rng(3).normal(0, 0.004, com.shape)
    assert len(analyse_recording(Recording(times, noisy)).rises) == 6


def test_standing_still_is_no_repetition():
    times = np.arange(400) / RATE
    findings = analyse_recording(Recording(times, np.tile([0.0, 1.0, 0.0], (400, 1))))
    assert findings.rises == [] and findings.proposals == {} and "No getting up" in findings.notes[0]


def test_posture_asymmetry_and_margin():
    times, com = stands(2)
    knee = np.column_stack([90 * (STAND - com[:, 1]) / 0.4, 72 * (STAND - com[:, 1]) / 0.4])
    force = np.column_stack([np.full(len(times), 400.0), np.full(len(times), 350.0)])
    findings = analyse_recording(Recording(times, com, knee_flexion_deg=knee, vertical_force_n=force,
                                           trunk_lean_deg=np.linspace(0, 41, len(times)),
                                           margin_cm=np.linspace(1.5, 6, len(times))))
    values = {one.key: one for one in findings.measures}
    assert values["knee_asymmetry"].value == pytest.approx(20) and values["knee_asymmetry"].level == "red"
    assert values["force_asymmetry"].value == pytest.approx(12.5) and values["force_asymmetry"].level == "amber"
    assert values["trunk_lean"].value == 41
    assert values["margin_of_stability"].value == 1.5 and values["margin_of_stability"].level == "amber"
    assert values["sparc"].value < 0
    assert "probability" in findings.notes[-1]


def test_asymmetry_index():
    assert asymmetry_index(0, 0) == 0
    assert asymmetry_index(100, 90) == asymmetry_index(90, 100) == pytest.approx(10)


@pytest.mark.parametrize(("change", "name"), [
    ({"times": np.zeros(300)}, "times"), ({"com": np.zeros((300, 2))}, "com"), ({"margin_cm": np.zeros(10)},
        "margin_cm"),
    ({"com": np.full((300, 3), np.nan)}, "com"), ({"go_s": 99.0}, "go_s"), ({"times": np.arange(5.0)}, "times")])
def test_unusable_recordings_name_what_is_wrong(change, name):
    arrays = {"times": np.arange(300) / RATE, "com": np.ones((300, 3))}
    with pytest.raises(InputError, match=name):
        Recording(**{**arrays, **change})


@pytest.mark.parametrize(("percent", "level"), [(59.9, ""), (60, "amber"), (80, "amber"), (80.1, "red")])
def test_demand_bands(percent, level):
    assert demand_level(percent) == level


def test_movement_profile():
    times, com = stands(1)
    margin = np.linspace(5, -1, len(times))
    profile = movement_profile(times, com, margin, [
        Demand("knee_right", "knee, right", 90.0, measured=True, error_percent=12.0),
        Demand("hip_left", "hip, left", 60.0, measured=False),
    ], ["Forces are computed."])
    values = {one.key: one for one in profile.measures}
    knee, hip = values["demand_knee_right"], values["demand_hip_left"]
    assert (knee.value, knee.level, knee.unit) == (90, "red", "% of strength") and "±12 points" in knee.note
    assert hip.level == "amber" and "measured" in knee.note and "not measured" in hip.note and "±" not in hip.note
    assert len(profile.margin_cm) == 101 and profile.margin_cm[0] == 5 and profile.margin_cm[-1] == -1
    assert values["margin_of_stability"].level == "red"
    assert profile.supervision == ["Least margin of stability: -1 cm", "Demand: knee, right: 90 % of strength"]
    assert "No published coefficient" in profile.notes[0] and "Forces are computed." in profile.notes
    safe = movement_profile(times, com, margin + 10)
    assert safe.supervision == [] and any("not known" in note for note in safe.notes)


def test_movement_profile_names_what_is_wrong():
    times, com = stands(1)
    with pytest.raises(InputError, match="margin_cm"):
        movement_profile(times, com, np.zeros(3))
    with pytest.raises(InputError, match="demands.knee_left"):
        movement_profile(times, com, np.zeros(len(times)), [Demand("knee_left", "knee, left", float("nan"), True)])


def test_no_score_reads_a_motion():
    """What the simulation says never feeds a score: no other module of the package names these two, the engine or
    Django.
    """
    for path in sorted(Path(fall_risk.scores.__file__).parent.glob("*.py")):
        if path.stem not in ("motion", "movement_profile"):
            for node in ast.walk(ast.parse(path.read_text())):
                names = [node.module or ""] if isinstance(node, ast.ImportFrom) else (
                    [alias.name for alias in node.names] if isinstance(node, ast.Import) else [])
                names += [f"{names[0]}.{alias.name}" for alias in node.names] if isinstance(node,
                    ast.ImportFrom) else []
                assert not any(name.startswith(("django", "generation")) or "motion" in name or "movement" in name
                               for name in names), path.name
