"""What stands for cards and values while a document is rendered, so that they can be cut out afterwards."""

import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from jinja2 import TemplateRuntimeError

from digest.mail.rendering.content import READER_VALUES, Card, Content, Section
from digest.mail.rendering.placeholders import (
    CountPlaceholder,
    OpaqueCard,
    Placeholder,
    TemplateInspectsValueError,
    unwrap,
)

DERIVED_VALUES = (*READER_VALUES, "to_line")
"""A reader's own values, and the line that is built from the name: `For Ada`."""

LIST_VALUES = ("subject", "preheader", "left_out")
"""The values of a list that a skeleton shows besides its cards."""


Display = tuple[str, tuple[tuple[str, Hashable], ...]]
"""How a document shows a card: its role, and the other arguments of `show(card, role, ...)`."""


@dataclass(frozen=True, slots=True)
class CardPlace:
    """A place in which a document shows a card: the card's number, how it is shown, the slot's name.

    `{{ show(content.lead, "lead") }}` makes `CardPlace(0, ("lead", ()), "card 0 ('lead', ())")`.
    """

    number: int
    display: Display
    slot: str


class CardMarkers:
    """The `show` of a document whose cards will be cut out: it renders each card between two comments.

    `show(card 0, "lead")` returns `<!--begin 0.7--><tr>...</tr><!--end 0.7-->`; `cut_out` then returns the
    document with `<!--card 0 ('lead', ()) 7-->` in its place, and the card.
    """

    def __init__(self, macros: Callable[[str], Any], number: int) -> None:
        self._show = show_with(macros)
        self._number = number
        self._places: list[CardPlace] = []

    def __call__(self, opaque: Any, role: str, **named: Any) -> str:
        """Render a card with the macro named after its role."""
        number, card = unwrap(opaque)
        display = role, tuple(sorted(named.items()))
        self._places.append(CardPlace(number, display, f"card {number} {display}"))
        rendered = self._show(card, role, **named)
        first, last = self._marks(len(self._places) - 1)
        return type(rendered)(first) + rendered + type(rendered)(last)

    def cut_out(self, document: str) -> tuple[str, list[tuple[CardPlace, str]]]:
        """Return the document with a slot's marker in place of each card, and the cards."""
        cards = []
        for number, place in enumerate(self._places):
            first, last = self._marks(number)
            if document.count(first) != 1 or document.count(last) != 1:
                raise TemplateInspectsValueError
            before, _, rest = document.partition(first)
            card, _, after = rest.partition(last)
            if len(re.findall("<tbody", card)) != card.count("</tbody"):
                raise TemplateInspectsValueError  # the HTML parser moved a row group's start
            document = before + self.slot(place) + after
            cards.append((place, card))
        return document, cards

    def slot(self, place: CardPlace) -> str:
        """Return the marker of a card's slot."""
        return f"<!--{place.slot} {self._number}\ue001-->"

    def _marks(self, place: int) -> tuple[str, str]:
        return f"<!--begin {place}.{self._number}\ue001-->", f"<!--end {place}.{self._number}\ue001-->"


def show_with(macros: Callable[[str], Any]) -> Callable[..., str]:
    """Return the `show` function of templates: it renders a card with the macro named after its role."""

    def show(card: Any, role: str, **named: Any) -> str:
        macro = macros(role)
        if macro is None:
            raise TemplateRuntimeError(f'no macro "{role}" draws a card')
        rendered: str = macro(card, **named)
        return rendered

    return show


def with_opaque_cards(content: Content) -> Content:
    """Return the content with each card made opaque, with its number."""
    numbers = count()
    wrap: Callable[[Card], Any] = lambda card: OpaqueCard(next(numbers), card)  # noqa: E731
    return replace(
        content,
        lead=wrap(content.lead) if content.lead else None,
        sections=tuple(
            Section(s.title, tuple(wrap(card) for card in s.cards), s.blocks) for s in content.sections
        ),
        related=tuple(wrap(card) for card in content.related),
    )


def _placeholders(names: tuple[str, ...], number: int) -> dict[str, Placeholder]:
    return {name: Placeholder(f"\ue000Slot{name.replace('_', '')}{number}\ue001") for name in names}


def list_placeholders(content: Content, number: int) -> dict[str, Placeholder]:
    """Return placeholders for a list's values; `left_out` has none if it is 0, which belongs to the shape."""
    found = _placeholders(LIST_VALUES, number)
    if content.left_out:
        found["left_out"] = CountPlaceholder(found["left_out"].marker)
    else:
        del found["left_out"]
    return found


def reader_placeholders(number: int) -> dict[str, Placeholder]:
    """Return placeholders for a reader's own values."""
    return _placeholders(DERIVED_VALUES, number)


def markers_of(placeholders: Mapping[str, Placeholder]) -> dict[str, str]:
    """Return the markers of placeholders by name."""
    return {name: placeholder.marker for name, placeholder in placeholders.items()}


def unused_number(content: Content) -> int:
    """Return a number for markers that the content does not contain, so that no text can pass for a
    placeholder."""
    text = repr(content)
    return next(
        number for number in count() if f"{number}\\ue001" not in text and f"{number}\ue001" not in text
    )
