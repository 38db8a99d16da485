"""What an upload must be before anybody looks into it."""
from __future__ import annotations

from clinic.errors import ServiceError


def checked_name(file_name: str, content: bytes, endings: tuple[str, ...], most_bytes: int, field: str = "file") -> str:
    """The file's own name without folders. Raises ServiceError: of another kind, empty, too large."""
    name = file_name.replace("\\", "/").replace("\0", "").rsplit("/", 1)[-1].strip()[-120:]
    if not name.lower().endswith(endings):
        raise ServiceError.of(f"Choose a file of the kind {' or '.join(endings)}.", field)
    if not content:
        raise ServiceError.of("This file is empty.", field)
    if len(content) > most_bytes:
        raise ServiceError.of(f"This file is larger than {most_bytes // 1024**2} MB.", field)
    return name
