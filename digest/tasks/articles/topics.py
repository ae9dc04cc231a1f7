"""Derive the topics of stored articles again when the settings that they depend on have changed."""

from sqlmodel import Session

from digest.rules.articles.topics import Topics
from digest.settings import Settings
from digest.store.articles import articles, topics
from digest.store.articles.sources import topics_of_sources
from digest.store.database import Database

_AT_ONCE = 500


def topics_by(session: Session, settings: Settings) -> Topics:
    """Return what derives topics by these settings and by the sources of the desk."""
    return Topics(settings.topics, topics_of_sources(session, settings))


def renew_topics(database: Database, made_by: Topics) -> int:
    """Derive the topics of every stored article again; return how many changed.

    This makes no article new: no reader gets it again. Articles in messages that have not been sent stay
    unchanged, and the next run checks again.
    """
    with database.read() as session:
        if topics.find_key(session) == made_by.key:
            return 0
    changed, kept, last = 0, 0, 0
    while True:
        with database.write() as session:
            articles.take_turns(session)
            rows = topics.list_called(session, after_id=last, count=_AT_ONCE)
            if not rows:
                if not kept:
                    topics.note_key(session, made_by.key)
                return changed
            wanted = {row.id: made for row in rows if (made := _made(made_by, row)) != list(row.topics)}
            sending = topics.list_under_way(session, wanted)
            topics.set_topics(session, {n: made for n, made in wanted.items() if n not in sending})
            changed, kept, last = changed + len(wanted) - len(sending), kept + len(sending), rows[-1].id


def _made(made_by: Topics, row: topics.TopicFacts) -> list[str]:
    return made_by.make(row.source, row.categories, row.elsewhere, row.url, row.title)
