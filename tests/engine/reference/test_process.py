"""The child process: it can be stopped at any moment and leaves nothing behind."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from generation.engine.body import COORDINATES
from generation.engine.physics.reserves import reserve_forces
from generation.engine.reference import Cancelled, ReferenceFailed, analyse_with_opensim
from generation.engine.reference.process import CHILD, PREFIX, ROOT, run_job
from tests.engine.reference.squat import squat


def children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children(recursive=True) if CHILD in " ".join(child.cmdline())]


def folders() -> list[Path]:
    return sorted(Path(tempfile.gettempdir()).glob(f"{PREFIX}{psutil.Process().pid}-*"))


def run(**options):
    s = squat()
    return analyse_with_opensim(s["body"].osim, COORDINATES, s["time"], s["q"], s["u"], s["udot"], s["wrenches"],
                                reserve_forces(COORDINATES), **options)


def test_cancelling_in_the_midst_ends_the_child():
    told = []
    with pytest.raises(Cancelled):
        run(progress=lambda *message: told.append(message), cancelled=lambda: bool(told))
    assert told and told[-1][1] < 1
    assert children() == [] and folders() == []


def test_an_interrupt_ends_the_child_too():
    def interrupt(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(progress=interrupt)
    assert children() == [] and folders() == []


def test_time_is_bounded():
    with pytest.raises(ReferenceFailed, match="had not finished after 0 s"):
        run(limit_s=0.1)
    assert children() == [] and folders() == []


def test_a_model_that_opensim_cannot_read_gives_a_sentence():
    with pytest.raises(ReferenceFailed, match="OpenSim") as raised:
        run_job("ik", b"<nothing/>", {}, {"markers": [], "bodies": [], "weights": [], "rate": 60.0, "start": {}})
    assert "\n" not in str(raised.value)
    assert children() == [] and folders() == []


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel ends orphans on Linux only")
def test_the_child_does_not_outlive_a_killed_parent(tmp_path):
    code = ("from tests.engine.reference.test_process import run\n"
            "run(progress=lambda *message: print('on', flush=True))")
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    parent.stdout.readline()
    mine = psutil.Process(parent.pid).children()
    assert len(mine) == 1
    parent.kill()
    parent.wait()
    _, alive = psutil.wait_procs(mine, timeout=30)
    assert alive == []
    left = list(Path(tempfile.gettempdir()).glob(f"{PREFIX}{parent.pid}-*"))
    with pytest.raises(ReferenceFailed):      # the next job sweeps what the killed one left
        run(limit_s=0.1)
    assert not any(folder.exists() for folder in left)


def test_silence_is_told(monkeypatch):
    from generation.engine.reference import process

    monkeypatch.setattr(process, "SILENCE_S", 0.0)
    told = []

    def note(stage, fraction, detail):
        told.append(detail)

    started = time.monotonic()
    with pytest.raises(Cancelled):
        run(progress=note, cancelled=lambda: len(told) > 2 or time.monotonic() - started > 60)
    assert "still at work" in told[0]
