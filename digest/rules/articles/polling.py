"""Decide when a source is requested again."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

LONGEST = timedelta(days=1)
_FIRST_RETRY = timedelta(minutes=15)
_UPDATE_PERIODS = {
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "weekly": timedelta(days=7),
    "monthly": timedelta(days=30),
    "yearly": timedelta(days=365),
}


def after_success(now: datetime, every: timedelta, asked: timedelta | None) -> datetime:
    """Return the next time: as often as configured, but no more often than the source asks, and at least
    daily."""
    return now + max(every, min(asked or timedelta(0), LONGEST))


def after_failure(now: datetime, failures: int, asked: timedelta | None) -> datetime:
    """Return the next time after a number of failures in a row: the pause doubles from 15 minutes to a
    day."""
    doubled: timedelta = _FIRST_RETRY * 2 ** min(max(failures, 1) - 1, 10)
    return now + min(max(doubled, asked or timedelta(0)), LONGEST)


def read_retry_after(value: str | None, now: datetime) -> timedelta | None:
    """Parse Retry-After, seconds or an HTTP date (RFC 9110 10.2.3); None if it is neither, or past."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=int(text[:9])), LONGEST)
    try:
        at = parsedate_to_datetime(text)
        left = (at if at.tzinfo else at.replace(tzinfo=UTC)) - now
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return min(left, LONGEST) if left > timedelta(0) else None


def read_update_period(period: str, frequency: str) -> timedelta | None:
    """Parse sy:updatePeriod and sy:updateFrequency (RSS 1.0 syndication module)."""
    length = _UPDATE_PERIODS.get(period.strip().lower())
    times = int(frequency) if frequency.isascii() and frequency.isdigit() and len(frequency) < 7 else 1
    return length / max(times, 1) if length else None


def read_minutes(text: str) -> timedelta | None:
    """Parse an RSS ttl, which is in minutes."""
    digits = text.strip()
    is_number = digits.isascii() and digits.isdigit() and len(digits) < 7
    return timedelta(minutes=int(digits)) if is_number and int(digits) else None
