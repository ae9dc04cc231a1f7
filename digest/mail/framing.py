"""A rendering as a join of encoded pieces: a frame that many variants share, and a card for each article."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from digest.mail.encoding import SOFT, Pieces, quoted_printable
from digest.mail.slots import in_attributes, split_at

_ATTRIBUTE = "@"
_KEPT_PARTS = 4_096
_NO_ROOM: Mapping[str, int] = {}


@dataclass(frozen=True, slots=True)
class Encoded:
    """A stretch of one part, encoded: its bytes, their SHA-256, and the size before encoding."""

    content: bytes
    digest: bytes
    size: int


Frame = tuple[Encoded | str, ...]
"""Encoded stretches, and between them the names of what is filled in."""


def encode(text: str) -> Encoded:
    """Encode a stretch of a part."""
    content = quoted_printable(text)
    return Encoded(content, hashlib.sha256(content).digest(), len(text.encode()))


def frame_of(
    text: str, slots: Mapping[str, str], cards: Mapping[str, str] | None = None, *, is_html: bool
) -> Frame:
    """Cut a rendered part at the markers of slots and cards; a slot that stands in a tag ends in "@"."""
    known = {**slots, **(cards or {})}
    if is_html:
        text = in_attributes(text, list(slots.values()))
        known |= {name + _ATTRIBUTE: marker + marker[-1] for name, marker in slots.items()}
    # The longer marker is looked for first.
    known = dict(sorted(known.items(), key=lambda item: -len(item[1])))
    pieces: list[Encoded | str] = []
    for before, name in split_at(text, known):
        if before:
            pieces.append(encode(before))
        if name is not None:
            pieces.append(name)
    return tuple(pieces)


def holes_in(frame: Frame, filled: Collection[str]) -> list[str]:
    """List what is filled into a frame, in its order."""
    return [piece for piece in frame if isinstance(piece, str) and piece in filled]


@dataclass(frozen=True, slots=True)
class Joined:
    """One part of a rendering as it is sent, with slots for a reader's own values.

    `digests` are those of all that it was joined of; `size` is its size before encoding, a reader's own
    values aside, `most` its size as encoded, whoever the reader is.
    """

    pieces: Pieces
    digests: bytes
    size: int
    most: int


@dataclass(frozen=True, slots=True)
class _Open:
    """Neighbours with holes between them: `parts` are what is known, in turn with holes; which holes."""

    at: int
    parts: list[bytes]
    begin: int
    end: int


class Pattern:
    """A frame that is filled again and again: all that is the same each time is joined beforehand.

    Soft line breaks part what was encoded apart (RFC 2045 6.7 (5)). What is not `filled` stays a slot, whose
    value may take as much `room` as encoded.
    """

    def __init__(
        self, frame: Frame, filled: Collection[str] = (), room: Mapping[str, int] = _NO_ROOM
    ) -> None:
        self._pieces: list[bytes | str] = []
        self._open: list[_Open] = []
        self._digests = [b""]
        self._size, self._most, run = 0, len(SOFT) * len(frame), [b""]
        for number, piece in enumerate(frame):
            if number:
                run[-1] += SOFT
            if isinstance(piece, Encoded):
                run[-1] += piece.content
                self._digests[-1] += piece.digest
                self._size += piece.size
                self._most += len(piece.content)
            elif piece in filled:
                run += [b"", b""]
                self._digests += [b"", b""]
            else:
                self._end(run)
                self._pieces.append(piece)
                self._most += room.get(piece.rstrip(_ATTRIBUTE), 0)
                run = [b""]
        self._end(run)

        self._digests = [_shared(digests) for digests in self._digests]

    def _end(self, run: list[bytes]) -> None:
        run = [_shared(part) for part in run]
        if len(run) > 1:
            begin = self._open[-1].end if self._open else 0
            self._open.append(_Open(len(self._pieces), run, begin, begin + len(run) // 2))
        if any(run) or len(run) > 1:
            self._pieces.append(b"" if len(run) > 1 else run[0])

    def fill(self, pieces: Sequence[Encoded] = ()) -> Joined:
        """Put pieces into the holes, one into each, in the frame's order."""
        contents = [piece.content for piece in pieces]
        joined, digests = self._pieces.copy(), self._digests.copy()
        digests[1::2] = [piece.digest for piece in pieces]
        for run in self._open:
            parts = run.parts.copy()
            parts[1::2] = contents[run.begin : run.end]
            joined[run.at] = b"".join(parts)
        size = self._size + sum([piece.size for piece in pieces])
        return Joined(tuple(joined), b"".join(digests), size, self._most + sum(map(len, contents)))


@lru_cache(maxsize=_KEPT_PARTS)
def _shared(part: bytes) -> bytes:
    """Give the same bytes, once for all patterns: frames differ little from each other."""
    return part


def boundary_of(*parts: bytes) -> str:
    """Give a boundary out of what parts are joined of: known to a preview, and absent from them.

    "=_" can stand in no quoted-printable text (RFC 2046 5.1.1).
    """
    return f"=_{hashlib.sha256(b''.join(parts)).hexdigest()[:40]}"
