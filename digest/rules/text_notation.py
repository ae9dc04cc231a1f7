"""Write HTML's superscripts (10⁶, x^(n+1)), subscripts (H₂O) and list labels as plain text."""

import re
from string import ascii_lowercase

_RAISED = str.maketrans("0123456789+-\u2212=()ni", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿⁱ")
_LOWERED = str.maketrans("0123456789+-\u2212=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎")
_AS_RAISED = re.compile(r"[0-9+\-\u2212=()ni]+")
_AS_LOWERED = re.compile(r"[0-9+\-\u2212=()]+")
_ORDINAL = re.compile(
    r"st|nd|rd|th|er|ers|re|res|e|es|ème|èmes|o|a|os|as|º|ª|to|ta|ter|te|de|d|nde?|da|do|ste|r", re.I
)
# What French and others raise behind letters: Mme, XIXe, no, and the words that lawyers cut.
_ABBREVIATED = re.compile(r"(?:mes?|mlles?|lles?|rs?|gr|os?|º|bis|ter|ier|iers|ière|ières|vo|ro)", re.I)
_CENTURY = re.compile(r"[IVXLC]")
_FORMULA = re.compile(r"[\w+\-\u2212=*/.,'′()^]{1,12}")
_MARK = re.compile(r"tm|sm|mc|md|®|©|™|℠|[*†‡§¶]+|\[.*\]|\(.*\)", re.I)
_ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"),
    (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip
_LARGEST_ROMAN = 3_999
_NUMBER = re.compile(r"-?[0-9]{1,4}")


def stated_number(value: str | None, otherwise: int) -> int:
    """Return the number that an attribute states (`start="-3"`), or another if it states none."""
    return int(value) if value and _NUMBER.fullmatch(value) else otherwise


def raised(text: str, before: str) -> str:
    """Return a superscript's text as it is written after the character before it.

    `raised("6", "0")` is `⁶` and `raised("th", "5")` is `th`.
    """
    bare = text.strip()
    if _AS_RAISED.fullmatch(bare) and not bare.startswith("("):
        return bare.translate(_RAISED)
    is_ordinal = _ORDINAL.fullmatch(bare) is not None and (before.isdigit() or not before)
    is_ordinal = is_ordinal or (
        _CENTURY.fullmatch(before) is not None and bare in ("e", "es", "ème", "er", "re")
    )
    is_ordinal = is_ordinal or (
        before in ("M", "N", "n", "D", "f", "V", "S") and _ABBREVIATED.fullmatch(bare) is not None
    )
    if not _FORMULA.fullmatch(bare) or _MARK.fullmatch(bare) or is_ordinal or not before.strip():
        return text
    is_word = bare.isalpha() and (len(bare) > 2 or not before.isalnum())
    return text if is_word else f"^{bare}" if bare.isalnum() else f"^({bare})"


def lowered(text: str, before: str) -> str:
    """Return a subscript's text as it is written after the character before it: H₂O, x_i."""
    bare = text.strip()
    if _AS_LOWERED.fullmatch(bare):
        return bare.translate(_LOWERED)
    is_index = _FORMULA.fullmatch(bare) is not None and bool(before.strip()) and len(bare) <= 3
    if not is_index:
        return text
    return f"_{bare}" if bare.isalnum() else f"_({bare})"


def item_label(number: int, kind: str | None) -> str:
    """Return a list item's label in the style that `type` asks for (HTML 4.4.5): `3`, `c` (a), `C` (A),
    `iii` (i) or `III` (I)."""
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
