"""Find out about a site from its URL: its feed, its name and its design, and what a source would bring."""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from digest.articles.feeds.discovery import NamedFeed, find_feeds, find_named_feeds
from digest.articles.feeds.feeds import is_page
from digest.articles.feeds.front_page import FrontPage, read_front_page
from digest.articles.feeds.opml import OpmlFeed
from digest.articles.parsed import ParsedArticle, Rejected
from digest.articles.text.identity import canonical_url
from digest.errors import InputError
from digest.net.files import read_file
from digest.net.hosts import is_private_host
from digest.net.http import Fetched, fetch
from digest.rules.articles.sources import may_be_private
from digest.safe_text import printable, without_secrets
from digest.settings import Settings, SourceSettings
from digest.settings.domains import LOOPBACK
from digest.store.articles.sources import known_sources
from digest.store.database import Database
from digest.tasks.sources.feeds import visit
from digest.tasks.sources.health import find_known
from digest.tasks.sources.opml import free_name, settings_block

_PATIENCE = 15.0
_LARGEST = 3_000_000
_SHOWN = 8
_MOST_FEEDS = 12
_MOST_SHOWN = 3_000
_PUBLIC = partial(fetch, timeout=_PATIENCE)


@dataclass(frozen=True, slots=True)
class SiteFound:
    """A site as `digest init` found it: `feeds` are those that its page names, main ones first."""

    url: str
    page: FrontPage
    feeds: tuple[str, ...]
    is_private: bool

    @property
    def host(self) -> str:
        """Return the host's name without www."""
        return (urlsplit(self.url).hostname or "").removeprefix("www.")

    @property
    def name(self) -> str:
        """Return the site's own name, else its host."""
        return self.page.name or self.host


def look_at_site(url: str) -> SiteFound:
    """Read a site's front page, or accept a feed's URL as it is; raise DigestError if it cannot be read.

    An address of the own machine or network is allowed because the operator named it.
    """
    is_private = _is_private(urlsplit(url).hostname or "")
    found = fetch(url, timeout=_PATIENCE, max_bytes=_LARGEST, allow_private=is_private, private_origin=url)
    is_page = b"<html" in found.content[:4_000].lower() or "html" in found.content_type
    if not is_page:
        return SiteFound(found.url, FrontPage(), (found.url,), is_private)
    page = read_front_page(found.content, found.url)
    return SiteFound(found.url, page, find_feeds(found.content, found.url), is_private)


_NO_SITE = '"{text}" is not an address of a site: write one such as https://news.example.org'


@dataclass(frozen=True, slots=True)
class SourcePreview:
    """What a source would bring: its first articles and how many there are in all, and the lines that
    configure it. `feeds` are those that a page at the address names; `known_as` is the source that has the
    address already. `url` may have a login in it, `shown` has none.
    """

    url: str
    shown: str
    name: str
    feeds: tuple[NamedFeed, ...]
    articles: tuple[ParsedArticle, ...]
    total: int
    rejected: tuple[Rejected, ...]
    remark: str
    lines: str
    known_as: str


def preview_source(
    database: Database, settings: Settings, text: str, read: Callable[..., Fetched] | None = None
) -> SourcePreview:
    """Read a feed, or find the feed of a site; raise DigestError where nothing can be read.

    Private addresses are not opened unless the settings name their origin: the address was typed into a page,
    not by the operator of the machine.
    """
    url = check_address(text.strip())
    try:
        source = SourceSettings(name="preview", url=url)
    except ValueError:  # too long for a setting, for instance
        raise InputError(_NO_SITE.format(text=text.strip()[:100])) from None
    if read is None:
        require_public(settings, url)
    private = url if may_be_private(url, settings.fetch.private_sources) else None
    ask = read or partial(_PUBLIC, private_origin=private)
    pages: list[Fetched] = []

    def reading(address: str, **asked: Any) -> Fetched:
        fetched = ask(address, **asked)
        if not pages and is_page(fetched.content):
            pages.append(fetched)
        return fetched

    found = visit(source, None, reading)
    with database.read() as session:
        sources = known_sources(session, settings)
    address = found.feed_url or url
    known = {canonical_url(source.url): source.name for source in sources}
    outline = OpmlFeed(urlsplit(address).hostname or "", address, ())
    name = free_name(outline, {source.name for source in sources})
    articles = tuple(found.articles)
    return SourcePreview(
        address,
        without_secrets(address),
        name,
        find_named_feeds(pages[0].content, pages[0].url)[:_MOST_FEEDS] if pages else (),
        articles[:_SHOWN],
        len(articles),
        tuple(found.rejected)[:_SHOWN],
        found.remark,
        settings_block(name, replace(outline, url=without_secrets(address))).strip(),
        known.get(canonical_url(url)) or known.get(canonical_url(address)) or "",
    )


@dataclass(frozen=True, slots=True)
class SourceAnswer:
    """What a source sends at this moment: its first bytes as text, and what was said about them."""

    name: str
    url: str
    status: int | None
    content_type: str
    size: int
    beginning: str


def ask_source(database: Database, settings: Settings, name: str) -> SourceAnswer:
    """Read a source as a fetch does, and return what comes; nothing is stored.

    Raise InputError for an unknown name or a folder, and DigestError where nothing comes.
    """
    with database.read() as session:
        source = find_known(session, settings, name)
    if source.url.startswith(("http://", "https://")):
        private = source.url if source.allow_private else None
        found = fetch(source.url, timeout=_PATIENCE, private_origin=private)
        url, status, kind, content = found.url, found.status, found.content_type, found.content
    elif (path := settings.path(source.url)).is_dir():
        raise InputError(f"{source.url} is a folder: its files are what it sends")
    else:
        url, status, kind, content = source.url, None, "", read_file(path)
    text = content[:_MOST_SHOWN].decode(errors="replace")
    beginning = "\n".join(printable(line) for line in text.splitlines())
    return SourceAnswer(name, without_secrets(url), status, printable(kind), len(content), beginning)


def check_address(text: str) -> str:
    """Return a site's URL, with `https://` before a bare host; raise InputError if it is none."""
    address = text if "://" in text else f"https://{text}"
    try:
        parts = urlsplit(address)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname)
        is_address = is_address and parts.port != 0 and address.isprintable()
    except ValueError:
        is_address = False
    if not is_address:
        raise InputError(_NO_SITE.format(text=text))
    return address


def require_public(settings: Settings, url: str) -> None:
    """Raise InputError for an address of the server's own network that the settings do not name."""
    host = urlsplit(url).hostname or ""
    if is_private_host(host) and not may_be_private(url, settings.fetch.private_sources):
        raise InputError(
            "this is an address of the server's own machine or network, and only public ones are read:"
            " whoever runs the server can name its origin in [fetch] private_sources"
        )


def _is_private(host: str) -> bool:
    try:
        return host in LOOPBACK or ipaddress.ip_address(host).is_private
    except ValueError:
        return False
