"""What follows from a language tag: the catalogue that serves it, and the direction of its script."""

import re
import unicodedata
from functools import lru_cache

FALLBACK = "en"
_RIGHT_TO_LEFT = frozenset({"ar", "he", "fa", "ur", "yi", "ps", "dv", "ckb"})


@lru_cache(maxsize=256)
def base(language: str) -> str:
    """Return a language tag's first part, by which a catalogue is chosen."""
    return re.split("[-_]", language, maxsplit=1)[0].lower()


def locale_of(language: str) -> str:
    """Return the locale in which dates and hours are written.

    English without a region follows British usage: day before month, and hours up to 24.
    """
    return "en_GB" if language == FALLBACK else language.replace("-", "_")


def strong_direction(text: str) -> str:
    """Return the direction of the first strong character, as `dir="auto"` does (HTML 3.2.6.4); "" if none
    is."""
    for char in text:
        kind = unicodedata.bidirectional(char)
        if kind in ("L", "R", "AL"):
            return "ltr" if kind == "L" else "rtl"
    return ""


def direction(language: str) -> str:
    """Return the direction that a language is written in."""
    return "rtl" if base(language) in _RIGHT_TO_LEFT else "ltr"
