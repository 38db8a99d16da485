"""What the commands check about the folders that they write to."""

import os
from pathlib import Path

from django.core.management.base import CommandError


def check_writable(folder: Path) -> None:
    """Before the work, not after it. Raises CommandError."""
    existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    if not existing.is_dir():
        raise CommandError(f"--out: {existing} is a file; name a folder")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise CommandError(f"--out: no permission to write in {existing}; name another folder")
