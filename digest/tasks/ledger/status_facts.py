"""What `digest status` says, and until when that and the rest stay as they are if nobody writes."""

from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from digest.settings import Settings
from digest.store.database import Database
from digest.store.monitoring import gauges
from digest.tasks.alerts.alerts import list_shown
from digest.tasks.editions.coming import list_deadlines
from digest.tasks.ledger import audit as accounting
from digest.tasks.ledger.workload import describe_workload

_LONGEST = timedelta(minutes=5)
"""How long what is not looked up here may wait: alerts, pauses that end, records that expire."""


def describe_status(
    database: Database, settings: Settings, now: datetime, edition: str | None = None
) -> dict[str, Any]:
    """Return {editions, earlier, slowed_by, alerts, workers, queues, listeners, rates}."""
    with database.read() as session:
        rows = accounting.status(session, settings, edition)
        facts = {
            "editions": rows,
            "earlier": accounting.count_earlier(session, rows, edition),
            "slowed_by": accounting.slowed_by(session, settings, now),
            "alerts": list_shown(session, settings, now),
        }
    return facts | describe_workload(database, now)


def find_lasting(
    database: Database, settings: Settings, now: datetime, facts: dict[str, Any]
) -> datetime | None:
    """Return until when the facts of all editions stay as they are if nobody writes; None if unknown.

    No worker may be alive, for it may die, and nothing be under way, whose rate changes. Between `now` and
    the moment that is returned no deadline passes, so whatever depends on the time begins or ends once: what
    is the same at both ends is the same in between.
    """
    if facts["workers"] or facts["listeners"] or facts["rates"]:
        return None
    with database.read() as session:
        until = min([now + _LONGEST, *list_deadlines(session, settings, now)]) - timedelta(seconds=1)
    if until <= now or describe_status(database, settings, until) != facts:
        return None
    return until


def find_next_run(database: Database, settings: Settings, now: datetime) -> datetime | None:
    """Return the first moment at which a run may find something to do, if nobody writes until then.

    That is the next deadline of an edition or the next fetch of a source, and at most five minutes from now.
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
        moments = [now + _LONGEST, *list_deadlines(session, settings, now), *_fetches(session, settings, now)]
    first = min(moments)
    return first if first > now else None


def _fetches(session: Session, settings: Settings, now: datetime) -> list[datetime]:
    """Return when each source is fetched next; `now` for one that was never fetched."""
    # Imported here: it is large, and `status` does not need it.
    from digest.store.articles.sources import known_sources, sources_by_name

    sources = known_sources(session, settings)
    known = sources_by_name(session, [source.name for source in sources])
    moments = []
    for source in sources:
        row = known.get(source.name)
        if row is not None and row.paused_at is not None:
            continue
        if row is None or row.url != source.url:
            moments.append(now)
        elif row.stopped_at is None:
            moments.append(row.next_fetch_at or now)
    return moments
