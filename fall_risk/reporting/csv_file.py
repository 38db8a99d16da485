"""The report as CSV that no spreadsheet takes for a formula."""
from __future__ import annotations

import csv
import io

HIDDEN = "hidden"
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def safe(value: object) -> object:
    """Text that a spreadsheet would compute gets an apostrophe in front (OWASP, CSV injection). Numbers stay."""
    if isinstance(value, str) and value.lstrip(" \u00a0\ufeff")[:1] in _FORMULA and value:
        return f"'{value}"
    return value


def report_csv(document: dict) -> str:
    """One block for each table, as RFC 4180 with a byte order mark, which Excel needs to read UTF-8."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")

    def row(*values: object) -> None:
        writer.writerow([safe(value) for value in values])

    row("Fall risk", document["clinic"])
    row("Period", document["start"], document["end"])
    row("Made at", document["made_at"])
    row("Filters", *document["filters"])
    row("Note", document["refused"] or document["rule"])
    for name, value in document["standing"].items():
        row(name.replace("_", " ").capitalize(), HIDDEN if value is None else value)
    for table in document["tables"]:
        row()
        row(table["title"])
        row(table["head"], *table["columns"])
        for line in table["rows"]:
            row(line["label"], *(HIDDEN if value is None else value for value in line["cells"]))
    return "\ufeff" + out.getvalue()
