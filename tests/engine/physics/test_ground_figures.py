"""The figures against force plates, on made-up plates: the truth has no error, a shifted estimate has one."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from generation.engine.body import MODEL_FILE, TorchBody, load_body
from generation.engine.motion_data import load_repetitions
from generation.engine.physics import differentiate, estimate_ground, inverse_dynamics
from generation.engine.validation.ground import GroundRow, _figures, _seat_off
from generation.engine.validation.ground_trials import SQUATS, Trial, lever_rule

RATE = 60.0


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    model = load_body(MODEL_FILE, cache=tmp_path_factory.mktemp("cache"))
    body = TorchBody(model, torch.float64)
    motion = differentiate(torch.tensor(load_repetitions()[20].values, dtype=torch.float64), RATE)
    plates = replace(estimate_ground(body, *motion), source="plates")
    knee = np.degrees(motion[0][:, model.coordinates.index("knee_angle_r")].numpy())
    moments = inverse_dynamics(body, *motion, plates.wrenches()).numpy()
    return Trial(SQUATS, model, *motion, RATE, plates, moments, np.ones(len(knee), bool), np.zeros(len(knee)), knee)


def values(trial, estimate):
    return {row.what: row for row in _figures(trial, "made up", estimate)}


def test_the_truth_has_no_error(trial):
    rows = values(trial, (trial.plates, trial.moments))
    assert all(row.met for row in rows.values() if row.bar is not None)
    assert rows["centre of pressure fore-aft, RMSE"].value == 0
    assert rows["moment knee_angle_r, R2"].value == 1


def test_errors_are_found(trial):
    moved = replace(trial.plates, force=trial.plates.force * 1.1, point=trial.plates.point + torch.tensor([0.02, 0, 0]))
    body = TorchBody(trial.model, torch.float64)
    rows = values(trial, (moved, inverse_dynamics(body, *trial.motion, moved.wrenches()).numpy()))
    assert rows["centre of pressure fore-aft, RMSE"].value == pytest.approx(2.0, abs=1e-6)
    assert 8 < rows["vertical force, total, RMSE"].value < 12
    assert not rows["vertical force, total, RMSE"].met
    assert rows["moment ankle_angle_r, R2"].value < 0.9


def test_the_lever_rule_does_not_press(trial):
    rows = values(trial, lever_rule(trial))
    assert rows["outward shear, right foot, measured mean"].value > 15
    assert rows["outward shear, right foot, error of the mean"].value < -15
    assert rows["vertical force, total, RMSE"].value < 1e-6


def test_seat_off_is_timed(trial):
    weight = trial.model.mass_kg * 9.80665
    count = len(trial.q)
    seat = torch.zeros(count, 3).double()
    seat[:40, 1] = 0.5 * weight
    bent = replace(trial, knee_deg=np.full(count, 95.0), plates=replace(
        trial.plates, force=torch.cat([trial.plates.force[:45] * 0.5, trial.plates.force[45:]])))
    zero = torch.zeros_like(seat)
    found = replace(trial.plates, force=trial.plates.force - seat[:, None] / 2,
                    seat=trial.plates.seat_of(seat, zero, zero))
    np.testing.assert_allclose(_seat_off(bent, found, weight), [5 / RATE])


def test_bars():
    assert GroundRow("squats", "none", "error", -14.0, "N", 15.0).met
    assert not GroundRow("squats", "none", "error", -16.0, "N", 15.0).met
    assert GroundRow("squats", "none", "R2", 0.95, "", 0.9, at_least=True).met
    assert GroundRow("squats", "none", "shown", 1.0, "N").met is None
