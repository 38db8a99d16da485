"""The other side of `process.py`: `python -m generation.engine.reference.child FOLDER` does one job and ends."""

import contextlib
import ctypes
import json
import os
import shutil
import signal
import sys
import threading
from pathlib import Path

import numpy as np

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main(folder: Path) -> int:
    """Do the job in `folder`; tell progress and the one error as lines of JSON on standard output."""
    _die_with_parent(folder)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    job = json.loads((folder / "job.json").read_text())
    with np.load(folder / "job.npz", allow_pickle=False) as stored:
        arrays = {key: stored[key] for key in stored.files}
    try:
        from generation.engine.reference import ik, moco, static

        task = {"static": static.solve, "moco": moco.solve, "ik": ik.solve}[job.pop("task")]
        found, facts = task(folder / "model.osim", arrays, job, _tell)
    except Exception as error:  # noqa: BLE001 - OpenSim raises RuntimeError and whatever SWIG makes of the rest
        _say({"error": _sentence(error)})
        return 1
    np.savez(folder / "result.npz", **found)
    (folder / "result.json").write_text(json.dumps(facts))
    return 0


def _tell(stage: str, fraction: float, detail: str) -> None:
    _say({"stage": stage, "fraction": float(fraction), "detail": detail})


def _say(message: dict) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def _sentence(error: Exception) -> str:
    """The first line of what OpenSim says; the rest is its own source file and line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip() and "Thrown at" not in line]
    return f"OpenSim could not do it: {lines[0][:300] if lines else type(error).__name__}"


def _die_with_parent(folder: Path) -> None:
    """Standard input closes when the parent ends, however it ends; nobody would clean up then but we.

    That is seen between two calls of OpenSim only, because OpenSim does not let other threads run. On Linux the kernel
    ends this process besides; the folder is then swept by the next job.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

    def watch():
        with contextlib.suppress(OSError, ValueError):
            sys.stdin.read()
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
