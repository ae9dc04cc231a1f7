"""Write superscripts and subscripts in plain text: 10⁶, H₂O, x^(n+1); an ordinal or a mark stays as it is."""

import re

_RAISED = str.maketrans("0123456789+-\u2212=()ni", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿⁱ")
_LOWERED = str.maketrans("0123456789+-\u2212=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎")
_AS_RAISED = re.compile(r"[0-9+\-\u2212=()ni]+")
_AS_LOWERED = re.compile(r"[0-9+\-\u2212=()]+")
_ORDINAL = re.compile(r"st|nd|rd|th|er|ers|re|res|e|ème|èmes|o|a|os|as|º|ª|to|ta|ter|te", re.I)
_FORMULA = re.compile(r"[\w+\-\u2212=*/.,'′()^]{1,12}")
_MARK = re.compile(r"tm|sm|mc|md|®|©|™|℠|[*†‡§¶]+|\[.*\]|\(.*\)", re.I)


def raised(text: str, before: str) -> str:
    """Return what a superscript holds, as it is written behind the character before it.

    `raised("6", "0")` is `⁶` and `raised("th", "5")` is `th`.
    """
    bare = text.strip()
    if _AS_RAISED.fullmatch(bare) and not bare.startswith("("):
        return bare.translate(_RAISED)
    is_ordinal = _ORDINAL.fullmatch(bare) is not None and (before.isdigit() or not before)
    if not _FORMULA.fullmatch(bare) or _MARK.fullmatch(bare) or is_ordinal or not before.strip():
        return text
    is_word = bare.isalpha() and (len(bare) > 2 or not before.isalnum())
    return text if is_word else f"^{bare}" if bare.isalnum() else f"^({bare})"


def lowered(text: str, before: str) -> str:
    """Return what a subscript holds, as it is written behind the character before it: H₂O, x_i."""
    bare = text.strip()
    if _AS_LOWERED.fullmatch(bare):
        return bare.translate(_LOWERED)
    is_index = _FORMULA.fullmatch(bare) is not None and bool(before.strip()) and len(bare) <= 3
    if not is_index:
        return text
    return f"_{bare}" if bare.isalnum() else f"_({bare})"
