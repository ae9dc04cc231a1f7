"""Another list of articles in a shape that is known: its message is put together from kept pieces."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from digest.mail.headers import text_header
from digest.mail.message import HTML, PLAIN, Composition, Headers, Letterhead
from digest.mail.rendering.fragments import CardSlot, PartRenderer, Skeleton
from digest.mail.rendering.renderer import BodyPlaceholders, BodySkeleton, places_in, printable
from digest.mail.rendering.skeleton import Segments, boundary_of

_MOST_PUTS = 256


@dataclass(slots=True)
class _Pieces:
    """The pieces of a card, or of what else is of a list, for one gap; `most` is their size as encoded."""

    contents: list[bytes]
    digests: list[bytes]
    most: int


class CardPieces:
    """What a list shows, with the pieces for each gap that it has filled: a card, or the list's Top."""

    __slots__ = ("puts", "shown")

    def __init__(self, shown: Any) -> None:
        self.shown = shown
        self.puts: dict[CardSlot, _Pieces] = {}


class ListHead:
    """What is of each list beside its cards; lists that begin alike share it."""

    __slots__ = ("header", "left_out", "preheader", "subject")

    def __init__(self, subject: str, preheader: str, left_out: int) -> None:
        self.subject, self.preheader, self.left_out = printable(subject), printable(preheader), left_out
        self.header = text_header("Subject", self.subject)


class Assembler:
    """What all lists of one shape share: a whole body with holes, and the head of its messages."""

    def __init__(self, outline: BodySkeleton, headers: Headers) -> None:
        self._letterhead = Letterhead(outline.greeting, headers)
        text, html = outline.text[1].pattern, outline.html[1].pattern
        self._text, self._html = _gaps(*outline.text), _gaps(*outline.html)
        self._most = html.most
        self._digests = [*text.digests[:-1], text.digests[-1] + html.digests[0], *html.digests[1:]]
        self._body = _between_boundaries(text.stretches, html.stretches)
        self._places = places_in(self._body.pieces)

    def compose(self, shown: Sequence[CardPieces], room: int) -> Composition | None:
        """Compose a list, its cards in the document's order and its Top last.

        None where a card has not been drawn yet in a place that it stands in, or where the HTML may take more
        than `room` bytes.
        """
        try:
            return self._join(shown, room)
        except KeyError:
            return self._join(shown, room) if self._stock(shown) else None

    def _join(self, shown: Sequence[CardPieces], room: int) -> Composition | None:
        contents, filled, most = [b""], list[bytes](), self._most
        for number, gap in self._text:
            put = shown[number].puts[gap]
            contents += put.contents
            filled += put.digests
        middle = len(contents)
        contents.append(b"")
        for number, gap in self._html:
            put = shown[number].puts[gap]
            contents += put.contents
            filled += put.digests
            most += put.most
        if most > room:
            return None
        digests = self._digests.copy()
        digests[1::2] = filled
        boundary = boundary_of(b"".join(digests))
        contents[0] = contents[middle] = mark = boundary.encode()
        contents.append(mark)
        slots = BodyPlaceholders(self._body.fill(contents), self._places)
        return Composition.joined(self._letterhead, shown[-1].shown.header, boundary, slots)

    def _stock(self, shown: Sequence[CardPieces]) -> bool:
        """Look for the pieces that are not in stock; tell whether all are known."""
        try:
            for number, gap in (*self._text, *self._html):
                one = shown[number]
                if gap not in one.puts:
                    _keep(one, gap)
        except KeyError:
            return False
        return True


def _keep(stock: CardPieces, gap: CardSlot) -> None:
    pieces = gap.pieces(stock.shown)
    contents = [piece.content for piece in pieces]
    if len(stock.puts) >= _MOST_PUTS:
        stock.puts.clear()
    stock.puts[gap] = _Pieces(contents, [piece.digest for piece in pieces], sum(map(len, contents)))


def _gaps(drawer: PartRenderer, drawn: Skeleton) -> list[tuple[int, CardSlot]]:
    """List which card fills which gap; the last one stands for what else is of a list."""
    return [
        (-1 if one.number is None else one.number, drawer.gap(one, drawn.edition)) for one in drawn.filled
    ]


def _between_boundaries(text: Segments, html: Segments) -> Segments:
    """Put the parts between boundaries, which are holes, plain text first (RFC 2046 5.1.4)."""
    body = Segments()
    body.add(b"--")
    body.add_hole()
    body.add(PLAIN)
    body.add_all(text, "text ")
    body.add(b"\r\n--")
    body.add_hole()
    body.add(HTML)
    body.add_all(html, "html ")
    body.add(b"\r\n--")
    body.add_hole()
    body.add(b"--\r\n")
    body.end()
    return body
