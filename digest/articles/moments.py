"""Read the times that feeds, pages and files state, as aware UTC."""

from datetime import UTC, date, datetime

_EARLIEST = 1970


def moment(value: object) -> datetime | None:
    """Give an ISO 8601 text, a date or a time as aware UTC; None for what is none, or is from before 1970.

    A time without a zone is taken as UTC.
    """
    try:
        read = datetime.fromisoformat(value.strip()) if isinstance(value, str) else value
        if isinstance(read, date) and not isinstance(read, datetime):
            read = datetime(read.year, read.month, read.day)  # noqa: DTZ001 - the zone is set below
        if not isinstance(read, datetime) or read.year < _EARLIEST:
            return None
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
