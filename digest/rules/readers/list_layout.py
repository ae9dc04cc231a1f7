"""The layout of a list's lines: delimiter, header, and the column of addresses."""

import csv
import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from digest.rules.readers.address import narrowed
from digest.rules.readers.row_states import squeeze

DELIMITERS = ",;\t|"
_SEPARATOR = re.compile(r"\ufeff?\"?sep=(.)\"?\s*", re.IGNORECASE | re.DOTALL)
_INVISIBLE = "\ufeff\u200b\u200c\u200d\u200e\u200f\u2060\u00ad\u00a0\u202a\u202c \t\r\n'"
_ADDRESS = re.compile(
    r"(?:[^<>@]*<)?(?:mailto:)?[^\s@<>,;|:\"()\[\]]+@[^\s@<>,;|:\"()\[\]]+>?", re.IGNORECASE
)
_FOLLOWED = re.compile(
    r"[^\s@<>,;|:\"()\[\]]+@[^\s@<>,;|:\"()\[\]]+\.[a-z]{2,}(?:\s+[^\W\d_][\w'\u2019.-]*){1,4}", re.IGNORECASE
)
_LISTED = re.compile(r"\A(?:\d{1,6}[.)]|[*\u2022\u00b7\u2013-])\s+(?=\S)")
_HEADER_WITHIN = 30
_ENOUGH = 3  # rows that show that columns have no name


@dataclass(frozen=True, slots=True)
class ListLayout:
    """How a file's lines are parsed.

    `first` is the number of lines above the first row; `names` is None for a list without a header.
    """

    delimiter: str
    names: tuple[str, ...] | None
    address: int
    first: int
    sample: tuple[tuple[str, ...], ...]

    @property
    def width(self) -> int:
        """Return how many cells a row may have: as many as the header, or as most rows, if that is more."""
        widths = Counter(map(count_cells, self.sample))
        widest, rows = max(widths.items(), key=lambda one: (one[1], one[0]), default=(0, 0))
        named = len(self.names or ())
        return max(named, widest) if rows >= _ENOUGH and rows * 2 > widths.total() else named


def count_cells(cells: Sequence[str]) -> int:
    """Return the number of cells up to the last one that has text."""
    return next((place for place in range(len(cells), 0, -1) if cells[place - 1].strip()), 0)


def looks_like_address(cell: str) -> bool:
    """Return whether a cell holds one address, alone, after a name (`Ann <ann@a.example>`) or before it."""
    if "@" not in cell and "\uff20" not in cell:
        return False
    bare = unlisted(narrowed(cell.strip(_INVISIBLE)))
    return (
        _ADDRESS.fullmatch(bare) is not None or len(parted(bare)) > 1 or _FOLLOWED.fullmatch(bare) is not None
    )


def unlisted(cell: str) -> str:
    """Return a cell without the number or bullet of a list in front of it."""
    return _LISTED.sub("", cell)


def parted(cell: str) -> list[str]:
    """Return the addresses of a cell that holds several with blanks between them, else the cell."""
    parts = cell.split() if cell.count("@") > 1 and "<" not in cell else []
    return parts if parts and all(map(_ADDRESS.fullmatch, parts)) else [cell]


def read_layout(lines: Sequence[str], names: Sequence[str]) -> ListLayout | None:
    """Detect a file's layout from its first lines; None if no column holds addresses.

    `names` are the usual names of the column in normalised form, the likeliest first. The column is found by
    its contents or, if it is empty, by its name. Above the header there may be Excel's `sep=` line, empty
    lines and headings; a list without a header begins with an address.
    """
    forced = next((line for line in lines if line.strip()), "")
    match = _SEPARATOR.fullmatch(forced)
    skipped = list(lines).index(forced) + 1 if match else 0
    known = {name: rank for rank, name in enumerate(names)}
    found = [
        _lay_out(lines[skipped:], delimiter, known, skipped)
        for delimiter in (match[1] if match else DELIMITERS)
    ]
    usable = [one for one in found if one is not None]
    return max(usable, key=lambda one: one[0])[1] if usable else None


def first_names(lines: Sequence[str]) -> list[str]:
    """Return the cells of the first line that has any, for an error where no column holds addresses."""
    line = next((line for line in lines if line.strip()), "")
    return max((next(csv.reader([line], delimiter=one), []) for one in DELIMITERS), key=len)


def _lay_out(
    lines: Sequence[str], delimiter: str, known: dict[str, int], skipped: int
) -> tuple[tuple[int, int, int], ListLayout] | None:
    rows = _rows(lines, delimiter)
    counts = Counter(
        place for _, cells in rows for place, cell in enumerate(cells) if looks_like_address(cell)
    )
    address = 0
    header = _find_header(rows, known)
    ranks = _rank_names(rows[header][1], known) if header is not None else {}
    if ranks:
        address = max(ranks, key=lambda place: (counts.get(place, 0), -ranks[place]))
    if not ranks or (counts and _is_postal(rows, header, address)):
        if not counts:
            return None
        address = max(counts, key=lambda place: (counts[place], -place))
        header = header if ranks else _above_first_address(rows, address)
    names = tuple(rows[header][1]) if header is not None else None
    first = rows[header][0] if header is not None else 0
    sample = tuple(tuple(cells) for _, cells in (rows[header + 1 :] if header is not None else rows))
    score = (counts.get(address, 0), len(ranks) > 0, len(names or ()))
    return score, ListLayout(delimiter, names, address, skipped + first, sample)


def _rows(lines: Sequence[str], delimiter: str) -> list[tuple[int, list[str]]]:
    """Read rows with the number of the line where each ends, as far as they can be read."""
    reader = csv.reader(lines, delimiter=delimiter)
    rows = []
    try:
        for cells in reader:
            rows.append((reader.line_num, cells))
    except csv.Error:
        pass  # the rows themselves are read one by one later, and errors then name the line
    return rows


def _find_header(rows: list[tuple[int, list[str]]], known: Collection[str]) -> int | None:
    """Find the first line with a usual name of the address column, above any address."""
    for number, (_, cells) in enumerate(rows[:_HEADER_WITHIN]):
        if any(looks_like_address(cell) for cell in cells):
            return None
        if any(squeeze(cell) in known for cell in cells):
            return number
    return None


def _is_postal(rows: list[tuple[int, list[str]]], header: int | None, place: int) -> bool:
    """Return whether a column named just "Address" holds no mail addresses, but probably streets."""
    named = header is not None and squeeze(rows[header][1][place]) == "address"
    return named and not any(place < len(row) and looks_like_address(row[place]) for _, row in rows)


def _rank_names(cells: list[str], known: dict[str, int]) -> dict[int, int]:
    """Return the positions of usual names, each with its rank."""
    return {place: known[squeeze(cell)] for place, cell in enumerate(cells) if squeeze(cell) in known}


def _above_first_address(rows: list[tuple[int, list[str]]], address: int) -> int | None:
    """Find the line above the first address, if it has a name for that column."""
    first = next(
        n for n, (_, row) in enumerate(rows) if address < len(row) and looks_like_address(row[address])
    )
    above = next((n for n in range(first - 1, -1, -1) if any(cell.strip() for cell in rows[n][1])), None)
    if above is None or above >= _HEADER_WITHIN:
        return None
    cells = rows[above][1]
    return above if address < len(cells) and cells[address].strip() and "@" not in "".join(cells) else None
