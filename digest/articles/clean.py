"""Clean what comes from outside: HTML by an allow-list fit for mail, text without anything active."""

import html as html_module
import re
from urllib.parse import urljoin

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
_TAG = re.compile(r"<[^>]*>")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")
_PIXEL = re.compile(r'<img\b(?=[^>]*\b(?:width|height)="[01](?:px)?")[^>]*>')
_SENTENCE_END = re.compile(r"[.!?\u2026\u3002\u0589][\"\u201d\u2019»)]*(?=\s|$)")


def clean_html(html: str, base_url: str) -> str:
    """Keep what reads well in a message; links become absolute http, https or mailto, pixels go."""

    def link(tag: str, attribute: str, value: str) -> str | None:
        absolute = _absolute(value, base_url)
        if absolute is None or (attribute == "src" and absolute.startswith("mailto:")):
            return None
        return undecorated(absolute) if attribute == "href" else absolute

    def filtered(tag: str, attribute: str, value: str) -> str | None:
        return link(tag, attribute, value) if attribute in ("href", "src") else value

    cleaned = nh3.clean(
        without_controls(html),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=filtered,
        url_schemes=_SCHEMES,
        link_rel=None,
    )
    return re.sub(r"<img(?![^>]*\ssrc=)[^>]*>", "", _PIXEL.sub("", cleaned)).strip()


def plain_text(html: str) -> str:
    """Give a fragment's text, paragraphs apart."""
    if not html.strip():
        return ""
    text = get_text(f"<div>{html}</div>", ParserConfig(display_links=False))
    lines = (" ".join(line.split()) for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def one_line(text: str | None) -> str:
    """Give a title or name as one line of plain text: no tags, entities resolved, no controls."""
    resolved = text or ""
    for _ in range(2):  # feeds escape titles twice
        resolved = html_module.unescape(_TAG.sub(" ", resolved) if _looks_tagged(resolved) else resolved)
    return " ".join(without_controls(_TAG.sub(" ", resolved)).split())


def summarise(text: str, limit: int = 280) -> str:
    """Give the text's beginning, to a sentence's end where one is near, else to a word's end."""
    line = " ".join(text.split())
    if len(line) <= limit:
        return line
    ends = [match.end() for match in _SENTENCE_END.finditer(line, 0, limit + 1)]
    if ends and ends[-1] >= limit // 3:
        return line[: ends[-1]]
    cut = line[:limit].rsplit(" ", 1)[0].rstrip(",;:–— ")
    return f"{cut}…"


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
    allowed = absolute.lower().startswith(("http://", "https://", "mailto:"))
    return absolute if allowed and absolute.isprintable() else None


def _looks_tagged(text: str) -> bool:
    return re.search(r"</?[a-zA-Z][^>]*>", text) is not None
