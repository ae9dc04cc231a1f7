"""Draw documents from templates: plain values in, encoded pieces out, so that another process can do it.

What a document costs in memory and time is bounded by whoever draws it: `TemplateDocuments` draws here, as is
right for the templates that ship; tasks/composing/bounded_documents.py asks a process with limits.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import css_inline

from digest.mail.rendering.catalogues import Catalogues
from digest.mail.rendering.content import Content
from digest.mail.rendering.markers import (
    CardMarkers,
    CardPlace,
    list_placeholders,
    markers_of,
    reader_placeholders,
    show_with,
    unused_number,
    with_opaque_cards,
)
from digest.mail.rendering.placeholders import TemplateInspectsValueError, check_shown
from digest.mail.rendering.skeleton import EncodedSegment, Frame, encode, frame_of
from digest.mail.rendering.templates import Templates
from digest.models.look import Brand

_KEPT_STYLE = '<style data-css-inline="ignore">'
_INLINED_STYLE = re.compile(r"<style>.*?</style>\s*", re.S)


class PartTemplates(NamedTuple):
    """The templates of one part: its document, and those whose macros render cards, the first first.

    `PartTemplates("digest.txt.j2", ("stock/digest.cards.txt.j2",))` renders the text part.
    """

    document: str
    cards: tuple[str, ...]

    @property
    def is_html(self) -> bool:
        """Return whether this is the HTML part."""
        return ".html" in self.document


class CutDocument(NamedTuple):
    """A document whose cards have been cut out: its frame, and each card at the place that showed it."""

    frame: Frame
    cards: Sequence[tuple[CardPlace, EncodedSegment]]


@dataclass(frozen=True, slots=True)
class Notice:
    """The two parts of a message to one person, not encoded yet: `Notice("Confirm ...", "<!doctype
    html>...")`."""

    html: str
    text: str


class Documents(Protocol):
    """Draws documents. What it takes and returns are plain values; each method raises SettingsError, with
    file and line, for a template that cannot be used."""

    def draw(self, part: PartTemplates, content: Content) -> Frame:
        """Render a list with placeholders for a reader's values; raise TemplateInspectsValueError if the
        template needs the values."""

    def draw_for(self, part: PartTemplates, content: Content, reader: Mapping[str, str]) -> EncodedSegment:
        """Render a list with one reader's values."""

    def cut(self, part: PartTemplates, content: Content) -> CutDocument | None:
        """Render a list and cut out its cards; return None if the document depends on more than its
        shape."""

    def draw_notice(self, name: str, language: str, values: Mapping[str, object]) -> Notice:
        """Render a message to one person from `NAME.html.j2` and `NAME.txt.j2`."""

    def check(self, name: str) -> str:
        """Return what is wrong with a template as written, with file and line; "" if it can be compiled."""


class TemplateDocuments:
    """Draws documents from a folder of templates, in this process; `overrides` may replace any of them.

    `draw(PartTemplates("digest.txt.j2", (...)), content)` is `(EncodedSegment(b"..."), "to_line", ...)`.
    """

    def __init__(self, folder: Path, overrides: Path | None, brand: Brand) -> None:
        self.templates = Templates(folder, overrides)
        self.catalogues = Catalogues(folder.parent / "languages")
        self._brand = brand
        self._inliner = css_inline.CSSInliner(
            load_remote_stylesheets=False, keep_style_tags=True, remove_inlined_selectors=True
        )

    def draw(self, part: PartTemplates, content: Content) -> Frame:
        """Render a list with placeholders for a reader's values."""
        placeholders = reader_placeholders(unused_number(content))
        document = self._render(part, content, self._context(content), placeholders)
        check_shown(document, placeholders)
        return frame_of(document, markers_of(placeholders), is_html=part.is_html)

    def draw_for(self, part: PartTemplates, content: Content, reader: Mapping[str, str]) -> EncodedSegment:
        """Render a list with one reader's values."""
        return encode(self._render(part, content, self._context(content), reader))

    def cut(self, part: PartTemplates, content: Content) -> CutDocument | None:
        """Render a list and cut out its cards; return None if the document depends on more than its
        shape."""
        number, context = unused_number(content), self._context(content)
        of_reader, of_list = reader_placeholders(number), list_placeholders(content, number)
        markers = CardMarkers(self._macros(part, context), number)
        opaque = replace(with_opaque_cards(content), **of_list)  # type: ignore[arg-type]
        try:
            document = self._render(part, opaque, context, of_reader, markers)
            check_shown(document, {**of_reader, **of_list})
            document, cards = markers.cut_out(document)
            slots = {place.slot: markers.slot(place) for place, _ in cards}
            frame = frame_of(document, markers_of({**of_reader, **of_list}), slots, is_html=part.is_html)
        except TemplateInspectsValueError:
            return None
        return CutDocument(frame, [(place, encode(card)) for place, card in cards])

    def draw_notice(self, name: str, language: str, values: Mapping[str, object]) -> Notice:
        """Render a message to one person from `NAME.html.j2` and `NAME.txt.j2`."""
        known = {"language": language, "say": self._sayer(language), "brand": self._brand, **values}
        return Notice(
            self._inlined(self.templates.render(f"{name}.html.j2", known)),
            self.templates.render(f"{name}.txt.j2", known),
        )

    def check(self, name: str) -> str:
        """Return what is wrong with a template as written, with file and line; "" if it can be compiled."""
        return self.templates.check(name)

    def _render(
        self,
        part: PartTemplates,
        content: Content,
        context: Mapping[str, object],
        reader: Mapping[str, object],
        show: Any = None,
    ) -> str:
        known = dict(context) | {"content": content, "reader": reader}
        known["show"] = show or show_with(self._macros(part, context))
        document = self.templates.render(part.document, known)
        return self._inlined(document) if part.is_html else document

    def _macros(self, part: PartTemplates, context: Mapping[str, object]) -> Callable[[str], Any]:
        return self.templates.macros(part.cards, context)

    def _inlined(self, document: str) -> str:
        """Inline styles; only style sheets marked to be kept remain."""
        head, end, body = self._inliner.inline(document).partition("</head>")
        return _INLINED_STYLE.sub("", head).replace(_KEPT_STYLE, "<style>") + end + body

    def _context(self, content: Content) -> dict[str, object]:
        """Return the values that a card's template may use besides the article."""
        return {
            "say": self._sayer(content.language),
            "language": content.language,
            "timezone": content.timezone,
            "title": content.title,
            "publication": content.publication,
            "brand": self._brand,
        }

    def _sayer(self, language: str) -> Callable[..., str]:
        return lambda key, **values: self.catalogues.choose([language]).say(key, **values)
