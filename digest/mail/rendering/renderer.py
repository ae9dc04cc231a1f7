"""Render a variant once for all its readers, with slots for what is a reader's own."""

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import css_inline

from digest.errors import SettingsError
from digest.mail.rendering.content import SLOTS, Content
from digest.mail.rendering.fragments import DERIVED_SLOTS, ROOM, PartRenderer, RenderRequest, Skeleton
from digest.mail.rendering.phrases import Phrases
from digest.mail.rendering.placeholders import TemplateInspectsValueError, as_attribute, as_text
from digest.mail.rendering.quoted_printable import Pieces, quoted_printable, verbatim
from digest.mail.rendering.skeleton import EncodedPart, boundary_of
from digest.mail.rendering.templates import Templates
from digest.models.look import OURS, Brand

if TYPE_CHECKING:
    from digest.mail.rendering.client_support import Clients

_JOINERS = "\u200c\u200d"  # part of words in Persian and of emoji
_LONGEST_NAME = 200

_FIRST_LOOK = "front-page"
_NO_LOOKS = ("frame", "parts", "desk")
_KEPT = '<style data-css-inline="ignore">'
_SPENT = re.compile(r"<style>.*?</style>\s*", re.S)


@dataclass(frozen=True, slots=True)
class Greeting:
    """How readers are named: who has a name, and who has none."""

    for_name: str
    for_anyone: str

    def own_values(self, values: Mapping[str, str]) -> dict[str, str]:
        """Give a reader's values as they can be printed, with those made from them; a name may be empty."""
        known = {name: values[name] for name in SLOTS}
        for name, value in known.items():
            if not value.isprintable():
                known[name] = printable(value)
        name = known["name"] = known["name"][:_LONGEST_NAME]
        known["to_line"] = self.for_name.replace("{name}", name) if name.strip() else self.for_anyone
        return known


@dataclass(frozen=True, slots=True)
class Rendering:
    """A variant in one language and look, encoded once, with slots for a reader's own values.

    `html_most` is how many bytes its HTML has at most as encoded, whoever the reader is. `personal` makes a
    rendering for one reader, where a template decides on the reader's values.
    """

    subject: str
    html: Pieces
    text: Pieces
    boundary: str
    html_size: int
    html_most: int = 0
    for_name: str = "{name}"
    for_anyone: str = ""
    personal: Callable[[Mapping[str, str]], "Rendering"] | None = None

    @property
    def greeting(self) -> Greeting:
        """Give how readers are named."""
        return Greeting(self.for_name, self.for_anyone)

    def own_values(self, values: Mapping[str, str]) -> dict[str, str]:
        """Give a reader's values as they can be printed, with those made from them."""
        return self.greeting.own_values(values)


@dataclass(frozen=True, slots=True)
class BodySkeleton:
    """Both parts as all lists of a shape share them, each with who draws what is filled in."""

    text: tuple[PartRenderer, Skeleton]
    html: tuple[PartRenderer, Skeleton]
    greeting: Greeting


@dataclass(frozen=True, slots=True)
class Notice:
    """The two parts of a message that is for one reader alone."""

    html: str
    text: str


class Renderer:
    """Renders templates of a folder; `overrides` may replace any of them, `brand` their colours and fonts."""

    def __init__(self, folder: Path, overrides: Path | None = None, brand: Brand = OURS) -> None:
        self._templates = Templates(folder, overrides)
        self._brand = brand
        self._folder = folder
        self._phrases = Phrases(folder / "phrases.toml")
        self._inliner = css_inline.CSSInliner(
            load_remote_stylesheets=False, keep_style_tags=True, remove_inlined_selectors=True
        )
        self._looks: dict[str, PartRenderer] = {}
        self._text = self._drawer("digest.txt.j2", ["digest.cards.txt.j2"], str)

    @cached_property
    def clients(self) -> "Clients":
        """Give what mail programs do not know; sending does not ask."""
        from digest.mail.rendering.client_support import Clients

        return Clients(self._folder / "clients.toml")

    def list_looks(self) -> list[str]:
        """List the looks that a digest may have; a message of its own has a text part of its own name."""
        names = [name for name in self._templates.list_names(".html.j2") if name not in _NO_LOOKS]
        return [name for name in names if not self._templates.has(f"{name}.txt.j2")]

    def require(self, look: str) -> None:
        """Raise SettingsError where there is no such look."""
        if not self._templates.has(f"{look}.html.j2"):
            known = self.list_looks()
            close = difflib.get_close_matches(look, known, n=1)
            meant = f'; did you mean "{close[0]}"?' if close else ""
            raise SettingsError(f'there is no look "{look}"; there is {", ".join(known)}{meant}')

    def render(self, content: Content) -> Rendering:
        """Render a variant; raise SettingsError with file and line for a template that cannot be used."""
        asked = self._asked(content)
        try:
            html, text = self._look(content.look).draw(asked), self._text.draw(asked)
        except TemplateInspectsValueError:
            rendering = self.render_for(content, dict.fromkeys(DERIVED_SLOTS, ""))
            return replace(rendering, personal=lambda reader: self.render_for(content, reader))
        return self._rendering(asked.content, html, text)

    def render_for(self, content: Content, reader: Mapping[str, str]) -> Rendering:
        """Render a variant for one reader alone, whose printable values are given: there is no slot in it."""
        asked = self._asked(content)
        html = self._look(content.look).draw_for(asked, reader)
        return self._rendering(asked.content, html, self._text.draw_for(asked, reader))

    def measure(self, content: Content) -> int:
        """Give the most bytes that the HTML of a variant may have as encoded, whoever the reader is."""
        asked, look = self._asked(content), self._look(content.look)
        try:
            return look.draw(asked).most
        except TemplateInspectsValueError:
            return look.draw_for(asked, dict.fromkeys(DERIVED_SLOTS, "")).most + sum(ROOM.values())

    def outline(self, content: Content) -> BodySkeleton | None:
        """Give both parts as all lists of a shape share them, once one has been rendered; None for others."""
        asked = self._asked(content)
        html, text = self._look(content.look), self._text
        drawn = text.known(asked), html.known(asked)
        if drawn[0] is None or drawn[1] is None:
            return None
        return BodySkeleton((text, drawn[0]), (html, drawn[1]), self._greeting(content.language))

    def render_notice(self, name: str, language: str, values: Mapping[str, object]) -> Notice:
        """Render a message that is for one reader alone, from `NAME.html.j2` and `NAME.txt.j2`."""
        known = {"language": language, "say": self._sayer(language), "brand": self._brand, **values}
        return Notice(
            self._inlined(self._templates.render(f"{name}.html.j2", known)),
            self._templates.render(f"{name}.txt.j2", known),
        )

    def speaks(self, language: str) -> bool:
        """Tell whether there are phrases in a language."""
        return language in self._phrases

    def say(self, language: str, key: str, /, **values: object) -> str:
        """Give one of the phrases around the articles."""
        return self._phrases.say(language, key, **values)

    def _look(self, look: str) -> PartRenderer:
        if look not in self._looks:
            self.require(look)
            cards = [f"{look}.cards.html.j2", f"{_FIRST_LOOK}.cards.html.j2"]
            self._looks[look] = self._drawer(f"{look}.html.j2", cards, self._inlined)
        return self._looks[look]

    def _drawer(self, template: str, cards: list[str], finish: Callable[[str], str]) -> PartRenderer:
        layers = [layer for name in cards for layer in self._templates.layers(name)]
        return PartRenderer(self._templates, template, list(dict.fromkeys(layers)), finish)

    def _inlined(self, document: str) -> str:
        """Put styles where they apply; only those marked to be kept stay a style sheet."""
        head, end, body = self._inliner.inline(document).partition("</head>")
        return _SPENT.sub("", head).replace(_KEPT, "<style>") + end + body

    def _asked(self, content: Content) -> RenderRequest:
        subject, preheader = printable(content.subject), printable(content.preheader)
        if subject is not content.subject or preheader is not content.preheader:
            content = replace(content, subject=subject, preheader=preheader)
        return RenderRequest(content, self._context)

    def _rendering(self, content: Content, html: EncodedPart, text: EncodedPart) -> Rendering:
        return Rendering(
            content.subject,
            html.pieces,
            text.pieces,
            boundary_of(text.digests, html.digests),
            html.size,
            html.most,
            self.say(content.language, "for"),
            self.say(content.language, "for_you"),
        )

    def _greeting(self, language: str) -> Greeting:
        return Greeting(self.say(language, "for"), self.say(language, "for_you"))

    def _context(self, content: Content) -> dict[str, object]:
        """Give what cards may know beside their article."""
        return {
            "say": self._sayer(content.language),
            "language": content.language,
            "timezone": content.timezone,
            "title": content.title,
            "publication": content.publication,
            "brand": self._brand,
        }

    def _sayer(self, language: str) -> Callable[..., str]:
        return lambda key, **values: self.say(language, key, **values)


Places = Mapping[str, Sequence[tuple[int, Callable[[str], str] | None]]]
"""Where each value stands in a body, and how it is escaped there."""


class BodyPlaceholders:
    """Where in a body a reader's values stand: "text NAME", "html NAME", "html NAME@" in a tag."""

    def __init__(self, body: Sequence[bytes | str], places: Places | None = None) -> None:
        self._body = body
        self._places = places_in(body) if places is None else places

    @property
    def shared(self) -> list[bytes]:
        """Give the pieces before the first of a reader's own values: every body begins with them."""
        first = next((at for at, piece in enumerate(self._body) if isinstance(piece, str)), len(self._body))
        return [piece for piece in self._body[:first] if isinstance(piece, bytes)]

    def filled(self, values: Mapping[str, str]) -> list[bytes]:
        """Give the body with a reader's printable values in it, each encoded for where it stands."""
        pieces: list[Any] = list(self._body)
        for name, places in self._places.items():
            value = values[name]
            encoded = verbatim(value)
            if encoded is not None:
                for at, _ in places:
                    pieces[at] = encoded
            else:
                for at, escape in places:
                    pieces[at] = quoted_printable(escape(value) if escape else value)
        return pieces


def places_in(body: Sequence[bytes | str]) -> Places:
    """Give where each value stands, and how it is escaped there; bodies of one shape are alike."""
    return _places(tuple([place if isinstance(place, str) else None for place in body]))


@lru_cache(maxsize=64)
def _places(body: tuple[str | None, ...]) -> Places:
    places: dict[str, list[tuple[int, Callable[[str], str] | None]]] = {}
    for at, place in enumerate(body):
        if place is not None:
            escape = as_attribute if place.endswith("@") else as_text
            named = places.setdefault(place[5:].rstrip("@"), [])
            named.append((at, escape if place.startswith("html ") else None))
    return places


def printable(text: str) -> str:
    """Give a text in one line, without what cannot be printed."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in _JOINERS else " " for char in text)
