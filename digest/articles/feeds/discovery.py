"""Find a site's feed from its page."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import urljoin

from digest.articles.html.cleaning import safe_url

COMMON_PATHS = ("/feed", "/rss.xml", "/atom.xml", "/feed.json", "/index.xml")
"""Common addresses of feeds that no page names; only a few, because each costs a request."""

_API = "https://api.w.org/"
_FEEDS = {"application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml"}
_PERHAPS = {"application/json", "application/xml", "text/xml"}
_SIDE = re.compile(r"comment|/replies\b|kommentar|commentaire", re.I)
_PART = re.compile(r"/(?:tag|category|author)/|[?&](?:tag|cat|author)=", re.I)
_LINK_HEADER = re.compile(r'<([^<>]{1,2000})>\s*;[^,]*?rel="?https://api\.w\.org/"?', re.I)
_MOST_READ = 1_000_000


class _Head(HTMLParser):
    """Collects a page's `<link>` elements and its `<base>`."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[dict[str, str]] = []
        self.base = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect a link; only the first base counts (HTML 4.2.3)."""
        found = {name: value or "" for name, value in attrs}
        if tag == "link" and len(self.links) < 500:
            self.links.append(found)
        elif tag == "base":
            self.base = self.base or found.get("href", "")


class NamedFeed(NamedTuple):
    """A feed that a page names, with the title that it gives to it; "" without one."""

    url: str
    title: str


def find_feeds(page: bytes, url: str) -> tuple[str, ...]:
    """List the addresses of the feeds that a page names, as `find_named_feeds` does."""
    return tuple(feed.url for feed in find_named_feeds(page, url))


def find_named_feeds(page: bytes, url: str) -> tuple[NamedFeed, ...]:
    """List the feeds that a page names by `<link rel="alternate">`: main ones first, none of comments."""
    head = _read(page)
    found = []
    for link in head.links:
        address = safe_url(link.get("href"), urljoin(url, head.base))
        if address and _is_feed(link):
            named = f"{link.get('title', '')} {address}"
            feed = NamedFeed(address, " ".join(link.get("title", "").split()))
            found.append((bool(_SIDE.search(named)), bool(_PART.search(address)), feed))
    ordered = sorted(found, key=lambda item: item[:2])
    main = [feed for is_side, _, feed in ordered if not is_side]
    once: dict[str, NamedFeed] = {}
    for feed in main or [feed for *_, feed in ordered]:
        once.setdefault(feed.url, feed)
    return tuple(once.values())


def find_wordpress(page: bytes, url: str, link_header: str) -> str | None:
    """Find the root of a WordPress site's REST API, named by a Link header or a `<link>`."""
    if match := _LINK_HEADER.search(link_header):
        return safe_url(match[1], url)
    named = (link.get("href") for link in _read(page).links if link.get("rel", "").strip().lower() == _API)
    return next(filter(None, (safe_url(address, url) for address in named)), None)


def common_addresses(url: str) -> Iterator[str]:
    """Return the addresses at which a site often has its feed."""
    return (urljoin(url, path) for path in COMMON_PATHS)


def _read(page: bytes) -> _Head:
    head = _Head()
    head.feed(page[:_MOST_READ].decode("utf-8", "replace"))
    return head


def _is_feed(link: dict[str, str]) -> bool:
    relations = link.get("rel", "").lower().split()
    kind = link.get("type", "").partition(";")[0].strip().lower()
    named = f"{link.get('title', '')} {link.get('href', '')}".lower()
    if "alternate" not in relations and "feed" not in relations:
        return False
    return kind in _FEEDS or (kind in _PERHAPS and ("feed" in named or "rss" in named))
