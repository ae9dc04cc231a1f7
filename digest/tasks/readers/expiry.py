"""What happens by time alone: pauses end, and unconfirmed readers are deleted."""

from datetime import datetime, timedelta

from digest.rules.readers.sign_up_limits import hour_of
from digest.store.database import Database
from digest.store.editions import snapshots
from digest.store.readers import confirmations, notices, sign_up_counts, subscribers

KEEP_UNCONFIRMED = timedelta(days=90)
"""As long as the limit of requests looks back, so that deleting an address does not lift the limit."""

KEEP_FROZEN = timedelta(days=7)
"""How long a finished edition keeps its articles: an operator may still repeat a message."""

KEEP_NOTICES = timedelta(days=7)
"""How long notices to readers are kept: they contain an address."""

KEEP_ORIGINS = timedelta(days=365)
"""How long consent events keep the client's address, unless the settings say otherwise."""

_BATCH = 500


def keep_house(database: Database, now: datetime, keep_origins: timedelta = KEEP_ORIGINS) -> None:
    """End pauses whose time is over; delete frozen articles, origins, and unconfirmed readers."""
    with database.write() as session:
        subscribers.resume_due(session, now)
        snapshots.forget_finished(session, now - KEEP_FROZEN)
        notices.forget_notices(session, before=now - KEEP_NOTICES)
        sign_up_counts.forget_counts(session, hour_of(now) - 2)
    forgotten = _BATCH
    while forgotten == _BATCH:
        with database.write() as session:
            forgotten = subscribers.forget_addresses(session, now - keep_origins, _BATCH)
            if forgotten:
                confirmations.forget_addresses(session, now - keep_origins)
    while True:
        with database.write() as session:
            old = confirmations.list_unanswered(session, now - KEEP_UNCONFIRMED, _BATCH)
            if not old:
                return
            confirmations.forget_unanswered(session, old)
