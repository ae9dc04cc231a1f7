"""Quoted-printable with slots: text is encoded once, a reader's values are spliced in (RFC 2045 6.7)."""

from collections.abc import Mapping

MAX_LINE = 76
_SOFT = b"=\r\n"
_PLAIN = frozenset(b for b in range(33, 127) if b not in b"=.")

Pieces = tuple[bytes | str, ...]
"""Encoded bytes, and the names of slots between them."""


def quoted_printable(text: str) -> bytes:
    """Encode text so that no line passes 76 characters and none needs dot-stuffing.

    Line ends become CRLF; full stops that begin a line and blanks that end one are encoded, so that no
    relay has a reason to change the body.
    """
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
    length = 0
    last = len(line) - 1
    for number, byte in enumerate(line):
        token = _token(byte, starts=length == 0, ends=number == last)
        if length + len(token) > MAX_LINE - 1:
            out.append(_SOFT)
            length = 0
            token = _token(byte, starts=True, ends=number == last)
        out.append(token)
        length += len(token)
    encoded = b"".join(out)
    return b"=46rom " + encoded[5:] if encoded.startswith(b"From ") else encoded


def _token(byte: int, *, starts: bool, ends: bool) -> bytes:
    if byte in _PLAIN or (byte == 0x2E and not starts) or (byte in b" \t" and not ends and not starts):
        return bytes((byte,))
    return b"=%02X" % byte
