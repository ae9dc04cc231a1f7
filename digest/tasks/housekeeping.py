"""What time alone brings about: pauses run out, and who never confirmed is forgotten."""

from datetime import datetime, timedelta

from digest.store import confirmations, subscribers
from digest.store.database import Database

KEEP_UNCONFIRMED = timedelta(days=90)
"""As long as the limit of askings looks back, so that forgetting an address does not lift it."""

_BATCH = 500


def keep_house(database: Database, now: datetime) -> None:
    """Let pauses end that have run out, and forget addresses that were asked long ago and never confirmed."""
    with database.write() as session:
        subscribers.resume_due(session, now)
    while True:
        with database.write() as session:
            old = confirmations.list_unanswered(session, now - KEEP_UNCONFIRMED, _BATCH)
            if not old:
                return
            confirmations.forget_unanswered(session, old)
