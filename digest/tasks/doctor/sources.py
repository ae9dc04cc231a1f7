"""Check the sources: read recently, failing, or gone."""

from collections.abc import Sequence
from contextlib import closing
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from digest.errors import Unreachable
from digest.models import Source
from digest.models.article import ArticleFilter
from digest.rules.articles.sources import SourceClash
from digest.settings import DigestSettings, Settings, SourceSettings
from digest.settings.topics import meant
from digest.store.articles.listing import list_articles
from digest.store.articles.sources import find_source, known_sources, list_overruled
from digest.store.database import Database
from digest.store.monitoring.health import find_version
from digest.store.schema import HEAD
from digest.tasks.doctor.database import find_missing_file
from digest.tasks.doctor.findings import Finding, fail, ok, warn
from digest.tasks.doctor.scope import Scope

DEAD = timedelta(days=7)
_SOON = timedelta(minutes=15)
_NAMED = 3
_LOOK = "`digest fetch {}` shows what happens; correct its url, or remove the source"


def examine_sources(scope: Scope) -> list[Finding]:
    """Check the results of each source's fetches; none is fetched."""
    if find_missing_file(scope) is not None:
        return []  # the check `database` reports it
    with closing(Database(scope.settings.database_url)) as database:
        try:
            if find_version(database) != HEAD:
                return []
        except (SQLAlchemyError, Unreachable):
            return []
        with database.read() as session:
            sources = known_sources(session, scope.settings)
            known = [(one, find_source(session, one.name)) for one in sources]
            given = scope.settings.given_topics | {topic for one in sources for topic in one.topics}
            idle = _list_idle_topics(session, scope.settings, given)
            overruled = list_overruled(session, scope.settings)
    found = [judge_source(source, row, scope.clock()) for source, row in known]
    trouble = [finding for finding in found if finding is not None]
    trouble += [_judge_overruled(name, taken) for name, taken in overruled.items()]
    if not known:
        remedy = "write [[sources]], add one at the desk, or add articles by `digest articles add`"
        return [warn("sources", "none is set", remedy)]
    read = [ok("sources", f"{len(known)} of {len(known)} were read without trouble")]
    rest = [judge_topic(digest, topic, scope.settings, given) for digest, topic in idle]
    rest += [judge_news(digest, sources) for digest in scope.settings.digests]
    return (trouble or read) + [finding for finding in rest if finding is not None]


def _list_idle_topics(session: Session, settings: Settings, given: set[str]) -> list[tuple[str, str]]:
    """List the topics of digests that no source, rule or stored article has."""
    return [
        (digest.name, topic)
        for digest in settings.digests
        for topic in digest.topics
        if topic not in given and not _has_article(session, ArticleFilter(topic=topic))
    ]


def _has_article(session: Session, wanted: ArticleFilter) -> bool:
    return next(iter(list_articles(session, wanted, 1)), None) is not None


def judge_topic(digest: str, topic: str, settings: Settings, given: set[str]) -> Finding | None:
    """Judge a topic that nothing has yet: it may still come in, unless another one is spelt much like it."""
    offered = {one for digest in settings.digests for one in digest.topics} - {topic}
    near = meant(topic, given | offered)
    found = f'digest "{digest}" offers "{topic}", which no source, no [[topics]] and no article has{near}'
    remedy = "correct it in [[digests]] topics, or let a [[topics]] find its articles"
    return warn("topics", found, remedy) if near else None


def judge_news(digest: DigestSettings, sources: Sequence[SourceSettings]) -> Finding | None:
    """Warn that news cannot go at once where the sources are fetched rarely."""
    at_once = [name for name in digest.cadences if digest.cadence(name).is_at_once]
    topics = set(digest.topics)
    slow = [
        one.name
        for one in sources
        if one.every > _SOON and (not topics or not one.topics or topics & set(one.topics))
    ]
    if not at_once or not slow:
        return None
    more = f" and {len(slow) - _NAMED} more" if len(slow) > _NAMED else ""
    found = f"{digest.name}/{at_once[0]} sends news at once, and {', '.join(slow[:_NAMED])}{more}"
    found += f" {'is' if len(slow) == 1 else 'are'} fetched less than every 15 minutes"
    return warn("sources", found, 'set `every = "5m"` for the sources that bring news')


def _judge_overruled(name: str, taken: SourceClash) -> Finding:
    """Warn that a source of the desk is not read, because config.toml has one in its place."""
    found = f"{name}, added at the desk, is not read: config.toml has {taken}"
    return warn("sources", found, f"`digest sources remove {name}`, or take the lines out of config.toml")


def judge_source(source: SourceSettings, row: Source | None, now: datetime) -> Finding | None:
    """Judge one source; None if its last fetch succeeded."""
    look = _LOOK.format(source.name)
    if row is not None and row.paused_at is not None:
        return ok("sources", f"{source.name} is paused, by {row.paused_by} on {row.paused_at.date()}")
    if row is None or row.url != source.url or (row.last_success_at is None and row.last_error_at is None):
        return warn("sources", f"{source.name} was not fetched yet", look)
    if row.last_error_at is None or (row.last_success_at and row.last_success_at >= row.last_error_at):
        return None
    since = row.last_success_at
    line = f"{source.name} fails ({row.last_error or 'no reason known'})"
    if since is None:
        return fail("sources", f"{line} and was never read", look)
    if now - since > DEAD:
        return fail("sources", f"{line} and was last read on {since.date()}", look)
    return warn("sources", f"{line} since {since.date()}", look)
