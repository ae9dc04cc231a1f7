"""Bring articles in: each source that is due is read, parsed, matched to what is known, and stored.

What reads and parses is imported where it is used: a run that finds nothing due does without it in memory.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from digest.articles.parsed import ParsedArticle, Rejected
from digest.errors import Busy, DigestError, Gone, InputError
from digest.models import Source
from digest.net.reading import read_file, read_folder
from digest.net.turns import Turns
from digest.rules import topics
from digest.rules.intake import Intake
from digest.rules.revisits import after_failure, after_success, read_retry_after
from digest.settings import Settings, SourceSettings
from digest.store import articles
from digest.store.database import Database
from digest.tasks.parallel import in_parallel, mixed_by_host
from digest.tasks.storing import BY_HAND, Stored, store_articles

if TYPE_CHECKING:
    from digest.tasks.visiting import Visit

_MAX_BYTES = 10_000_000

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class FetchReport:
    """What one source gave."""

    source: str
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    held_back: int = 0
    folded: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    error: str = ""
    is_same: bool = False
    remark: str = ""

    def count(self, stored: Stored) -> None:
        """Add what became of its articles."""
        self.added += stored.added
        self.updated += stored.updated
        self.unchanged += stored.unchanged
        self.held_back += stored.held_back
        self.folded += stored.folded


def fetch_due(
    database: Database,
    settings: Settings,
    now: datetime,
    *,
    only: str | None = None,
    every: bool = False,
    progress: Progress | None = None,
) -> list[FetchReport]:
    """Fetch the sources that are due, or the one named, or every one; a bad source never stops the rest.

    Sources are read side by side, never two of one host at once, and stored one after the other.
    """
    chosen = [source for source in settings.sources if only is None or source.name == only]
    if only is not None and not chosen:
        names = ", ".join(source.name for source in settings.sources) or "none"
        raise InputError(f'there is no source "{only}"; configured are: {names}')
    with database.read() as session:
        known = articles.sources_by_name(session)
    due = [s for s in chosen if only is not None or _is_due(s, known.get(s.name), now, every=every)]
    act = partial(_read, settings, Turns(settings.fetch.spacing.total_seconds()), known, now)
    reports = {}
    for source, outcome in in_parallel(act, mixed_by_host(due), settings.fetch.parallel):
        reports[source.name] = _record(database, settings, source, outcome, now)
        if progress:
            progress(len(reports), len(due))
    return [reports[source.name] for source in due]


def _is_due(source: SourceSettings, known: Source | None, now: datetime, *, every: bool) -> bool:
    if known is None or known.url != source.url:
        return True
    if known.stopped_at is not None:
        return False
    return every or known.next_fetch_at is None or known.next_fetch_at <= now


def _record(
    database: Database,
    settings: Settings,
    source: SourceSettings,
    outcome: "Visit | DigestError",
    now: datetime,
) -> FetchReport:
    """Store what a source gave, and its health, in one transaction."""
    report = FetchReport(source.name)
    with database.write() as session:
        articles.take_turns(session)
        row = articles.find_source(session, source.name) or Source(name=source.name, url=source.url)
        if row.url != source.url:
            row.url, row.failures, row.last_success_at = source.url, 0, None
            row.feed_url = row.etag = row.last_modified = row.content_hash = row.stopped_at = None
        if isinstance(outcome, DigestError):
            _fail(row, outcome, report, now)
        else:
            from digest.tasks.visiting import without_future

            intake = _intake(settings, source, row, now)
            _succeed(row, outcome, now, source.every)
            dated = _with_topics(settings, without_future(outcome.articles, now))
            report.count(store_articles(session, source.name, dated, now, intake))
            report.rejected.extend(outcome.rejected)
            report.is_same, report.remark = outcome.is_same, outcome.remark
        session.add(row)
    return report


def _succeed(row: Source, found: "Visit", now: datetime, every: timedelta) -> None:
    row.feed_url, row.content_hash = found.feed_url, found.content_hash
    row.etag, row.last_modified = found.etag, found.last_modified
    row.failures, row.stopped_at = 0, None
    row.last_success_at, row.next_fetch_at = now, after_success(now, every, found.pause)


def _fail(row: Source, error: DigestError, report: FetchReport, now: datetime) -> None:
    report.error = str(error)
    row.failures += 1
    row.last_error_at = now
    if isinstance(error, Gone):
        row.stopped_at, row.next_fetch_at = now, None
        report.error += f"; it is not asked again until its url changes or `digest fetch {row.name}`"
    else:
        asked = read_retry_after(error.retry_after, now) if isinstance(error, Busy) else None
        row.next_fetch_at = after_failure(now, row.failures, asked)
    row.last_error = report.error


def add_documents(
    database: Database, settings: Settings, places: Iterable[str], now: datetime
) -> FetchReport:
    """Store single pages, saved pages, Markdown or plain text, by path or URL, under the source "added"."""
    report = FetchReport(BY_HAND)
    for place in places:
        try:
            parsed = _read_document(settings, place, now)
        except DigestError as error:
            report.rejected.append(Rejected(place, str(error)))
            continue
        with database.write() as session:
            articles.take_turns(session)
            report.count(store_articles(session, BY_HAND, _with_topics(settings, [parsed]), now))
    return report


def _with_topics(settings: Settings, parsed: Iterable[ParsedArticle]) -> list[ParsedArticle]:
    """Give articles the topics of the settings' rules beside their own."""
    rules = settings.topics
    return [replace(one, topics=topics.settle(one.topics, one.url, one.title, rules)) for one in parsed]


def _intake(settings: Settings, source: SourceSettings, row: Source, now: datetime) -> Intake:
    """Give what of a source's new articles may go into editions; a first fetch takes its archive as known."""
    if row.last_success_at is not None:
        return Intake(source.max_new)
    reach = max(digest.lookback for digest in settings.digests)
    return Intake(source.max_new, now - reach, max(digest.max_articles for digest in settings.digests))


def _read(
    settings: Settings, turns: Turns, known: Mapping[str, Source], now: datetime, source: SourceSettings
) -> "Visit | DigestError":
    row = known.get(source.name)
    path = settings.path(source.url)
    try:
        if source.url.startswith(("http://", "https://")):
            from digest.net.fetch import fetch
            from digest.tasks.visiting import visit

            return visit(source, row, partial(fetch, allow_private=source.allow_private, turns=turns))
        return _read_folder(settings, source, path, now) if path.is_dir() else _read_file(source, path, row)
    except DigestError as error:
        return error


def _read_file(source: SourceSettings, path: Path, known: Source | None) -> "Visit":
    from digest.articles.feeds import parse_feed
    from digest.tasks.visiting import Visit, fingerprint

    content = read_file(path, _MAX_BYTES)
    read = fingerprint(source, content)
    if known is not None and known.content_hash == read:
        return Visit(is_same=True, content_hash=read)
    feed = parse_feed(content, url=str(path), topics=source.topics)
    return Visit(feed.articles, feed.rejected, content_hash=read)


def _read_folder(settings: Settings, source: SourceSettings, path: Path, now: datetime) -> "Visit":
    from digest.articles.detect import parse_document
    from digest.tasks.visiting import Visit

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
    return Visit(tuple(taken), tuple(rejected))


def _read_document(settings: Settings, place: str, now: datetime) -> ParsedArticle:
    from digest.articles.detect import parse_document

    if place.startswith(("http://", "https://")):
        from digest.net.fetch import fetch

        fetched = fetch(place)
        return parse_document(
            fetched.content,
            name=place,
            base_url=fetched.url,
            url=fetched.url,
            content_type=fetched.content_type,
            now=now,
        )
    path = Path(place)
    return parse_document(
        read_file(path, _MAX_BYTES), name=path.name, base_url=settings.site.base_url, now=now
    )
