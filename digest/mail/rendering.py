"""Render a variant once for all its readers: the only user of Jinja2 in messages."""

import hashlib
import html as html_module
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import css_inline
from babel.core import UnknownLocaleError
from babel.dates import format_date
from jinja2 import ChoiceLoader, FileSystemLoader, StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup

from digest.errors import SettingsError
from digest.mail.content import SLOTS, Content
from digest.mail.encoding import Pieces, cut, quoted_printable
from digest.mail.phrases import FALLBACK, Phrases, base, direction
from digest.mail.wrapping import wrap

DERIVED_SLOTS = (*SLOTS, "to_line")
_MARKERS = {name: f"qzSLOT{name.replace('_', '').upper()}zq" for name in DERIVED_SLOTS}
_JOINERS = "\u200c\u200d"  # part of words in Persian and of emoji


@dataclass(frozen=True, slots=True)
class Rendering:
    """A variant in one language and look, encoded once, with slots for a reader's own values."""

    subject: str
    html: Pieces
    text: Pieces
    boundary: str
    html_size: int
    for_name: str = "{name}"
    for_anyone: str = ""

    def own_values(self, values: Mapping[str, str]) -> dict[str, str]:
        """Give a reader's values with those made from them; a name may be empty."""
        name = values["name"]
        return dict(values) | {
            "to_line": self.for_name.replace("{name}", name) if name.strip() else self.for_anyone
        }


@dataclass(frozen=True, slots=True)
class Notice:
    """The two parts of a message that is for one reader alone."""

    html: str
    text: str


class Renderer:
    """Renders templates of a folder; `overrides` may replace any of them."""

    def __init__(self, folder: Path, overrides: Path | None = None) -> None:
        folders = [path for path in (overrides, folder) if path is not None]
        self._environment = SandboxedEnvironment(
            loader=ChoiceLoader([FileSystemLoader(path) for path in folders]),
            autoescape=lambda name: bool(name and ".html" in name),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters |= {
            "wrap": wrap,
            "href": safe_href,
            "day": _day,
            "clean": Markup,
            "direction": direction,
        }
        self._phrases = Phrases(folder / "phrases.toml")
        self._inliner = css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)

    def render(self, content: Content) -> Rendering:
        """Render a variant; raise SettingsError with file and line for a template that cannot be used."""
        markers = _unused(content)
        values = {"content": content, "reader": markers, "say": self._sayer(content.language)}
        html = self._inlined("digest.html.j2", values)
        text = self._render("digest.txt.j2", values)
        html_pieces, text_pieces = cut(html, markers), cut(text, markers)
        return Rendering(
            content.subject,
            html_pieces,
            text_pieces,
            boundary_of(*(piece for piece in (*text_pieces, *html_pieces) if isinstance(piece, bytes))),
            len(html.encode()),
            self.say(content.language, "for"),
            self.say(content.language, "for_you"),
        )

    def render_notice(self, name: str, language: str, values: Mapping[str, object]) -> Notice:
        """Render a message that is for one reader alone, from `NAME.html.j2` and `NAME.txt.j2`."""
        known = {"language": language, "say": self._sayer(language), **values}
        return Notice(self._inlined(f"{name}.html.j2", known), self._render(f"{name}.txt.j2", known))

    def speaks(self, language: str) -> bool:
        """Tell whether there are phrases in a language."""
        return language in self._phrases

    def say(self, language: str, key: str, /, **values: object) -> str:
        """Give one of the phrases around the articles."""
        return self._phrases.say(language, key, **values)

    def _sayer(self, language: str) -> Callable[..., str]:
        return lambda key, **values: self.say(language, key, **values)

    def _inlined(self, name: str, values: Mapping[str, object]) -> str:
        return self._inliner.inline(self._render(name, values))

    def _render(self, name: str, values: Mapping[str, object]) -> str:
        try:
            return self._environment.get_template(name).render(values)
        except TemplateSyntaxError as error:
            raise SettingsError(f"template {error.name}, line {error.lineno}: {error.message}") from None
        except TemplateError as error:
            raise SettingsError(f"template {name}: {error}") from None


def slot_values(values: Mapping[str, str]) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Encode a reader's values for the text and for the HTML part; what cannot be printed becomes a blank."""
    text: dict[str, bytes] = {}
    html: dict[str, bytes] = {}
    for name in DERIVED_SLOTS:
        plain = _printable(values[name])
        escaped = escape_html(plain)
        text[name] = quoted_printable(plain)
        html[name] = text[name] if escaped == plain else quoted_printable(escaped)
    return text, html


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in _JOINERS else " " for char in text)


def escape_html(text: str) -> str:
    """Escape a value for HTML, in text and between double quotes alike."""
    return html_module.escape(text, quote=True).replace("\u00a0", "&nbsp;")


def boundary_of(*parts: bytes) -> str:
    """Give a boundary out of the content: known to a preview, and absent from the parts (RFC 2046 5.1.1).

    "=_" can stand in no quoted-printable text.
    """
    content = hashlib.sha256()
    for part in parts:
        content.update(hashlib.sha256(part).digest())
    return f"=_{content.hexdigest()[:40]}"


def safe_href(url: str | None) -> str:
    """Give a link that may stand in a message, or nothing for any other scheme."""
    if not url:
        return ""
    return url if urlsplit(url).scheme.lower() in ("http", "https", "mailto") else ""


def _unused(content: Content) -> dict[str, str]:
    """Give markers that the content does not contain: hostile text must not become a slot."""
    text, markers, number = repr(content), dict(_MARKERS), 0
    while any(marker in text for marker in markers.values()):
        number += 1
        markers = {name: f"{marker}{number}zq" for name, marker in _MARKERS.items()}
    return markers


def _day(moment: datetime, language: str, timezone: str) -> str:
    day = moment.astimezone(ZoneInfo(timezone)).date()
    for locale in (language.replace("-", "_"), base(language), FALLBACK):
        try:
            return format_date(day, format="full", locale=locale)
        except (UnknownLocaleError, ValueError):
            continue  # a language that has no calendar words of its own
    return day.isoformat()
