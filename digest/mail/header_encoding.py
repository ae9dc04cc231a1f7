"""Write header fields: folded, encoded where needed, and safe from injection (RFC 5322, 2047)."""

import base64
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache

import idna

MAX_LINE = 78
_WORD_BYTES = 45
_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_BREAKING = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def one_line(text: str) -> str:
    """Replace each run of control characters by a space, so that no value can begin another header field."""
    if text.isascii() and text.isprintable():
        return text.strip()
    return _BREAKING.sub(" ", text).encode("utf-8", "replace").decode().strip()


@lru_cache(maxsize=64)
def text_header(name: str, text: str) -> str:
    """Write an unstructured field, in encoded-words where it is not ASCII (RFC 2047 5 (1))."""
    return _fold(name, _words(one_line(text)))


def mailbox_header(name: str, display: str, address: str) -> str:
    """Write a field with one mailbox; the address itself is never encoded (RFC 2047 5 (3))."""
    return _fold(name, mailbox(display, address))


def recipient_header(display: str, address: str) -> str:
    """Write the To field; for most readers it needs neither folding nor encoding."""
    if address.isascii() and address.isprintable():
        if not display:
            return f"To: {address.strip()}\r\n"
        if len(display) < MAX_LINE - 10 and _ATOM.fullmatch(display) and "=?" not in display:
            field = f"To: {' '.join(display.split())} <{address.strip()}>"
            if len(field) <= MAX_LINE and not field.startswith("To:  "):
                return field + "\r\n"
    return mailbox_header("To", display, address)


@lru_cache(maxsize=64)
def sender_header(display: str, address: str) -> str:
    """Write the From field; cached, because all messages share it."""
    return mailbox_header("From", display, address)


def mailbox(display: str, address: str) -> list[str]:
    """Return a mailbox as words; the field may be folded between them (RFC 5322 3.4)."""
    display, address = one_line(display), ascii_domain(one_line(address))
    if not display:
        return [address]
    return [*phrase(display), f"<{address}>"]


def plain_header(name: str, words: Sequence[str]) -> str:
    """Write a structured field of ASCII words, folded only between them."""
    return _fold(name, [one_line(word) for word in words])


def word_header(name: str, word: str) -> str:
    """Write a structured field of one ASCII word, which cannot be folded."""
    return f"{name}: {one_line(word)}\r\n"


def date_header(moment: datetime) -> str:
    """Write the Date field in UTC with a numeric zone (RFC 5322 3.3)."""
    return _date_header(int(moment.timestamp()))


@lru_cache(maxsize=64)
def _date_header(seconds: int) -> str:
    at = datetime.fromtimestamp(seconds, UTC)
    day, month = _DAYS[at.weekday()], _MONTHS[at.month - 1]
    return f"Date: {day}, {at.day:02d} {month} {at:%Y %H:%M:%S} +0000\r\n"


def ascii_domain(address: str) -> str:
    """Return an address whose domain is in its A-label form (RFC 5890)."""
    local, at, domain = address.rpartition("@")
    if domain.isascii():
        return address
    return f"{local}{at}{idna.encode(domain, uts46=True).decode()}"


def phrase(display: str) -> list[str]:
    """Return a display name as words: atoms, a quoted string, or encoded-words (RFC 5322 3.2.5)."""
    display = one_line(display)
    if not display:
        return []
    if not display.isascii() or "=?" in display:  # an encoded-word is decoded even inside quotes
        return _encoded(display)
    if _ATOM.fullmatch(display):
        words = display.split()
        return words if len(max(words, key=len)) < MAX_LINE - 10 else _encoded(display)
    escaped = display.replace("\\", "\\\\").replace('"', '\\"')
    return [f'"{escaped}"'] if len(escaped) < MAX_LINE - 10 else _encoded(display)


def _words(text: str) -> list[str]:
    too_long = any(len(word) > MAX_LINE - 2 for word in text.split(" "))
    looks_encoded = "=?" in text
    return _encoded(text) if too_long or looks_encoded or not text.isascii() else text.split(" ")


def _encoded(text: str) -> list[str]:
    """Split text into encoded-words of at most 75 characters, never inside a character (RFC 2047 2, 5)."""
    words, chunk = [], b""
    for char in text:
        encoded = char.encode()
        if len(chunk) + len(encoded) > _WORD_BYTES:
            words.append(chunk)
            chunk = b""
        chunk += encoded
    words.append(chunk)
    return [f"=?utf-8?b?{base64.b64encode(word).decode()}?=" for word in words]


def _fold(name: str, words: Sequence[str]) -> str:
    lines, line = [], f"{name}:"
    for word in words:
        if len(line) + 1 + len(word) > MAX_LINE and line.strip() and line != f"{name}:":
            lines.append(line)
            line = ""
        line += " " + word
    lines.append(line)
    return "\r\n".join(lines) + "\r\n"
