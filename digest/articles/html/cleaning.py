"""Clean untrusted HTML with an allow-list that suits mail, and untrusted text of everything active."""

import html as html_module
import re
from collections.abc import Iterable
from contextvars import ContextVar
from urllib.parse import unquote, urljoin, urlsplit

import nh3
from lxml.etree import XPath

from digest.articles.html.embeds import link_embeds
from digest.articles.html.formulas import write_formulas
from digest.articles.html.images import resolve_images
from digest.articles.html.layout import (
    reveal_addresses,
    set_blocks,
    set_code,
    set_lists,
    set_ruby,
    silence,
    write_signs,
)
from digest.articles.html.to_text import text_of
from digest.articles.html.trees import Element, matches, read_tree, tags_in, untangled, write_tree
from digest.articles.text.identity import undecorated
from digest.articles.text.invisible import without_controls

_TAGS = {
    "a", "b", "blockquote", "br", "code", "em", "figcaption", "figure", "h2", "h3", "h4", "hr", "i", "img",
    "li", "ol", "p", "pre", "s", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th",
    "thead", "tr", "u", "ul",
}  # fmt: skip
_CELL = {"colspan", "rowspan"}
_ATTRIBUTES: dict[str, set[str]] = {
    "*": set(),  # otherwise `title` and `lang` would pass on every tag
    "a": {"href"}, "img": {"src", "alt", "width", "height"}, "ol": {"start", "type", "reversed"},
    "li": {"value"}, "td": _CELL, "th": _CELL,
}  # fmt: skip
_SCHEMES = {"http", "https", "mailto"}
# Each pattern stops where another of its kind begins, so that unterminated ones take linear time.
_TAG = re.compile(
    r"<(script|style)\b[^<>]*>(?:(?!<\1\b).)*?</\1\s*>|<[/!?]?[a-zA-Z][^<>]*>|<!--(?:(?!<!--).)*?-->",
    re.S | re.I,
)
_INLINE = re.compile(
    r"</?(?:a|abbr|b|bdi|bdo|big|cite|code|del|dfn|em|font|i|ins|kbd|mark|q|s|samp|small|span|strike|strong|sub|sup|tt|u"
    r"|var|wbr)\b[^<>]*>",
    re.I,
)
_OPENING = re.compile(r"<(?=[a-zA-Z/!?])")
_EMPTY = re.compile(r"<p>(?:\s|&nbsp;)*</p>\s*")
# References to C0 controls, which no tree accepts, and to C1, which mean Windows-1252 (HTML 13.2.5.80).
_REFERENCE = re.compile(
    r"&#(?:0*(?:[0-8]|1[1-9]|2\d|3[01]|12[7-9]|1[345]\d|6553[45])(?!\d)"
    r"|[xX]0*(?:[0-8b-fB-F]|1[\da-fA-F]|7[fF]|[89][\da-fA-F]|[fF]{3}[efEF])(?![\da-fA-F]));?"
)
_TRAP = re.compile(r"(?:^|/)\s*(?:javascript|vbscript|data):", re.I)
_HEADERS = re.compile(r"mailto:(?:[^\r\n?&]|[?&](?!body=)|[?&]body=[^&]*+)*+[\r\n]", re.I)  # RFC 6068 4
_NO_WORDS = re.compile(r'<a(?: href="[^"]*")?>\s*</a>')
_NO_SOURCE = re.compile(r'<img(?![^>]*\ssrc=)(?:[^>"]|"[^"]*")*>')
# A link to a place on the page that shows no word: behind a heading, or back from a footnote.
_ANCHOR = re.compile(
    r'(?:&nbsp;|[ \u00a0])?<a(?: href="[^"#]*#[^"]*")?>\s*[\[(]?(?:[\u00b6#\u00a7]|\U0001f517|'
    r"[\u2191\u21a9\u21b5\u21e7\u23ce\u2934^][\ufe0e\ufe0f]?(?:<sup>\d{1,3}</sup>|\d{1,3})?)[\])]?\s*</a>"
)
_GAP = re.compile(r"\n{3,}")
_BARE = re.compile(r"[^<&\r\u00a0]*")
_PLAIN_URL = re.compile(r"https?://[a-z0-9][a-z0-9.-]*(?:/[a-zA-Z0-9._~/-]*)?(?:\?[a-zA-Z0-9._~/=&+-]+)?")
# Controls, and spaces where a URL is broken over lines; a single space inside belongs to the URL.
_IGNORED = re.compile(r"[\x00-\x20\x7f-\x9f]{2,}|[\x00-\x1f\x7f-\x9f]")
_BREAKS = re.compile(r"[\t\n\r]")
_BROKEN = XPath(".//*[@href[translate(., '\t\n\r', '') != .] or @src[translate(., '\t\n\r', '') != .]]")
_LABELS = frozenset("1aAiI")
_NUMBERED = re.compile(r"\d{1,4}")
_LARGEST = 2_000_000
_LONGEST_LINE = 20_000


def clean_html(html: str, base_url: str) -> str:
    """Keep what reads well in a message; links become absolute http, https or mailto; tracking pixels are
    removed.

    Embeds become links, lazy images get their URL, blocks that a message has no use for become paragraphs,
    and scripts, styles and forms are removed with their text. The allow-list comes last: its output is not
    changed except for empty paragraphs.
    """
    text = without_controls(html[:_LARGEST])
    if _BARE.fullmatch(text):
        return escaped(text).strip()
    if "&#" in text:
        text = _REFERENCE.sub(lambda match: without_controls(html_module.unescape(match[0])), text)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "<" not in text:
        return _filtered(text, base_url)
    tree = read_tree(untangled(text))
    if tree is None:
        return ""
    base = next((found.get("href") for found in tree.iter("base") if found.get("href")), None)
    if "email-protection" in text or "data-cfemail" in text:
        reveal_addresses(tree)
    _rewrite(tree)
    cleaned = _filtered(write_tree(tree), _joined(base_url, base) if base else base_url)
    return _EMPTY.sub("", _NO_WORDS.sub("", cleaned) if "></a>" in cleaned else cleaned).strip()


def _rewrite(tree: Element) -> None:
    for holder in matches(_BROKEN, tree):
        for name in ("href", "src"):
            if value := holder.get(name):
                holder.set(name, _BREAKS.sub("", value))  # as browsers do (URL Standard, 4.4)
    tags = tags_in(tree)
    resolve_images(tree, tags)
    link_embeds(tree, tags)
    write_formulas(tree, tags)
    write_signs(tree, tags)
    set_lists(tree, tags)
    set_ruby(tree, tags)
    silence(tree, tags)
    set_code(tree, tags)
    set_blocks(tree, tags)


def _filtered(html: str, base_url: str) -> str:
    _BASE.set(base_url)
    # Again, for those written as references: &#x202e; is one as well.
    cleaned = without_controls(_CLEANER.clean(html))
    if "<a>" in cleaned or "#" in cleaned:
        cleaned = _ANCHOR.sub("", cleaned)
    return (_NO_SOURCE.sub("", cleaned) if "<img" in cleaned else cleaned).strip()


def _allowed(_tag: str, attribute: str, value: str) -> str | None:
    """Return an attribute's allowed value, with links made absolute; None if it is not allowed."""
    if attribute not in ("href", "src"):
        if attribute == "type":
            return value if value in _LABELS else None
        if attribute == "reversed":
            return ""
        if attribute in ("start", "value"):
            return value if _NUMBERED.fullmatch(value.removeprefix("-")) else None
        return value if attribute == "alt" or _NUMBERED.fullmatch(value) else None
    if attribute == "href" and value.strip().startswith("#"):
        return None  # a link to a place on the page leads nowhere in a message
    absolute = _absolute(value, _BASE.get())
    if absolute is None or (attribute == "src" and absolute.startswith("mailto:")):
        return None
    return undecorated(absolute) if attribute == "href" else absolute


# Cached: passing the lists takes longer than cleaning a paragraph. Each thread has a base.
_BASE: ContextVar[str] = ContextVar("base")
_CLEANER = nh3.Cleaner(
    tags=_TAGS, attributes=_ATTRIBUTES, attribute_filter=_allowed, url_schemes=_SCHEMES, link_rel=None
)


def paragraphs(blocks: Iterable[str]) -> str:
    """Return blocks of plain text as HTML paragraphs."""
    return "".join(f"<p>{escaped(block)}</p>" for block in blocks if block.strip())


def escaped(text: str) -> str:
    """Return plain text as HTML text."""
    return html_module.escape(text, quote=False)


def plain_text(html: str) -> str:
    """Return a fragment's text, with blank lines between paragraphs."""
    if "<" not in html:  # most summaries: the layout code takes many times as long
        return " ".join(without_controls(html_module.unescape(html)).split())
    text = without_controls(text_of(html))
    return (_GAP.sub("\n\n", text) if "\n\n\n" in text else text).strip("\n")


def one_line(text: str | None) -> str:
    """Return a title or name as one line of plain text: no tags, references resolved, no controls.

    An unterminated tag stays as text, with a space in it so that no HTML parser takes it for one.
    """
    resolved = (text or "")[:_LONGEST_LINE]
    if "<" not in resolved and "&" not in resolved:
        return " ".join(without_controls(resolved).split())
    for _ in range(2):  # feeds escape titles twice
        resolved = html_module.unescape(_without_tags(resolved))
    line = " ".join(without_controls(_without_tags(resolved)).split())
    return _OPENING.sub("< ", line) if "<" in line else line


def _without_tags(text: str) -> str:
    """Return text without tags; inline formatting leaves no gap."""
    return _TAG.sub(" ", _INLINE.sub("", text)) if "<" in text else text


def safe_url(url: str | None, base_url: str) -> str | None:
    """Return an absolute http or https URL, or None for anything else."""
    absolute = _absolute(url, base_url) if url else None
    return None if absolute is None or absolute.startswith("mailto:") else absolute


def _absolute(value: str, base_url: str) -> str | None:
    if _PLAIN_URL.fullmatch(value):  # most URLs: nothing in it that the rest could change or refuse
        return value
    try:
        absolute = urljoin(base_url, _IGNORED.sub("", value).strip(" ").replace(" ", "%20"))
    except ValueError:
        return None
    plain = unquote(absolute)
    is_trap = _TRAP.search(plain) is not None or _HEADERS.match(plain) is not None
    return absolute if absolute.isprintable() and not is_trap and _leads_somewhere(absolute) else None


def _leads_somewhere(url: str) -> bool:
    if url.lower().startswith("mailto:"):
        return True
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and "%20" not in parts.netloc
    except ValueError:
        return False


def _joined(base_url: str, base: str) -> str:
    try:
        return urljoin(base_url, base)
    except ValueError:
        return base_url
