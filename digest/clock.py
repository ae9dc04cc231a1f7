"""The clock: the only place that reads the time of day, except for log lines and the scheduler's ticks."""

from datetime import UTC, datetime
from functools import cache
from zoneinfo import available_timezones


def utc_now() -> datetime:
    """Return the current time, aware and in UTC."""
    return datetime.now(UTC)


@cache
def time_zones() -> frozenset[str]:
    """Return the names of all time zones; they are read from the disk once."""
    return frozenset(available_timezones())
