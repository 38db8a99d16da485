"""Bars, states and the page, on made-up results."""
import json

import pytest

from generation.engine.evaluation import page, table
from generation.engine.evaluation.evaluate import GUIDED, HELD, MIXTURE, NEAREST, OURS, TRAIN, UNGUIDED, Evaluation
from generation.engine.evaluation.store import Store


def _set(**more) -> dict:
    keys = ("fidelity", "fidelity_by_place", "phase_fidelity", "phase_fidelity_by_place", "33_fidelity", "diversity",
            "penetration", "floating", "sliding", "tilt", "tilt_sd", "asymmetry", "asymmetry_sd", "omega", "omega_sd",
            "speed", "acceleration")
    peaks = {"peaks": [[0.2, 0.2], [0.3, 0.3]], "windows": [[0.15, 0.25], [0.25, 0.35]]}
    return {"n": 2} | peaks | dict.fromkeys(keys, 1.0) | more


def _sets(**ours) -> dict:
    found = {name: _set() for name in (HELD, TRAIN, UNGUIDED, GUIDED, NEAREST, MIXTURE)}
    found[UNGUIDED] = _set(fidelity=20.0, fidelity_by_place=20.0)
    return found | {OURS: _set(penetration=0.1, floating=0.1, sliding=0.01) | ours}


def _state(results: dict, what: str) -> str:
    return next(row for row in table.rows(results) if row.what.startswith(what)).state


def test_every_promise_is_met_or_missed_by_its_own_bar():
    assert _state({"sets": _sets()}, "fidelity") == table.MET
    assert _state({"sets": _sets(fidelity=1.6)}, "fidelity") == table.MISSED          # 1.5 times training people
    assert _state({"sets": _sets(penetration=0.6)}, "penetration") == table.MISSED
    assert _state({"sets": _sets(acceleration=1.21)}, "centre-of-mass") == table.MISSED
    assert _state({"sets": _sets(acceleration=0.81)}, "centre-of-mass") == table.MET
    assert _state({"sets": _sets(diversity=1.03)}, "diversity") == table.MISSED
    assert _state({"sets": _sets(tilt=1.31)}, "pelvis tilt") == table.MISSED


def test_what_was_not_measured_is_said():
    assert {row.state for row in table.rows({})} == {table.UNMEASURED}


def _record(number: int, accepted: int, broken: list[str] | None = None) -> dict:
    return {"number": number, "kinds": ["tempo"], "accepted": accepted, "refused": "", "seconds": 1.0,
            "files": [], "broken": broken or [], "why": ["knee_flexion x9"]}


def test_profiles_are_counted():
    good = {"profiles": {"records": [_record(i, 16) for i in range(99)] + [_record(99, 2)],
                         "opensim": [{"file": "a", "broken": []}]}}
    assert _state(good, "random feasible") == table.SO_FAR            # a hundred were run, a thousand are promised
    checked = [{"file": "a", "broken": []}] * 30
    many = {"profiles": {"records": [_record(i, 16) for i in range(1000)], "opensim": checked}}
    assert {row.state for row in table.rows(many) if "limits" in row.what or "feasible" in row.what} == {table.MET}
    bad = {"profiles": {"records": [_record(0, 3, ["x: knee"])], "opensim": [{"file": "a", "broken": ["y"]}]}}
    assert [_state(bad, f"hard limits broken in delivered files, {route}") for route in ("fast", "OpenSim")] == [
        table.MISSED] * 2


def test_wilson_interval():
    low, high = table.wilson(95, 100)
    assert low == pytest.approx(88.8, abs=0.1) and high == pytest.approx(97.8, abs=0.1)


def test_the_page_holds_every_row_and_earlier_parts_stay(tmp_path):
    page.write({"sets": _sets()}, {"n": 1}, tmp_path)
    results = page.merged({"profiles": {"records": [_record(0, 1)], "opensim": []}}, tmp_path)
    page.write(results, {"n": 1}, tmp_path)
    text = (tmp_path / "evaluation.md").read_text()
    for row in table.rows(results):
        assert row.what in text
    assert "accepted 1" in text and set(json.loads((tmp_path / "evaluation.json").read_text())) == {
        "facts", "sets", "profiles"}


def test_a_part_is_made_once(tmp_path):
    made = []
    store = Store(tmp_path)
    for _ in range(2):
        assert store.json("a/b", lambda: made.append(1) or {"x": 1}) == {"x": 1}
    assert made == [1]
    with pytest.raises(RuntimeError):
        store.folder_of("broken", lambda folder: (_ for _ in ()).throw(RuntimeError))
    assert not store.has("broken")


def test_every_part_has_a_method():
    assert all(callable(getattr(Evaluation, name)) for name in Evaluation.names())
