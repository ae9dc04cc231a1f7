"""What `digest status` says: editions, what slows delivery, alerts, workers."""

from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from digest.settings import Settings
from digest.store.database import Database
from digest.tasks.alerts.alerts import list_shown
from digest.tasks.editions.coming import next_occurrence
from digest.tasks.ledger import audit as accounting
from digest.tasks.ledger.workload import describe_workload

_LONGEST = timedelta(minutes=5)
"""How long a note of the facts is kept at most: what is not looked at here is noticed by then."""


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
        until = min([now + _LONGEST, *_deadlines(session, settings, now)]) - timedelta(seconds=1)
    if until <= now or describe_status(database, settings, until) != facts:
        return None
    return until


def _deadlines(session: Session, settings: Settings, now: datetime) -> list[datetime]:
    return [
        next_occurrence(session, settings, digest, cadence, now).deadline_at
        for digest in settings.digests
        for cadence in digest.cadences
        if not digest.cadence(cadence).is_at_once
    ]
