"""OpenSim's second measure respects the part of the squat, the goal and the repetition, as the first does."""
from __future__ import annotations

import numpy as np
import pytest
import torch

from generation.engine.analysis import analyse
from generation.engine.analysis.recheck import measure_by_opensim, recheck
from generation.engine.body import COORDINATES, personal_body
from generation.engine.formats import Motion
from generation.engine.limits import Limit
from generation.engine.metrics import LoadMeter
from generation.engine.profile import parse_profile

PERSON = {"sex": "female", "age_years": 40, "height_m": 1.65, "mass_kg": 60}
RATE = 30.0


@pytest.fixture(scope="module")
def twice():
    """Two shallow squats, the second deeper, the trunk leaning on the way up only; feet not planted exactly."""
    body = personal_body(parse_profile(PERSON))
    t = np.arange(int(2 * RATE)) / (2 * RATE)
    bend = np.concatenate([np.zeros(10), 40 * (1 - np.cos(2 * np.pi * t)) / 2, np.zeros(10),
                           55 * (1 - np.cos(2 * np.pi * t)) / 2, np.zeros(10)])
    values = np.zeros((len(bend), len(COORDINATES)))
    at = {name: i for i, name in enumerate(COORDINATES)}
    for side in "rl":
        values[:, at[f"knee_angle_{side}"]] = np.radians(bend)
        values[:, at[f"hip_flexion_{side}"]] = np.radians(bend / 2)
        values[:, at[f"ankle_angle_{side}"]] = np.radians(bend / 2)
    rising = np.gradient(bend) < 0
    values[:, at["lumbar_extension"]] = -np.radians(np.where(rising, np.minimum(bend, 20), 0))
    values[:, at["pelvis_ty"]] = 0.9 - 0.8 * (1 - np.cos(np.radians(bend / 2)))
    return Motion(COORDINATES, values, RATE), body


LIMITS = [
    Limit("trunk_forward_lean", None, None, 10, phase="descent"), Limit("trunk_forward_lean", None, None, 10,
                                                                        phase="ascent"),
    Limit("knee_flexion_peak", "both", 50), Limit("knee_flexion", "left", None, 30, weight=1.0),
    Limit("knee_extension_moment_peak", "both", None, 0.05, phase="bottom"),
    Limit("vasmed_activation_peak", "right", None, 100, phase="ascent"),
    Limit("tibiofemoral_force_peak", "both", None, 20), Limit("foot_load_share_mean", "left", 30, 70, phase="descent"),
]


def test_both_routes_look_at_the_same_frames(twice):
    motion, body = twice
    seen = measure_by_opensim(motion, body)
    assert len(seen.phases.repetitions) == 2
    analysis = analyse(motion, body, route="fast", every=2)      # stands for OpenSim's: the same kind of result
    found = recheck(motion, body, LIMITS, seen, analysis)
    down, up, deep, goal, moment, muscle, force, share = found
    assert down.satisfied and not up.satisfied and up.highest == pytest.approx(20, abs=0.5)
    assert deep.broken and deep.worst_repetition == 1 and deep.worst == pytest.approx(40, abs=0.5)
    assert not goal.satisfied and not goal.broken and goal.weight == 1.0
    assert moment.broken and moment.phase == "bottom" and moment.worst > 0.05
    assert all(one.satisfied for one in (muscle, force, share))
    fast = LoadMeter(body, torch.float64).measure([motion.values], RATE, [seen.phases])[0]
    seen.add_loads(fast, torch.as_tensor(motion.values))
    for one, other in zip(found, seen.check(LIMITS), strict=True):
        assert (one.variable, one.phase, one.satisfied) == (other.variable, other.phase, other.satisfied)
        assert one.worst == pytest.approx(other.worst, rel=0.1, abs=0.5)
