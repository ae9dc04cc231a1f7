"""Bring articles in: each source that is due is read, parsed, matched to what is known, and stored."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from sqlmodel import Session

from digest.articles.detect import parse_document
from digest.articles.feeds import parse_feed
from digest.articles.parsed import ParsedArticle, Rejected
from digest.errors import DigestError, InputError
from digest.models import Article, Source
from digest.net.fetch import Fetched, fetch
from digest.net.reading import read_file, read_folder
from digest.settings import Settings, SourceSettings
from digest.store import articles
from digest.store.database import Database

_MAX_BYTES = 10_000_000
_RETRY = timedelta(minutes=15)
log = logging.getLogger(__name__)


@dataclass(slots=True)
class FetchReport:
    """What one source gave."""

    source: str
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    error: str = ""


@dataclass(frozen=True, slots=True)
class _Read:
    articles: tuple[ParsedArticle, ...]
    rejected: tuple[Rejected, ...] = ()
    etag: str | None = None
    last_modified: str | None = None


def fetch_due(
    database: Database, settings: Settings, now: datetime, *, only: str | None = None, every: bool = False
) -> list[FetchReport]:
    """Fetch the sources that are due, or the one named, or every one; a bad source never stops the rest."""
    reports = []
    for source in settings.sources:
        if only is not None and source.name != only:
            continue
        with database.read() as session:
            known = articles.find_source(session, source.name)
        waits = known is not None and known.next_fetch_at is not None and known.next_fetch_at > now
        if waits and only is None and not every:
            continue
        reports.append(fetch_source(database, settings, source, known, now))
    if only is not None and not reports:
        names = ", ".join(source.name for source in settings.sources) or "none"
        raise InputError(f'there is no source "{only}"; configured are: {names}')
    return reports


def fetch_source(
    database: Database, settings: Settings, source: SourceSettings, known: Source | None, now: datetime
) -> FetchReport:
    """Fetch one source and record its health."""
    report = FetchReport(source.name)
    read: _Read | None = None
    try:
        read = _read(settings, source, known, now)
    except DigestError as error:
        report.error = str(error)
    with database.write() as session:
        articles.take_turns(session)
        row = articles.find_source(session, source.name) or Source(name=source.name, url=source.url)
        row.url = source.url
        if report.error:
            row.last_error, row.last_error_at, row.next_fetch_at = report.error, now, now + _RETRY
        else:
            row.last_success_at, row.next_fetch_at = now, now + source.every
        if read is not None:
            row.etag, row.last_modified = read.etag, read.last_modified
            store_articles(session, source.name, read.articles, report, now)
            report.rejected.extend(read.rejected)
        session.add(row)
    return report


def add_documents(
    database: Database, settings: Settings, places: Iterable[str], now: datetime
) -> FetchReport:
    """Store single pages, saved pages, Markdown or plain text, by path or URL, under the source "added"."""
    report = FetchReport("added")
    for place in places:
        try:
            parsed = _read_document(settings, place, now)
        except DigestError as error:
            report.rejected.append(Rejected(place, str(error)))
            continue
        with database.write() as session:
            articles.take_turns(session)
            store_articles(session, "added", [parsed], report, now)
    return report


def store_articles(
    session: Session, source: str, parsed: Iterable[ParsedArticle], report: FetchReport, now: datetime
) -> None:
    """Match articles to those known and store what is new; an edit updates and is never new."""
    for item in parsed:
        row = articles.find_article(
            session, source=source, canonical_url=item.canonical_url, guid=item.guid
        ) or articles.find_same_content(session, source=source, content_hash=item.content_hash)
        if row is None:
            session.add(_new_article(source, item, now))
            report.added += 1
        elif _is_same(row, item):
            report.unchanged += 1
        else:
            _apply(row, item)
            row.updated_at = now
            session.add(row)
            report.updated += 1
        session.flush()


_FIELDS = (
    "url", "guid", "content_hash", "title", "title_formed", "summary", "html", "text", "author", "image_url",
    "image_alt", "language", "place", "agency",
)  # fmt: skip


def _is_same(row: Article, item: ParsedArticle) -> bool:
    return all(getattr(row, name) == getattr(item, name) for name in _FIELDS) and row.topics == list(
        item.topics
    )


def _new_article(source: str, item: ParsedArticle, now: datetime) -> Article:
    row = Article(
        source=source,
        canonical_url=item.canonical_url,
        url=item.url,
        content_hash=item.content_hash,
        title=item.title,
        published_at=item.published_at,
        first_seen_at=now,
    )
    _apply(row, item)
    return row


def _apply(row: Article, item: ParsedArticle) -> None:
    """Take an item's values over; a known article keeps its canonical URL, its age and its source."""
    for name in _FIELDS:
        setattr(row, name, getattr(item, name))
    row.topics = list(item.topics)
    row.word_count = len(item.text.split())


def _read(settings: Settings, source: SourceSettings, known: Source | None, now: datetime) -> _Read:
    if source.url.startswith(("http://", "https://")):
        return _read_http(source, known)
    path = settings.path(source.url)
    if path.is_dir():
        return _read_folder(settings, source, path, now)
    content = read_file(path, _MAX_BYTES)
    feed = parse_feed(content, url=str(path), topics=source.topics)
    return _Read(feed.articles, feed.rejected)


def _read_http(source: SourceSettings, known: Source | None) -> _Read:
    same_place = known is not None and known.url == source.url
    fetched: Fetched = fetch(
        source.url,
        etag=known.etag if known and same_place else None,
        last_modified=known.last_modified if known and same_place else None,
        allow_private=source.allow_private,
    )
    if fetched.status == 304:
        return _Read((), (), known.etag if known else None, known.last_modified if known else None)
    feed = parse_feed(
        fetched.content, url=fetched.url, content_type=fetched.content_type, topics=source.topics
    )
    return _Read(feed.articles, feed.rejected, fetched.etag, fetched.last_modified)


def _read_folder(settings: Settings, source: SourceSettings, path: Path, now: datetime) -> _Read:
    taken: list[ParsedArticle] = []
    rejected: list[Rejected] = []
    for name, content in read_folder(path, rejected):
        try:
            taken.append(
                parse_document(
                    content, name=name, base_url=settings.site.base_url, topics=source.topics, now=now
                )
            )
        except InputError as error:
            rejected.append(Rejected(name, str(error)))
    return _Read(tuple(taken), tuple(rejected))


def _read_document(settings: Settings, place: str, now: datetime) -> ParsedArticle:
    if place.startswith(("http://", "https://")):
        fetched = fetch(place)
        return parse_document(fetched.content, name=place, base_url=fetched.url, url=fetched.url, now=now)
    path = Path(place)
    return parse_document(
        read_file(path, _MAX_BYTES), name=path.name, base_url=settings.site.base_url, now=now
    )
