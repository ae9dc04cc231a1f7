"""Render a variant once for all its readers, with slots for what is a reader's own."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import css_inline
from babel.core import UnknownLocaleError
from babel.dates import format_date
from jinja2 import ChoiceLoader, FileSystemLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup

from digest.mail.content import SLOTS, Content
from digest.mail.drawing import DERIVED_SLOTS, Drawer, render_template
from digest.mail.encoding import Pieces, quoted_printable
from digest.mail.framing import Frame, boundary_of, join, size_of
from digest.mail.phrases import FALLBACK, Phrases, base, direction
from digest.mail.slots import LooksBehindError, as_attribute, as_text, guarded
from digest.mail.wrapping import wrap

_JOINERS = "\u200c\u200d"  # part of words in Persian and of emoji
_ESCAPED = re.compile(r"[&<>\"\u00a0]")


@dataclass(frozen=True, slots=True)
class Rendering:
    """A variant in one language and look, encoded once, with slots for a reader's own values.

    `personal` makes a rendering for one reader, where a template decides on the reader's values.
    """

    subject: str
    html: Pieces
    text: Pieces
    boundary: str
    html_size: int
    for_name: str = "{name}"
    for_anyone: str = ""
    personal: Callable[[Mapping[str, str]], "Rendering"] | None = None

    def own_values(self, values: Mapping[str, str]) -> dict[str, str]:
        """Give a reader's values as they can be printed, with those made from them; a name may be empty."""
        known = {name: _printable(values[name]) for name in SLOTS}
        name = known["name"]
        known["to_line"] = self.for_name.replace("{name}", name) if name.strip() else self.for_anyone
        return known


@dataclass(frozen=True, slots=True)
class Notice:
    """The two parts of a message that is for one reader alone."""

    html: str
    text: str


class Renderer:
    """Renders templates of a folder; `overrides` may replace any of them."""

    def __init__(self, folder: Path, overrides: Path | None = None) -> None:
        folders = [path for path in (overrides, folder) if path is not None]
        self._environment = _environment(folders)
        self._phrases = Phrases(folder / "phrases.toml")
        self._inliner = css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)
        self._html = Drawer(self._environment, "digest.html.j2", "cards.html.j2", self._inliner.inline)
        self._text = Drawer(self._environment, "digest.txt.j2", "cards.txt.j2", str)

    def render(self, content: Content) -> Rendering:
        """Render a variant; raise SettingsError with file and line for a template that cannot be used."""
        content, context = _presentable(content), self._context(content)
        try:
            html, text = self._html.draw(content, context), self._text.draw(content, context)
        except LooksBehindError:
            rendering = self.render_for(content, dict.fromkeys(DERIVED_SLOTS, ""))
            return replace(rendering, personal=lambda reader: self.render_for(content, reader))
        return self._rendering(content, html, text)

    def render_for(self, content: Content, reader: Mapping[str, str]) -> Rendering:
        """Render a variant for one reader alone, whose printable values are given: there is no slot in it."""
        content, context = _presentable(content), self._context(content)
        html = self._html.draw_for(content, context, reader)
        return self._rendering(content, html, self._text.draw_for(content, context, reader))

    def render_notice(self, name: str, language: str, values: Mapping[str, object]) -> Notice:
        """Render a message that is for one reader alone, from `NAME.html.j2` and `NAME.txt.j2`."""
        known = {"language": language, "say": self._sayer(language), **values}
        return Notice(
            self._inliner.inline(render_template(self._environment, f"{name}.html.j2", known)),
            render_template(self._environment, f"{name}.txt.j2", known),
        )

    def speaks(self, language: str) -> bool:
        """Tell whether there are phrases in a language."""
        return language in self._phrases

    def say(self, language: str, key: str, /, **values: object) -> str:
        """Give one of the phrases around the articles."""
        return self._phrases.say(language, key, **values)

    def _rendering(self, content: Content, html: Frame, text: Frame) -> Rendering:
        return Rendering(
            content.subject,
            join(html),
            join(text),
            boundary_of((text, html)),
            size_of(html),
            self.say(content.language, "for"),
            self.say(content.language, "for_you"),
        )

    def _context(self, content: Content) -> dict[str, object]:
        """Give what cards may know beside their article."""
        return {
            "say": self._sayer(content.language),
            "language": content.language,
            "timezone": content.timezone,
            "title": content.title,
            "publication": content.publication,
        }

    def _sayer(self, language: str) -> Callable[..., str]:
        return lambda key, **values: self.say(language, key, **values)


class Slots:
    """Where in a body a reader's values stand: "text NAME", "html NAME", "html NAME@" in a tag."""

    def __init__(self, body: Pieces) -> None:
        self._body = body
        self._places: dict[str, list[tuple[int, Callable[[str], str] | None]]] = {}
        for at, place in enumerate(body):
            if isinstance(place, str):
                escape = as_attribute if place.endswith("@") else as_text
                named = self._places.setdefault(place[5:].rstrip("@"), [])
                named.append((at, escape if place.startswith("html ") else None))

    def filled(self, values: Mapping[str, str]) -> list[bytes]:
        """Give the body with a reader's printable values in it, each encoded for where it stands."""
        pieces: list[Any] = list(self._body)
        for name, places in self._places.items():
            plain = values[name]
            encoded = quoted_printable(plain)
            is_same_everywhere = not _ESCAPED.search(plain)
            for at, escape in places:
                if is_same_everywhere or escape is None:
                    pieces[at] = encoded
                else:
                    pieces[at] = quoted_printable(escape(plain))
        return pieces


def _environment(folders: list[Path]) -> SandboxedEnvironment:
    environment = SandboxedEnvironment(
        loader=ChoiceLoader([FileSystemLoader(path) for path in folders]),
        autoescape=lambda name: bool(name and ".html" in name),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "wrap": wrap,
        "href": safe_href,
        "day": _day,
        "clean": Markup,
        "direction": direction,
    }
    known: Any
    for known in (environment.filters, environment.tests):
        known.update({name: guarded(function) for name, function in known.items()})
    return environment


def _presentable(content: Content) -> Content:
    return replace(content, subject=_printable(content.subject), preheader=_printable(content.preheader))


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in _JOINERS else " " for char in text)


def safe_href(url: str | None) -> str:
    """Give a link that may stand in a message, or nothing for any other scheme."""
    if not url:
        return ""
    return url if urlsplit(url).scheme.lower() in ("http", "https", "mailto") else ""


def _day(moment: datetime, language: str, timezone: str) -> str:
    day = moment.astimezone(ZoneInfo(timezone)).date()
    for locale in (language.replace("-", "_"), base(language), FALLBACK):
        try:
            return format_date(day, format="full", locale=locale)
        except (UnknownLocaleError, ValueError):
            continue  # a language that has no calendar words of its own
    return day.isoformat()
