"""`manage.py run` with real processes: one site at a time, crashes mended, everything ended with it."""
from __future__ import annotations

import signal
import subprocess
import sys
import urllib.error
import urllib.request

import psutil
import pytest

from clinic.supervisor import MOST_CRASHES, GaveUp, Supervisor
from scripts import bootstrap
from tests.processes import ROOT, LiveSite, wait_until


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    bootstrap.build_assets()
    return tmp_path_factory.mktemp("site")


@pytest.fixture
def site(folder):
    """A site with its own local server (no DATABASE_URL) and without the demo clinic, not started yet."""
    site = LiveSite(folder, "", GENUFLEX_DEMO="0")
    del site.environment["DATABASE_URL"]
    yield site
    if site.process is not None and site.process.poll() is None:
        site.stop()


def processes_of(site: LiveSite) -> list[psutil.Process]:
    """Everything that runs for this site's folder: the run, its guardian, web server, worker, database."""
    folder = str(site.folder / "local")
    found = []
    for process in psutil.process_iter():
        try:
            mine = folder in " ".join(process.cmdline()) or process.environ().get("GENUFLEX_LOCAL_DIR") == folder
            if mine and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def process_named(site: LiveSite, word: str) -> psutil.Process:
    return next(process for process in processes_of(site) if word in process.cmdline())


def is_well(site: LiveSite) -> bool:
    try:
        with urllib.request.urlopen(f"{site.address}/healthz", timeout=90) as answer:
            return answer.status == 200
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def run_again(site: LiveSite, **settings: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "manage.py", "run"], cwd=ROOT, env={**site.environment, **settings}, capture_output=True,
        text=True, timeout=120,
    )


def test_a_site_from_start_to_end(site, tmp_path):
    site.start()
    assert is_well(site)
    assert len(processes_of(site)) >= 5, "run, guardian, web server, worker and the database's processes"

    again = run_again(site)
    assert again.returncode == 1
    assert "already runs in this folder" in again.stderr and str(site.process.pid) in again.stderr
    busy = run_again(site, GENUFLEX_LOCAL_DIR=str(tmp_path), GENUFLEX_PORT=site.address.rsplit(":", 1)[1])
    assert busy.returncode == 1
    assert "is busy" in busy.stderr and "GENUFLEX_PORT=" in busy.stderr and "Traceback" not in busy.stderr

    process_named(site, "clinic.web").kill()
    process_named(site, "worker").kill()
    assert is_well(site), "the door stayed open: the browser waited for the new server"
    wait_until(lambda: any("worker" in process.cmdline() for process in processes_of(site)), 60)

    assert site.stop() == 0
    assert processes_of(site) == []


def test_a_killed_run_takes_everything_with_it_and_the_next_one_waits_for_that(site):
    site.start()
    site.process.kill()
    site.process.wait()
    site.start()
    assert is_well(site)
    assert len([process for process in processes_of(site) if "run" in process.cmdline()]) == 1
    site.process.kill()
    site.process.wait()
    wait_until(lambda: processes_of(site) == [], 30)


def test_a_hang_up_ends_it_like_ctrl_c(site):
    site.start()
    site.process.send_signal(signal.SIGHUP)
    assert site.process.wait(30) == 0
    assert processes_of(site) == []


def test_a_server_that_was_running_before_is_left_running(site):
    site.manage("local_database", "start")
    site.start()
    assert site.stop() == 0
    assert site.manage("local_database", "status").startswith("Running")
    site.manage("local_database", "stop")
    assert processes_of(site) == []


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"GENUFLEX_PORT": "eighty"}, "GENUFLEX_PORT must be a port number"),
        ({"GENUFLEX_HOST": "no.such.host.invalid"}, "Cannot listen on"),
        ({"DATABASE_URL": "sqlite:///x"}, "DATABASE_URL must start with postgresql://"),
        ({"DATABASE_URL": "postgresql://nobody@/nothing?host=/nowhere"}, "of DATABASE_URL does not answer"),
    ],
)
def test_what_cannot_work_is_said_in_a_sentence(site, settings, sentence):
    done = run_again(site, **settings)
    assert done.returncode == 1
    assert sentence in done.stderr and "Traceback" not in done.stderr


def test_a_program_that_keeps_crashing_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr("clinic.supervisor.LONGEST_PAUSE", 0.05)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    marks = tmp_path / "marks"
    with open(tmp_path / "lock", "w") as lock:
        try:
            with pytest.raises(GaveUp, match="broken"), Supervisor(None, lock.fileno()) as supervisor:
                supervisor.start("broken", [sys.executable, "-c", f"open({str(marks)!r}, 'a').write('x'); exit(3)"])
                while True:
                    supervisor.look_after()
                    supervisor.stop_requested.wait(0.02)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
    assert len(marks.read_text()) == MOST_CRASHES
