"""The links of items: mistyped ones, a counter in front of them, and items that have none."""

import hashlib
import re
from datetime import datetime

_TWICE = re.compile(r"(?:https?:/{1,2})+(?=https?:/{1,2}[^/])", re.I)
_MISTYPED = re.compile(r"(https?)(?::/|//|:|:///+)(?=[^/\s:]+\.[a-z]{2})", re.I)
_NO_SCHEME = re.compile(r"www\.[\w-]+\.[a-z]", re.I)
_COUNTER = re.compile(
    r"https?://(?:feedproxy\.google|feeds\.feedburner|feedproxy\.feedburner|feeds2\.feedburner)\.com/~r/",
    re.I,
)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.I)


def mended_link(link: str) -> str:
    """Return a link as it is meant: `https//a.example`, `http:/a.example`, `www.a.example` or
    `http://https://a.example`."""
    if link.startswith(("https://", "http://")) and "http" not in link[7:14]:
        return link
    link = _TWICE.sub("", link.strip())
    if mistyped := _MISTYPED.match(link):
        return f"{mistyped[1]}://{link[mistyped.end() :]}"
    return f"https://{link}" if _NO_SCHEME.match(link) else link


def is_counter(link: str) -> bool:
    """Return whether a link leads through FeedBurner's counter, which does not state its goal."""
    return _COUNTER.match(link) is not None


def leads_to_a_page(link: str) -> bool:
    """Return whether a link, absolute or relative, is one of the web."""
    return bool(link) and (link.lower().startswith(("http:", "https:")) or _SCHEME.match(link) is None)


def is_no_page(link: str) -> bool:
    """Return whether a link is the name of something (`urn:`, `tag:`) or an address to write to."""
    return link.lower().startswith(("mailto:", "urn:", "tag:", "tel:", "xmpp:"))


def unnamed(source: str, published_at: datetime | None) -> str:
    """Return a title for a post without words: its feed and date (`Quay News, 2026-11-24`)."""
    day = published_at.date().isoformat() if published_at else ""
    return ", ".join(filter(None, (source, day))) or "Picture"


def own_fragment(mark: str) -> str:
    """Return the fragment that identifies an item whose link is its site's."""
    return hashlib.sha256(mark.encode("utf-8", "replace")).hexdigest()[:16]
