"""Slower where a limit on speed asks for it and nobody asked for a tempo; never outside the limits on time."""
from __future__ import annotations

import pytest

from generation.engine.guidance.pace import own_paces, slowed
from generation.engine.limits import Limit

FREE = (True, True, True)


def test_descent_and_ascent_slow_down_and_the_pause_stays():
    assert slowed((2.0, 1.0, 1.5), FREE, 1.5, ()) == pytest.approx((3.0, 1.0, 2.25))


def test_what_was_asked_for_is_kept():
    assert slowed((2.0, 1.0, 1.5), (False, True, True), 1.5, ()) == pytest.approx((2.0, 1.0, 2.25))
    assert slowed((2.0, 1.0, 1.5), (False, False, False), 1.5, ()) == (2.0, 1.0, 1.5)


def test_limits_on_time_are_kept():
    longest = (Limit("repetition_s", max=5.0),)
    assert 4.5 < sum(slowed((2.0, 1.0, 1.5), FREE, 2.0, longest)) <= 5.0
    assert slowed((2.0, 1.0, 1.5), FREE, 2.0, (Limit("descent_s", max=2.2),))[0] <= 2.2


def test_candidates_own_paces_are_different_and_none_is_quicker():
    paces = own_paces(16)
    assert min(paces) == 1.0 and max(paces) < 1.36
    assert len({round(pace, 3) for pace in paces}) == 16
