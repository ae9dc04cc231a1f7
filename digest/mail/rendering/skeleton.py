"""Parts as joins of encoded pieces: a skeleton that many variants share, and a card for each article.

A skeleton has two kinds of holes. A *slot* takes an article's card, or the subject, and is filled once for
each variant. A *placeholder* takes a reader's own value, and is filled once for each message.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from digest.mail.rendering.placeholders import in_attributes, split_at
from digest.mail.rendering.quoted_printable import SOFT, Pieces, quoted_printable

_ATTRIBUTE = "@"
_KEPT_SEGMENTS = 4_096
_NO_ROOM: Mapping[str, int] = {}


@dataclass(frozen=True, slots=True)
class EncodedSegment:
    """A piece of a part as quoted-printable: its bytes and their SHA-256.

    `encode("5 = five")` is `EncodedSegment(b"5 =3D five", <32 bytes>)`.
    """

    content: bytes
    digest: bytes


Frame = tuple[EncodedSegment | str, ...]
"""Encoded segments, with the names of slots and placeholders between them."""


def encode(text: str) -> EncodedSegment:
    """Encode a piece of a part."""
    content = quoted_printable(text)
    return EncodedSegment(content, hashlib.sha256(content).digest())


def frame_of(
    text: str, placeholders: Mapping[str, str], slots: Mapping[str, str] | None = None, *, is_html: bool
) -> Frame:
    r"""Split a rendered part at the markers of its placeholders and slots, and encode what is between them.

    `frame_of("Dear \ue000Slotname0\ue001,", {"name": "\ue000Slotname0\ue001"}, is_html=False)` is
    `(encode("Dear "), "name", encode(","))`. A placeholder inside a tag gets the name `name@`, because
    attributes are escaped differently from text.
    """
    known = {**placeholders, **(slots or {})}
    if is_html:
        text = in_attributes(text, list(placeholders.values()))
        known |= {name + _ATTRIBUTE: marker + marker[-1] for name, marker in placeholders.items()}
    # The longer marker first.
    known = dict(sorted(known.items(), key=lambda item: -len(item[1])))
    pieces: list[EncodedSegment | str] = []
    for before, name in split_at(text, known):
        if before:
            pieces.append(encode(before))
        if name is not None:
            pieces.append(name)
    return tuple(pieces)


def slots_in(frame: Frame, slots: Collection[str]) -> list[str]:
    """List the slots of a frame in order; one that occurs twice is listed twice."""
    return [piece for piece in frame if isinstance(piece, str) and piece in slots]


@dataclass(frozen=True, slots=True)
class EncodedPart:
    """One encoded part of a rendering, with placeholders for a reader's own values.

    `pieces` are `(b"Dear ", "name", b",=0D=0A...")`. `digests` are those of all segments that it was joined
    from; `most` is the largest encoded size that it can have, whoever the reader is.
    """

    pieces: Pieces
    digests: bytes
    most: int


@dataclass(frozen=True, slots=True)
class _SlottedBytes:
    """Bytes with slots between them: `parts` are `[b"known", b"", b"known"]`, with a slot at each odd index.

    They become piece number `index`; the slots are numbered from `first` up to, not including, `end`.
    """

    index: int
    parts: list[bytes]
    first: int
    end: int


class Segments:
    """Bytes, slots and placeholders in order; neighbouring bytes are joined once, before any slot is filled.

    add(b"<p>"); add_slot(); add(b"</p>"); add_placeholder("name"); end()
    fill([b"card"]) == [b"<p>card</p>", "name"]
    """

    def __init__(self) -> None:
        self.pieces: list[bytes | str] = []
        self._slotted: list[_SlottedBytes] = []
        self._current = [b""]

    def add(self, content: bytes) -> None:
        """Append bytes."""
        self._current[-1] += content

    def add_slot(self) -> None:
        """Append a slot."""
        self._current += [b"", b""]

    def add_placeholder(self, name: str) -> None:
        """Append a placeholder, which `fill` leaves as its name."""
        self.end()
        self.pieces.append(name)

    def add_all(self, others: "Segments", prefix: str) -> None:
        """Append the segments of a part, with a prefix before the names of its placeholders."""
        slotted = {one.index: one.parts for one in others._slotted}
        for index, piece in enumerate(others.pieces):
            if isinstance(piece, str):
                self.add_placeholder(prefix + piece)
                continue
            for number, part in enumerate(slotted.get(index, [piece])):
                if number % 2:
                    self.add_slot()
                else:
                    self.add(part)

    def end(self) -> None:
        """Close the run of bytes that was appended last; nothing more is joined to it."""
        parts, self._current = [_interned(part) for part in self._current], [b""]
        if len(parts) > 1:
            first = self._slotted[-1].end if self._slotted else 0
            self._slotted.append(_SlottedBytes(len(self.pieces), parts, first, first + len(parts) // 2))
        if any(parts) or len(parts) > 1:
            self.pieces.append(b"" if len(parts) > 1 else parts[0])

    def fill(self, contents: list[bytes]) -> list[bytes | str]:
        """Return the pieces with bytes in the slots, one in each, in order."""
        filled = self.pieces.copy()
        for one in self._slotted:
            parts = one.parts.copy()
            parts[1::2] = contents[one.first : one.end]
            filled[one.index] = b"".join(parts)
        return filled


class EncodedSkeleton:
    r"""A frame whose slots are filled again and again: one document, many lists of articles.

    `EncodedSkeleton((encode("<p>"), "card 0", encode("</p>")), ["card 0"]).fill([encode("News")]).pieces` is
    `(b"<p>=\r\nNews=\r\n</p>",)`. Soft line breaks join what was encoded separately (RFC 2045 6.7 (5)).

    Names that are not in `slots` are placeholders, whose values may take up to `room` encoded bytes.
    `digests` are those of its segments, with gaps for those that fill the slots; `most` is its largest size
    with empty slots.
    """

    def __init__(self, frame: Frame, slots: Collection[str] = (), room: Mapping[str, int] = _NO_ROOM) -> None:
        self.segments = Segments()
        self.digests = [b""]
        self.most = len(SOFT) * len(frame)
        for number, piece in enumerate(frame):
            if number:
                self.segments.add(SOFT)
            if isinstance(piece, EncodedSegment):
                self.segments.add(piece.content)
                self.digests[-1] += piece.digest
                self.most += len(piece.content)
            elif piece in slots:
                self.segments.add_slot()
                self.digests += [b"", b""]
            else:
                self.segments.add_placeholder(piece)
                self.most += room.get(piece.rstrip(_ATTRIBUTE), 0)
        self.segments.end()
        self.digests = [_interned(digests) for digests in self.digests]

    def fill(self, pieces: Sequence[EncodedSegment] = ()) -> EncodedPart:
        """Return the part with a piece in each slot, in the frame's order."""
        contents = [piece.content for piece in pieces]
        digests = self.digests.copy()
        digests[1::2] = [piece.digest for piece in pieces]
        filled = tuple(self.segments.fill(contents))
        return EncodedPart(filled, b"".join(digests), self.most + sum(map(len, contents)))


@lru_cache(maxsize=_KEPT_SEGMENTS)
def _interned(part: bytes) -> bytes:
    """Return one shared copy of equal bytes: skeletons differ little from each other."""
    return part


def boundary_of(*parts: bytes) -> str:
    """Return a MIME boundary derived from the parts' digests, so that a preview has the same one.

    It occurs in no part: "=_" is impossible in quoted-printable text (RFC 2046 5.1.1).
    """
    return f"=_{hashlib.sha256(b''.join(parts)).hexdigest()[:40]}"
