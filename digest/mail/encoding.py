"""Quoted-printable with slots: text is encoded once, a reader's values are spliced in (RFC 2045 6.7)."""

import re
from collections.abc import Mapping

MAX_LINE = 76
_SOFT = b"=\r\n"
_PLAIN = frozenset(b for b in range(33, 127) if b not in b"=.")

_SIMPLE = re.compile(rb"(?!From )(?:[!-\-/-<>-~](?:[ -<>-~]{0,73}[!-<>-~])?)?")
"""Most of what readers bring: short, ASCII, no "=", no full stop at its beginning, no blank at an edge."""

_RUN = re.compile(rb"(?!From )[!-\-/-<>-~][!-<>-~]{74}")

Pieces = tuple[bytes | str, ...]
"""Encoded bytes, and the names of slots between them."""


def quoted_printable(text: str) -> bytes:
    """Encode text so that no line passes 76 characters and none needs dot-stuffing.

    Line ends become CRLF; full stops that begin a line and blanks that end one are encoded, so that no
    relay has a reason to change the body.
    """
    plain = text.encode()
    if _SIMPLE.fullmatch(plain):
        return plain
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return b"\r\n".join(_line(line.encode()) for line in lines)


def splice(pieces: Pieces, values: Mapping[str, bytes]) -> bytes:
    """Join pieces and a reader's encoded values."""
    return b"".join(values[piece] if isinstance(piece, str) else piece for piece in pieces)


def cut(text: str, markers: Mapping[str, str]) -> Pieces:
    """Encode a text in which markers stand for slots; each slot between soft line breaks of its own."""
    pieces: list[bytes | str] = []
    rest = text
    while rest:
        found = [(rest.find(marker), marker, name) for name, marker in markers.items() if marker in rest]
        if not found:
            pieces.append(quoted_printable(rest))
            break
        at, marker, name = min(found)
        pieces.extend([quoted_printable(rest[:at]) + _SOFT, name])
        rest = rest[at + len(marker) :]
        if rest:
            pieces.append(_SOFT)
    return tuple(pieces)


def slot_value(text: str) -> bytes:
    """Encode one reader's value for its place between two soft line breaks."""
    return quoted_printable(text)


def _line(line: bytes) -> bytes:
    out: list[bytes] = []
    length = number = 0
    while number < len(line):
        run = _RUN.match(line, number) if length == 0 else None
        if run is not None and run.end() < len(line):  # a whole line of letters that need no encoding
            out.extend((run[0], _SOFT))
            number = run.end()
            continue
        token = _token(line, number, starts=length == 0)
        if length + len(token) > MAX_LINE - 1:
            out.append(_SOFT)
            length = 0
            token = _token(line, number, starts=True)
        out.append(token)
        length += len(token)
        number += 1
    return b"".join(out)


def _token(line: bytes, number: int, *, starts: bool) -> bytes:
    """Encode one byte; what a relay might change is encoded too: dots, blanks and "From " at the edges."""
    byte = line[number]
    if starts and (byte == 0x2E or line.startswith(b"From ", number)):
        return b"=%02X" % byte
    at_an_edge = starts or number == len(line) - 1
    plain = byte in _PLAIN or byte == 0x2E or (byte in b" \t" and not at_an_edge)
    return bytes((byte,)) if plain else b"=%02X" % byte
