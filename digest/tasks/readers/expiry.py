"""What happens by time alone: pauses end, and unconfirmed readers are deleted."""

from datetime import datetime, timedelta

from digest.rules.readers.sign_up_limits import hour_of
from digest.store.database import Database
from digest.store.editions import snapshots
from digest.store.readers import confirmations, notices, sign_up_counts, subscribers

KEEP_UNCONFIRMED = timedelta(days=90)
"""How long unconfirmed addresses are kept, unless the settings say otherwise."""

KEEP_ASKED = timedelta(days=91)
"""How long it is known that a mailbox was asked: a little longer than the limit of requests looks back."""

KEEP_FROZEN = timedelta(days=7)
"""How long a finished edition keeps its articles: an operator may still repeat a message."""

KEEP_NOTICES = timedelta(days=7)
"""How long notices to readers are kept: they contain an address."""

KEEP_ORIGINS = timedelta(days=365)
"""How long consent events keep the client's address, unless the settings say otherwise."""

_BATCH = 500


def keep_house(
    database: Database,
    now: datetime,
    keep_origins: timedelta = KEEP_ORIGINS,
    keep_unconfirmed: timedelta = KEEP_UNCONFIRMED,
) -> None:
    """End pauses whose time is over; delete frozen articles, origins, and unconfirmed readers."""
    with database.write() as session:
        subscribers.resume_due(session, now)
        snapshots.forget_finished(session, now - KEEP_FROZEN)
        notices.forget_notices(session, before=now - KEEP_NOTICES)
        sign_up_counts.forget_counts(session, hour_of(now) - 2, hour_of(now - KEEP_ASKED))
    forgotten = _BATCH
    while forgotten == _BATCH:
        with database.write() as session:
            forgotten = subscribers.forget_addresses(session, now - keep_origins, _BATCH)
            if forgotten:
                confirmations.forget_addresses(session, now - keep_origins)
    while True:
        with database.write() as session:
            old = confirmations.list_unanswered(session, now - keep_unconfirmed, _BATCH)
            if not old:
                return
            confirmations.forget_unanswered(session, old)
