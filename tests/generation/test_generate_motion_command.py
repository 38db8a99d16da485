"""python manage.py generate_motion, as a stranger runs it: own process, no database."""
from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PERSON = {"sex": "female", "age_years": 47, "height_m": 1.62, "mass_kg": 59}


def command(*arguments: object) -> subprocess.CompletedProcess:
    environment = {**os.environ, "DATABASE_URL": "postgres://nobody:x@127.0.0.1:9/none", "OMP_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, "manage.py", "generate_motion", *map(str, arguments)], cwd=ROOT,
                          env=environment, capture_output=True, text=True, timeout=300, check=False)


def test_it_writes_motions_a_model_and_a_report_without_a_database(tmp_path):
    profile = tmp_path / "profile.json"
    profile.write_text(json.dumps({**PERSON, "conditions": [{"name": "PFP", "phase": "early", "side": "left"}]}))
    done = command(profile, "--candidates", 2, "--seed", 1, "--out", tmp_path / "out", "--device", "cpu")
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "candidate_000.mot", "candidate_001.mot", "model.osim", "report.json"}
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["run"]["seed"] == 1 and len(report["candidates"]) == 2
    preset = next(check for check in report["candidates"][0]["constraints"] if check["variable"] == "knee_flexion")
    assert (preset["side"], preset["max"], preset["status"], preset["origin"]) == ("left", 45.0, "R", "preset")
    assert f"{report['summary']['accepted']} of 2 candidates accepted" in done.stdout


@pytest.mark.parametrize(("change", "field"), [
    ({"mass_kg": -3}, "mass_kg"),
    ({"constraints": [{"variable": "knee_flexion", "max": 60, "unit": "furlong"}]}, "constraints[0].unit"),
])
def test_a_bad_profile_is_one_line_that_names_the_field(tmp_path, change, field):
    profile = tmp_path / "profile.json"
    profile.write_text(json.dumps({**PERSON, **change}))
    done = command(profile, "--out", tmp_path / "out")
    assert done.returncode != 0 and not (tmp_path / "out").exists()
    assert len(done.stderr.strip().splitlines()) == 1 and field in done.stderr
