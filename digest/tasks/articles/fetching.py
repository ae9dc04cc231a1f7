"""Fetch: each source that is due is read, parsed, matched to the known articles, and stored.

Parsers are imported where they are used: a run with nothing due does without them in memory.
"""

import gc
import logging
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from digest.articles.parsed import Rejected
from digest.errors import Busy, DigestError, Gone, InputError
from digest.models import Source
from digest.net.files import read_file
from digest.net.host_spacing import HostSpacing
from digest.net.parallel import PARSING, in_parallel
from digest.rules.articles.admission import Admission
from digest.rules.articles.polling import after_failure, after_success, read_retry_after
from digest.rules.articles.topics import Topics
from digest.settings import Settings, SourceSettings
from digest.store.articles import articles
from digest.store.articles.sources import known_sources, sources_by_name, state_of
from digest.store.database import Database
from digest.tasks.articles.searching import index_due
from digest.tasks.articles.storing import Stored, hold_deleted, hold_taken_back, store_articles
from digest.tasks.articles.topics import renew_topics, topics_by

if TYPE_CHECKING:
    from digest.tasks.sources.feeds import FeedVisit

_MAX_BYTES = 10_000_000
_AT_ONCE = 200
_MOST_NAMED = 50
_KEPT_ATTEMPTS = 30
log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class FetchReport:
    """The result for one source."""

    source: str
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    held_back: int = 0
    folded: int = 0
    gone: int = 0
    waiting: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    error: str = ""
    is_same: bool = False
    remark: str = ""

    def reject(self, rejected: Sequence[Rejected]) -> None:
        """Add an item that was refused; of very many, the first ones are kept."""
        self.rejected.extend(rejected[:_MOST_NAMED])
        if len(rejected) > _MOST_NAMED:
            more = f"{len(rejected) - _MOST_NAMED:,} more"
            self.rejected.append(Rejected(more, "they could not be stored either"))

    def count(self, stored: Stored) -> None:
        """Add the results for its articles."""
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
    """Fetch the sources that are due, or the one named, or all; a failing source never stops the rest.

    Raise InputError if the one named is unknown or paused.

    Sources are read in parallel, never two of one host at once, and stored one after another.
    """
    with database.read() as session:
        known = known_sources(session, settings)
        made_by = topics_by(session, settings)
    chosen = [source for source in known if only is None or source.name == only]
    if only is not None and not chosen:
        names = ", ".join(source.name for source in known) or "none"
        raise InputError(f'there is no source "{only}"; there are: {names}')
    if only is not None:
        _refuse_paused(database, chosen[0])
    renew_topics(database, made_by)
    due = [
        source
        for source, row in _with_known(database, chosen)
        if only is not None or _is_due(source, row, now, every=every)
    ]
    act = partial(_read, settings, HostSpacing(settings.fetch.spacing.total_seconds()), now)
    asked = _with_known(database, _mixed_by_host(due))
    reports = {}
    gc.freeze()  # what exists by now stays: to look for garbage in it takes a thirtieth of the time
    try:
        for (source, _), outcome in in_parallel(act, asked, settings.fetch.parallel):
            reports[source.name] = _recorded(database, settings, made_by, source, outcome, now)
            if progress:
                progress(len(reports), len(due))
        index_due(database)
    finally:
        gc.unfreeze()
    return [reports[source.name] for source in due]


def _refuse_paused(database: Database, source: SourceSettings) -> None:
    """Raise InputError for a source that somebody paused: naming it does not resume it."""
    with database.read() as session:
        known = sources_by_name(session, [source.name]).get(source.name)
    if known is not None and known.paused_at is not None:
        by = f"{known.paused_by}, " if known.paused_by else ""
        raise InputError(
            f'the source "{source.name}" is paused ({by}{known.paused_at:%Y-%m-%d}):'
            f" `digest sources resume {source.name}` resumes it"
        )


def _with_known(
    database: Database, sources: Sequence[SourceSettings]
) -> Iterator[tuple[SourceSettings, Source | None]]:
    """Yield sources with their stored state, a few at a time: there may be thousands."""
    for at in range(0, len(sources), _AT_ONCE):
        part = sources[at : at + _AT_ONCE]
        with database.read() as session:
            known = sources_by_name(session, [source.name for source in part])
        yield from ((source, known.get(source.name)) for source in part)


def _mixed_by_host(sources: Sequence[SourceSettings]) -> list[SourceSettings]:
    """Order sources so that those of one host are far apart, because they wait for each other."""
    seen: defaultdict[str, int] = defaultdict(int)
    ranked = []
    for source in sources:
        host = _host(source.url)
        ranked.append((seen[host], source))
        seen[host] += bool(host)
    return [source for _, source in sorted(ranked, key=lambda item: item[0])]


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc.rpartition("@")[2].lower()
    except ValueError:
        return ""


def _is_due(source: SourceSettings, known: Source | None, now: datetime, *, every: bool) -> bool:
    if known is not None and known.paused_at is not None:
        return False  # also where its address has changed
    if known is None or known.url != source.url:
        return True
    if known.stopped_at is not None:
        return False
    return every or known.next_fetch_at is None or known.next_fetch_at <= now


def _recorded(
    database: Database,
    settings: Settings,
    made_by: Topics,
    source: SourceSettings,
    outcome: "FeedVisit | DigestError",
    now: datetime,
) -> FetchReport:
    """Store the result for a source; if the database refuses it, record that the source failed."""
    try:
        return _record(database, settings, made_by, source, outcome, now)
    except DigestError:
        raise  # the database does not answer: the next source would fare no better
    except Exception as error:
        log.exception("source %s cannot be stored", source.name)
        return _record(database, settings, made_by, source, _fault(error), now)


def _fault(error: Exception) -> InputError:
    """Return the message for a source at which the program itself fails; the log has the traceback."""
    return InputError(
        f"it cannot be stored ({type(error).__name__}); this is a fault of the program, see its log"
    )


def _record(
    database: Database,
    settings: Settings,
    made_by: Topics,
    source: SourceSettings,
    outcome: "FeedVisit | DigestError",
    now: datetime,
) -> FetchReport:
    """Store the result for a source, and its health, in one transaction."""
    report = FetchReport(source.name)
    with database.write() as session:
        articles.take_turns(session)
        row = state_of(session, source.name, source.url)
        if isinstance(outcome, DigestError):
            _fail(row, outcome, report, now)
        else:
            from digest.tasks.sources.feeds import in_language, without_future

            intake = _intake(settings, source, row, now)
            _succeed(row, outcome, now, source.every)
            dated = [in_language(one, source.language) for one in without_future(outcome.articles, now)]
            stored = store_articles(session, source.name, dated, now, intake, made_by)
            report.count(stored)
            if outcome.is_whole and not outcome.rejected:
                report.gone = hold_taken_back(session, source.name, dated, stored, now)
            report.gone += hold_deleted(session, source.name, outcome.deleted, stored)
            if outcome.files is not None:
                report.gone = articles.follow_files(session, source.name, outcome.files)
            report.reject(outcome.rejected)
            report.waiting = outcome.waiting
            report.is_same, report.remark = outcome.is_same, outcome.remark
        attempt: list[str | int] = [now.isoformat(), _outcome(report), report.added]
        if not isinstance(outcome, DigestError) and outcome.size is not None:
            attempt.append(outcome.size)
        row.recent = [*row.recent, attempt][-_KEPT_ATTEMPTS:]
        session.add(row)
    return report


def _outcome(report: FetchReport) -> str:
    if report.error:
        return "failed"
    return "new" if report.added else "same"


def _succeed(row: Source, found: "FeedVisit", now: datetime, every: timedelta) -> None:
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
        report.error += f"; it is not requested again until its url changes or `digest fetch {row.name}`"
    else:
        asked = read_retry_after(error.retry_after, now) if isinstance(error, Busy) else None
        row.next_fetch_at = after_failure(now, row.failures, asked)
    row.last_error = report.error


def _intake(settings: Settings, source: SourceSettings, row: Source, now: datetime) -> Admission:
    """Return which new articles may enter editions; a first fetch treats the archive as known."""
    if row.last_success_at is not None:
        return Admission(source.max_new, settle=source.settle)
    reach = max(digest.lookback for digest in settings.digests)
    undated = max(digest.max_articles for digest in settings.digests)
    return Admission(source.max_new, now - reach, undated, settle=source.settle)


def _read(
    settings: Settings, turns: HostSpacing, now: datetime, asked: tuple[SourceSettings, Source | None]
) -> "FeedVisit | DigestError":
    source, row = asked
    path = settings.path(source.url)
    try:
        if source.url.startswith(("http://", "https://")):
            from digest.net.http import fetch
            from digest.tasks.sources.feeds import visit

            private = source.url if source.allow_private else None
            return visit(source, row, partial(fetch, private_origin=private, turns=turns))
        if path.is_dir():
            from digest.tasks.sources.folders import read_watched

            return read_watched(path, settings.site.base_url, now)
        return _read_file(path, row)
    except DigestError as error:
        return error
    except Exception as error:  # a failing source never stops the rest
        log.exception("source %s cannot be read", source.name)
        return _fault(error)


def _read_file(path: Path, known: Source | None) -> "FeedVisit":
    from digest.articles.feeds.feeds import parse_feed
    from digest.tasks.sources.feeds import FeedVisit, fingerprint

    content = read_file(path, _MAX_BYTES)
    read = fingerprint(content)
    if known is not None and known.content_hash == read:
        return FeedVisit(is_same=True, content_hash=read, size=len(content))
    with PARSING:
        feed = parse_feed(content, url=str(path))
    return FeedVisit(
        feed.articles,
        feed.rejected,
        content_hash=read,
        is_whole=True,
        deleted=feed.deleted,
        size=len(content),
    )
