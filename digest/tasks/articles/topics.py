"""Make the topics of stored articles anew when the settings that they are made by have changed."""

from digest.rules.articles.topics import Topics
from digest.settings import Settings
from digest.store.articles import articles, topics
from digest.store.database import Database

_AT_ONCE = 500


def topics_by(settings: Settings) -> Topics:
    """Return what makes topics by these settings."""
    return Topics(settings.topics, {source.name: source.topics for source in settings.sources})


def renew_topics(database: Database, made_by: Topics) -> int:
    """Make the topics of every stored article anew; return how many changed.

    No article is new by that: a reader who has one does not get it again. One that stands in messages which
    are not out yet stays as it is, and the next run looks again.
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
