"""Which sources there are, and what is stored of each; `known_sources` is the one answer to the first."""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlmodel import Session, col, func, select, update

from digest.models import Article, DeskSource, Source, SourceAct, VariantArticle
from digest.rules.articles.sources import SourceClash, SourceIndex, find_overruled, to_settings
from digest.settings import Settings, SourceSettings
from digest.store.transactions import take_turn

_TURN = 0x736F_7572  # any number that no other lock of ours has


def known_sources(session: Session, settings: Settings) -> tuple[SourceSettings, ...]:
    """Return the sources that there are: config.toml's in its order, then those added at the desk.

    Those of the desk that config.toml overrules are not among them.
    """
    return join_sources(settings, list_added(session))


def join_sources(settings: Settings, added: Sequence[DeskSource]) -> tuple[SourceSettings, ...]:
    """Return config.toml's sources and those of the desk that were read, without those that are overruled."""
    if not added:
        return settings.sources
    overruled = find_overruled(configured_index(settings), added)
    origins = settings.fetch.private_sources
    return settings.sources + tuple(to_settings(one, origins) for one in added if one.name not in overruled)


def list_overruled(session: Session, settings: Settings) -> dict[str, SourceClash]:
    """Return which of the desk's sources config.toml overrules, by name, each with the source that does."""
    return find_overruled(configured_index(settings), list_added(session))


def topics_of_sources(session: Session, settings: Settings) -> dict[str, tuple[str, ...]]:
    """Return the topics that each source gives to its articles, those of removed sources among them: what
    they brought keeps its topics."""
    rows = session.exec(select(DeskSource.name, DeskSource.topics).order_by(DeskSource.name))
    added = {name: tuple(topics) for name, topics in rows}
    return added | {source.name: source.topics for source in settings.sources}


def configured_index(settings: Settings) -> SourceIndex:
    """Return the names and addresses of config.toml's sources."""
    return _index(tuple((source.name, source.url) for source in settings.sources))


@lru_cache(maxsize=4)
def _index(named: tuple[tuple[str, str], ...]) -> SourceIndex:
    # Imported here: it is large, and `status` needs it only where the desk has sources.
    from digest.articles.text.identity import canonical_url

    return SourceIndex.of((name, canonical_url(url)) for name, url in named)


def list_added(session: Session) -> Sequence[DeskSource]:
    """List the sources that were added at the desk and not removed, by name."""
    query = select(DeskSource).where(col(DeskSource.removed_at).is_(None))
    return session.exec(query.order_by(DeskSource.name)).all()


def find_added(session: Session, name: str) -> DeskSource | None:
    """Find a source that was added at the desk, also one that was removed."""
    return session.exec(select(DeskSource).where(DeskSource.name == name)).first()


def take_turns(session: Session) -> None:
    """Lock the adding of sources until the transaction ends."""
    take_turn(session, _TURN)


def change_added(session: Session, name: str, seen: int | None, values: dict[str, Any]) -> bool:
    """Change a source of the desk that is still at the version that was seen; return whether it was.

    None takes it at any version.
    """
    query = update(DeskSource).where(col(DeskSource.name) == name, col(DeskSource.removed_at).is_(None))
    if seen is not None:
        query = query.where(col(DeskSource.version) == seen)
    changed = query.values(version=DeskSource.version + 1, **values)
    return bool(session.exec(changed).rowcount)


def note_act(session: Session, source: str, who: str, act: str, at: datetime) -> None:
    """Record an act on a source."""
    session.add(SourceAct(source=source, at=at, who=who, act=act))


def list_acts(session: Session, source: str, limit: int = 200) -> Sequence[SourceAct]:
    """List the acts on a source, the latest first."""
    query = select(SourceAct).where(SourceAct.source == source)
    return session.exec(query.order_by(col(SourceAct.id).desc()).limit(limit)).all()


def find_source(session: Session, name: str) -> Source | None:
    """Find the stored state of a source."""
    return session.exec(select(Source).where(Source.name == name)).first()


def sources_by_name(session: Session, names: Collection[str] | None = None) -> dict[str, Source]:
    """Return the stored states of sources, of all or of those named."""
    query = select(Source) if names is None else select(Source).where(col(Source.name).in_(names))
    return {source.name: source for source in session.exec(query)}


def state_of(session: Session, name: str, url: str) -> Source:
    """Return the stored state of a source, a fresh one if its address is another one now."""
    row = find_source(session, name) or Source(name=name, url=url)
    if row.url != url:
        row.url, row.failures, row.last_success_at = url, 0, None
        row.feed_url = row.etag = row.last_modified = row.content_hash = row.stopped_at = None
        row.recent = []
    return row


def count_articles(session: Session, source: str) -> int:
    """Count the articles that are stored under a source's name."""
    return session.exec(select(func.count()).where(Article.source == source)).one()


def has_articles(session: Session, source: str) -> bool:
    """Return whether articles are stored under a source's name."""
    return session.exec(select(Article.id).where(Article.source == source).limit(1)).first() is not None


def hide_unsent(session: Session, source: str, now: datetime) -> int:
    """Hide a source's articles that no edition has had; return how many."""
    had = select(VariantArticle.article_id).where(col(VariantArticle.article_id) == col(Article.id)).exists()
    waiting = update(Article).where(col(Article.source) == source, col(Article.hidden_at).is_(None), ~had)
    return session.exec(waiting.values(hidden_at=now)).rowcount
