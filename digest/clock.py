"""The clock: the only place that reads the time of day, except for log lines and the scheduler's ticks."""

from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

_NOT_NAMES = ("posix/", "right/", "posixrules")
"""Copies of the zones that systems keep beside them; `available_timezones` leaves them out as well."""


def utc_now() -> datetime:
    """Return the current time, aware and in UTC."""
    return datetime.now(UTC)


@cache
def time_zones() -> frozenset[str]:
    """Return the names of all time zones; they are read from the disk once."""
    return frozenset(available_timezones())


def is_time_zone(name: str) -> bool:
    """Return whether there is a time zone of this name; only its own file is read."""
    try:
        return not name.startswith(_NOT_NAMES) and bool(ZoneInfo(name))
    except (ValueError, OSError, LookupError):  # a path that leads elsewhere, a folder, or nothing
        return False
