"""Objects that take the place of values while a template is rendered, and detect templates that inspect them.

A placeholder can be printed and nothing else. A template that compares it, filters it or loops over it raises
TemplateInspectsValueError; it is then rendered again with the value itself.
"""

import functools
import html
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NoReturn

_TAG = re.compile(r"<!--.*?-->|<(?:style|script)\b.*?</|<[a-zA-Z/!](?:[^\"'>]|\"[^\"]*\"|'[^']*')*>", re.S)
_NBSP = "\u00a0"


class TemplateInspectsValueError(Exception):
    """A template makes a decision on a value that is filled in later, as `{% if reader.name %}` does."""


def _refuse(*_values: object) -> NoReturn:
    raise TemplateInspectsValueError


class Placeholder:
    """A value that is filled in later: printed, it becomes its marker, and it counts how often that happens.

    `{{ reader.name }}` renders as `Slotname0`; `{{ reader.name | upper }}` raises.
    """

    def __init__(self, marker: str) -> None:
        self.marker = marker
        self.shown = 0

    def __html__(self) -> str:
        self.shown += 1
        return self.marker

    def __str__(self) -> str:
        return self.__html__()

    def __getattr__(self, name: str) -> NoReturn:
        raise TemplateInspectsValueError(name)

    __bool__ = __len__ = __iter__ = __contains__ = __getitem__ = __call__ = __hash__ = _refuse
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __add__ = __radd__ = __mod__ = __mul__ = _refuse


class CountPlaceholder(Placeholder):
    """A number above 0 that is filled in later.

    `{% if content.left_out %}` is true; `{{ content.left_out + 1 }}` raises.
    """

    def __bool__(self) -> bool:  # type: ignore[override]
        return True


class OpaqueCard:
    """A card that a template may pass to `show(card, role)`, but not read.

    `{% for card in section.cards %}{{ show(card, "brief") }}` works; `{{ card.title }}` raises.
    """

    __slots__ = ("card", "number")

    def __init__(self, number: int, card: Any) -> None:
        self.number = number
        self.card = card

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("__"):
            return object.__getattribute__(self, name)
        raise TemplateInspectsValueError(name)

    __bool__ = lambda self: True  # noqa: E731
    __getitem__ = __eq__ = __lt__ = __hash__ = _refuse


def unwrap(opaque: OpaqueCard) -> tuple[int, Any]:
    """Return the card's number, and the card itself."""
    return object.__getattribute__(opaque, "number"), object.__getattribute__(opaque, "card")


def guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a filter or test so that it refuses placeholders, of which it would see the marker instead of the
    value."""

    @functools.wraps(function)
    def guard(*values: Any, **named: Any) -> Any:
        for value in (*values, *named.values()):
            if isinstance(value, Placeholder | OpaqueCard):
                raise TemplateInspectsValueError
        return function(*values, **named)

    return guard


def check_shown(output: str, placeholders: Mapping[str, Placeholder]) -> None:
    """Raise TemplateInspectsValueError unless each marker is found whole, as often as it was printed."""
    for placeholder in placeholders.values():
        if output.count(placeholder.marker) != placeholder.shown:
            raise TemplateInspectsValueError(placeholder.marker)
        placeholder.shown = 0


def split_at(text: str, markers: Mapping[str, str]) -> Iterator[tuple[str, str | None]]:
    """Iterate over the texts between markers, each with the name of the marker that follows; None at the
    end."""
    if not markers:
        yield text, None
        return
    names = {marker: name for name, marker in markers.items()}
    last = 0
    for match in re.finditer("|".join(map(re.escape, names)), text):
        yield text[last : match.start()], names[match[0]]
        last = match.end()
    yield text[last:], None


def in_attributes(document: str, markers: Sequence[str]) -> str:
    """Double the last character of each marker inside a tag, because attributes are escaped differently.

    Raise TemplateInspectsValueError if one is in a comment, style or script, where nothing is escaped.
    """
    return _TAG.sub(lambda tag: _doubled(tag[0], markers), document)


def _doubled(tag: str, markers: Sequence[str]) -> str:
    for marker in markers:
        if marker in tag:
            if tag.startswith(("<!--", "<style", "<script")):
                raise TemplateInspectsValueError(marker)
            tag = tag.replace(marker, marker + marker[-1])
    return tag


def as_text(value: str) -> str:
    """Escape a value for the text of an HTML element, as the inliner's serialiser does (HTML 13.3)."""
    return html.escape(value, quote=False).replace(_NBSP, "&nbsp;")


def as_attribute(value: str) -> str:
    """Escape a value for a quoted attribute, as the inliner's serialiser does (HTML 13.3)."""
    return value.replace("&", "&amp;").replace('"', "&quot;").replace(_NBSP, "&nbsp;")
