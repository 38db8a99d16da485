"""What every reader of a file raises, and the guards they share."""

import math
from pathlib import Path

MAX_LINES = 400_000  # ours: an hour at 100 Hz is 360,000
LINE_ENDS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"  # where `str.splitlines` cuts
MAX_BYTES = 64 * 1024 * 1024  # ours: an hour of 40 columns at 100 Hz is about 200 MB, a squat session under 5 MB


class FormatError(ValueError):
    """A file that cannot be read. The message is one sentence for the person who supplied it, with line and column."""


def read_text(source: Path | str | bytes) -> str:
    """The text of a file path, or of the bytes of an upload. Raises FormatError when too large, missing or not text."""
    if isinstance(source, bytes):
        raw = source
    else:
        path = Path(source)
        if not path.is_file():
            raise FormatError(f"{path} is not a file.")
        if path.stat().st_size > MAX_BYTES:
            raise FormatError(f"The file has {path.stat().st_size} bytes; at most {MAX_BYTES} are read.")
        raw = path.read_bytes()
    if len(raw) > MAX_BYTES:
        raise FormatError(f"The file has {len(raw)} bytes; at most {MAX_BYTES} are read.")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(f"The file is not text: byte {error.start} is not UTF-8.") from None
    if "\0" in text:
        raise FormatError("The file is not text: it holds zero bytes.")
    return text


def split_lines(text: str) -> list[str]:
    """The lines of a table. Raises FormatError, before memory is spent, when there are more than MAX_LINES."""
    if sum(text.count(end) for end in LINE_ENDS) > MAX_LINES:
        raise FormatError(f"Line {MAX_LINES + 1}: the file has more lines than an hour at 100 Hz; cut it, or give it "
                          "fewer moments a second.")
    return text.splitlines()


def to_number(token: str, line: int, column: str) -> float:
    """A finite number, or a FormatError that names line and column."""
    try:
        value = float(token)
    except ValueError:
        raise FormatError(f"Line {line}, column {column}: {token[:40]!r} is not a number.") from None
    if not math.isfinite(value):
        raise FormatError(f"Line {line}, column {column}: {token[:40]!r} is not a finite number.")
    if abs(value) > 1e6:  # ours: no angle in degrees, length in mm or time in s of a movement is larger
        raise FormatError(f"Line {line}, column {column}: {token[:40]!r} is too large to be a measurement.")
    return value
