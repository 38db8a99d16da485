"""The table of rows as text and as the page docs/validation.md."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from generation.engine.validation.row import Row
from generation.engine.validation.rows import TABLE

PAGE = Path(__file__).resolve().parents[3] / "docs" / "validation.md"
WORDS = {"met": "met", "missed": "MISSED", "shown": "shown", "not available": "not available"}


class UnknownRow(ValueError):
    """--only names no row."""


def measure(data: Path | None, only: str | None, tell: Callable[[str], None],
            show: Callable[[Row], None] = lambda row: None) -> list[Row]:
    """Run the functions of TABLE and hand each row to `show` as it is ready. only: the name of one of them."""
    if only is not None and only not in TABLE:
        raise UnknownRow(f"there is no row {only!r}; choose from {', '.join(TABLE)}")
    found = []
    for name, function in TABLE.items():
        if only in (None, name):
            for row in function(data, tell):
                show(row)
                found.append(row)
    return found


def lines(row: Row) -> list[str]:
    """One row as text for a terminal."""
    head = f"[{WORDS[row.state]}] {row.what}, against {row.against}"
    return [head, f"    asked:    {row.asked}", f"    measured: {row.measured}",
            *(f"      {one}" for one in row.detail)]


def table_section(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table."""
    head = ["| what | against | at least | measured | |", "|---|---|---|---|---|"]
    return "\n".join(head + [
        "| " + " | ".join(_cell(part) for part in (row.what, row.against, row.asked, row.measured, WORDS[row.state]))
        + " |" for row in rows])


def detail_section(rows: Sequence[Row]) -> str:
    """What stands under each row."""
    parts = []
    for row in rows:
        if row.detail:
            title = f"### {row.what[:1].upper()}{row.what[1:]}"
            parts.append("\n".join([title, "", *(f"- {one}" for one in row.detail)]))
    return "\n\n".join(parts)


def write_rows(rows: Sequence[Row], page: Path = PAGE) -> None:
    """Put single rows, measured anew, in the place of the page's rows of the same name; the others stay. Raises
    ValueError when the page does not have one of them: then all rows have to be written."""
    whole = page.read_text(encoding="utf-8")
    for row in rows:
        line, below = table_section([row]).splitlines()[-1], detail_section([row])
        head, title = f"| {_cell(row.what)} |", below.split("\n", 1)[0]
        places = [(rf"^{re.escape(head)}.*$", line)]
        if below:
            places.append((rf"^{re.escape(title)}\n.*?(?=\n\n###|\n<!-- end)", below))
        for pattern, text in places:
            pattern = re.compile(pattern, re.MULTILINE | (re.DOTALL if text is below else 0))
            if not pattern.search(whole):
                raise ValueError(f"{page.name} has no row {row.what!r}")
            whole = pattern.sub(lambda found, text=text: text, whole, count=1)
    page.write_text(whole, encoding="utf-8")


def write_section(name: str, text: str, page: Path = PAGE) -> None:
    """Replace what stands between the markers of a section. Raises ValueError when the page has no such section."""
    whole = page.read_text(encoding="utf-8")
    pattern = re.compile(rf"(<!-- measured: {re.escape(name)} -->\n).*?(<!-- end -->)", re.DOTALL)
    if not pattern.search(whole):
        raise ValueError(f"{page.name} has no section {name!r}")
    page.write_text(pattern.sub(lambda found: f"{found[1]}{text}\n{found[2]}", whole), encoding="utf-8")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
