"""No hidden count of a report can be computed from what is shown: checked against a reader who tries everything."""
from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fall_risk.reporting.suppression import THRESHOLD, WIDTH, Sum, feasible, hidden_counts


def grid(cells: list[list[int]]) -> tuple[dict, list[Sum]]:
    """A table with sums of its rows, of its columns, and of all."""
    counts: dict = {(r, c): value for r, row in enumerate(cells) for c, value in enumerate(row)}
    rows, columns = range(len(cells)), range(len(cells[0]))
    sums = []
    for r in rows:
        counts["row", r] = sum(cells[r])
        sums.append(Sum(("row", r), tuple((r, c) for c in columns)))
    for c in columns:
        counts["column", c] = sum(cells[r][c] for r in rows)
        sums.append(Sum(("column", c), tuple((r, c) for r in rows)))
    counts["all"] = sum(map(sum, cells))
    sums.append(Sum("all", tuple(("row", r) for r in rows)))
    sums.append(Sum("all", tuple(("column", c) for c in columns)))
    return counts, sums


def by_trying(counts: dict, sums: list[Sum], hidden: set, shape: tuple[int, int], most: int) -> dict:
    """Every value of each hidden cell that fits what is shown: all tables up to `most` are tried."""
    rows, columns = shape
    possible: dict = {key: set() for key in hidden}
    inner = [(r, c) for r in range(rows) for c in range(columns)]
    ranges = [range(most + 1) if key in hidden else (counts[key],) for key in inner]
    for values in product(*ranges):
        found = dict(zip(inner, values, strict=True))
        for equation in sums:
            if all(part in found for part in equation.parts):
                found[equation.total] = sum(found[part] for part in equation.parts)
        if all(found[key] == counts[key] for key in counts if key not in hidden):
            for key in hidden:
                possible[key].add(found[key])
    return possible


def small(counts: dict) -> set:
    return {key for key, value in counts.items() if 0 < value < THRESHOLD}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 7), min_size=2, max_size=2), min_size=2, max_size=2))
def test_no_small_count_can_be_worked_out(cells: list[list[int]]):
    counts, sums = grid(cells)
    hidden = hidden_counts(counts, sums)
    assert small(counts) <= hidden
    possible = by_trying(counts, sums, hidden, (2, 2), most=14)
    for key in small(counts):
        assert len(possible[key]) > WIDTH, (cells, key, hidden)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.integers(0, 30), min_size=4, max_size=4), min_size=4, max_size=4))
def test_in_a_larger_table_the_linear_programme_says_the_same(cells: list[list[int]]):
    counts, sums = grid(cells)
    hidden = hidden_counts(counts, sums)
    assert small(counts) <= hidden
    for key in small(counts):
        low, high = feasible(key, counts, sums, hidden)
        assert low <= counts[key] <= high and high - low >= WIDTH


def test_what_needs_no_hiding_is_shown():
    counts, sums = grid([[5, 0, 12], [40, 7, 0]])
    assert hidden_counts(counts, sums) == set()


def test_one_small_cell_takes_partners_with_it_and_no_more_than_needed():
    counts, sums = grid([[2, 50, 60], [70, 80, 90], [95, 99, 100]])
    hidden = hidden_counts(counts, sums)
    assert (0, 0) in hidden and 3 <= len(hidden) <= 4


def test_a_count_that_stands_in_two_tables_is_protected_in_both():
    counts = {"a": 3, "b": 40, "c": 60, "all": 103, "x": 3, "y": 100}
    sums = [Sum("all", ("a", "b", "c")), Sum("all", ("x", "y"))]
    hidden = hidden_counts(counts, sums)
    for key in ("a", "x"):
        low, high = feasible(key, counts, sums, hidden)
        assert key in hidden and high - low >= WIDTH


@pytest.mark.parametrize("cells", [[[1]], [[0, 1]], [[1, 0], [0, 0]], [[4, 0], [0, 4]]])
def test_tiny_clinics_show_nothing_small(cells):
    counts, sums = grid(cells)
    assert small(counts) <= hidden_counts(counts, sums)
