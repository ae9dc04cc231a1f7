"""Tokens in addresses that readers write to: short, case-insensitive, for one purpose each."""

import hmac
import re
from collections.abc import Iterable, Sequence

from digest.rules.tokens.tokens import base32_mac

LEAVE, CONFIRM, COMMAND = "u", "c", "x"
"""Leave one digest; confirm one subscription; carry out one command that needs confirming."""

PRINT, ARTICLE, ROUND_TRIP = "p", "a", "r"
"""Answer whether one letter may be printed; write to the editors about one article; test the inbox."""

LENGTH = 31
_TOKEN = re.compile(r"([ucxpar])([a-z2-7]{12})([a-z2-7]{18})")
_DIGITS = "abcdefghijklmnopqrstuvwxyz234567"
_PLACES = 12


def sign_address(keys: Sequence[bytes], purpose: str, public_id: str, names: Sequence[str]) -> str:
    """Make the token of an address: 31 characters of base32, which a relay may write in either case.

    It holds the beginning of the public id, by which the reader is found, and 90 bits of an HMAC over
    purpose, public id and names (RFC 2104 5). The first key signs.
    """
    return f"{purpose}{public_id[:12]}{_mac(keys[0], purpose, public_id, names)}"


def read_address(token: str) -> tuple[str, str] | None:
    """Return the purpose and the beginning of the public id in such a token; nothing is verified yet."""
    match = _TOKEN.fullmatch(token.lower()) if token.isascii() else None
    return (match[1], match[2]) if match else None


def find_addressed(
    keys: Sequence[bytes], token: str, public_id: str, names: Iterable[tuple[str, ...]]
) -> tuple[str, ...] | None:
    """Return for which of the names a token was made for this reader, by any key of the ring."""
    match = _TOKEN.fullmatch(token.lower()) if token.isascii() else None
    if match is None or not hmac.compare_digest(match[2], public_id[:12]):
        return None
    for named in names:
        for key in keys:
            if hmac.compare_digest(match[3], _mac(key, match[1], public_id, named)):
                return named
    return None


def sign_number(keys: Sequence[bytes], purpose: str, number: int) -> str:
    """Make the token of an address that belongs to a letter or an article, by its number."""
    named = _spell(number)
    return f"{purpose}{named}{_mac(keys[0], purpose, named, ())}"


def find_number(keys: Sequence[bytes], purpose: str, token: str) -> int | None:
    """Return the number that a token of this purpose was made for, by any key of the ring; else None."""
    match = _TOKEN.fullmatch(token.lower()) if token.isascii() else None
    if match is None or match[1] != purpose:
        return None
    if not any(hmac.compare_digest(match[3], _mac(key, purpose, match[2], ())) for key in keys):
        return None
    number = 0
    for digit in match[2]:
        number = number * 32 + _DIGITS.index(digit)
    return number


def _spell(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 32)
        digits = _DIGITS[digit] + digits
    return digits.rjust(_PLACES, _DIGITS[0])


def _mac(key: bytes, purpose: str, public_id: str, names: Sequence[str]) -> str:
    return base32_mac(key, f"mail {purpose}", "\0".join((public_id, *names)))
