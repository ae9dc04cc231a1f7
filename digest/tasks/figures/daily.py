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
_SHOWN = 92


def take_figures(database: Database, settings: Settings, now: datetime) -> int:
    """Count the days that have ended and have no figures yet; return how many.

    What stands now (readers by state, cadence and topic) is entered for the day that ended last; it cannot
    be counted for earlier ones. Two processes may count the same day: the first stands.
    """
    zone = settings.zone
    today = now.astimezone(zone).date()
    days = [(today - timedelta(days=back)).isoformat() for back in range(_LOOKS_BACK, 0, -1)]
    with database.read() as session:
        missing = [day for day in days if day not in figures.known_days(session, days[0])]
        if not missing:
            return 0
        begin, end = _midnight(missing[0], zone), _midnight(today.isoformat(), zone)
        acts = figures.count_acts(session, begin, end, lambda at: at.astimezone(zone).date().isoformat())
        finished = figures.describe_finished(session, begin, end)
        standing = figures.count_readers(session) if missing[-1] == days[-1] else {}
    rows = [_row(day, now, acts, finished, zone) for day in missing]
    rows[-1]["counted"] |= standing
    with database.write() as session:
        insert_new(session, DailyFigures, rows)
    return len(missing)


def list_figures(database: Database, settings: Settings, now: datetime) -> list[DailyFigures]:
    """List the figures of the last three months, the oldest first."""
    first = now.astimezone(settings.zone).date() - timedelta(days=_SHOWN)
    with database.read() as session:
        return figures.list_days(session, first.isoformat())


def _row(day: str, now: datetime, acts: Any, finished: Any, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "day": day,
        "taken_at": now,
        "counted": {
            "acts": dict(acts.get(day, {})),
            "editions": [
                told
                for edition, told in finished
                if edition.finished_at.astimezone(zone).date().isoformat() == day
            ],
        },
    }


def _midnight(day: str, zone: ZoneInfo) -> datetime:
    return datetime.combine(date.fromisoformat(day), time(), zone).astimezone(UTC)
