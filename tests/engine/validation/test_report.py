"""The validation table: every bar of the page has its row, and what is not there is said."""

import pytest

from generation.engine.validation import report, rows
from generation.engine.validation.row import Row, judged


def quiet(_):
    pass


def test_rows_that_need_recordings_say_so():
    for function in (rows.moments, rows.activations, rows.contact_forces):
        (row,) = function(None, quiet)
        assert row.state == "not available" and "--data" in row.measured and row.asked


def test_an_empty_folder_is_no_recording(tmp_path):
    (row,) = rows.moments(tmp_path, quiet)
    assert row.state == "not available"


def test_rows_are_shown_as_they_come_and_one_can_be_chosen(monkeypatch):
    first = judged("a", "depth", "a rule", "1 mm", "0.5 mm", True, ["body: 0.5 mm"])
    second = judged("b", "force", "a plate", "2 %", "3 %", False)
    monkeypatch.setattr(report, "TABLE", {"a": lambda data, tell: [first], "b": lambda data, tell: [second]})
    shown = []
    assert report.measure(None, None, quiet, shown.append) == shown == [first, second]
    assert report.measure(None, "b", quiet) == [second]
    with pytest.raises(report.UnknownRow, match="'c'; choose from a, b"):
        report.measure(None, "c", quiet)
    assert report.lines(first)[0] == "[met] depth, against a rule" and "body: 0.5 mm" in report.lines(first)[-1]
    assert "[MISSED]" in report.lines(second)[0]


def test_sections_of_the_page_are_replaced(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("top\n<!-- measured: table -->\nold \\1\n<!-- end -->\nmiddle\n"
                    "<!-- measured: x -->\n<!-- end -->\n")
    text = report.table_section([Row("a", "what | else", "b", "c", "0.1 \\1", "shown")])
    report.write_section("table", text, page)
    report.write_section("x", "y", page)
    whole = page.read_text()
    assert "old" not in whole and "what \\| else | b | c | 0.1 \\1 | shown" in whole and "\ny\n<!-- end -->" in whole
    assert whole.startswith("top\n") and "\nmiddle\n" in whole
    with pytest.raises(ValueError, match="no section 'none'"):
        report.write_section("none", "", page)


def test_single_rows_of_the_page_are_replaced(tmp_path):
    page = tmp_path / "page.md"
    old = [judged(name, what, "a | rule", "1 mm", "9 mm", False, [f"{what}: 9 mm"])
           for name, what in (("a", "depth"), ("b", "force"), ("c", "speed"))]
    page.write_text(f"<!-- measured: table -->\n{report.table_section(old)}\n<!-- end -->\n<!-- measured: detail -->\n"
                    f"{report.detail_section(old)}\n<!-- end -->\n")
    new = [judged(row.name, row.what, row.against, row.asked, "0 mm", True, ["less", "much \\1"]) for row in old[1:]]
    report.write_rows(new, page)
    assert page.read_text() == (
        f"<!-- measured: table -->\n{report.table_section([old[0], *new])}\n<!-- end -->\n<!-- measured: detail -->\n"
        f"{report.detail_section([old[0], *new])}\n<!-- end -->\n")
    with pytest.raises(ValueError, match="no row 'width'"):
        report.write_rows([judged("d", "width", "", "", "", True)], page)


def test_the_page_has_every_section_that_is_written():
    page = report.PAGE.read_text()
    for name in ("table", "detail", "bench"):
        assert f"<!-- measured: {name} -->" in page
