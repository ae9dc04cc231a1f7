"""Render one part of a message from a template, by way of cached skeletons and cards.

A document is rendered once for each shape (which sections, how many articles in each), and an article once
for each place in which it can stand. Any other list of the same shape is then a join of the two. A template
that depends on more than the shape is detected (see `placeholders`) and rendered for each variant.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from digest.bounded_cache import BoundedCache
from digest.mail.rendering.content import Card, Content
from digest.mail.rendering.drawing import Documents, PartTemplates
from digest.mail.rendering.markers import LIST_VALUES, CardPlace, Display
from digest.mail.rendering.placeholders import as_attribute, as_text
from digest.mail.rendering.skeleton import (
    EncodedPart,
    EncodedSegment,
    EncodedSkeleton,
    Frame,
    encode,
    slots_in,
)

_KEPT_SKELETONS = 1_024
_KEPT_CARDS = 2_048
_KEPT_VALUES = 512

ROOM = {"name": 2_500, "to_line": 3_000, "address": 1_500, "unsubscribe_url": 1_000, "preferences_url": 1_000}
"""How many encoded bytes a reader's own values may take: 12 bytes for each of 200 characters, and so on."""


class SlotGroup(NamedTuple):
    """Adjacent slots that one card fills: its number in the content, and how each slot shows it.

    `SlotGroup(0, (("lead", ()),))` is the place of the lead story. Without a number the slots are filled from
    the list's head, and `displays` holds names: `SlotGroup(None, ("subject",))`.
    """

    number: int | None
    displays: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Skeleton:
    """A rendered document with slots for the cards of any list of its shape.

    A document of two cards is `encoded` = `<h1>`, slot, `</td><td>`, slot, `</table>`. `slots` says what
    fills each of them, in order; `edition` is a Content with what cards may show of their edition.
    """

    encoded: EncodedSkeleton
    slots: tuple[SlotGroup, ...]
    edition: object


class RenderRequest:
    """A list to render: its cards in the document's order and its shape, computed once for both parts."""

    __slots__ = ("cards", "content", "shape")

    def __init__(self, content: Content) -> None:
        self.content = content
        self.cards = _cards_of(content)
        self.shape = _shape(content)


class CardSlot:
    """A group of slots that one card fills in every document of a part; compared by identity.

    `slot.pieces_of(card)` is `[EncodedSegment(b"<tr>...</tr>", ...)]`; it raises KeyError if the card has not
    been rendered for this slot yet.
    """

    __slots__ = ("pieces_of",)

    def __init__(self, pieces_of: Callable[[Any], Sequence[EncodedSegment]]) -> None:
        self.pieces_of = pieces_of


class PartRenderer:
    """Renders one part of messages; `templates` names what draws it.

    `PartRenderer(documents, PartTemplates("digest.txt.j2", ...)).render(request)` returns the text part,
    encoded, as an EncodedPart: `(b"The Harbour Courier=0D=0A...", "to_line", ...)`.
    """

    def __init__(self, documents: Documents, templates: PartTemplates) -> None:
        self._documents = documents
        self._templates = templates
        self._is_html = templates.is_html
        self._skeletons = BoundedCache[Hashable, Skeleton | None](_KEPT_SKELETONS)
        self._cards = BoundedCache[tuple[Card, object], dict[Display, EncodedSegment]](_KEPT_CARDS)
        self._editions: dict[Hashable, object] = {}
        self._slots: dict[Hashable, CardSlot] = {}

    def render(self, request: RenderRequest) -> EncodedPart:
        """Render a list with placeholders; raise TemplateInspectsValueError if the template needs their
        values."""
        shape = request.shape
        skeleton = self._skeletons.get(shape)
        if skeleton is None and shape not in self._skeletons:
            skeleton = self._skeletons[shape] = self._render_skeleton(request)
        joined = skeleton and self._join(skeleton, request)
        if skeleton and joined is None:
            self._render_skeleton(request)
            joined = self._join(skeleton, request)
        return joined or self._render_whole(request)

    def render_for(self, request: RenderRequest, reader: Mapping[str, str]) -> EncodedPart:
        """Render a list with one reader's values."""
        whole = self._documents.draw_for(self._templates, request.content, reader)
        return EncodedSkeleton((whole,)).fill()

    def _render_whole(self, request: RenderRequest) -> EncodedPart:
        return EncodedSkeleton(self._documents.draw(self._templates, request.content), room=ROOM).fill()

    def _render_skeleton(self, request: RenderRequest) -> Skeleton | None:
        """Render a document without its cards, and cache them; return None if it depends on more than the
        shape."""
        cut = self._documents.cut(self._templates, request.content)
        if cut is None:
            return None
        edition = self._editions.setdefault(_edition_of(request.content), object())
        for place, card in cut.cards:
            self._keep_card((request.cards[place.number], edition), place.display, card)
        return _skeleton(cut.frame, {place.slot: place for place, _ in cut.cards}, edition)

    def _keep_card(self, key: tuple[Card, object], display: Display, card: EncodedSegment) -> None:
        self._cards[key] = {**(self._cards.get(key) or {}), display: card}

    def _join(self, skeleton: Skeleton, request: RenderRequest) -> EncodedPart | None:
        """Fill a skeleton with a list's cards; return None if a card has not been rendered for its slot
        yet."""
        pieces: list[EncodedSegment] = []
        try:
            for number, displays in skeleton.slots:
                source = request.content if number is None else request.cards[number]
                pieces += self._pieces(source, displays, skeleton.edition)
        except KeyError:
            return None
        return skeleton.encoded.fill(pieces)

    def skeleton_of(self, request: RenderRequest) -> Skeleton | None:
        """Return the cached skeleton of a shape; None if the template depends on more than the shape."""
        return self._skeletons.get(request.shape)

    def slot_for(self, group: SlotGroup, edition: object) -> CardSlot:
        """Return the CardSlot for these slots, the same object in every document of this part."""
        displays = group.displays
        key = displays, None if group.number is None else edition
        return self._slots.setdefault(key, CardSlot(lambda source: self._pieces(source, displays, edition)))

    def _pieces(self, source: Any, displays: tuple[Any, ...], edition: object) -> list[EncodedSegment]:
        """Return the encoded pieces of a card or a list's head; raise KeyError if the card was not rendered
        so yet."""
        if not isinstance(source, Card):
            return [self._encode_value(name, source) for name in displays]
        known = self._cards[source, edition]
        return [known[display] for display in displays]

    def _encode_value(self, name: str, head: Any) -> EncodedSegment:
        value = str(getattr(head, name.rstrip("@")))
        return _encoded(value, self._is_html, name.endswith("@"))


def _skeleton(frame: Frame, places: Mapping[str, CardPlace], edition: object) -> Skeleton:
    """Find the slots of a frame, and group adjacent ones that the same card fills."""
    of_list = {name for name in frame if isinstance(name, str) and name.rstrip("@") in LIST_VALUES}
    slots = slots_in(frame, places.keys() | of_list)
    fillers = [
        (places[slot].number, places[slot].display) if slot in places else (None, slot) for slot in slots
    ]
    groups = [
        _interned(SlotGroup(number, tuple([display for _, display in neighbours])))
        for number, neighbours in groupby(fillers, key=itemgetter(0))
    ]
    return Skeleton(EncodedSkeleton(frame, slots, ROOM), tuple(groups), edition)


@lru_cache(maxsize=_KEPT_VALUES)
def _interned(group: SlotGroup) -> SlotGroup:
    """Return one shared copy of equal groups: most skeletons show most cards in the same way."""
    return group


@lru_cache(maxsize=_KEPT_VALUES)
def _encoded(value: str, is_html: bool, is_attribute: bool) -> EncodedSegment:
    """Encode a value of a list's head; lists that begin alike share the result."""
    if is_html:
        value = as_attribute(value) if is_attribute else as_text(value)
    return encode(value)


def _edition_of(content: Content) -> Hashable:
    """Return a Content with what a card may show of its edition."""
    return content.publication, content.title, content.language, content.timezone


def _cards_of(content: Content) -> list[Card]:
    lead = [content.lead] if content.lead else []
    return [*lead, *(card for section in content.sections for card in section.cards), *content.related]


def _shape(content: Content) -> Hashable:
    """Return all that a skeleton may depend on: neither the cards nor the values of `LIST_VALUES`."""
    return (
        content.publication, content.digest, content.title, content.cadence, content.period, content.dated_at,
        content.timezone, content.language, content.introduction, content.look, content.archive_url,
        content.left_out > 0, content.lead is not None, len(content.related), content.pictures,
        content.lead_blocks,
        tuple([(section.title, len(section.cards), section.blocks) for section in content.sections]),
    )  # fmt: skip
