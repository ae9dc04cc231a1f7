"""Put new and edited articles into the index by which they are found."""

from digest.store.articles import articles, search
from digest.store.database import Database

AT_ONCE = 200
"""How many articles are read at once, and by a page that has added one: an upgrade makes all of them due."""
_A_RUN = 5_000


def index_due(database: Database, most: int = _A_RUN) -> int:
    """Put articles that are new or edited into the index, the last first; return how many were read.

    A run takes a bounded number and the next one goes on: an upgrade makes every article due. Words are made
    between transactions, so that others may write meanwhile.
    """
    done = 0
    while done < most:
        with database.read() as session:
            due = search.list_due(session, min(AT_ONCE, most - done))
        if not due:
            break
        with database.write() as session:
            articles.take_turns(session)
            search.enter(session, due)
        done += len(due)
        database.give_way()
    return done
