"""Questions to the engine that the web asks, answered in a process of its own: bounded in time and memory.

A supplied `.osim` is read by OpenSim's parser, which is C++ and trusts what it reads; and a web process has no use for
the engine afterwards. `python -m generation.apart FOLDER` is the other side: it reads `job.json` (and `model.osim`) and
leaves `answer.json` (and `person.osim`).
"""
from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIMIT_S = 120                   # E: half a second of work, and the engine's start on a busy machine
MEMORY_BYTES = 8 * 1024**3      # of address space, most of which the libraries only reserve


class Refused(Exception):
    """A sentence for whoever asked; `field` names the field of the profile, or is empty."""

    def __init__(self, message: str, field: str = "") -> None:
        self.field = field
        super().__init__(message)


@dataclass(frozen=True)
class ModelFacts:
    """What a supplied model holds."""

    mass_kg: float
    muscle_count: int
    notes: list[str]


def inspect_model(osim: bytes) -> ModelFacts:
    """Look through a supplied model. Raises Refused with one sentence that names the place."""
    with tempfile.TemporaryDirectory(prefix="genuflex-apart-") as folder:
        (Path(folder) / "model.osim").write_bytes(osim)
        return ModelFacts(**_ask(Path(folder), {"task": "inspect"}))


def personal_model(profile: dict, own_model: bytes | None) -> bytes:
    """The `.osim` of a profile's person. Raises Refused."""
    with tempfile.TemporaryDirectory(prefix="genuflex-apart-") as name:
        folder = Path(name)
        if own_model is not None:
            (folder / "model.osim").write_bytes(own_model)
        _ask(folder, {"task": "person", "profile": profile})
        return (folder / "person.osim").read_bytes()


def _ask(folder: Path, job: dict) -> dict:
    (folder / "job.json").write_text(json.dumps(job))
    try:
        child = subprocess.run(  # noqa: S603 - our own module, our own arguments
            [sys.executable, "-m", "generation.apart", str(folder)], cwd=ROOT, timeout=LIMIT_S, check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        raise Refused(f"The model could not be read within {LIMIT_S} s.") from None
    answer = folder / "answer.json"
    if child.returncode != 0 or not answer.is_file():
        raise Refused("The model is damaged: OpenSim could not read it.")
    found = json.loads(answer.read_text())
    if "error" in found:
        raise Refused(found["error"], found["field"])
    return found


def _answer(folder: Path) -> dict:
    from generation.engine.body import load_body, personal_body
    from generation.engine.body.matched import matched_scale
    from generation.engine.formats import FormatError
    from generation.engine.profile import ProfileError, parse_profile

    job = json.loads((folder / "job.json").read_text())
    model = folder / "model.osim"
    try:
        if job["task"] == "inspect":
            body = load_body(model)
            matched_scale(body)         # what the generator will ask of it
            return {"mass_kg": body.mass_kg, "muscle_count": len(body.muscles["muscle_names"]),
                    "notes": list(body.notes)}
        profile = dict(job["profile"])
        if model.is_file():
            profile["model_osim"] = str(model)
        (folder / "person.osim").write_bytes(personal_body(parse_profile(profile)).osim)
        return {}
    except FormatError as error:
        return {"error": str(error), "field": ""}
    except ProfileError as error:
        return {"error": error.message, "field": error.field}
    except ValueError as error:
        return {"error": f"The model cannot be used: {error}", "field": ""}


def main(folder: Path) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    (folder / "answer.json").write_text(json.dumps(_answer(folder)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
