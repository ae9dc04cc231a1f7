"""Draw one part of a message from its template, and take from memory what was drawn before.

A document is drawn once for each shape that editions have (its frame), an article once for each place that
it can stand in (a card); another list of articles is then a join of the two. A template that decides on more
than the shape is drawn for each variant: its own looking tells.
"""

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import count, groupby
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

from jinja2 import TemplateRuntimeError

from digest.kept import Kept
from digest.mail.rendering.content import SLOTS, Card, Content, Section
from digest.mail.rendering.placeholders import (
    CountPlaceholder,
    OpaqueCard,
    Placeholder,
    TemplateInspectsValueError,
    as_attribute,
    as_text,
    check_shown,
    opened,
)
from digest.mail.rendering.skeleton import (
    EncodedPart,
    EncodedSegment,
    EncodedSkeleton,
    Frame,
    encode,
    frame_of,
    holes_in,
)
from digest.mail.rendering.templates import Templates

DERIVED_SLOTS = (*SLOTS, "to_line")
_LATER = ("subject", "preheader", "left_out")
_KEPT_FRAMES = 1_024
_KEPT_CARDS = 2_048
_KEPT_VALUES = 512

ROOM = {"name": 2_500, "to_line": 3_000, "address": 1_500, "unsubscribe_url": 1_000, "preferences_url": 1_000}
"""What a reader's own values may take as encoded: 12 bytes for each of 200 characters, and so on."""

K = TypeVar("K")
T = TypeVar("T")
Context = Mapping[str, Any]
How = tuple[str, tuple[tuple[str, Hashable], ...]]
"""As what a document shows a card: its role, and what else the macro is given."""


@dataclass(frozen=True, slots=True)
class CardPlace:
    """Where a document shows a card: which one, by its number in the content, as what, in which slot."""

    number: int
    how: How
    slot: str


class FilledHole(NamedTuple):
    """What goes into holes that follow each other: a card, by its number in the content, as each of these.

    Without a number it is what else is of each list.
    """

    number: int | None
    how: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Skeleton:
    """A document that waits for what is of each list; `edition` is what a card shows of its edition."""

    pattern: EncodedSkeleton
    filled: tuple[FilledHole, ...]
    edition: object


class RenderRequest:
    """A list to draw: what both parts need to know of it is found out once."""

    __slots__ = ("_context", "cards", "content", "shape")

    def __init__(self, content: Content, context: Callable[[Content], Context]) -> None:
        self.content = content
        self.cards = _cards_of(content)
        self.shape = _shape(content)
        self._context = context

    @property
    def context(self) -> Context:
        """Give what cards may know beside their article."""
        return self._context(self.content)


class CardSlot:
    """Neighbouring holes of a drawer's documents, which one card fills; told from others by its identity."""

    __slots__ = ("pieces",)

    def __init__(self, pieces: Callable[[Any], Sequence[EncodedSegment]]) -> None:
        self.pieces = pieces


class PartRenderer:
    """Draws one part: `template` is its document, `cards` name the macros that draw an article."""

    def __init__(
        self, templates: Templates, template: str, cards: Sequence[str], finish: Callable[[str], str]
    ) -> None:
        self._templates = templates
        self._template = template
        self._cards = cards
        self._finish = finish
        self._is_html = ".html" in template
        self._frames = Kept[Hashable, Skeleton | None](_KEPT_FRAMES)
        self._drawn = Kept[tuple[Card, object], dict[How, EncodedSegment]](_KEPT_CARDS)
        self._editions: dict[Hashable, object] = {}
        self._gaps: dict[Hashable, CardSlot] = {}

    def draw(self, asked: RenderRequest) -> EncodedPart:
        """Render a variant with placeholders; raise TemplateInspectsValueError where it needs the values."""
        drawn = self._frames.get(asked.shape)
        if drawn is None and asked.shape not in self._frames:
            drawn = self._learn(asked)
            self._frames[asked.shape] = drawn
        joined = drawn and self._join(drawn, asked)
        if drawn and joined is None:
            self._learn(asked)
            joined = self._join(drawn, asked)
        return joined or self._draw_whole(asked)

    def draw_for(self, asked: RenderRequest, reader: Mapping[str, str]) -> EncodedPart:
        """Draw a variant for one reader."""
        return EncodedSkeleton((encode(self._render(asked.content, asked.context, reader)),)).fill()

    def _draw_whole(self, asked: RenderRequest) -> EncodedPart:
        slots = _own_slots(_unused(asked.content))
        document = self._render(asked.content, asked.context, slots)
        check_shown(document, slots)
        return EncodedSkeleton(frame_of(document, _markers(slots), is_html=self._is_html), room=ROOM).fill()

    def _learn(self, asked: RenderRequest) -> Skeleton | None:
        """Draw a document, cut its cards out and keep them; None where it decides on more than the shape."""
        content, context = asked.content, asked.context
        number = _unused(content)
        own, later = _own_slots(number), _later_slots(content, number)
        showing = _CardMarkers(self._macros(context), number)
        sealed = replace(_sealed(content), **later)  # type: ignore[arg-type]
        try:
            document = self._render(sealed, context, own, showing)
            check_shown(document, {**own, **later})
            document, cards = showing.cut_out(document)
            slots = {place.slot: showing.slot(place) for place, _ in cards}
            frame = frame_of(document, _markers({**own, **later}), slots, is_html=self._is_html)
        except TemplateInspectsValueError:
            return None
        edition = self._editions.setdefault(_edition_of(content), object())
        for place, card in cards:
            self._keep_card((asked.cards[place.number], edition), place.how, encode(card))
        return _waiting(frame, {place.slot: place for place, _ in cards}, edition)

    def _keep_card(self, key: tuple[Card, object], how: How, card: EncodedSegment) -> None:
        self._drawn[key] = {**(self._drawn.get(key) or {}), how: card}

    def _render(
        self, content: Content, context: Context, reader: Mapping[str, object], show: Any = None
    ) -> str:
        known = dict(context) | {"content": content, "reader": reader}
        known["show"] = show or _plainly(self._macros(context))
        return self._finish(self._templates.render(self._template, known))

    def _macros(self, context: Context) -> Callable[[str], Any]:
        return self._templates.macros(self._cards, context)

    def _join(self, drawn: Skeleton, asked: RenderRequest) -> EncodedPart | None:
        """Put a variant's cards into its document; None where one has not been drawn yet."""
        pieces: list[EncodedSegment] = []
        try:
            for number, how in drawn.filled:
                shown = asked.content if number is None else asked.cards[number]
                pieces += self._pieces(shown, how, drawn.edition)
        except KeyError:
            return None
        return drawn.pattern.fill(pieces)

    def known(self, asked: RenderRequest) -> Skeleton | None:
        """Give the document of a shape that has been drawn before, and decides on nothing more."""
        return self._frames.get(asked.shape)

    def gap(self, filled: FilledHole, edition: object) -> "CardSlot":
        """Give what these holes are in every document; a card is looked up in it by what it is."""
        key = filled.how, None if filled.number is None else edition
        return self._gaps.setdefault(key, CardSlot(lambda shown: self._pieces(shown, filled.how, edition)))

    def _pieces(self, shown: Any, how: tuple[Any, ...], edition: object) -> list[EncodedSegment]:
        """Give a card's pieces, or what else is of a list; raise KeyError where it has not been drawn so."""
        if not isinstance(shown, Card):
            return [self._later(name, shown) for name in how]
        known = self._drawn[shown, edition]
        return [known[one] for one in how]

    def _later(self, name: str, content: Any) -> EncodedSegment:
        value = str(getattr(content, name.rstrip("@")))
        return _encoded(value, self._is_html, name.endswith("@"))


def _waiting(frame: Frame, places: Mapping[str, CardPlace], edition: object) -> Skeleton:
    """Give a frame as a document that waits for what is of each list."""
    later = {name for name in frame if isinstance(name, str) and name.rstrip("@") in _LATER}
    holes = holes_in(frame, places.keys() | later)
    whose = [(places[hole].number, places[hole].how) if hole in places else (None, hole) for hole in holes]
    runs = groupby(whose, key=itemgetter(0))
    filled = [_shared(FilledHole(number, tuple([how for _, how in run]))) for number, run in runs]
    return Skeleton(EncodedSkeleton(frame, holes, ROOM), tuple(filled), edition)


@lru_cache(maxsize=_KEPT_VALUES)
def _shared(filled: FilledHole) -> FilledHole:
    """Give the same, once for all documents: most say of most cards what others say."""
    return filled


@lru_cache(maxsize=_KEPT_VALUES)
def _encoded(value: str, is_html: bool, is_attribute: bool) -> EncodedSegment:
    """Encode what a document shows of a list and is no card: lists that begin alike share it."""
    if is_html:
        value = as_attribute(value) if is_attribute else as_text(value)
    return encode(value)


def _edition_of(content: Content) -> Hashable:
    """Give what a card shows of its edition."""
    return content.publication, content.title, content.language, content.timezone


class _CardMarkers:
    """Draws cards for a document between marks, so that they can be cut out of it again."""

    def __init__(self, macros: Callable[[str], Any], number: int) -> None:
        self._show = _plainly(macros)
        self._number = number
        self._places: list[CardPlace] = []

    def __call__(self, sealed: Any, role: str, **named: Any) -> str:
        """Draw a card by the macro that is named after its role."""
        number, card = opened(sealed)
        how = role, tuple(sorted(named.items()))
        self._places.append(CardPlace(number, how, f"card {number} {how}"))
        drawn = self._show(card, role, **named)
        first, last = self._marks(len(self._places) - 1)
        return type(drawn)(first) + drawn + type(drawn)(last)

    def cut_out(self, document: str) -> tuple[str, list[tuple[CardPlace, str]]]:
        """Give the document with a slot for each card, and the cards."""
        cards = []
        for number, place in enumerate(self._places):
            first, last = self._marks(number)
            if document.count(first) != 1 or document.count(last) != 1:
                raise TemplateInspectsValueError
            before, _, rest = document.partition(first)
            card, _, after = rest.partition(last)
            if len(re.findall("<tbody", card)) != card.count("</tbody"):
                raise TemplateInspectsValueError  # the parser moved a row group's begin into it
            document = before + self.slot(place) + after
            cards.append((place, card))
        return document, cards

    def slot(self, place: CardPlace) -> str:
        """Give the marker of a card's slot."""
        return f"<!--{place.slot} {self._number}\ue001-->"

    def _marks(self, place: int) -> tuple[str, str]:
        return f"<!--begin {place}.{self._number}\ue001-->", f"<!--end {place}.{self._number}\ue001-->"


def _plainly(macros: Callable[[str], Any]) -> Callable[..., str]:
    def show(card: Any, role: str, **named: Any) -> str:
        macro = macros(role)
        if macro is None:
            raise TemplateRuntimeError(f'no macro "{role}" draws a card')
        drawn: str = macro(card, **named)
        return drawn

    return show


def _cards_of(content: Content) -> list[Card]:
    lead = [content.lead] if content.lead else []
    return [*lead, *(card for section in content.sections for card in section.cards), *content.related]


def _sealed(content: Content) -> Content:
    """Give the content with its cards sealed, each with its number."""
    numbers = count()
    seal: Callable[[Card], Any] = lambda card: OpaqueCard(next(numbers), card)  # noqa: E731
    return replace(
        content,
        lead=seal(content.lead) if content.lead else None,
        sections=tuple(Section(s.title, tuple(seal(card) for card in s.cards)) for s in content.sections),
        related=tuple(seal(card) for card in content.related),
    )


def _shape(content: Content) -> Hashable:
    """Give all that a frame may depend on: not the cards themselves, nor what is filled in later."""
    return (
        content.publication, content.digest, content.title, content.cadence, content.period, content.dated_at,
        content.timezone, content.language, content.introduction, content.look, content.archive_url,
        content.left_out > 0, content.lead is not None, len(content.related),
        tuple([(section.title, len(section.cards)) for section in content.sections]),
    )  # fmt: skip


def _slots(names: tuple[str, ...], number: int) -> dict[str, Placeholder]:
    return {name: Placeholder(f"\ue000Slot{name.replace('_', '')}{number}\ue001") for name in names}


def _later_slots(content: Content, number: int) -> dict[str, Placeholder]:
    """Give slots for what a frame shows and does not depend on; nothing left out is a fact of its shape."""
    slots = _slots(_LATER, number)
    if content.left_out:
        slots["left_out"] = CountPlaceholder(slots["left_out"].marker)
    else:
        del slots["left_out"]
    return slots


def _own_slots(number: int) -> dict[str, Placeholder]:
    return _slots(DERIVED_SLOTS, number)


def _markers(slots: Mapping[str, Placeholder]) -> dict[str, str]:
    return {name: slot.marker for name, slot in slots.items()}


def _unused(content: Content) -> int:
    """Give a number that no marker in the content has: hostile text must not become a slot."""
    text = repr(content)
    return next(
        number for number in count() if f"{number}\\ue001" not in text and f"{number}\ue001" not in text
    )
