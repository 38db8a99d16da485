"""`report.json`: what was asked, what was made, and whether each limit is kept. Layout in docs/report.md."""
from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

FORMAT = 1


def write_report(path: Path | str, report: dict) -> None:
    """Write ``report`` as JSON; a number that is not finite becomes null."""
    text = json.dumps(finite(report), indent=1, allow_nan=False, ensure_ascii=False)
    Path(path).write_text(text + "\n", encoding="utf-8")


def finite(value: Any) -> Any:
    """The same JSON value with null for every number that is not finite, and floats at 6 decimals."""
    if isinstance(value, dict):
        return {str(key): finite(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(entry) for entry in value]
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value
