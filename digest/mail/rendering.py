"""Render a variant once for all its readers: the only user of Jinja2 in messages."""

import hashlib
import html as html_module
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import css_inline
from babel.dates import format_date
from jinja2 import ChoiceLoader, FileSystemLoader, StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup

from digest.errors import SettingsError
from digest.mail.content import SLOTS, Content
from digest.mail.encoding import Pieces, cut, quoted_printable
from digest.mail.wrapping import wrap

DERIVED_SLOTS = (*SLOTS, "to_line")
_MARKERS = {name: f"qzSLOT{name.replace('_', '').upper()}zq" for name in DERIVED_SLOTS}
_JOINERS = "\u200c\u200d"  # part of words in Persian and of emoji
_RIGHT_TO_LEFT = frozenset({"ar", "he", "fa", "ur", "yi", "ps", "dv", "ckb"})


@dataclass(frozen=True, slots=True)
class Rendering:
    """A variant in one language and look, encoded once, with slots for a reader's own values."""

    subject: str
    html: Pieces
    text: Pieces
    boundary: str
    html_size: int


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
        }
        self._inliner = css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)

    def render(self, content: Content) -> Rendering:
        """Render a variant; raise SettingsError with file and line for a template that cannot be used."""
        direction = "rtl" if content.language.split("-")[0] in _RIGHT_TO_LEFT else "ltr"
        markers = _unused(content)
        values = {"content": content, "reader": markers, "direction": direction}
        html = self._inlined("digest.html.j2", values)
        text = self._render("digest.txt.j2", values)
        html_pieces, text_pieces = cut(html, markers), cut(text, markers)
        return Rendering(
            content.subject,
            html_pieces,
            text_pieces,
            boundary_of(*(piece for piece in (*text_pieces, *html_pieces) if isinstance(piece, bytes))),
            len(html.encode()),
        )

    def render_notice(self, name: str, values: Mapping[str, object]) -> Notice:
        """Render a message that is for one reader alone, from `NAME.html.j2` and `NAME.txt.j2`."""
        return Notice(self._inlined(f"{name}.html.j2", values), self._render(f"{name}.txt.j2", values))

    def _inlined(self, name: str, values: Mapping[str, object]) -> str:
        return self._inliner.inline(self._render(name, values))

    def _render(self, name: str, values: Mapping[str, object]) -> str:
        try:
            return self._environment.get_template(name).render(values)
        except TemplateSyntaxError as error:
            raise SettingsError(f"template {error.name}, line {error.lineno}: {error.message}") from None
        except TemplateError as error:
            raise SettingsError(f"template {name}: {error}") from None


def slot_values(values: Mapping[str, str], *, escape: Callable[[str], str] | None) -> dict[str, bytes]:
    """Encode a reader's values for a part; `to_line` is made from the name, which may be empty."""
    known = dict(values) | {"to_line": f"For {values['name']}" if values["name"].strip() else "For you"}
    encoded = {}
    for name in DERIVED_SLOTS:
        plain = "".join(char if char.isprintable() or char in _JOINERS else " " for char in known[name])
        encoded[name] = quoted_printable(escape(plain) if escape else plain)
    return encoded


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


def _day(moment: object, language: str, timezone: str) -> str:
    from zoneinfo import ZoneInfo

    return format_date(
        moment.astimezone(ZoneInfo(timezone)).date(),  # type: ignore[attr-defined]
        format="full",
        locale=language.replace("-", "_"),
    )
