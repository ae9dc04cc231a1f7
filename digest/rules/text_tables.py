"""Write a table as lines of plain text: in columns if there is room, else row by row with their names."""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_WIDEST = 72
_WIDEST_CELL = 60
_MOST_SPAN = 30


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell's text in one line, slashes between its lines, and how many columns and rows it spans."""

    text: str
    is_header: bool = False
    columns: int = 1
    rows: int = 1
    has_list: bool = False


def table_lines(rows: Sequence[Sequence[Cell]]) -> list[str] | None:
    """Return a table's lines, with empty ones between rows that take several; None if it is no data.

    A table of long texts without names of columns is a layout, and its cells are blocks like any other.
    """
    rows = [row for row in rows if row]
    if not any(len(row) > 1 for row in rows):
        return None
    cells = [cell for row in rows for cell in row]
    is_short = not any(len(cell.text) > _WIDEST_CELL or cell.has_list for cell in cells)
    lines = [[cell.text for cell in row] for row in _grid(rows, repeats=False)]
    widths = [max(map(width, column)) for column in zip(*lines, strict=True)]
    if is_short and sum(widths) + 3 * (len(widths) - 1) <= _WIDEST:
        padded = (map(_padded, line, widths) for line in lines)
        return [line for line in (" | ".join(one).rstrip(" |") for one in padded) if line.strip()]
    if (named := _records(_grid(rows, repeats=True))) is not None:
        return named
    return [" | ".join(filter(None, line)) for line in lines if any(line)] if is_short else None


def width(text: str) -> int:
    """Return how many columns a text takes where all letters are equally wide; East Asian ones take two."""
    return sum(
        2 if unicodedata.east_asian_width(char) in "WF" else 0 if unicodedata.combining(char) else 1
        for char in text
    )


def _padded(text: str, columns: int) -> str:
    return text + " " * (columns - width(text))


def _grid(rows: Sequence[Sequence[Cell]], *, repeats: bool) -> list[list[Cell]]:
    """Return rows of equal length: what spans rows stands in each of them, what spans columns in the first
    unless it `repeats`."""
    hanging: dict[int, tuple[int, Cell]] = {}
    grid: list[list[Cell]] = []
    for row in rows:
        line: list[Cell] = []
        waiting = list(reversed(row))
        while waiting or len(line) in hanging:
            at = len(line)
            if at in hanging:
                left, cell = hanging.pop(at)
                if left > 1:
                    hanging[at] = left - 1, cell
                line.append(cell)
                continue
            cell = waiting.pop()
            for number in range(max(1, min(cell.columns, _MOST_SPAN))):
                if cell.rows > 1:
                    hanging[len(line)] = cell.rows - 1, cell if repeats or not number else Cell("")
                line.append(cell if repeats or not number else Cell("", cell.is_header))
        grid.append(line)
    longest = max(map(len, grid))
    return [[*line, *[Cell("")] * (longest - len(line))] for line in grid]


def _records(grid: list[list[Cell]]) -> list[str] | None:
    """Return each row as lines `name: value`; None if the columns have no names."""
    heads = 0
    while heads < len(grid) and all(cell.is_header or not cell.text for cell in grid[heads]):
        heads += 1
    if heads in (0, len(grid)):
        return None
    names = [
        " ".join(dict.fromkeys(cell.text for cell in column if cell.text))
        for column in zip(*grid[:heads], strict=True)
    ]
    lines: list[str] = []
    for row in grid[heads:]:
        lines.extend([*([""] if lines else []), *_record(names, row)])
    return lines


def _record(names: Sequence[str], row: Sequence[Cell]) -> Iterator[str]:
    before: Cell | None = None
    for name, cell in zip(names, row, strict=True):
        if cell.text and cell is not before:
            yield f"{name.rstrip(':')}: {cell.text}" if name else cell.text
        before = cell
