"""What time alone brings about: pauses run out, and who never confirmed is forgotten."""

from datetime import datetime, timedelta

from digest.store.database import Database
from digest.store.editions import snapshots
from digest.store.readers import confirmations, subscribers

KEEP_UNCONFIRMED = timedelta(days=90)
"""As long as the limit of askings looks back, so that forgetting an address does not lift it."""

KEEP_FROZEN = timedelta(days=7)
"""How long a finished edition keeps its articles as they stood: an operator may still repeat a message."""

_BATCH = 500


def keep_house(database: Database, now: datetime) -> None:
    """Let pauses end that have run out; forget what finished editions showed, and who never confirmed."""
    with database.write() as session:
        subscribers.resume_due(session, now)
        snapshots.forget_finished(session, now - KEEP_FROZEN)
    while True:
        with database.write() as session:
            old = confirmations.list_unanswered(session, now - KEEP_UNCONFIRMED, _BATCH)
            if not old:
                return
            confirmations.forget_unanswered(session, old)
