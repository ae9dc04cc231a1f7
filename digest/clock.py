"""The clock: the only place that reads the time of day, except for log lines and the scheduler's ticks."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the current time, aware and in UTC."""
    return datetime.now(UTC)
