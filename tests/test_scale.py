"""docs/scale.md says what its formulas say, and the bytes that they start from are those of a database."""

from pathlib import Path

import pytest

from tests.benchmarks.scale import COSTS, STEPS, limits, limits_table, measure, row, table

PAGE = Path(__file__).parents[1] / "docs" / "scale.md"


def test_the_tables_of_the_page_are_those_that_the_formulas_print() -> None:
    written = PAGE.read_text(encoding="utf-8")

    assert table() in written
    assert limits_table() in written


def test_what_ends_first_stands_first_and_every_figure_grows_with_the_readers() -> None:
    numbers = [number for number, _ in limits()]

    assert numbers == sorted(numbers)
    assert len({tuple(row(readers)) for readers in STEPS}) == len(STEPS)


def test_a_reader_and_a_delivery_take_the_bytes_that_the_page_is_computed_from() -> None:
    found = measure("sqlite", 2_000)

    assert found.reader_bytes == pytest.approx(COSTS["SQLite"].reader_bytes, rel=0.15)
    assert found.delivery_bytes == pytest.approx(COSTS["SQLite"].delivery_bytes, rel=0.15)
