"""A rendering as a join of encoded pieces: a frame that many variants share, and a card for each article."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from digest.mail.encoding import SOFT, Pieces, quoted_printable
from digest.mail.slots import in_attributes, split_at

_ATTRIBUTE = "@"


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


def fill(frame: Frame, known: Mapping[str, Encoded]) -> Frame:
    """Put what is known into a frame."""
    return tuple([known.get(piece, piece) if isinstance(piece, str) else piece for piece in frame])


def join(frame: Frame) -> Pieces:
    """Join neighbours; soft line breaks part what was encoded apart (RFC 2045 6.7 (5))."""
    pieces: list[bytes | str] = []
    run: list[bytes] = []
    for piece in frame:
        if isinstance(piece, str):
            pieces.extend((SOFT.join([*run, b""]), piece) if run else (piece,))
            run = [b""]
        else:
            run.append(piece.content)
    if len(run) > 1 or not pieces:
        pieces.append(SOFT.join(run))
    return tuple(pieces)


def size_of(frame: Frame) -> int:
    """Give the size of a part before encoding, a reader's own values aside."""
    return sum(piece.size for piece in frame if isinstance(piece, Encoded))


def encoded_size(frame: Frame, room: Mapping[str, int]) -> int:
    """Give the size of a part as encoded, with room for each of a reader's own values."""
    sizes = [
        len(piece.content) if isinstance(piece, Encoded) else room[piece.rstrip(_ATTRIBUTE)]
        for piece in frame
    ]
    return sum(sizes) + len(SOFT) * len(sizes)


def boundary_of(parts: Iterable[Sequence[Encoded | str]]) -> str:
    """Give a boundary out of the content: known to a preview, and absent from the parts (RFC 2046 5.1.1).

    "=_" can stand in no quoted-printable text.
    """
    digests = [piece.digest for part in parts for piece in part if isinstance(piece, Encoded)]
    return f"=_{hashlib.sha256(b''.join(digests)).hexdigest()[:40]}"
