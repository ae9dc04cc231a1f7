"""Moments that people type."""

from datetime import datetime, tzinfo

_YEARS = range(1970, 2201)  # beyond, a zone may lead out of what a date can be


def parse_moment(text: str, zone: tzinfo) -> datetime:
    """Parse "2026-11-23T07:00"; without an offset it is in the zone.

    Raise ValueError for what is no time, OverflowError for a year out of range.
    """
    return in_zone(datetime.fromisoformat(text), zone)


def in_zone(moment: datetime, zone: tzinfo) -> datetime:
    """Return a typed moment with an offset; raise OverflowError for one that not every zone can have."""
    if moment.year not in _YEARS:
        raise OverflowError(f"{moment.isoformat()} is out of range: name a year from 1970 to 2200")
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
