"""Render a variant once for all its readers, with placeholders for a reader's own values."""

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digest.errors import SettingsError
from digest.mail.rendering.catalogues import Translator
from digest.mail.rendering.content import READER_VALUES, Content
from digest.mail.rendering.drawing import Documents, Notice, PartTemplates, TemplateDocuments
from digest.mail.rendering.fragments import ROOM, PartRenderer, RenderRequest, Skeleton
from digest.mail.rendering.markers import DERIVED_VALUES
from digest.mail.rendering.placeholders import TemplateInspectsValueError, as_attribute, as_text
from digest.mail.rendering.quoted_printable import Pieces, quoted_printable, verbatim
from digest.mail.rendering.skeleton import EncodedPart, boundary_of
from digest.mail.rendering.templates import Templates
from digest.models.look import OURS, Brand
from digest.safe_text import one_line

if TYPE_CHECKING:
    from digest.mail.rendering.client_support import Clients

_LONGEST_NAME = 200
_NOT_RENDERED = 2_000_000
"""How many characters of full texts are measured without rendering: twenty times what fits in a message."""

_DEFAULT_LOOK = "front-page"
_LETTER = "letter"
_NOT_LOOKS = ("frame", "parts", "desk")


@dataclass(frozen=True, slots=True)
class Greeting:
    """The line that addresses a reader: `For {name}`, or `For you` if no name is known."""

    for_name: str
    for_anyone: str

    def own_values(self, values: Mapping[str, str]) -> dict[str, str]:
        """Return a reader's values, each in one line, and `to_line`, which is built from the name."""
        known = {name: values[name] for name in READER_VALUES}
        for name, value in known.items():
            if not value.isprintable():
                known[name] = one_line(value)
        name = known["name"] = known["name"][:_LONGEST_NAME]
        known["to_line"] = self.for_name.replace("{name}", name) if name.strip() else self.for_anyone
        return known


@dataclass(frozen=True, slots=True)
class Rendering:
    """A variant in one language and look, encoded once, with placeholders for a reader's own values.

    `text` is `(b"The Harbour Courier\\r\\n...", "to_line", b"\\r\\n...")`. `personal` renders for one reader,
    where a template decides on the reader's values.
    """

    subject: str
    html: Pieces
    text: Pieces
    boundary: str
    for_name: str = "{name}"
    for_anyone: str = ""
    personal: Callable[[Mapping[str, str]], "Rendering"] | None = None

    @property
    def greeting(self) -> Greeting:
        """Return the line that addresses a reader."""
        return Greeting(self.for_name, self.for_anyone)

    def own_values(self, values: Mapping[str, str]) -> dict[str, str]:
        """Return a reader's values, each in one line, and `to_line`."""
        return self.greeting.own_values(values)

    @property
    def text_alone(self) -> "Rendering":
        """Return the same without its HTML, for readers who want plain text."""
        whole = self.personal
        personal = None if whole is None else lambda reader: whole(reader).text_alone
        return replace(self, html=(), personal=personal)


@dataclass(frozen=True, slots=True)
class BodySkeleton:
    """The skeletons of both parts of a shape, each with the PartRenderer that has its cards.

    An Assembler is built from `BodySkeleton((text renderer, skeleton), (HTML renderer, skeleton), greeting)`.
    """

    text: tuple[PartRenderer, Skeleton]
    html: tuple[PartRenderer, Skeleton]
    greeting: Greeting


class Renderer:
    """Renders the templates of a folder; `overrides` may replace any of them, `brand` holds colours and
    fonts.

    `render(content)` returns a Rendering of both parts, with styles inlined and everything encoded. Without
    `documents`, templates are rendered in this process.
    """

    def __init__(
        self,
        folder: Path,
        overrides: Path | None = None,
        brand: Brand = OURS,
        documents: Documents | None = None,
    ) -> None:
        drawn_here = TemplateDocuments(folder, overrides, brand)
        self._templates = drawn_here.templates
        self._documents = documents or drawn_here
        self._folder = folder
        self.catalogues = drawn_here.catalogues
        self._html: dict[str, PartRenderer] = {}
        self._text = self._part("digest.txt.j2", ["digest.cards.txt.j2"])

    @cached_property
    def clients(self) -> "Clients":
        """Return what mail clients do not support; sending does not use it."""
        from digest.mail.rendering.client_support import Clients

        return Clients(self._folder / "clients.toml")

    def list_looks(self) -> list[str]:
        """List the looks that a digest may have; other messages have a text template of the same name."""
        names = [name for name in self._templates.list_names(".html.j2") if name not in _NOT_LOOKS]
        return [name for name in names if not self._templates.has(f"{name}.txt.j2")]

    @property
    def templates(self) -> Templates:
        """Return the templates, a publication's own before ours."""
        return self._templates

    def require(self, look: str) -> None:
        """Raise SettingsError if there is no such look."""
        if not self._templates.has(f"{look}.html.j2"):
            known = self.list_looks()
            close = difflib.get_close_matches(look, known, n=1)
            meant = f'; did you mean "{close[0]}"?' if close else ""
            raise SettingsError(f'there is no look "{look}"; there is {", ".join(known)}{meant}')

    def render(self, content: Content) -> Rendering:
        """Render a variant; raise SettingsError with file and line if a template cannot be used."""
        request = self._request(content)
        try:
            html, text = self._look(content.look).render(request), self._text.render(request)
        except TemplateInspectsValueError:
            rendering = self.render_for(content, dict.fromkeys(DERIVED_VALUES, ""))
            return replace(rendering, personal=lambda reader: self.render_for(content, reader))
        return self._rendering(request.content, html, text)

    def render_for(self, content: Content, reader: Mapping[str, str]) -> Rendering:
        """Render a variant for one reader, with the reader's values, each in one line."""
        request = self._request(content)
        html = self._look(content.look).render_for(request, reader)
        return self._rendering(request.content, html, self._text.render_for(request, reader))

    def measure(self, content: Content) -> int:
        """Return the largest encoded size that a variant's HTML can have, whoever the reader is.

        Texts that no message could hold are counted, not rendered.
        """
        request, look = self._request(content), self._look(content.look)
        texts = sum(len(card.html) for card in request.cards)
        if texts > _NOT_RENDERED:
            return texts
        try:
            return look.render(request).most
        except TemplateInspectsValueError:
            return look.render_for(request, dict.fromkeys(DERIVED_VALUES, "")).most + sum(ROOM.values())

    def skeleton_of(self, content: Content) -> BodySkeleton | None:
        """Return the skeletons of a list's shape, if a list of that shape has been rendered.

        None if the template depends on more than the shape.
        """
        request = self._request(content)
        html, text = self._look(content.look), self._text
        of_text, of_html = text.skeleton_of(request), html.skeleton_of(request)
        if of_text is None or of_html is None:
            return None
        return BodySkeleton((text, of_text), (html, of_html), self._greeting(content))

    def check(self, name: str) -> str:
        """Return what is wrong with a template as written, with file and line; "" if it can be compiled."""
        return self._documents.check(name)

    def render_notice(self, name: str, language: str, values: Mapping[str, object]) -> Notice:
        """Render a message to one person from `NAME.html.j2` and `NAME.txt.j2`."""
        return self._documents.draw_notice(name, language, values)

    def speaks(self, language: str) -> bool:
        """Return whether there is a catalogue for a language."""
        return self.catalogues.find(language) is not None

    def say(self, language: str, key: str, /, **values: object) -> str:
        """Return a phrase of mail, in English if the language has no catalogue."""
        return self.words(language).say(key, **values)

    def words(self, language: str) -> Translator:
        """Return the translator of a language, else of English."""
        return self.catalogues.choose([language])

    def _look(self, look: str) -> PartRenderer:
        if look not in self._html:
            self.require(look)
            cards = [f"{look}.cards.html.j2", f"{_DEFAULT_LOOK}.cards.html.j2"]
            self._html[look] = self._part(f"{look}.html.j2", cards)
        return self._html[look]

    def _part(self, document: str, cards: list[str]) -> PartRenderer:
        layers = [layer for name in cards for layer in self._templates.layers(name)]
        return PartRenderer(self._documents, PartTemplates(document, tuple(dict.fromkeys(layers))))

    def _request(self, content: Content) -> RenderRequest:
        subject, preheader = one_line(content.subject), one_line(content.preheader)
        if subject is not content.subject or preheader is not content.preheader:
            content = replace(content, subject=subject, preheader=preheader)
        return RenderRequest(content)

    def _rendering(self, content: Content, html: EncodedPart, text: EncodedPart) -> Rendering:
        greeting = self._greeting(content)
        return Rendering(
            content.subject,
            html.pieces,
            text.pieces,
            boundary_of(text.digests, html.digests),
            greeting.for_name,
            greeting.for_anyone,
        )

    def _greeting(self, content: Content) -> Greeting:
        """Return the line that addresses a reader; a letter opens with a salutation instead."""
        say, key = self.words(content.language).say, "dear" if content.look == _LETTER else "for"
        return Greeting(say(key), say(f"{key}_you"))


Places = Mapping[str, Sequence[tuple[int, Callable[[str], str] | None]]]
"""The indexes of each value in a body's pieces, and how it is escaped there."""


class BodyPlaceholders:
    """A body's pieces with placeholders: `text NAME`, `html NAME`, or `html NAME@` inside a tag.

    `BodyPlaceholders([b"Dear ", "text name", b"!"]).filled({"name": "Ada"})` is `[b"Dear ", b"Ada", b"!"]`.
    """

    def __init__(self, body: Sequence[bytes | str], places: Places | None = None) -> None:
        self._body = body
        self._places = places_in(body) if places is None else places

    @property
    def shared(self) -> list[bytes]:
        """Return the pieces before the first placeholder: every reader's body begins with them."""
        first = next((at for at, piece in enumerate(self._body) if isinstance(piece, str)), len(self._body))
        return [piece for piece in self._body[:first] if isinstance(piece, bytes)]

    def filled(self, values: Mapping[str, str]) -> list[bytes]:
        """Return the pieces with a reader's values in them, each encoded for its place."""
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
    """Return where each value stands; bodies of the same shape share the result."""
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
