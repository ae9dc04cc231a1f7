"""A rendering as a join of encoded pieces: a frame that many variants share, and a card for each article."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from digest.mail.encoding import SOFT, Pieces, quoted_printable
from digest.mail.slots import in_attributes, split_at

_ATTRIBUTE = "@"
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


@dataclass(slots=True)
class _Run:
    """Neighbours that are joined: bytes, and holes between them."""

    parts: list[bytes] = field(default_factory=list)
    digests: list[bytes] = field(default_factory=list)
    holes: list[int] = field(default_factory=list)
    is_closed: bool = True

    def add(self, content: bytes, digest: bytes = b"") -> None:
        if self.is_closed:
            self.parts.append(content)
            self.digests.append(digest)
            self.is_closed = False
        else:
            self.parts[-1] += content
            self.digests[-1] += digest

    def leave_open(self) -> None:
        self.holes.append(len(self.parts))
        self.parts.append(b"")
        self.digests.append(b"")
        self.is_closed = True


class Pattern:
    """A frame that is filled again and again: all that is the same each time is joined beforehand.

    Soft line breaks part what was encoded apart (RFC 2045 6.7 (5)). `holes` names what is filled in, in the
    frame's order; other names stay slots. `room` is what the value of a slot may take as encoded.
    """

    def __init__(
        self, frame: Frame, filled: Collection[str] = (), room: Mapping[str, int] = _NO_ROOM
    ) -> None:
        self.holes = tuple(piece for piece in frame if isinstance(piece, str) and piece in filled)
        self._runs: list[tuple[int, int, str | None]] = []
        run, begin = _Run(), 0
        for number, piece in enumerate(frame):
            if number:
                run.add(SOFT)
            if isinstance(piece, Encoded):
                run.add(piece.content, piece.digest)
            elif piece in filled:
                run.leave_open()
            else:
                begin = self._end(run, begin, piece)
        if len(run.parts) > begin or not frame:
            self._end(run, begin, None)
        self._parts, self._digests, self._places = run.parts, run.digests, run.holes
        known = [piece for piece in frame if isinstance(piece, Encoded)]
        slots = [piece for piece in frame if isinstance(piece, str) and piece not in filled]
        self._size = sum(piece.size for piece in known)
        self._most = sum(len(piece.content) for piece in known) + len(SOFT) * len(frame)
        self._most += sum(room.get(piece.rstrip(_ATTRIBUTE), 0) for piece in slots)

    def _end(self, run: _Run, begin: int, slot: str | None) -> int:
        run.is_closed = True
        self._runs.append((begin, len(run.parts), slot))
        return len(run.parts)

    def fill(self, pieces: Sequence[Encoded] = ()) -> Joined:
        """Put pieces into the holes."""
        parts, digests, size, most = self._parts.copy(), self._digests.copy(), self._size, self._most
        for place, piece in zip(self._places, pieces, strict=True):
            parts[place], digests[place] = piece.content, piece.digest
            size += piece.size
            most += len(piece.content)
        joined: list[bytes | str] = []
        for begin, end, slot in self._runs:
            if end > begin or slot is None:
                joined.append(b"".join(parts[begin:end]))
            if slot is not None:
                joined.append(slot)
        return Joined(tuple(joined), b"".join(digests), size, most)


def boundary_of(*parts: bytes) -> str:
    """Give a boundary out of what parts are joined of: known to a preview, and absent from them.

    "=_" can stand in no quoted-printable text (RFC 2046 5.1.1).
    """
    return f"=_{hashlib.sha256(b''.join(parts)).hexdigest()[:40]}"
