"""What time alone brings about: pauses run out, and who never confirmed is forgotten."""

from datetime import datetime, timedelta

from digest.rules.readers.sign_up_limits import hour_of
from digest.store.database import Database
from digest.store.editions import snapshots
from digest.store.readers import confirmations, notices, sign_up_counts, subscribers

KEEP_UNCONFIRMED = timedelta(days=90)
"""As long as the limit of askings looks back, so that forgetting an address does not lift it."""

KEEP_FROZEN = timedelta(days=7)
"""How long a finished edition keeps its articles as they stood: an operator may still repeat a message."""

KEEP_NOTICES = timedelta(days=7)
"""How long mail to a reader beside editions is remembered: it names an address."""

KEEP_ORIGINS = timedelta(days=365)
"""How long the record of consent names the client's address, unless the settings say otherwise."""

_BATCH = 500


def keep_house(database: Database, now: datetime, keep_origins: timedelta = KEEP_ORIGINS) -> None:
    """Let pauses end that have run out; forget frozen articles, origins, and who never confirmed."""
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
