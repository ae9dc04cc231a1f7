"""Text from outside made safe for a terminal, a log line or a message."""

import re
import unicodedata

_KEPT = frozenset("\t")
_HARMFUL = frozenset({"Cc", "Cf", "Zl", "Zp"})
_MARKS = frozenset({"Mn", "Mc"})
_SECRET_PARAMETER = re.compile(r"(?i)([?&][^=&#]*(?:key|token|secret|password|auth|sig)[^=&#]*=)[^&#]*")
_GREEK = re.compile("[\u0370-\u03ff\u1f00-\u1fff]")
_FINAL_SIGMA = re.compile(r"(?<=[^\W\d_])σ(?![^\W\d_])")
_JOINERS = frozenset("\u200c\u200d")  # part of words in Persian and of emoji
REGION_FLAG = "\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{2,6}\U000e007f"
"""The flag of Scotland and its like: a flag with its region spelled in invisible tags (UTS 51, annex C)."""

_FLAGS = re.compile(f"({REGION_FLAG})")


def printable(text: str) -> str:
    """Replace control characters and invisible directional marks by U+FFFD, so that no text can draw on a
    terminal."""
    return "".join(
        part if at % 2 else "".join(char if _is_kept(char) else "\ufffd" for char in part)
        for at, part in enumerate(_FLAGS.split(text))
    )


def one_line(text: str) -> str:
    """Replace unprintable characters, line breaks included, by spaces; joiners inside words and emoji, and
    the tags of flags, stay."""
    if text.isprintable():
        return text
    return "".join(
        part if at % 2 else "".join(c if c.isprintable() or c in _JOINERS else " " for c in part)
        for at, part in enumerate(_FLAGS.split(text))
    )


def belongs_to_word(char: str) -> bool:
    """Return whether a character is a letter, a digit, or a mark on one, as vowels of Hindi and Thai are."""
    return char.isalnum() or (unicodedata.category(char) in _MARKS and not "\ufe00" <= char <= "\ufe0f")


def plain_greek(text: str) -> str:
    """Return lower-case text with its Greek words in one form: capitals have no accents and no final sigma.

    >>> plain_greek("Κόσμος".casefold()), plain_greek("ΚΟΣΜΟΣ".casefold())
    ('κοσμος', 'κοσμος')
    """
    if text.isascii() or not _GREEK.search(text):
        return text
    kept: list[str] = []
    is_greek = False
    for char in unicodedata.normalize("NFD", text):
        if not unicodedata.combining(char):
            is_greek = _GREEK.match(char) is not None
        elif is_greek:
            continue
        kept.append(char)
    return _FINAL_SIGMA.sub("ς", unicodedata.normalize("NFC", "".join(kept)))


def without_login(url: str) -> str:
    """Return a URL without the user name and password that it may contain."""
    scheme, separator, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{separator}{host.rpartition('@')[2]}{slash}{path}" if separator else url


def without_secrets(url: str) -> str:
    """Return a URL without its login and without the values of parameters named for a secret."""
    return without_secret_values(without_login(url))


def without_secret_values(url: str) -> str:
    """Return a URL without the values of parameters named for a secret."""
    return _SECRET_PARAMETER.sub(r"\1***", url)


def _is_kept(char: str) -> bool:
    return char in _KEPT or char in _JOINERS or unicodedata.category(char) not in _HARMFUL
