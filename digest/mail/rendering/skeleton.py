"""A rendering as a join of encoded pieces: a frame that many variants share, and a card for each article."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from digest.mail.rendering.placeholders import in_attributes, split_at
from digest.mail.rendering.quoted_printable import SOFT, Pieces, quoted_printable

_ATTRIBUTE = "@"
_KEPT_PARTS = 4_096
_NO_ROOM: Mapping[str, int] = {}


@dataclass(frozen=True, slots=True)
class EncodedSegment:
    """A stretch of one part, encoded: its bytes, their SHA-256, and the size before encoding."""

    content: bytes
    digest: bytes
    size: int


Frame = tuple[EncodedSegment | str, ...]
"""Encoded stretches, and between them the names of what is filled in."""


def encode(text: str) -> EncodedSegment:
    """Encode a stretch of a part."""
    content = quoted_printable(text)
    return EncodedSegment(content, hashlib.sha256(content).digest(), len(text.encode()))


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
    pieces: list[EncodedSegment | str] = []
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
class EncodedPart:
    """One part of a rendering as it is sent, with slots for a reader's own values.

    `digests` are those of all that it was joined of; `size` is its size before encoding, a reader's own
    values aside, `most` its size as encoded, whoever the reader is.
    """

    pieces: Pieces
    digests: bytes
    size: int
    most: int


@dataclass(frozen=True, slots=True)
class _OpenSegment:
    """Neighbours with holes between them: `parts` are what is known, in turn with holes; which holes."""

    at: int
    parts: list[bytes]
    begin: int
    end: int


class Segments:
    """Bytes, holes and slots in turn: all that is the same each time is joined beforehand."""

    def __init__(self) -> None:
        self.pieces: list[bytes | str] = []
        self._open: list[_OpenSegment] = []
        self._run = [b""]

    def add(self, content: bytes) -> None:
        """Add what is the same each time."""
        self._run[-1] += content

    def add_hole(self) -> None:
        """Add what is filled in each time."""
        self._run += [b"", b""]

    def add_slot(self, name: str) -> None:
        """Add what stays a slot."""
        self.end()
        self.pieces.append(name)

    def add_all(self, others: "Segments", kind: str) -> None:
        """Add those of a part, with its kind before the names of its slots."""
        runs = {run.at: run.parts for run in others._open}
        for at, piece in enumerate(others.pieces):
            if isinstance(piece, str):
                self.add_slot(kind + piece)
                continue
            for number, part in enumerate(runs.get(at, [piece])):
                if number % 2:
                    self.add_hole()
                else:
                    self.add(part)

    def end(self) -> None:
        """End the bytes that follow each other."""
        run, self._run = [_shared(part) for part in self._run], [b""]
        if len(run) > 1:
            begin = self._open[-1].end if self._open else 0
            self._open.append(_OpenSegment(len(self.pieces), run, begin, begin + len(run) // 2))
        if any(run) or len(run) > 1:
            self.pieces.append(b"" if len(run) > 1 else run[0])

    def fill(self, contents: list[bytes]) -> list[bytes | str]:
        """Put bytes into the holes, one into each, in their order."""
        joined = self.pieces.copy()
        for run in self._open:
            parts = run.parts.copy()
            parts[1::2] = contents[run.begin : run.end]
            joined[run.at] = b"".join(parts)
        return joined


class EncodedSkeleton:
    """A frame that is filled again and again.

    Soft line breaks part what was encoded apart (RFC 2045 6.7 (5)). What is not `filled` stays a slot, whose
    value may take as much `room` as encoded. `digests` are those of its stretches, in turn with those of what
    is filled in; `most` is its size as encoded without that.
    """

    def __init__(
        self, frame: Frame, filled: Collection[str] = (), room: Mapping[str, int] = _NO_ROOM
    ) -> None:
        self.stretches = Segments()
        self.digests = [b""]
        self.most = len(SOFT) * len(frame)
        self._size = 0
        for number, piece in enumerate(frame):
            if number:
                self.stretches.add(SOFT)
            if isinstance(piece, EncodedSegment):
                self.stretches.add(piece.content)
                self.digests[-1] += piece.digest
                self._size += piece.size
                self.most += len(piece.content)
            elif piece in filled:
                self.stretches.add_hole()
                self.digests += [b"", b""]
            else:
                self.stretches.add_slot(piece)
                self.most += room.get(piece.rstrip(_ATTRIBUTE), 0)
        self.stretches.end()
        self.digests = [_shared(digests) for digests in self.digests]

    def fill(self, pieces: Sequence[EncodedSegment] = ()) -> EncodedPart:
        """Put pieces into the holes, one into each, in the frame's order."""
        contents = [piece.content for piece in pieces]
        digests = self.digests.copy()
        digests[1::2] = [piece.digest for piece in pieces]
        size = self._size + sum([piece.size for piece in pieces])
        joined = tuple(self.stretches.fill(contents))
        return EncodedPart(joined, b"".join(digests), size, self.most + sum(map(len, contents)))


@lru_cache(maxsize=_KEPT_PARTS)
def _shared(part: bytes) -> bytes:
    """Give the same bytes, once for all patterns: frames differ little from each other."""
    return part


def boundary_of(*parts: bytes) -> str:
    """Give a boundary out of what parts are joined of: known to a preview, and absent from them.

    "=_" can stand in no quoted-printable text (RFC 2046 5.1.1).
    """
    return f"=_{hashlib.sha256(b''.join(parts)).hexdigest()[:40]}"
