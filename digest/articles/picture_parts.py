"""What a picture's file consists of, read before it is decoded: its size alone does not tell what that takes.

A JPEG of several scans is held as coefficients, six bytes or more for each pixel, however small it is drawn,
and each scan goes through all of them again (ITU-T T.81, sections B.2.3 and G.1). A scan that changes nothing
takes twenty bytes, so a file of 12 MB might take minutes. What comes before a picture, such as comments,
costs the library an object each.
"""

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

from digest.errors import InputError

_MOST_SCANS = 100  # encoders make about ten
_MOST_PARTS, _BYTES_A_PART = 1_000, 2_048  # PNG's encoders write at least 4 kB of the image at once
_MARKER = re.compile(rb"\xff+([\x01-\xfe])")
_IN_SCAN = re.compile(rb"\xff+([\x01-\xcf\xd8-\xfe])")  # not the restarts, nor 0xFF as a value
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})
_END, _SCAN = 0xD9, 0xDA
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_PNG = b"\x89PNG\r\n\x1a\n"


class _Segment(NamedTuple):
    """A marker of a JPEG with what it holds; the scan's own data are not part of it."""

    marker: int
    content: bytes


def check_parts(content: bytes) -> None:
    """Raise InputError for a picture of so many parts or scans that no encoder makes it."""
    most = _MOST_PARTS + len(content) // _BYTES_A_PART
    parts: Iterator[object] = _jpeg_segments(content)
    if content.startswith(_PNG):
        parts = _png_chunks(content)
    scans = 0
    for number, part in enumerate(parts):
        scans += isinstance(part, _Segment) and part.marker == _SCAN
        if number >= most or scans > _MOST_SCANS:
            raise InputError("the picture consists of too many parts")


def has_several_scans(content: bytes) -> bool:
    """Return whether a JPEG is held whole while it is decoded: it is progressive, or its first scan leaves
    out a component."""
    components = 0
    for marker, held in _jpeg_segments(content):
        if marker in _PROGRESSIVE:
            return True
        if marker in _FRAMES and len(held) > 5:
            components = held[5]
        if marker == _SCAN:
            return not held or held[0] < components
    return False


def _jpeg_segments(content: bytes) -> Iterator[_Segment]:
    """Walk through a JPEG as libjpeg does; each byte of padding before a marker counts as a segment."""
    place = content.find(b"\xff\xd8") + 2 if content.startswith(b"\xff\xd8") else len(content)
    pattern = _MARKER
    while found := pattern.search(content, place):
        place, marker = found.end(), found[1][0]
        for _ in range(len(found[0]) - 2):
            yield _Segment(0, b"")
        if marker in _ALONE:
            yield _Segment(marker, b"")
        elif marker == _END or len(content) < place + 2:
            return
        else:
            (length,) = struct.unpack_from(">H", content, place)
            yield _Segment(marker, content[place + 2 : place + length])
            place += max(length, 2)
            pattern = _IN_SCAN if marker == _SCAN else _MARKER


def _png_chunks(content: bytes) -> Iterator[bytes]:
    """Return the names of a PNG's chunks."""
    place = len(_PNG)
    while place + 8 <= len(content):
        length, name = struct.unpack_from(">I4s", content, place)
        yield name
        place += length + 12
