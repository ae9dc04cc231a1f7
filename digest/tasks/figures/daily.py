"""Take each day's figures once it has ended, the missed days of the last month included."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from digest.models.ledger import DailyFigures
from digest.settings import Settings
from digest.store import figures
from digest.store.database import Database
from digest.store.readers.subscribers import insert_new

_LOOKS_BACK = 30
_AT_ONCE = 5
_SHOWN = 92


def take_figures(database: Database, settings: Settings, now: datetime) -> int:
    """Count the days that have ended and have no figures yet, the latest first; return how many.

    A run counts a few days and the next one goes on, each in transactions of its own, so that a large
    publication's first figures hold nothing up. What stands now (readers by state, cadence and topic) is
    entered for the day that ended last; it cannot be counted for earlier ones. Two processes may count the
    same day: the first stands.
    """
    zone = settings.zone
    today = now.astimezone(zone).date()
    days = [today - timedelta(days=back) for back in range(1, _LOOKS_BACK + 1)]
    with database.read() as session:
        known = figures.known_days(session, days[-1].isoformat())
    missing = [day for day in days if day.isoformat() not in known][:_AT_ONCE]
    for day in missing:
        counted = _count(database, day, zone)
        if day == days[0]:
            with database.read() as session:
                counted |= figures.count_readers(session)
        row = {"day": day.isoformat(), "taken_at": now, "counted": counted}
        with database.write() as session:
            insert_new(session, DailyFigures, [row])
    return len(missing)


def _count(database: Database, day: date, zone: ZoneInfo) -> dict[str, Any]:
    begin, end = _midnight(day, zone), _midnight(day + timedelta(days=1), zone)
    with database.read() as session:
        acts = figures.count_acts(session, begin, end)
        letters = figures.count_letters(session, begin, end)
    with database.read() as session:
        return {"acts": acts, "letters": letters, "editions": figures.describe_finished(session, begin, end)}


def list_figures(database: Database, settings: Settings, now: datetime) -> list[DailyFigures]:
    """List the figures of the last three months, the oldest first."""
    first = now.astimezone(settings.zone).date() - timedelta(days=_SHOWN)
    with database.read() as session:
        return figures.list_days(session, first.isoformat())


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
