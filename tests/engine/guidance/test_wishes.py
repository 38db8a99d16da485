"""Limits in one phase, goals, single muscles and a seat: asked for, guided to, and told in the report."""
from __future__ import annotations

import pytest

from generation.engine.generate import generate
from generation.engine.profile import parse_profile

PERSON = {"sex": "male", "age_years": 61, "height_m": 1.76, "mass_kg": 84}


def run(*constraints: dict, count: int = 2, **more):
    return generate(parse_profile({**PERSON, **more, "constraints": list(constraints)}), candidates=count, seed=2,
                    device="cpu", steps=50, repairs=2)


def limit(variable: str, unit: str, **bounds) -> dict:
    return {"variable": variable, "unit": unit, **bounds}


def checks_of(candidate, variable: str) -> list[dict]:
    return [check for check in candidate.checks if check["variable"] == variable]


@pytest.fixture(scope="module")
def asked():
    return run(limit("trunk_forward_lean", "deg", max=22, phase="ascent"), limit("knee_flexion_peak", "deg", min=70),
               limit("knee_flexion", "deg", max=30, phase="bottom", weight=0.3),
               limit("vasmed_r_activation_peak", "%", max=70, phase="descent"))


def test_a_limit_in_one_phase_is_kept_in_that_phase(asked):
    accepted = [candidate for candidate in asked.candidates if candidate.accepted]
    assert accepted
    for candidate in accepted:
        (lean,) = checks_of(candidate, "trunk_forward_lean")
        assert lean["phase"] == "ascent" and lean["satisfied"] and lean["highest"] <= 22.01
        (muscle,) = checks_of(candidate, "vasmed_activation_peak")
        assert (muscle["side"], muscle["phase"]) == ("right", "descent") and muscle["highest"] <= 70.01
        assert muscle["highest"] <= candidate.physics["peaks"]["vasmed_activation_peak"]["right"] + 1e-6


def test_a_goal_that_cannot_be_met_rejects_nothing_and_is_told(asked):
    for candidate in asked.candidates:
        (goal,) = checks_of(candidate, "knee_flexion")
        assert goal["weight"] == 0.3 and not goal["satisfied"] and goal["margin"] < -30
        assert not any("0.3" in reason for reason in candidate.reasons)
        assert not any("Knee bend" in reason and "bottom" in reason for reason in candidate.reasons)
    effective = {(one["variable"], one["phase"]): one for one in asked.report["limits"]["effective"]}
    assert effective["knee_flexion", "bottom"]["weight"] == 0.3


def test_a_goal_moves_the_motion_its_way():
    free, wished = (run(*wishes, count=1) for wishes in (
        [limit("knee_flexion_peak", "deg", min=75, max=85)],
        [limit("knee_flexion_peak", "deg", min=75, max=85), limit("trunk_forward_lean_peak", "deg", max=5, weight=10)]))
    before, after = (made.candidates[0].metrics["trunk_forward_lean_deg"] for made in (free, wished))
    assert wished.candidates[0].accepted and after < before - 3


def test_a_seat_is_touched():
    made = run(limit("seat_height", "cm", min=44, max=47))
    accepted = [candidate for candidate in made.candidates if candidate.accepted]
    assert accepted
    for candidate in accepted:
        assert 43.99 <= candidate.metrics["seat_height_cm"] <= 47.01
