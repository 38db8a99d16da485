"""The set-up of `make run` and `make test`: what it does again, what it takes instead, what it says."""
from __future__ import annotations

import subprocess
import sys

import pytest

from scripts import bootstrap

ROOT = bootstrap.ROOT


def test_what_has_not_changed_is_not_built_again(monkeypatch):
    bootstrap.build_assets()
    monkeypatch.setattr(bootstrap, "find_npm", lambda: pytest.fail("npm was called"))
    bootstrap.build_assets()


def test_a_changed_source_is_built_again(tmp_path, monkeypatch):
    for name in ("package.json", "package-lock.json", "static/build.mjs", "static/src/app.js"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "static" / "build").mkdir()
    calls = []
    monkeypatch.setattr(bootstrap, "ROOT", str(tmp_path))
    monkeypatch.setattr(bootstrap, "find_npm", lambda: (["npm"], {}))
    monkeypatch.setattr(bootstrap, "run", lambda command, *_, **__: calls.append(command[1]))
    bootstrap.build_assets()
    (tmp_path / "static/src/app.js").write_text("new")
    bootstrap.build_assets()
    bootstrap.build_assets()
    assert calls == ["ci", "run", "run"], "packages once, the bundle once for each state of the source"


def test_without_node_the_environment_brings_it(monkeypatch):
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: None)
    npm, environment = bootstrap.find_npm()
    answer = subprocess.run([*npm, "--version"], env=environment, capture_output=True, text=True)
    assert answer.returncode == 0 and int(answer.stdout.split(".")[0]) >= 9


def test_an_old_python_is_told_what_to_do(monkeypatch):
    monkeypatch.setattr(bootstrap.sys, "version_info", (3, 9, 2))
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: None)
    with pytest.raises(bootstrap.Problem, match=r"needs Python 3\.11 or newer.*make run PYTHON="):
        bootstrap.ensure_python()


def test_tests_without_a_browser_fail_with_a_sentence(monkeypatch):
    monkeypatch.setattr(bootstrap, "find_chromium", lambda: None)
    monkeypatch.setattr(bootstrap.subprocess, "run", lambda *_, **__: None)
    with pytest.raises(bootstrap.Problem, match="need Chromium and it could not be installed"):
        bootstrap.ensure_chromium()


def test_a_named_browser_is_taken(monkeypatch, tmp_path):
    program = tmp_path / "my-chrome"
    program.write_text("#!/bin/sh\nexit 0\n")
    program.chmod(0o755)
    monkeypatch.setenv("GENUFLEX_CHROMIUM", str(program))
    assert bootstrap.find_chromium() == str(program)


def test_a_second_set_up_waits_for_the_first(tmp_path, monkeypatch):
    monkeypatch.setenv("GENUFLEX_LOCAL_DIR", str(tmp_path))
    program = "from scripts import bootstrap\nwith bootstrap.setup_lock(): print('mine')"
    first = bootstrap.setup_lock()
    second = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert second.stdout.readline().startswith("Another set-up works in this folder")
    first.close()
    assert second.stdout.readline() == "mine\n"
    assert second.wait(10) == 0


@pytest.mark.parametrize("arguments", [[], ["launch"]])
def test_an_unknown_goal_is_a_sentence(arguments):
    done = subprocess.run(
        [sys.executable, "scripts/bootstrap.py", *arguments], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 1 and done.stderr.startswith("Usage:") and "Traceback" not in done.stderr
