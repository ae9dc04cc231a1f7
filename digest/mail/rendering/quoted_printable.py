"""Quoted-printable with placeholders: text is encoded once, values are spliced in later (RFC 2045 6.7)."""

import re
from collections.abc import Mapping

MAX_LINE = 76
SOFT = b"=\r\n"
_ESCAPED = {bytes((byte,)): b"=%02X" % byte for byte in range(256)}

_SIMPLE = re.compile(rb"(?!From )(?:[!-\-/-<>-~](?:[ -<>-~]{0,73}[!-<>-~])?)?")
"""Values that need no encoding: short, ASCII, no "=", no full stop at the beginning, no space at either end.
"""

_LINK = re.compile(rb"[!-<>-~]*")
"""Values that need encoding only at the beginning of a line: printable ASCII without spaces and "="."""

_VERBATIM = re.compile(rb"(?!From )[!#-%'-\-/-;?-~](?:[ !#-%'-;?-~]*[!#-%'-;?-~])?")
"""Text that encodes to itself, in HTML and in plain text, unless it is long or has runs of spaces."""

_WORD = bytes(byte for byte in range(0x21, 0x7F) if byte not in b'"&<=>')
"""The characters of a word that encodes to itself; a full stop may not come first."""

_UNSAFE = re.compile(rb"[^ -<>-~]|(?<= ) | \Z")
"""What must be encoded: non-printable or non-ASCII bytes, "=", a space after a space or at the end of a line.
"""

_EDGE = (b".", b" ", b"From ")
"""What a relay might change at the beginning of a line, or take for the end of the message."""

Pieces = tuple[bytes | str, ...]
"""Encoded bytes, with the names of placeholders between them."""


def quoted_printable(text: str) -> bytes:
    r"""Encode text so that no line is longer than 76 characters and none needs dot-stuffing.

    Line ends become CRLF. Full stops at the beginning of a line, spaces at its ends and runs of spaces are
    encoded, so that no relay has a reason to change the body, and the body equals its relaxed form (RFC 6376
    3.4.4). Example: `"5 = five\n"` becomes `b"5 =3D five\r\n"`.
    """
    plain = text.encode()
    if len(plain) < MAX_LINE and _SIMPLE.fullmatch(plain) and b"  " not in plain:
        return plain
    if _LINK.fullmatch(plain):
        return _line(plain)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return b"\r\n".join([_line(_UNSAFE.sub(_escaped, line.encode())) for line in lines])


def verbatim(value: str) -> bytes | None:
    """Encode a value that is the same in text and in HTML; return None for any other.

    It stands between soft line breaks, so that no line is longer than 76 characters.
    """
    raw = value.encode()
    if raw.translate(None, _WORD):  # the common case first: most values, and all links, are one word
        if _VERBATIM.fullmatch(raw) is None or b"  " in raw:
            return None
    elif not raw or raw.startswith(b"."):
        return None
    if len(raw) < MAX_LINE:
        return raw
    if b" " in raw:
        return _line(raw)
    lines = SOFT.join([raw[at : at + MAX_LINE - 1] for at in range(0, len(raw), MAX_LINE - 1)])
    return _line(raw) if b"\n." in lines else lines


def splice(pieces: Pieces, values: Mapping[str, bytes]) -> bytes:
    """Insert a reader's encoded values between the pieces."""
    return b"".join([values[piece] if isinstance(piece, str) else piece for piece in pieces])


def _line(line: bytes) -> bytes:
    """Insert soft line breaks into an encoded line, never inside an encoded byte; encode what must not begin
    a line."""
    out: list[bytes] = []
    at, end = 0, len(line)
    while True:
        first = _ESCAPED[line[at : at + 1]] if line.startswith(_EDGE, at) else line[at : at + 1]
        at += 1
        room = MAX_LINE - 1 - len(first)  # a soft line break may follow the last line, too
        if end - at <= room:
            out.extend((first, line[at:]))
            return b"".join(out)
        stop = at + room
        if line[stop - 1] == 0x3D:
            stop -= 1
        elif line[stop - 2] == 0x3D:
            stop -= 2
        out.extend((first, line[at:stop], SOFT))
        at = stop


def _escaped(match: re.Match[bytes]) -> bytes:
    return _ESCAPED[match[0]]
