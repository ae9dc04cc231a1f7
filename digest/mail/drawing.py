"""Draw one part of a message from its template, and take from memory what was drawn before.

A document is drawn once for each shape that editions have (its frame), an article once for each place that
it can stand in (a card); another list of articles is then a join of the two. A template that decides on more
than the shape is drawn for each variant: its own looking tells.
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, TypeVar

from jinja2 import TemplateRuntimeError

from digest.mail.content import SLOTS, Card, Content, Section
from digest.mail.framing import Encoded, Frame, encode, fill, frame_of
from digest.mail.slots import (
    Count,
    LooksBehindError,
    Sealed,
    Slot,
    as_attribute,
    as_text,
    check_shown,
    opened,
)
from digest.mail.templates import Templates

DERIVED_SLOTS = (*SLOTS, "to_line")
_LATER = ("subject", "preheader", "left_out")
_KEPT_FRAMES = 256
_KEPT_CARDS = 4_096

T = TypeVar("T")
Context = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a document shows a card: which one, by its number in the content, as what, in which slot."""

    number: int
    role: str
    named: tuple[tuple[str, Hashable], ...]
    slot: str


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A document's frame, its places for cards, and the slots of what each edition fills in."""

    frame: Frame
    places: tuple[Place, ...]
    later: tuple[str, ...]


class Drawer:
    """Draws one part: `template` is its document, `cards` name the macros that draw an article."""

    def __init__(
        self, templates: Templates, template: str, cards: Sequence[str], finish: Callable[[str], str]
    ) -> None:
        self._templates = templates
        self._template = template
        self._cards = cards
        self._finish = finish
        self._is_html = ".html" in template
        self._frames: OrderedDict[Hashable, _Drawn | None] = OrderedDict()
        self._drawn: OrderedDict[Hashable, Encoded] = OrderedDict()

    def draw(self, content: Content, context: Context) -> Frame:
        """Draw a variant with slots for a reader's own values; raise LooksBehindError where it needs them."""
        shape = _shape(content)
        if shape not in self._frames:
            _keep(self._frames, shape, self._learn(content, context), _KEPT_FRAMES)
        self._frames.move_to_end(shape)
        drawn = self._frames[shape]
        if drawn is None:
            return self._draw_whole(content, context)
        known = self._known(drawn, content)
        if known is None:
            self._learn(content, context)
            known = self._known(drawn, content)
        if known is None:
            return self._draw_whole(content, context)
        return fill(drawn.frame, known | self._later(drawn.later, content))

    def draw_for(self, content: Content, context: Context, reader: Mapping[str, str]) -> Frame:
        """Draw a variant for one reader."""
        return (encode(self._render(content, context, reader)),)

    def _draw_whole(self, content: Content, context: Context) -> Frame:
        slots = _own_slots(_unused(content))
        document = self._render(content, context, slots)
        check_shown(document, slots)
        return frame_of(document, _markers(slots), is_html=self._is_html)

    def _learn(self, content: Content, context: Context) -> _Drawn | None:
        """Draw a document, cut its cards out and keep them; None where it decides on more than the shape."""
        number = _unused(content)
        own, later = _own_slots(number), _later_slots(content, number)
        showing = _Showing(self._macros(context), number)
        sealed = replace(_sealed(content), **later)  # type: ignore[arg-type]
        try:
            document = self._render(sealed, context, own, showing)
            check_shown(document, {**own, **later})
            document, cards = showing.cut_out(document)
            slots = {place.slot: showing.slot(place) for place, _ in cards}
            frame = frame_of(document, _markers({**own, **later}), slots, is_html=self._is_html)
        except LooksBehindError:
            return None
        for place, card in cards:
            _keep(self._drawn, self._key(place, content), encode(card), _KEPT_CARDS)
        places = {place: None for place in frame if isinstance(place, str) and place.rstrip("@") in _LATER}
        return _Drawn(frame, tuple(place for place, _ in cards), tuple(places))

    def _render(
        self, content: Content, context: Context, reader: Mapping[str, object], show: Any = None
    ) -> str:
        known = dict(context) | {"content": content, "reader": reader}
        known["show"] = show or _plainly(self._macros(context))
        return self._finish(self._templates.render(self._template, known))

    def _macros(self, context: Context) -> Callable[[str], Any]:
        return self._templates.macros(self._cards, context)

    def _known(self, drawn: _Drawn, content: Content) -> dict[str, Encoded] | None:
        """Give the cards of a variant where all have been drawn before."""
        cards, edition = _cards_of(content), _edition_of(content)
        known = {}
        for place in drawn.places:
            card = self._drawn.get((cards[place.number], place.role, place.named, edition))
            if card is None:
                return None
            known[place.slot] = card
        return known

    def _key(self, place: Place, content: Content) -> Hashable:
        return _cards_of(content)[place.number], place.role, place.named, _edition_of(content)

    def _later(self, places: Sequence[str], content: Content) -> dict[str, Encoded]:
        """Encode what a frame shows of the subject and the preheader, as its places need it."""
        known = {}
        for place in places:
            value = str(getattr(content, place.rstrip("@")))
            if self._is_html:
                value = as_attribute(value) if place.endswith("@") else as_text(value)
            known[place] = encode(value)
        return known


def _edition_of(content: Content) -> Hashable:
    """Give what a card shows of its edition."""
    return content.publication, content.title, content.language, content.timezone


class _Showing:
    """Draws cards for a document between marks, so that they can be cut out of it again."""

    def __init__(self, macros: Callable[[str], Any], number: int) -> None:
        self._show = _plainly(macros)
        self._number = number
        self._places: list[Place] = []

    def __call__(self, sealed: Any, role: str, **named: Any) -> str:
        """Draw a card by the macro that is named after its role."""
        number, card = opened(sealed)
        how = tuple(sorted(named.items()))
        self._places.append(Place(number, role, how, f"card {number} {role} {how}"))
        drawn = self._show(card, role, **named)
        first, last = self._marks(len(self._places) - 1)
        return type(drawn)(first) + drawn + type(drawn)(last)

    def cut_out(self, document: str) -> tuple[str, list[tuple[Place, str]]]:
        """Give the document with a slot for each card, and the cards."""
        cards = []
        for number, place in enumerate(self._places):
            first, last = self._marks(number)
            if document.count(first) != 1 or document.count(last) != 1:
                raise LooksBehindError
            before, _, rest = document.partition(first)
            card, _, after = rest.partition(last)
            if len(re.findall("<tbody", card)) != card.count("</tbody"):
                raise LooksBehindError  # the parser moved a row group's begin into it
            document = before + self.slot(place) + after
            cards.append((place, card))
        return document, cards

    def slot(self, place: Place) -> str:
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
    seal: Callable[[Card], Any] = lambda card: Sealed(next(numbers), card)  # noqa: E731
    return replace(
        content,
        lead=seal(content.lead) if content.lead else None,
        sections=tuple(Section(s.title, tuple(seal(card) for card in s.cards)) for s in content.sections),
        related=tuple(seal(card) for card in content.related),
    )


def _shape(content: Content) -> Hashable:
    """Give all that a frame may depend on."""
    sections = tuple((section.title, len(section.cards)) for section in content.sections)
    left_out = min(content.left_out, 1)
    bare = replace(content, subject="", preheader="", lead=None, sections=(), related=(), left_out=left_out)
    return bare, content.lead is not None, sections, len(content.related)


def _slots(names: tuple[str, ...], number: int) -> dict[str, Slot]:
    return {name: Slot(f"\ue000Slot{name.replace('_', '')}{number}\ue001") for name in names}


def _later_slots(content: Content, number: int) -> dict[str, Slot]:
    """Give slots for what a frame shows and does not depend on; nothing left out is a fact of its shape."""
    slots = _slots(_LATER, number)
    if content.left_out:
        slots["left_out"] = Count(slots["left_out"].marker)
    else:
        del slots["left_out"]
    return slots


def _own_slots(number: int) -> dict[str, Slot]:
    return _slots(DERIVED_SLOTS, number)


def _markers(slots: Mapping[str, Slot]) -> dict[str, str]:
    return {name: slot.marker for name, slot in slots.items()}


def _unused(content: Content) -> int:
    """Give a number that no marker in the content has: hostile text must not become a slot."""
    text = repr(content)
    return next(
        number for number in count() if f"{number}\\ue001" not in text and f"{number}\ue001" not in text
    )


def _keep(kept: OrderedDict[Hashable, T], key: Hashable, value: T, most: int) -> None:
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > most:
        kept.popitem(last=False)
