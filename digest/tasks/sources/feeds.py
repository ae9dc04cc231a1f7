"""Read one source over HTTP: its feed if that has changed, or the feed found on the site's page."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from digest import __version__
from digest.articles.feeds.discovery import common_addresses, find_feeds, find_wordpress
from digest.articles.feeds.feeds import is_page, parse_feed
from digest.articles.feeds.wordpress import posts_url
from digest.articles.parsed import ParsedArticle, Rejected
from digest.errors import DigestError, InputError, Unreachable
from digest.models import Source
from digest.net.parallel import PARSING
from digest.settings import SourceSettings

if TYPE_CHECKING:
    from digest.net.http import Fetched

_MOST_AHEAD = timedelta(hours=36)
_MOST_NAMED = 3
_MANNER = hashlib.sha256(f"{__version__} categories".encode()).hexdigest()[:16]
_BACK_FILL_PAGES = 5
_BACK_FILL_POSTS = 100

Fetcher = Callable[..., "Fetched"]


@dataclass(frozen=True, slots=True)
class FeedVisit:
    """The result of reading a source; with `is_same` nothing has changed since the last time.

    `is_whole` means that these are all the items of one feed, in order; `deleted` are the guids that it
    declares deleted. For a folder, `files` are the guids of its files, and `waiting` counts those not
    published yet. `size` is that of what came, in bytes; None for a folder.
    """

    articles: tuple[ParsedArticle, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    is_same: bool = False
    feed_url: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    content_hash: str | None = None
    pause: timedelta | None = None
    remark: str = ""
    files: frozenset[str] | None = None
    waiting: int = 0
    is_whole: bool = False
    deleted: tuple[str, ...] = ()
    size: int | None = None


def visit(source: SourceSettings, known: Source | None, fetch: Fetcher) -> FeedVisit:
    """Read a source's feed, from the remembered URL or else from the configured one.

    Raise Gone, InputError or Unreachable as the fetch does.
    """
    remembered = known.feed_url if known and known.url == source.url else None
    if remembered is None:
        return _ask(source, source.url, known, fetch)
    try:
        return replace(_ask(source, remembered, known, fetch, may_search=False), remark="")
    except InputError:  # it worked once: the site may have moved it again
        return _ask(source, source.url, None, fetch)


def fingerprint(content: bytes) -> str:
    """Hash bytes together with the way they are read; a new version reads the same bytes again."""
    return f"{_MANNER}-{hashlib.sha256(content).hexdigest()}"


def _ask(
    source: SourceSettings, url: str, known: Source | None, fetch: Fetcher, *, may_search: bool = True
) -> FeedVisit:
    was_read = known is not None and (known.content_hash or "").startswith(_MANNER)
    asked = known if was_read and known and (known.feed_url or known.url) == url else None
    fetched = fetch(
        url, etag=asked.etag if asked else None, last_modified=asked.last_modified if asked else None
    )
    if asked is not None and fetched.status == 304:
        return _same(asked, fetched, source.url)
    if is_page(fetched.content):
        if may_search:
            return _search(source, fetched, fetch)
        raise InputError(f"{url} is now a web page, not a feed")
    if asked is not None and asked.content_hash == fingerprint(fetched.content):
        return _same(asked, fetched, source.url)
    return _parsed(source, fetched, url)


def _same(known: Source, fetched: "Fetched", configured: str) -> FeedVisit:
    """Keep what is known; a 304 may bring new validators (RFC 9110 15.4.5)."""
    return FeedVisit(
        is_same=True,
        feed_url=_remember(configured, known.feed_url or known.url, fetched),
        etag=fetched.etag or (known.etag if fetched.status == 304 else None),
        last_modified=fetched.last_modified or (known.last_modified if fetched.status == 304 else None),
        content_hash=known.content_hash,
        pause=_pause(fetched, None),
        remark=_moved(fetched),
        size=len(fetched.content),
    )


def _parsed(source: SourceSettings, fetched: "Fetched", asked: str) -> FeedVisit:
    with PARSING:
        feed = parse_feed(fetched.content, url=fetched.url, content_type=fetched.content_type)
    return FeedVisit(
        feed.articles,
        feed.rejected,
        feed_url=_remember(source.url, asked, fetched),
        etag=fetched.etag,
        last_modified=fetched.last_modified,
        content_hash=fingerprint(fetched.content),
        pause=_pause(fetched, feed.pause),
        remark=_moved(fetched),
        is_whole=True,
        deleted=feed.deleted,
        size=len(fetched.content),
    )


def _remember(configured: str, asked: str, fetched: "Fetched") -> str | None:
    address = fetched.moved_to or asked
    return None if address == configured else address


def _moved(fetched: "Fetched") -> str:
    return f"has moved for good to {fetched.moved_to}, which is read from now on" if fetched.moved_to else ""


def _pause(fetched: "Fetched", asked: timedelta | None) -> timedelta | None:
    fresh = timedelta(seconds=fetched.max_age) if fetched.max_age else None
    return max(filter(None, (fresh, asked)), default=None)


def _search(source: SourceSettings, page: "Fetched", fetch: Fetcher) -> FeedVisit:
    """Try the feeds that the page names, then common URLs, then WordPress's REST API."""
    named = find_feeds(page.content, page.url)[:_MOST_NAMED]
    trouble: Unreachable | None = None
    for address in (*named, *common_addresses(page.url)):
        try:
            return _found(source, address, fetch)
        except Unreachable as error:
            trouble = trouble or (error if address in named else None)
        except InputError:
            continue
    if root := find_wordpress(page.content, page.url, page.links):
        return _read_wordpress(source, root, fetch)
    if trouble is not None:
        raise trouble
    raise InputError(
        f"{source.url.partition('?')[0]} is a web page, not a feed, and no feed was found on its site;"
        " give a feed's address, or add single pages with `digest articles add`"
    )


def _found(source: SourceSettings, address: str, fetch: Fetcher) -> FeedVisit:
    fetched = fetch(address)
    if is_page(fetched.content):
        raise InputError(f"{address} is a web page")
    found = _parsed(source, fetched, address)
    where = found.feed_url or source.url
    return replace(found, remark=f"has its feed at {where}, which is read from now on")


def _read_wordpress(source: SourceSettings, root: str, fetch: Fetcher) -> FeedVisit:
    """Read the newest posts and, once, the older ones page by page."""
    newest = _parsed(source, fetch(posts_url(root)), posts_url(root))
    older, rejected = _older_posts(source, root, fetch)
    known = {article.canonical_url for article in newest.articles}
    return replace(
        newest,
        articles=(*newest.articles, *(one for one in older if one.canonical_url not in known)),
        rejected=(*newest.rejected, *rejected),
        remark="has no feed; WordPress's REST API is read from now on",
        is_whole=False,
    )


def _older_posts(
    source: SourceSettings, root: str, fetch: Fetcher
) -> tuple[list[ParsedArticle], list[Rejected]]:
    taken: list[ParsedArticle] = []
    number = pages = 1
    while number <= min(pages, _BACK_FILL_PAGES):
        try:
            fetched = fetch(posts_url(root, page=number, per_page=_BACK_FILL_POSTS))
            taken.extend(_parsed(source, fetched, fetched.url).articles)
        except DigestError as error:  # the newest are stored already
            return taken, [Rejected(f"page {number} of older posts", str(error))]
        pages, number = fetched.pages, number + 1
    return taken, []


def in_language(article: ParsedArticle, language: str) -> ParsedArticle:
    """Return an article in a language if it states none itself; "" assumes nothing."""
    return replace(article, language=language) if language and not article.language else article


def without_future(found: Iterable[ParsedArticle], now: datetime) -> Iterator[ParsedArticle]:
    """Treat a time that is days ahead as missing: such an article dates from when it was first seen.

    A day and a half is allowed for sources that write their local time as UTC.
    """
    for article in found:
        is_ahead = article.published_at is not None and article.published_at > now + _MOST_AHEAD
        yield replace(article, published_at=None) if is_ahead else article
