"""python manage.py generate_motion, as a stranger runs it: own process, no database."""
from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from generation.engine import generate
from generation.engine.motion_model import load_motion_model

ROOT = Path(__file__).parents[2]
PERSON = {"sex": "female", "age_years": 47, "height_m": 1.62, "mass_kg": 59}


def command(folder: Path, *arguments: object) -> subprocess.CompletedProcess:
    environment = {**os.environ, "DATABASE_URL": "postgres://nobody:x@127.0.0.1:9/none", "OMP_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, ROOT / "manage.py", "generate_motion", *map(str, arguments)], cwd=folder,
                          env=environment, capture_output=True, text=True, timeout=300, check=False)


def test_it_writes_motions_a_model_and_a_report_without_a_database(tmp_path):
    """From a folder that is not the project's, with names relative to it; nothing else is left there."""
    profile = tmp_path / "profile.json"
    profile.write_text(json.dumps({**PERSON, "conditions": [{"name": "PFP", "phase": "early", "side": "left"}]}))
    done = command(tmp_path, "profile.json", "--candidates", 2, "--seed", 1, "--out", "out", "--device", "cpu")
    assert done.returncode == 0, done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"profile.json", "out"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "candidate_000.mot", "candidate_001.mot", "model.osim", "report.json"}
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["run"]["seed"] == 1 and len(report["candidates"]) == 2
    preset = next(check for check in report["candidates"][0]["constraints"] if check["variable"] == "knee_flexion")
    assert (preset["side"], preset["max"], preset["status"], preset["origin"]) == ("left", 45.0, "R", "preset")
    assert f"{report['summary']['accepted']} of 2 candidates accepted" in done.stdout


def refused(capsys, *arguments: object) -> str:
    """What one run in this process says when it stops; it must be one line."""
    with pytest.raises(CommandError) as caught:
        call_command("generate_motion", *map(str, arguments), verbosity=0)
    assert len(str(caught.value).splitlines()) == 1 and not capsys.readouterr().out
    return str(caught.value)


def test_a_bad_profile_is_one_line_that_names_the_field(tmp_path):
    profile = tmp_path / "profile.json"
    profile.write_text(json.dumps({**PERSON, "constraints": [
        {"variable": "knee_flexion", "max": 60, "unit": "furlong"}]}))
    done = command(tmp_path, profile, "--out", tmp_path / "out")
    assert done.returncode != 0 and not (tmp_path / "out").exists()
    assert len(done.stderr.strip().splitlines()) == 1 and "constraints[0].unit" in done.stderr


@pytest.mark.parametrize(("content", "said"), [
    (json.dumps({**PERSON, "mass_kg": -3}), "mass_kg"),
    (json.dumps({**PERSON, "shoe_size": 42}), "shoe_size"),
    ('{"sex": "female",', "profile.json is not JSON"),
    (b"\xff\xfe\x00", "profile.json is not JSON"),
    ("[]", "object"),
])
def test_what_is_wrong_with_the_file_is_said_in_one_line(tmp_path, capsys, content, said):
    profile = tmp_path / "profile.json"
    profile.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert said in refused(capsys, profile, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_wrong_paths_and_numbers_are_refused_before_the_work(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(generate, "_model", lambda device: pytest.fail("the model was loaded"))
    profile, out = tmp_path / "profile.json", tmp_path / "out"
    profile.write_text(json.dumps(PERSON))
    assert "cannot read absent.json" in refused(capsys, tmp_path / "absent.json", "--out", out)
    assert "cannot read" in refused(capsys, tmp_path, "--out", out)
    assert "--out" in refused(capsys, profile, "--out", profile)
    assert "--out" in refused(capsys, profile, "--out", profile / "deeper")
    assert "candidates" in refused(capsys, profile, "--out", out, "--candidates", 0)
    for seed in (-1, 10**30):
        assert "seed" in refused(capsys, profile, "--out", out, "--seed", seed)
    assert not out.exists()


def test_a_model_that_cannot_be_loaded_is_said_in_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(generate, "_model", lambda device: load_motion_model(tmp_path))
    profile = tmp_path / "profile.json"
    profile.write_text(json.dumps(PERSON))
    assert "motion model cannot be loaded" in refused(capsys, profile, "--out", tmp_path / "out")
