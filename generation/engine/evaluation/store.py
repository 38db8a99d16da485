"""Finished parts are kept, so that an evaluation that was stopped goes on where it was."""
from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

ENGINE = Path(__file__).resolve().parents[1]
WORK = ENGINE.parents[1] / ".genuflex" / "evaluation"
# What decides how a generated motion comes out. A change of one of these makes everything anew.
_DECIDING = ("guidance", "generate.py", "metrics", "limits.py", "presets.csv", "evaluation/people.py",
             "evaluation/random_profiles.py", "evaluation/delivered.py")


def code_key(*more: str) -> str:
    """Names the code that generates, and ``more`` (a model's version)."""
    digest = hashlib.sha256(repr(more).encode())
    for name in _DECIDING:
        where = ENGINE / name
        for path in sorted(where.rglob("*.py")) if where.is_dir() else [where]:
            if path.is_file():
                digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


class Store:
    """Parts by name in one folder; a part is written whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def json(self, name: str, make: Callable[[], dict | list]) -> dict | list:
        """The kept document ``name``, made where there is none."""
        path = self.folder / f"{name}.json"
        if not path.is_file():
            document = make()
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(f".{os.getpid()}.part")
            part.write_text(json.dumps(document))
            part.replace(path)
        return json.loads(path.read_text())

    def has(self, name: str) -> bool:
        return (self.folder / name).is_dir()

    def folder_of(self, name: str, fill: Callable[[Path], None]) -> Path:
        """The kept folder ``name``, filled where there is none."""
        path = self.folder / name
        if not path.is_dir():
            part = path.with_name(f"{path.name}.{os.getpid()}.part")
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            fill(part)
            try:
                part.replace(path)
            except OSError:                     # another process was faster
                shutil.rmtree(part)
        return path
