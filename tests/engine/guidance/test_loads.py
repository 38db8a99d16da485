"""Limits on loads: they change the motion, they are kept on the file as delivered, and what cannot be kept is named."""
from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from generation.engine.analysis import analyse
from generation.engine.body import COORDINATES, load_body, personal_body
from generation.engine.formats.mot import read_mot
from generation.engine.generate import generate
from generation.engine.guidance.loading import LoadGuide, asked_share
from generation.engine.guidance.tempo import plan_tempo, usual_height
from generation.engine.limits import Limit, intersect
from generation.engine.metrics import LoadMeter
from generation.engine.profile import parse_profile

PERSON = {"sex": "male", "age_years": 61, "height_m": 1.76, "mass_kg": 84}
STEPS = 40
FORCE, WINDOW = 3.5, (30.0, 45.0)


def run(*constraints: dict, count: int = 2, repairs: int = 1, **more):
    return generate(parse_profile({**PERSON, **more, "constraints": list(constraints)}), candidates=count, seed=1,
                    device="cpu", steps=STEPS, repairs=repairs)


def limit(variable: str, unit: str, **bounds) -> dict:
    return {"variable": variable, "unit": unit, **bounds}


def peaks(result, variable: str) -> list[list[float]]:
    return [list(candidate.physics["peaks"][variable].values()) for candidate in result.candidates]


@pytest.fixture(scope="module")
def free():
    return run()


@pytest.fixture(scope="module")
def capped():
    return run(limit("patellofemoral_force_peak", "bw", max=FORCE))


def test_a_cap_on_the_kneecap_s_force_lightens_the_motion(free, capped):
    assert np.max(peaks(free, "patellofemoral_force_peak")) > FORCE + 1
    accepted = [candidate for candidate in capped.candidates if candidate.accepted]
    assert accepted
    for candidate in accepted:
        assert max(candidate.physics["peaks"]["patellofemoral_force_peak"].values()) <= FORCE + 0.01
        check = next(check for check in candidate.checks if check["variable"] == "patellofemoral_force_peak")
        assert check["satisfied"] and check["unit"] == "body weights" and 0 <= check["trusted_share"] <= 1


def test_the_file_and_the_model_written_give_the_reported_peaks(capped, tmp_path):
    capped.write(tmp_path)
    report = json.loads((tmp_path / "report.json").read_text(), parse_constant=pytest.fail)
    body, made = load_body(tmp_path / "model.osim"), report["candidates"][0]
    found = analyse(read_mot(tmp_path / made["file"]), body, route="fast")
    physics = made["physics"]
    assert physics["versions"]["body_osim_sha256"] == body.key
    assert physics["trusted"]["frames"] == found.trusted.sum() and physics["trusted"]["of"] == len(found.time)
    assert physics["ground_reaction"]["source"] == "estimated" and physics["ground_reaction"]["uncertainty"]
    for side, letter in (("right", "r"), ("left", "l")):
        assert physics["peaks"]["patellofemoral_force_peak"][side] == pytest.approx(
            found.contact_in_body_weights(f"patellofemoral_free_body_{letter}").max(), abs=0.002)
        assert physics["peaks"]["knee_extension_demand_peak"][side] == pytest.approx(
            100 * found.demand[f"knee_angle_{letter}"].max(), abs=0.02)
    assert made["metrics"]["patellofemoral_force_body_weights"] == pytest.approx(
        max(physics["peaks"]["patellofemoral_force_peak"].values()))


def test_an_activation_window_is_met_from_both_sides():
    made = run(limit("vasti_activation_peak", "%", min=WINDOW[0], max=WINDOW[1]))
    accepted = [candidate for candidate in made.candidates if candidate.accepted]
    assert accepted
    for candidate in accepted:
        for value in candidate.physics["peaks"]["vasti_activation_peak"].values():
            assert WINDOW[0] - 0.01 <= value <= WINDOW[1] + 0.01


def test_the_load_is_shifted_to_the_side_that_is_asked_for():
    made = run(limit("foot_load_share_mean", "%", min=57, max=64, side="left"))
    assert any(candidate.accepted for candidate in made.candidates)
    for _, left in peaks(made, "foot_load_share_mean"):
        assert left > 56


def test_what_a_weak_knee_may_be_asked_is_limited_on_its_side(free):
    weak = {"knee_extension_percent": {"left": 50}}
    made = run(limit("knee_extension_demand_peak", "%", max=60), strength=weak)
    accepted = [candidate for candidate in made.candidates if candidate.accepted]
    assert accepted and max(candidate.physics["peaks"]["knee_extension_demand_peak"]["left"]
                            for candidate in accepted) <= 60.01
    right, left = peaks(made, "knee_extension_demand_peak")[0]
    assert left > 1.4 * right          # the same movement asks more of the weaker side


def test_a_load_that_no_squat_so_deep_can_keep_is_named():
    made = run(limit("patellofemoral_force_peak", "bw", max=0.5), limit("knee_flexion_peak", "deg", min=95), count=1,
               repairs=0)
    assert not made.candidates[0].accepted
    assert any("kneecap" in reason and "body weights" in reason for reason in made.candidates[0].reasons)
    blocking = {block["limit"]["variable"]: block for block in made.report["summary"]["blocking"]}
    assert 2 < blocking["patellofemoral_force_peak"]["needed"] < 15
    assert "body weights" in blocking["patellofemoral_force_peak"]["text"]


def test_the_price_of_a_load_falls_along_its_gradient():
    body = personal_body(parse_profile(PERSON))
    limits = intersect([Limit("knee_extension_demand_peak", "both", None, 1.0)])
    times = plan_tempo(usual_height, 2, 1, 2).sparse_times(20)
    guide, margins = LoadGuide(LoadMeter(body), limits, times), torch.zeros(len(limits), 1)
    legs = [COORDINATES.index(f"{name}_{side}") for name in ("knee_angle", "hip_flexion") for side in "rl"]
    bend = torch.as_tensor(0.5 - 0.5 * np.cos(2 * np.pi * times / times[-1]))

    def crossed(deepest):
        q = torch.zeros(1, len(times), len(COORDINATES))
        q[..., legs] = (deepest * bend)[None, :, None].float()
        return guide.violations(q, limits, margins).sum(), float(guide.rooms(q, limits).detach().min())

    deepest = torch.tensor(1.2, requires_grad=True)
    value, room = crossed(deepest)
    value.backward()
    (less, more_room), (more, _) = crossed(torch.tensor(1.17)), crossed(torch.tensor(1.23))
    assert float(deepest.grad) > 0 and float(deepest.grad) == pytest.approx(float(more - less) / 0.06, rel=0.25)
    assert room < more_room < 0


@pytest.mark.parametrize(("limits", "share"), [
    ([], None),
    ([Limit("foot_load_share", "both", 40, 60)], None),
    ([Limit("foot_load_share_mean", "left", 60, 70)], 0.37),
    ([Limit("foot_load_share_mean", "right", 62)], 0.65),
    ([Limit("foot_load_share_mean", "right", None, 40)], 0.37),
])
def test_where_a_shift_begins(limits, share):
    assert asked_share(intersect(limits)) == (None if share is None else pytest.approx(share))
