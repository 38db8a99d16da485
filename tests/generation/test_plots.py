"""Curves beside the player: what is drawn, what is allowed, what people did, and the same in a table."""
from __future__ import annotations

import json

import numpy as np
import pytest

from generation import alignment
from generation.angle_plots import joint_angles
from generation.differences import callouts, differences
from generation.engine.motion_data import load_repetitions
from generation.engine.motion_data.human_range import FILE, POINTS, human_range, write
from generation.engine.motion_model.preparation import TEST, VALIDATION
from generation.human_range import human_band
from generation.models import OwnMotion
from generation.physics_plots import physics_plots
from generation.playback import Curves, curves
from generation.plots import allowed
from tests.world import Side

NAMES = ("knee_angle_r", "knee_angle_l", "hip_flexion_r", "hip_flexion_l", "lumbar_extension")


def motion(down: float = 2.0, hold: float = 1.0, up: float = 2.0, knee: float = 80.0, left: float = 0.0) -> Curves:
    """Stands 0.5 s, goes down to `knee` degrees, holds, comes up, stands; the left knee bends `left` degrees more."""
    edges = np.cumsum([0, 0.5, down, hold, up, 0.5])
    times = np.arange(round(edges[-1] * 60) + 1) / 60
    depth = np.interp(times, edges, [0, 0, 1, 1, 0, 0])
    columns = [knee * depth, (knee + left) * depth, 0.9 * knee * depth, 0.9 * knee * depth, -0.2 * knee * depth]
    names = ("stand", "descent", "bottom", "ascent", "stand")
    phases = [{"name": name, "start_s": float(a), "end_s": float(b)}
              for name, a, b in zip(names, edges, edges[1:], strict=False) if b > a]
    height = 0.9 - knee / 400 * depth
    joints = {name: np.stack([0 * depth, height * part, 0 * depth], 1)
              for name, part in {"hip_r": 1, "hip_l": 1, "knee_r": 0.5, "knee_l": 0.5}.items()}
    return Curves(NAMES, np.stack(columns, 1), 60.0, phases, joints)


def test_by_phase_the_same_phase_lies_beside_the_same():
    one, other = motion(), motion(down=1.0, hold=0.2, up=3.0)
    times = alignment.own_times(one, other)
    knees = alignment.at(other, "knee_angle_r", times)
    assert np.abs(knees - one.of("knee_angle_r")).max() < 2.0       # one frame of the fastest part
    assert np.all(np.diff(times) >= 0)
    shifted = alignment.own_times(one, motion(down=1.0), "time")
    assert shifted[60] == pytest.approx(1.0) and shifted[-1] == pytest.approx(5.0)      # its own end


def test_a_motion_without_phases_keeps_its_own_time():
    bare = Curves(NAMES, motion().values, 60.0, [], motion().joints)
    assert alignment.own_times(bare, motion())[-1] == pytest.approx(bare.times[-1])
    assert alignment.cycle(bare) == (0.0, pytest.approx(bare.times[-1]))
    assert human_band(bare, "knee_angle") is None


def limit(variable: str, low=None, high=None, **more) -> dict:
    return {"variable": variable, "min": low, "max": high, "unit": "deg", **more}


def test_what_limits_allow_is_drawn_where_they_hold():
    phases = motion().phases
    checks = [limit("knee_flexion", 0, 100), limit("knee_flexion", None, 90, side="left"),
              limit("knee_flexion", 10, 70, phase="ascent"), limit("knee_flexion", None, 20, weight=2.0),
              limit("knee_flexion_peak", 60, 85)]
    bands = allowed(checks, "knee_flexion", phases)
    whole = next(b for b in bands if b.start is None)
    assert (whole.low, whole.high) == (0, 85)           # the tightest of both sides and of the greatest value
    assert any((b.low, b.high, b.start, b.end) == (10, 70, 3.5, 5.5) for b in bands)
    assert any((b.low, b.high, b.start) == (60, None, 2.5) for b in bands)      # at least so deep: only at the bottom
    assert not any(b.high == 20 for b in bands), "a goal allows everything"
    assert allowed([limit("hip_flexion", None, 50)], "knee_flexion", phases) == []


def test_the_shipped_range_is_that_of_the_held_out_people(tmp_path):
    found = human_range(load_repetitions(), (*VALIDATION, *TEST))
    write(tmp_path / "range.json", found)
    assert (tmp_path / "range.json").read_bytes() == FILE.read_bytes(), "run `manage.py build_human_range`"
    knee = found.mean["descent"]["knee_angle"]
    assert len(knee) == POINTS and knee[-1] > 90 > 30 > knee[0]
    assert found.mean["ascent"]["knee_angle"][0] == pytest.approx(knee[-1])
    assert all(np.all(sd > 0) for curves in found.sd.values() for sd in curves.values())
    with pytest.raises(ValueError, match="two"):
        human_range(load_repetitions(), VALIDATION[:1])


def test_people_are_brought_to_the_phases_of_the_motion():
    band = human_band(motion(), "knee_angle")
    assert band.times[0] == pytest.approx(0.5) and band.times[-1] == pytest.approx(5.5)
    held = (band.times >= 2.5) & (band.times <= 3.5)
    assert np.ptp(band.mean[held]) < 1e-9


def test_a_candidates_angles_with_band_people_own_recording_and_numbers(side: Side):
    own = OwnMotion(playback_gzip=side.record.candidate.playback_gzip)
    plot = joint_angles(side.record.candidate, own)
    document = plot.document()
    json.dumps(document, allow_nan=False)
    names = [trace.get("name") for trace in document["figure"]["data"]]
    assert {"Right", "Left", "Middle", "Right, own recording", "Left, own recording"} <= set(names)
    shapes = document["figure"]["layout"]["shapes"]
    assert any(shape.get("y1") == 60 for shape in shapes)       # the band of the limit
    words = {item["kind"]: item["words"] for item in document["legend"]}
    assert "6 people" in words["human"] and set(words) >= {"right", "left", "allowed", "own"}
    knee = document["tables"][0]
    assert [row["percent"] for row in knee["rows"]] == list(range(0, 101, 10))
    shown = curves(side.record.candidate)
    middle = knee["rows"][5]
    at = np.interp(middle["time"], shown.times, shown.of("knee_angle_r"))
    assert middle["values"][knee["heads"].index("Right")] == pytest.approx(at, abs=0.01)
    assert middle["allowed"] == "at most 60°"


def test_forces_are_drawn_in_their_units_with_their_limits():
    found = {"time_s": [0.0, 1.0, 2.0, 3.0], "trusted": [True, False, False, True],
             "activations": {"quadriceps_r": [0, 0.2, 0.4, 0.1], "quadriceps_l": [0, 0.1, 0.2, 0.1]},
             "moments": {"knee_angle_r": [0, 20, 40, 0]}, "loads": {"hip_r": [1, 2, 3, 1]}}
    checks = [limit("quadriceps_activation_peak", None, 60), limit("knee_extension_moment_peak", None, 1.5),
              limit("hip_force_peak", 1, None)]
    plots = {plot.key: plot for plot in physics_plots(found, motion(), checks, mass_kg=70.0)}
    assert set(plots) == {"activations", "moments", "loads"}            # no margin was stored: nothing is drawn of it
    more = physics_plots(found | {"stability": {"margin_of_stability": [0.03, 0.02, 0.02, 0.03]}}, motion(), [], 70.0)
    assert more[-1].title == "Balance" and more[-1].panels[0].lines[0].values.tolist() == [3, 2, 2, 3]
    activity = plots["activations"].panels[0]
    assert activity.lines[0].values.tolist() == [0, 20, 40, 10] and activity.allowed[0].high == 60
    assert plots["moments"].panels[0].allowed[0].high == pytest.approx(105.0)
    assert plots["loads"].panels[0].allowed == []                       # a lower bound of a peak is no band
    assert plots["loads"].doubted == [(0.5, 2.5)]


def test_differences_are_said_with_joint_and_degrees():
    found = differences(motion(), motion(knee=60, left=12, hold=2.0))
    words = " ".join(one.text for one in found)
    assert "The right knee bends 20° less at the bottom: 60° against 80°." in words
    assert "The left knee bends 8° less at the bottom: 72° against 80°." in words
    assert "less deep: the hips go down 15 cm against 20 cm" in words
    assert "The hold lasts 1.0 s longer: 2.0 s against 1.0 s." in words
    assert "left and right are up to 12° apart, against 0°" in words
    both = differences(motion(), motion(knee=70, left=0.5))
    assert any(one.text == "The knees bend 10° less at the bottom: 70° against 80°." for one in both)
    assert {"knee_r", "knee_l"} <= {one["joint"] for one in callouts(both)}
    marks = {one["joint"]: one for one in callouts(found)}
    assert marks["knee_r"]["text"] == "20°" and marks["knee_r"]["tone"] == "less"
    assert "back" not in marks                                          # the motion has no such joint centre
    assert differences(motion(), motion()) == []
