"""What to change in one's own squat: constructed differences come back as words, the important first."""
from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from generation.engine.body import COORDINATES, TorchBody, scale_body
from generation.engine.guidance.changes import MOST, Stance, describe, stance_of
from generation.engine.metrics import Loads, Trust, measure

RATE = 60.0
STANCE = Stance(30.0, (10.0, 10.0), 40.0)


@pytest.fixture(scope="module")
def body() -> TorchBody:
    return TorchBody(scale_body("female", 40, 1.65, 60), dtype=torch.float64)


def squat(body, depth=90.0, down_s=1.5, up_s=1.5, pause_s=0.5, right=0.0, **more) -> torch.Tensor:
    """A squat without planted feet; ``more``: degrees of a coordinate at the bottom, 0 standing."""
    down, up = (np.arange(int(seconds * RATE)) / (seconds * RATE) for seconds in (down_s, up_s))
    still = np.zeros(int(0.5 * RATE))
    shape = np.concatenate([still, (1 - np.cos(np.pi * down)) / 2, np.ones(int(pause_s * RATE)),
                            (1 + np.cos(np.pi * up)) / 2, still])
    q = body.neutral().expand(len(shape), -1).clone()
    angles = {"knee_angle_l": depth, "knee_angle_r": depth + right, "hip_flexion_l": 80.0, "hip_flexion_r": 80.0}
    angles |= more
    for name, degrees in angles.items():
        q[:, COORDINATES.index(name)] = torch.as_tensor(math.radians(degrees) * shape)
    q[:, COORDINATES.index("pelvis_ty")] -= torch.as_tensor(0.3 * shape)
    return q


def changes(body, own, new, own_stance=STANCE, new_stance=STANCE, broken=()):
    return describe(measure(body, own, RATE), own_stance, measure(body, new, RATE), new_stance, broken)


def test_the_same_squat_needs_no_words(body):
    assert changes(body, squat(body), squat(body)) == []


def test_depth_is_one_sentence_where_both_knees_agree(body):
    (first,) = [change for change in changes(body, squat(body, 110), squat(body, 90)) if change["quantity"] == "depth"]
    assert first["text"] == "At the bottom, stop 20 deg earlier: the knees bend to 90 instead of 110 deg."
    assert (first["own"], first["new"], first["unit"]) == (pytest.approx(110), pytest.approx(90), "deg")
    (deeper,) = [change for change in changes(body, squat(body, 70), squat(body, 90)) if change["quantity"] == "depth"]
    assert "go 20 deg deeper" in deeper["text"]


def test_one_knee_that_differs_is_told_by_its_side(body):
    found = changes(body, squat(body, 90, right=15), squat(body, 90))
    (only,) = [change for change in found if change["quantity"] == "depth"]
    assert only["side"] == "right" and "bend the right knee 15 deg less (105 to 90 deg)" in only["text"]


def test_knees_and_thighs_to_one_side(body):
    found = changes(body, squat(body, hip_adduction_l=10), squat(body, hip_adduction_l=0))
    thigh = next(change for change in found if change["quantity"] == "hip_adduction")
    assert thigh["side"] == "left" and thigh["phase"] == "bottom"
    assert thigh["text"] == "At the bottom, bring the left thigh 10 deg outward (10 to 0 deg)."
    # a thigh that turns inwards brings the knee inside the foot: told of the knee, in degrees of the shin
    found = changes(body, squat(body, hip_rotation_l=15, hip_adduction_l=5), squat(body))
    knee = next(change for change in found if change["quantity"] == "knee_medial_displacement")
    assert knee["side"] == "left" and "bring the left knee" in knee["text"] and "outward" in knee["text"]


def test_both_sides_alike_are_told_together(body):
    found = changes(body, squat(body, hip_adduction_l=8, hip_adduction_r=8), squat(body))
    thighs = [change for change in found if change["quantity"] == "hip_adduction"]
    assert [change["side"] for change in thighs] == ["both"] and "bring the thighs 8 deg outward" in thighs[0]["text"]


def test_trunk_and_tempo_in_words(body):
    found = changes(body, squat(body, lumbar_extension=-40), squat(body, lumbar_extension=-20, down_s=2.5, pause_s=0.1))
    texts = {change["quantity"]: change["text"] for change in found}
    assert texts["trunk_forward_lean"].startswith("At the bottom, keep the trunk 20 deg more upright")
    assert texts["lumbar_flexion"].startswith("At the bottom, keep the low back 20 deg straighter")
    assert texts["descent_s"].startswith("Take ") and texts["descent_s"].find("longer on the way down") > 0
    assert next(c for c in found if c["quantity"] == "descent_s")["change"] == pytest.approx(0.94, abs=0.1)
    assert "less at the bottom" in texts["pause_s"] and "ascent_s" not in texts


def test_what_differs_only_on_the_way_is_said_of_the_way(body):
    own, new = squat(body), squat(body)
    column, frames = COORDINATES.index("lumbar_bending"), np.arange(len(own))
    # the descent lasts from 0.5 to 2 s: a lean to the right that comes and goes in it
    lean = 12 * np.clip(np.sin(np.pi * (frames / RATE - 0.6) / 1.1), 0, None) * (frames < 1.7 * RATE)
    own[:, column] = torch.as_tensor(np.radians(lean))
    found = [change for change in changes(body, own, new) if change["quantity"] == "lumbar_bending"]
    assert [change["phase"] for change in found] == ["descent"]
    assert found[0]["text"].startswith("On the way down, lean the trunk 12 deg to the left")


def test_the_stance_is_told(body):
    found = changes(body, squat(body), squat(body), STANCE, Stance(36.0, (10.0, 22.0), 40.0))
    assert {change["text"] for change in found} == {
        "Stand with the feet 6 cm wider (30 to 36 cm between the ankles).",
        "Turn the left foot 12 deg further out (10 to 22 deg outward)."}
    seen = stance_of(body, squat(body))
    centres = body.joint_centres(body(body.neutral()))
    assert seen.width_cm == pytest.approx(100 * float((centres["ankle_r"] - centres["ankle_l"]).norm()), abs=0.5)
    assert seen.toe_out_deg[0] == pytest.approx(seen.toe_out_deg[1], abs=1e-6)


def test_what_a_limit_demands_comes_first_and_not_too_much_is_said(body):
    own = squat(body, 100, lumbar_extension=-60, hip_rotation_l=20, hip_rotation_r=-8, hip_adduction_l=12,
                hip_adduction_r=-9, ankle_angle_l=15, pelvis_list=9, lumbar_bending=11, pelvis_rotation=7)
    new = squat(body, 94, down_s=3, up_s=3, pause_s=1.5)
    free = changes(body, own, new)
    assert free[0]["quantity"] != "depth" and not any(change["asked"] for change in free)
    order = [change["importance"] for change in free]
    assert len(free) == MOST and order == sorted(order, reverse=True)
    asked = changes(body, own, new, broken={"knee_flexion"})
    assert asked[0]["quantity"] == "depth" and asked[0]["asked"]


def test_loads_are_told_in_their_units(body):
    def loaded(behind_kneecap: float):
        seen = measure(body, squat(body), RATE)
        single = {"patellofemoral_force_peak": torch.tensor([behind_kneecap, 3.0]),
                  "knee_extension_demand_peak": torch.tensor([50.0, 52.0])}
        seen.loads = Loads({}, single, {}, Trust(1, 1, 0.0, ""), {}, {}, {})
        return seen

    (only,) = describe(loaded(5.1), STANCE, loaded(3.9), STANCE)
    assert only["text"] == "This lowers the load behind the kneecap on the right from 5.1 to 3.9 body weights."
    (up,) = describe(loaded(3.9), STANCE, loaded(5.1), STANCE, {"patellofemoral_force_peak"})
    assert "raises" in up["text"] and up["asked"]


def test_what_is_no_squat_is_not_compared(body):
    still = body.neutral().expand(60, -1).clone()
    assert changes(body, still, squat(body)) == []
