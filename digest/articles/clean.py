"""Clean what comes from outside: HTML by an allow-list fit for mail, text without anything active."""

import html as html_module
import re
from collections.abc import Iterable
from urllib.parse import unquote, urljoin, urlsplit

import nh3
from inscriptis import get_text
from inscriptis.model.config import ParserConfig

from digest.articles.identity import undecorated

_TAGS = {
    "a", "b", "blockquote", "br", "code", "em", "figcaption", "figure", "h2", "h3", "h4", "hr", "i", "img",
    "li", "ol", "p", "pre", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_ATTRIBUTES = {"a": {"href"}, "img": {"src", "alt", "width", "height"}}
_SCHEMES = {"http", "https", "mailto"}
_TAG = re.compile(r"</?[a-zA-Z][^>]*>|<!--.*?-->")
_RENAMED = re.compile(
    r"<(/?)(div|section|article|main|header|footer|address|center|dd|dt|h1|h5|h6)(?=[\s/>])", re.I
)
_EMPTY = re.compile(r"<p>(?:\s|&nbsp;)*</p>\s*")
_NAMES = {"h1": "h2", "h5": "h4", "h6": "h4"}
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")
_TRAP = re.compile(r"(?:^|/)\s*(?:javascript|vbscript|data):", re.I)
_PIXEL = re.compile(r'<img\b(?=[^>]*\b(?:width|height)="[01](?:px)?")[^>]*>')


def clean_html(html: str, base_url: str) -> str:
    """Keep what reads well in a message; links become absolute http, https or mailto, pixels go.

    Blocks that a message has no use for become paragraphs, so that their texts do not run together.
    """

    def link(tag: str, attribute: str, value: str) -> str | None:
        absolute = _absolute(value, base_url)
        if absolute is None or (attribute == "src" and absolute.startswith("mailto:")):
            return None
        return undecorated(absolute) if attribute == "href" else absolute

    def filtered(tag: str, attribute: str, value: str) -> str | None:
        return link(tag, attribute, value) if attribute in ("href", "src") else value

    cleaned = nh3.clean(
        _RENAMED.sub(_renamed, without_controls(html)),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=filtered,
        url_schemes=_SCHEMES,
        link_rel=None,
    )
    shown = re.sub(r"<img(?![^>]*\ssrc=)[^>]*>", "", _PIXEL.sub("", cleaned))
    return _EMPTY.sub("", shown).strip()


def paragraphs(blocks: Iterable[str]) -> str:
    """Give blocks of plain text as HTML paragraphs."""
    return "".join(f"<p>{escaped(block)}</p>" for block in blocks if block.strip())


def escaped(text: str) -> str:
    """Give plain text as HTML text."""
    return html_module.escape(text, quote=False)


def plain_text(html: str) -> str:
    """Give a fragment's text, paragraphs apart."""
    if "<" not in html:  # most summaries: the layout engine takes a hundred times as long
        return " ".join(html_module.unescape(html).split())
    text = get_text(f"<div>{html}</div>", ParserConfig(display_links=False))
    lines = (" ".join(line.split()) for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def one_line(text: str | None) -> str:
    """Give a title or name as one line of plain text: no tags, entities resolved, no controls."""
    resolved = text or ""
    for _ in range(2):  # feeds escape titles twice
        resolved = html_module.unescape(_TAG.sub(" ", resolved))
    return without_controls(" ".join(_TAG.sub(" ", resolved).split()))


def without_controls(text: str) -> str:
    """Take out characters that draw on a terminal or turn the direction of text."""
    return _CONTROL.sub("", text).encode("utf-8", "ignore").decode()


def safe_url(url: str | None, base_url: str) -> str | None:
    """Give an absolute http or https URL, or None for anything else."""
    absolute = _absolute(url, base_url) if url else None
    return None if absolute is None or absolute.startswith("mailto:") else absolute


def _absolute(value: str, base_url: str) -> str | None:
    try:
        absolute = urljoin(base_url, re.sub(r"[\x00-\x20\x7f-\x9f]+", "", value))
    except ValueError:
        return None
    is_trap = _TRAP.search(unquote(absolute)) is not None
    return absolute if absolute.isprintable() and not is_trap and _leads_somewhere(absolute) else None


def _leads_somewhere(url: str) -> bool:
    if url.lower().startswith("mailto:"):
        return True
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def _renamed(match: re.Match[str]) -> str:
    name = match[2].lower()
    return f"<{match[1]}{_NAMES.get(name, 'p')}"
