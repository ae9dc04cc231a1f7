"""Judge what comes out of cleaning by an allow-list of its own: nothing of it is taken from the code it judges."""

import functools
import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from urllib.parse import urlsplit

from lxml import html

from digest.articles.parsed import ParsedArticle

TAGS = frozenset(
    [
        "a",
        "b",
        "blockquote",
        "br",
        "code",
        "em",
        "figcaption",
        "figure",
        "h2",
        "h3",
        "h4",
        "hr",
        "i",
        "img",
        "li",
        "ol",
        "p",
        "pre",
        "s",
        "strong",
        "sub",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "u",
        "ul",
    ]
)
ATTRIBUTES = {
    "a": {"href"}, "img": {"src", "alt", "width", "height"}, "ol": {"start", "type", "reversed"}, "li": {"value"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"},
}  # fmt: skip
LINES = ("title", "author", "guid", "image_alt", "language", "place", "agency", "summary")
ADDRESSES = ("url", "canonical_url", "image_url")
_JOINERS = "\u200c\u200d"
_SEEN_THROUGH = "\u00ad\u200b\u2060"  # a soft hyphen and the breaks of scripts without blanks
_TURNING = frozenset((0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)))


def faults_of(article: ParsedArticle) -> Iterator[str]:
    """List what a stored article holds and must not."""
    for name in LINES:
        value = getattr(article, name) or ""
        if found := harmful(value):
            yield f"{name} holds {found}: {value!r}"
    for name in ("author", "image_alt", "place", "agency"):
        if opens_a_tag(value := getattr(article, name) or ""):
            yield f"{name} opens a tag: {value!r}"
    if found := harmful(article.text, "\n"):
        yield f"text holds {found}: {article.text!r}"
    for topic in article.topics:
        if not all(sign.isalnum() or sign in "-_" or unicodedata.category(sign)[0] == "M" for sign in topic):
            yield f"a topic is {topic!r}"
    for name in ADDRESSES:
        if (url := getattr(article, name)) is not None and not leads_out(url):
            yield f"{name} is {url!r}"
    yield from _faults_of_html(article.html)


def faults_of_html(fragment: str) -> Iterator[str]:
    """Read a fragment as a browser's parser would and judge each element of it."""
    if found := harmful(fragment, "\n\t"):
        yield f"html holds {found}: {fragment!r}"
    for element in html.fragment_fromstring(f"<div>{fragment}</div>").iterdescendants():
        tag = element.tag
        if not isinstance(tag, str) or tag not in TAGS:
            yield f"html holds <{tag}>: {fragment!r}"
            continue
        for name, value in element.attrib.items():
            if name not in ATTRIBUTES.get(tag, ()):
                yield f"html holds {tag}[{name}]: {fragment!r}"
            elif name in ("href", "src"):
                if not leads_out(value) and not (name == "href" and value.lower().startswith("mailto:")):
                    yield f"html leads to {value!r}: {fragment!r}"
            elif name == "type":
                if value not in "1aAiI":
                    yield f"html holds {tag}[{name}={value!r}]"
            elif name not in ("alt", "reversed") and not value.isdigit():
                yield f"html holds {tag}[{name}={value!r}]"


@functools.cache
def _faults_of_html(fragment: str) -> tuple[str, ...]:
    return tuple(faults_of_html(fragment))


def harmful(text: str, allowed: str = "") -> str:
    """Name the first sign that controls, breaks a line or turns text around; empty where there is none."""
    for sign in text:
        is_flag = "\U000e0020" <= sign <= "\U000e007f" and "\U0001f3f4" in text
        if sign.isprintable() or sign in allowed or sign in _JOINERS or sign in _SEEN_THROUGH or is_flag:
            continue
        kind = unicodedata.category(sign)
        if kind in ("Cc", "Cs", "Zl", "Zp") or ord(sign) in _TURNING or ord(sign) >= 0xE0000:
            return f"U+{ord(sign):04X}"
    return ""


def opens_a_tag(text: str) -> bool:
    """Return whether a browser would read a part of a text as a tag (HTML Standard, 13.2.5.6)."""
    return any(
        one == "<" and ((two.isascii() and two.isalpha()) or two in "/!?") for one, two in pairwise(text)
    )


def leads_out(url: str) -> bool:
    """Return whether a URL is absolute, of the web and without blanks."""
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and url.isprintable()
            and " " not in url
        )
    except ValueError:
        return False
