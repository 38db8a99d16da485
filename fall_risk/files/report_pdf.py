"""The clinic's report as a tagged PDF."""
from __future__ import annotations

from fall_risk.files.tagged import Document
from fall_risk.reporting.csv_file import HIDDEN

_STANDING = {
    "people": "People", "assessed": "Assessed in the period", "up_to_date": "Up to date at its end",
    "overdue": "Overdue", "never": "Never assessed",
}


def report_pdf(document: dict) -> bytes:
    """From a report document (`fall_risk.reporting.document`)."""
    made = document["made_at"][:16].replace("T", " ")
    pdf = Document(f"Fall risk, {document['clinic']}", f"Genuflex, made {made} UTC")
    pdf.text(f"{document['start']} to {document['end']}. " + (
        f"Only: {', '.join(document['filters'])}." if document["filters"] else "All patients of the clinic."
    ))
    if document["refused"]:
        pdf.text(document["refused"])
        return pdf.bytes()
    pdf.text(document["rule"], muted=True)
    standing = [[_STANDING[key], _cell(value)] for key, value in document["standing"].items()]
    pdf.table(["Standing", "People"], standing, [5, 2], 1)
    for table in document["tables"]:
        pdf.heading(table["title"])
        if table["note"]:
            pdf.text(table["note"], muted=True)
        columns = len(table["columns"])
        if table["rows"]:
            rows = [[row["label"], *map(_cell, row["cells"])] for row in table["rows"]]
            pdf.table([table["head"], *table["columns"]], rows, [3, *[1] * columns], columns)
        else:
            pdf.text("Nothing to count.")
    return pdf.bytes()


def _cell(value: int | None) -> str:
    return HIDDEN if value is None else f"{value}"
