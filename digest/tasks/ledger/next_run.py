"""When the next run may find something to do, as far as the database and the settings say."""

from datetime import datetime, timedelta

from sqlmodel import Session

from digest.settings import Settings
from digest.store import gauges
from digest.store.articles import articles
from digest.store.database import Database
from digest.tasks.editions.coming import next_occurrence

LONGEST = timedelta(minutes=5)
"""How long what is not looked up here may wait: alerts, pauses that end, records that expire."""


def find_next_run(database: Database, settings: Settings, now: datetime) -> datetime | None:
    """Return the first moment at which a run may find something to do, if nobody writes until then.

    That is the next deadline of an edition or the next fetch of a source, and at most `LONGEST` from now.
    Return None if something is to be done already, or may be at any moment: messages are open, a mailbox is
    read by each run, or a cadence goes out as it happens.
    """
    if settings.inbound.imap is not None or any(
        digest.cadence(cadence).is_at_once for digest in settings.digests for cadence in digest.cadences
    ):
        return None
    with database.read() as session:
        if gauges.is_message_open(session, now):
            return None
        moments = [now + LONGEST, *_deadlines(session, settings, now), *_fetches(session, settings, now)]
    first = min(moments)
    return first if first > now else None


def _deadlines(session: Session, settings: Settings, now: datetime) -> list[datetime]:
    return [
        next_occurrence(session, settings, digest, cadence, now).deadline_at
        for digest in settings.digests
        for cadence in digest.cadences
    ]


def _fetches(session: Session, settings: Settings, now: datetime) -> list[datetime]:
    """Return when each source is fetched next; `now` for one that was never fetched."""
    known = articles.sources_by_name(session, [source.name for source in settings.sources])
    moments = []
    for source in settings.sources:
        row = known.get(source.name)
        if row is None or row.url != source.url:
            moments.append(now)
        elif row.stopped_at is None and row.paused_at is None:
            moments.append(row.next_fetch_at or now)
    return moments
