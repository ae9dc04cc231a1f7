"""Count what would take a page too long: finished editions, and the readers of large cadences."""

from datetime import datetime, timedelta

from digest.models import CadenceReaders
from digest.settings import Settings
from digest.store.database import Database
from digest.store.editions import cadence_readers, edition_sums

_AT_ONCE = 10
_EVERY = timedelta(hours=1)


def keep_sums(database: Database, settings: Settings, now: datetime) -> int:
    """Count the editions that have finished and the readers of each cadence; return how many were counted.

    Each is counted outside of the transaction that keeps it, so that it holds nobody up. A run counts a
    bounded number of editions and the next one goes on, the last ones first. Readers are counted each hour.
    """
    with database.read() as session:
        waiting = edition_sums.list_uncounted(session, _AT_ONCE)
    for edition in waiting:
        with database.read() as session:
            counted = edition_sums.count_edition(session, edition)
        with database.write() as session:
            edition_sums.keep_edition(session, counted)
    return len(waiting) + _keep_readers(database, settings, now)


def _keep_readers(database: Database, settings: Settings, now: datetime) -> int:
    with database.read() as session:
        if not cadence_readers.is_large(session):
            return 0
        due = [
            (digest.name, cadence)
            for digest in settings.digests
            for cadence in digest.cadences
            if _is_old(cadence_readers.find_readers(session, digest.name, cadence), now)
        ]
    for digest, cadence in due:
        with database.read() as session:
            counted = cadence_readers.count_cadence(session, digest, cadence, now)
        with database.write() as session:
            cadence_readers.keep_readers(session, counted)
    return len(due)


def _is_old(kept: CadenceReaders | None, now: datetime) -> bool:
    return kept is None or not kept.counted_at <= now < kept.counted_at + _EVERY
