"""Name the items of ordered lists as HTML's `type` asks (HTML Standard, 4.4.5)."""

from string import ascii_lowercase

_ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"),
    (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip
_LARGEST_ROMAN = 3_999


def item_label(number: int, kind: str | None) -> str:
    """Return an item's label: `3`, `c` (type a), `C` (A), `iii` (i) or `III` (I)."""
    if kind in ("a", "A") and number > 0:
        label = _letters(number)
    elif kind in ("i", "I") and 0 < number <= _LARGEST_ROMAN:
        label = _roman(number)
    else:
        return str(number)
    return label.upper() if kind in ("A", "I") else label


def _letters(number: int) -> str:
    label = ""
    while number:
        number, place = divmod(number - 1, 26)
        label = ascii_lowercase[place] + label
    return label


def _roman(number: int) -> str:
    label = ""
    for value, letters in _ROMAN:
        count, number = divmod(number, value)
        label += letters * count
    return label
