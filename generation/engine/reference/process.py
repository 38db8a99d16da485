"""Runs a long OpenSim job in a process of its own: it can be stopped at any moment and bounded in time.

OpenSim's tools do not return before they are done and cannot be interrupted from Python, so the only honest way to
cancel one is to end its process. The job is a temporary folder that both sides read and write: `job.json`, arrays in
`job.npz`, the model in `model.osim`; the child leaves `result.npz` and `result.json`. The folder is the child's working
directory, so whatever OpenSim drops falls there, and it is removed whichever way the job ends. The child also ends
itself when its parent dies: it reads its standard input, which closes then.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

CHILD = "generation.engine.reference.child"
ROOT = Path(__file__).resolve().parents[3]
PREFIX = "genuflex-opensim-"  # of the folders, followed by the number of the process that made them
POLL_S = 0.2  # how often `cancelled` is asked
SILENCE_S = 10.0  # after which the caller is told that the child is still at work
KILL_AFTER_S = 3.0  # from asking the child to end to ending it
DEFAULT_LIMIT_S = 3600.0  # E: a minute of squatting takes about a quarter of an hour

Progress = Callable[[str, float, str], None]


class ReferenceFailed(RuntimeError):
    """OpenSim could not do the job. The message is one sentence for the person who asked."""


class Cancelled(Exception):
    """The caller asked to stop; nothing is left behind."""


def run_job(
    task: str,
    model: bytes,
    arrays: Mapping[str, np.ndarray],
    options: Mapping,
    *,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    limit_s: float = DEFAULT_LIMIT_S,
) -> tuple[dict[str, np.ndarray], dict]:
    """Run `task` (a name in the child's table) and return its arrays and its JSON.

    progress(stage, fraction, detail) is called from this thread. Raises ReferenceFailed when OpenSim fails or `limit_s`
    seconds pass, Cancelled when `cancelled()` turns true; KeyboardInterrupt ends the child too.
    """
    _sweep()
    with tempfile.TemporaryDirectory(prefix=f"{PREFIX}{os.getpid()}-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / "model.osim").write_bytes(model)
        (folder / "job.json").write_text(json.dumps({"task": task, **options}))
        np.savez(folder / "job.npz", **arrays)
        _run(folder, progress, cancelled or (lambda: False), limit_s)
        try:
            with np.load(folder / "result.npz", allow_pickle=False) as stored:
                found = {key: stored[key] for key in stored.files}
            return found, json.loads((folder / "result.json").read_text())
        except (OSError, ValueError) as error:
            raise ReferenceFailed(f"OpenSim left no result: {error}.") from None


def _sweep() -> None:
    """Remove the folders of processes that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        owner = folder.name.removeprefix(PREFIX).partition("-")[0]
        if owner.isdecimal() and not _alive(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _run(folder: Path, progress: Progress | None, cancelled: Callable[[], bool], limit_s: float) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    errors = folder / "stderr.txt"
    with errors.open("wb") as stderr:
        child = subprocess.Popen(  # noqa: S603 - our own module, our own arguments
            [sys.executable, "-m", CHILD, str(folder)], cwd=folder, env=environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, text=True, start_new_session=True,
        )
    lines: list[dict] = []
    reader = threading.Thread(target=_read, args=(child.stdout, lines), daemon=True)
    reader.start()
    end = time.monotonic() + limit_s
    told, stage, fraction, spoke = 0, "starting OpenSim", 0.0, time.monotonic()
    try:
        while True:
            ended = child.poll() is not None
            if ended:
                reader.join(timeout=KILL_AFTER_S)
            for message in lines[told:]:
                told += 1
                if "error" in message:
                    raise ReferenceFailed(message["error"])
                stage, fraction, spoke = message["stage"], message["fraction"], time.monotonic()
                if progress:
                    progress(stage, fraction, message["detail"])
            if progress and not ended and time.monotonic() - spoke > SILENCE_S:
                spoke = time.monotonic()
                progress(stage, fraction, f"still at work after {spoke - end + limit_s:.0f} s")
            if ended:
                break
            if cancelled():
                raise Cancelled
            if time.monotonic() > end:
                raise ReferenceFailed(f"OpenSim was stopped: it had not finished after {limit_s:.0f} s.")
            try:
                child.wait(POLL_S)
            except subprocess.TimeoutExpired:
                continue
    finally:
        _end(child)
        reader.join(timeout=KILL_AFTER_S)
        child.stdout.close()
    if child.returncode != 0:
        raise ReferenceFailed(f"OpenSim ended with status {child.returncode}{_last_words(errors)}")


def _read(stream, lines: list[dict]) -> None:
    """Collect the child's messages, one JSON object a line; what OpenSim itself prints is not one."""
    for line in stream:
        try:
            message = json.loads(line)
        except ValueError:
            continue
        if isinstance(message, dict) and ("error" in message or "stage" in message):
            lines.append(message)


def _end(child: subprocess.Popen) -> None:
    child.stdin.close()
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(KILL_AFTER_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _last_words(errors: Path) -> str:
    words = errors.read_text(errors="replace").strip().splitlines()
    return f": {words[-1][:300]}" if words else "."
