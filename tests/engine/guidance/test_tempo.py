"""Curves and tempo: loops close, nothing jumps, measured durations are the ones asked for."""
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.engine.guidance import curves
from generation.engine.guidance.tempo import FRAME_RATE, HOLD_S, Timing, choose_tempo, plan_tempo, usual_height
from generation.engine.limits import Limit
from generation.engine.metrics import measure_phases


@given(st.floats(0.6, 8), st.floats(0.3, 5), st.floats(0.6, 8))
@settings(max_examples=40, deadline=None)
def test_measured_phases_are_the_asked_ones(descent, pause, ascent):
    pause = max(pause, 0.1 * max(descent, ascent))
    timing = plan_tempo(usual_height, descent, pause, ascent)
    times = timing.frames()
    seen = measure_phases(usual_height(timing.phase(times)), times)
    assert (seen.descent_s, seen.pause_s, seen.ascent_s) == pytest.approx((descent, pause, ascent), abs=0.03)


@pytest.mark.parametrize(("limits", "asked"), [
    ([Limit("descent_s", None, 4)], {}),
    ([Limit("pause_s", None, None, 0.3)], {}),
    ([Limit("pause_s", None, None, 0.0)], {}),
    ([Limit("repetition_s", None, 8)], {}),
    ([Limit("repetition_s", None, None, 3)], {}),
    ([Limit("repetition_s", None, 12), Limit("ascent_s", None, None, 3)], {"descent_s": 3.0}),
    ([Limit("repetition_s", None, 2), Limit("pause_s", None, None, 0.2)], {"pause_s": 0.0}),
    ([Limit("descent_s", None, 1.9, 1.95)], {"descent_s": 2.0}),
])
def test_a_tempo_that_nobody_asked_for_keeps_the_limits(limits, asked):
    tempo = dict(zip(("descent_s", "pause_s", "ascent_s"),
                     choose_tempo({"descent_s": None, "pause_s": None, "ascent_s": None, **asked}, tuple(limits)),
                     strict=True))
    reached = {**tempo, "repetition_s": sum(tempo.values())}
    for limit in limits:
        assert limit.min is None or reached[limit.variable] > limit.min
        assert limit.max is None or reached[limit.variable] <= limit.max
    assert all(tempo[name] == pytest.approx(value, abs=0.1) for name, value in asked.items())
    assert min(tempo["descent_s"], tempo["ascent_s"]) >= 0.5 and tempo["pause_s"] >= 0


def test_without_limits_the_tempo_is_as_asked_or_the_default():
    assert choose_tempo({"descent_s": 3.0, "pause_s": None, "ascent_s": 0.5}, ()) == (3.0, 1.0, 0.5)


def test_no_pause_turns_round_at_once():
    timing = plan_tempo(usual_height, 2, 0, 2)
    times = timing.frames()
    assert timing.pause_s == 0 and timing.through > 0
    assert measure_phases(usual_height(timing.phase(times)), times).pause_s < 0.11


@pytest.mark.parametrize("timing", [Timing(2, 1, 2), Timing(3, 0, 1, through=0.1), Timing(0.7, 0, 0.7, through=0.6)])
def test_phase_is_monotone_and_twice_continuous(timing):
    times = np.linspace(0, timing.duration_s, 40_001)
    phase = timing.phase(times)
    assert phase[0] == 0 and phase[-1] == pytest.approx(1)
    assert (np.diff(phase) >= -1e-12).all()
    speed = np.gradient(phase, times)
    acceleration = np.gradient(speed, times)
    assert np.abs(np.diff(speed)).max() < 2e-3 * speed.max()                       # no jump of velocity
    assert np.abs(np.diff(acceleration[2:-2])).max() < 2e-2 * np.abs(acceleration).max()
    still = times < HOLD_S
    assert (phase[still] == 0).all() and timing.phase(timing.hold_s + timing.descent_s) == pytest.approx(0.5)


def test_frames_are_60_hz_and_end_standing():
    timing = plan_tempo(usual_height, 2, 1, 2)
    times = timing.frames()
    assert np.diff(times) == pytest.approx(1 / FRAME_RATE)
    assert timing.phase(times)[-1] == pytest.approx(1)


def test_a_fit_goes_through_a_smooth_curve_and_ignores_jitter():
    phase = curves.sample_phases(128, 64)
    smooth = 1 - np.cos(2 * np.pi * phase)
    jitter = smooth + 0.02 * (-1.0) ** np.arange(128)
    for samples, tolerance in ((smooth, 1e-3), (jitter, 0.01)):
        curve = curves.design(phase, 20) @ curves.fit(128, 64, 20) @ samples
        assert np.abs(curve - smooth)[3:-3].max() < tolerance


def test_a_closed_loop_ends_where_it_began_and_a_loop_is_left_alone():
    open_curve = np.linspace(0, 1, 20)[:, None] ** 2
    closed = curves.close_loop(20) @ open_curve
    assert closed[[0, -1], 0] == pytest.approx([0.5, 0.5])
    loop = np.sin(np.linspace(0, np.pi, 20))[:, None]
    assert curves.close_loop(20) @ loop == pytest.approx(loop)
