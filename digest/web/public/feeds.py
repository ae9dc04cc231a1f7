"""Atom feeds of editions (RFC 4287), and the sitemap."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Protocol
from urllib.parse import urlsplit
from xml.etree import ElementTree as Tree

from markupsafe import escape

from digest.mail.rendering.templates import safe_href
from digest.models import Article, Edition
from digest.settings import Site

_ATOM = "http://www.w3.org/2005/Atom"
_MAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, production 2
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class FeedEdition(Protocol):
    """An edition as an entry of a feed."""

    @property
    def edition(self) -> Edition:
        """Return the edition."""

    @property
    def articles(self) -> tuple[Article, ...]:
        """Return its articles, in order."""

    @property
    def updated_at(self) -> datetime:
        """Return when it last changed."""


def atom(
    base: str,
    home: str,
    title: str,
    site: Site,
    entries: Sequence[tuple[str, str, FeedEdition]],
    *,
    own: str = "",
    language: str = "",
) -> bytes:
    """Make a feed; each entry is an edition with its title and URL.

    `own` is the feed's path if it is not the page's own, `language` that of its titles.
    """
    own = own or f"{home}/feed.xml"
    feed = Tree.Element("feed", {"xmlns": _ATOM, "xml:lang": language or site.language})
    _add(feed, "id", f"{base}{own}")
    _add(feed, "title", title)
    _add(feed, "updated", _moment(max((one.updated_at for _, _, one in entries), default=_NEVER)))
    _link(feed, "self", f"{base}{own}", "application/atom+xml")
    _link(feed, "alternate", f"{base}{home}", "text/html")
    _add(Tree.SubElement(feed, "author"), "name", site.name)
    for name, url, one in entries:
        _add_entry(feed, base, name, url, one)
    return _written(feed)


def sitemap(pages: Iterable[tuple[str, datetime | None]]) -> bytes:
    """Make a sitemap of URLs, each with the time of its last change."""
    top = Tree.Element("urlset", {"xmlns": _MAP})
    for url, changed_at in pages:
        entry = Tree.SubElement(top, "url")
        _add(entry, "loc", url)
        if changed_at is not None:
            _add(entry, "lastmod", _moment(changed_at))
    return _written(top)


def _add_entry(feed: Tree.Element, base: str, name: str, url: str, one: FeedEdition) -> None:
    entry = Tree.SubElement(feed, "entry")
    made_at = one.edition.frozen_at or one.edition.freeze_at
    _add(entry, "id", _name(base, one, made_at))
    _add(entry, "title", name)
    _link(entry, "alternate", url, "text/html")
    _add(entry, "published", _moment(made_at))
    _add(entry, "updated", _moment(one.updated_at))
    _add(entry, "summary", " · ".join(article.title for article in one.articles))
    content = _add(entry, "content", "".join(_told(article) for article in one.articles))
    content.set("type", "html")


def _name(base: str, one: FeedEdition, made_at: datetime) -> str:
    """Return a permanent id for an entry, wherever its pages move to (RFC 4151)."""
    host = urlsplit(base).hostname or "localhost"
    edition = one.edition
    period = edition.period.replace(":", "")
    day = f"{made_at.astimezone(UTC):%Y-%m-%d}"
    return f"tag:{host},{day}:{edition.digest}/{edition.cadence}/{period}"


def _told(article: Article) -> str:
    url = safe_href(article.url)
    title = f'<a href="{escape(url)}">{escape(article.title)}</a>' if url else str(escape(article.title))
    summary = f"<p>{escape(article.summary)}</p>" if article.summary else ""
    return f"<h3>{title}</h3>{summary}"


def _link(parent: Tree.Element, rel: str, url: str, kind: str) -> None:
    Tree.SubElement(parent, "link", {"rel": rel, "href": url, "type": kind})


def _add(parent: Tree.Element, name: str, text: str) -> Tree.Element:
    child = Tree.SubElement(parent, name)
    child.text = _NO_XML.sub("\ufffd", text)
    return child


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _written(top: Tree.Element) -> bytes:
    written: bytes = Tree.tostring(top, encoding="utf-8", xml_declaration=True)
    return written
