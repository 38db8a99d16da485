"""What is slow to make and can be made again, kept on disk by its content.

Any number of processes may share a folder: an entry is written under a name of its own and moved into place, and one
that cannot be read is made again.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np

MOST_ENTRIES = 1000  # of one kind (E); about 0.2 MB each. The oldest go first

_HERE = Path(__file__).parent


class Cache:
    """A folder of entries of one `kind`; `code` names the modules of this package whose change makes entries stale."""

    def __init__(self, folder: Path | str | None, kind: str, code: Sequence[str]):
        self.folder = (Path(folder) if folder is not None else default_folder()) / kind
        self.version = _version(tuple(code))

    def arrays(self, key: str, make: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
        """The arrays kept under `key`, made by `make()` when there are none. No array may need pickle."""
        path = self.folder / f"{key[:40]}-{self.version}.npz"
        kept = _read(path)
        if kept is None:
            kept = make()
            self._write(path, kept)
        return kept

    def _write(self, path: Path, arrays: dict[str, np.ndarray]) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.NamedTemporaryFile(dir=self.folder, suffix=".part", delete=False) as file:
                try:
                    np.savez_compressed(file, **{"digest": np.array(_digest(arrays))}, **arrays)
                    file.close()
                    os.replace(file.name, path)
                except BaseException:
                    Path(file.name).unlink(missing_ok=True)
                    raise
            entries = list(self.folder.glob("*.npz"))
            if len(entries) > MOST_ENTRIES:
                for old in sorted(entries, key=_age)[: len(entries) - MOST_ENTRIES]:
                    old.unlink(missing_ok=True)
        except OSError:
            return  # a full or read-only disk costs time, not the result


def default_folder() -> Path:
    """GENUFLEX_CACHE, else `genuflex` in the user's cache folder."""
    named = os.environ.get("GENUFLEX_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "genuflex"


def _read(path: Path) -> dict[str, np.ndarray] | None:
    try:
        with np.load(path, allow_pickle=False) as entry:
            arrays = {name: entry[name] for name in entry.files}
        return arrays if str(arrays.pop("digest")) == _digest(arrays) else None
    except Exception:  # whatever a damaged file makes the reader raise: it is made again
        return None


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # another process was faster
        return 0.0


def _digest(arrays: dict[str, np.ndarray]) -> str:
    whole = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        whole.update(f"{name} {array.dtype.str} {array.shape};".encode())
        whole.update(array.tobytes())
    return whole.hexdigest()


@cache
def _version(code: tuple[str, ...]) -> str:
    whole = hashlib.sha256()
    for name in code:
        whole.update((_HERE / f"{name}.py").read_bytes())
    return whole.hexdigest()[:12]
