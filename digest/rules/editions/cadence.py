"""When a cadence's editions are due, and which period each belongs to.

Local times follow the zone's rules: a time that a change to summer time skips is moved to the first valid
instant after it; a time that occurs twice in autumn counts the first time only.
"""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from digest.models.cadence import Cadence, Unit, next_day


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One period of a cadence and the instant of its deadline."""

    period: str
    deadline_at: datetime


@dataclass(frozen=True, slots=True)
class Due:
    """The edition to make now, and the periods missed before it."""

    occurrence: Occurrence
    missed: tuple[Occurrence, ...] = ()


def instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Return the first instant at which a local date shows this time; if it is skipped, the end of the
    gap."""
    local = datetime.combine(day, at, tzinfo=zone)
    moment = local.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return moment
    # The wall time does not exist: fold=1 reads it with the offset that holds after the gap, which results in
    # an instant before the change; fold=0 one after it. The change lies between the two.
    low, high = local.replace(fold=1).astimezone(UTC), moment
    return _change_between(low, high, zone)


def _change_between(low: datetime, high: datetime, zone: ZoneInfo) -> datetime:
    before = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        low, high = (middle, high) if middle.astimezone(zone).utcoffset() == before else (low, middle)
    return high.replace(microsecond=0)


def occurrences_on(cadence: Cadence, day: date, zone: ZoneInfo) -> tuple[Occurrence, ...]:
    """Return a local date's occurrences: none, one, or one for each time of day; none on a date that the
    zone skipped."""
    if not cadence.is_on(day):
        return ()
    midnight = instant(day, time(), zone)
    return _slots(cadence, day, zone) if midnight.astimezone(zone).date() == day else ()


def _slots(cadence: Cadence, day: date, zone: ZoneInfo) -> tuple[Occurrence, ...]:
    return tuple(Occurrence(_period(cadence, day, at), instant(day, at, zone)) for at in cadence.times)


def current(cadence: Cadence, now: datetime, zone: ZoneInfo) -> Occurrence:
    """Return the occurrence of the period that `now` lies in, whether its deadline has passed or not.

    If that date, week or month has none (a Saturday, for "Mon-Fri 07:00"), it is the latest one before;
    before the very first, that one.
    """
    if cadence.is_at_once:
        return _news(now, zone)
    today = now.astimezone(zone).date()
    for day in (*_days_of(cadence.unit, today), next_day(cadence, today, -1)):
        slots = occurrences_on(cadence, day, zone) if day is not None else ()
        if slots:
            past = [slot for slot in slots if slot.deadline_at <= now]
            return past[-1] if past else slots[0]
    return following(cadence, now, zone)


def _news(now: datetime, zone: ZoneInfo) -> Occurrence:
    minute = now.replace(second=0, microsecond=0)
    return Occurrence(f"{minute.astimezone(zone):%Y-%m-%dT%H:%M}", minute)


def is_news_due(
    first_seen_at: datetime, made_today: int, now: datetime, gather: timedelta, most_a_day: int
) -> bool:
    """Return whether an edition "at once" is due: its first article has waited, and the day has room for
    one more."""
    return now >= first_seen_at + gather and made_today < most_a_day


def _days_of(unit: Unit, today: date) -> list[date]:
    """List the dates of the date, ISO week or month that a date lies in."""
    if unit is Unit.WEEK:
        monday = today - timedelta(days=today.weekday())
        return [monday + timedelta(days=ahead) for ahead in range(7)]
    if unit is Unit.MONTH:
        return [today.replace(day=number) for number in range(1, monthrange(today.year, today.month)[1] + 1)]
    return [today]


def following(cadence: Cadence, after: datetime, zone: ZoneInfo) -> Occurrence:
    """Return the first occurrence with a deadline later than `after`."""
    if cadence.is_at_once:
        return _news(after + timedelta(minutes=1), zone)
    return next(found for found in _from(cadence, after, zone) if found.deadline_at > after)


def due(cadence: Cadence, since: datetime, now: datetime, zone: ZoneInfo) -> Due | None:
    """Return the latest occurrence with a deadline in (since, now] and those missed before it."""
    found: list[Occurrence] = []
    if cadence.is_at_once:
        return None  # not by the clock: see is_news_due
    for occurrence in _from(cadence, since, zone):
        if occurrence.deadline_at > now:
            break
        if occurrence.deadline_at > since:
            found.append(occurrence)
    return Due(found[-1], tuple(found[:-1])) if found else None


def _from(cadence: Cadence, moment: datetime, zone: ZoneInfo) -> Iterator[Occurrence]:
    day = next_day(cadence, moment.astimezone(zone).date() - timedelta(days=1))
    while day is not None:
        yield from occurrences_on(cadence, day, zone)
        day = next_day(cadence, day + timedelta(days=1))


def _period(cadence: Cadence, day: date, at: time) -> str:
    if cadence.unit is Unit.MONTH:
        return f"{day:%Y-%m}"
    if cadence.unit is Unit.WEEK:
        year, week, _ = day.isocalendar()
        return f"{year}-W{week:02d}"
    return f"{day.isoformat()}T{at:%H:%M}" if len(cadence.times) > 1 else day.isoformat()


def reader_due_at(
    cadence: Cadence, deadline_at: datetime, own_zone: ZoneInfo | None, own_hour: int | None, zone: ZoneInfo
) -> datetime:
    """Return the first instant from the deadline on at the reader's local hour: at most 25 hours later.

    A reader without a zone has the digest's; a reader without an hour has the deadline's local time.
    """
    if cadence.is_at_once:
        return deadline_at
    wall = deadline_at.astimezone(zone)
    at = time(own_hour) if own_hour is not None else time(wall.hour, wall.minute)
    reader_zone = own_zone or zone
    if own_hour is None and own_zone is None:
        return deadline_at
    day = deadline_at.astimezone(reader_zone).date()
    candidates = (instant(day + timedelta(days=ahead), at, reader_zone) for ahead in (0, 1, 2))
    return next(moment for moment in candidates if moment >= deadline_at)


def after_quiet(moment: datetime, quiet: tuple[time, time] | None, zone: ZoneInfo) -> datetime:
    """Return the first instant from a moment on outside of quiet hours, such as 22:00 to 07:00."""
    if quiet is None:
        return moment
    begin, end = quiet
    local = moment.astimezone(zone)
    at, spans_midnight = local.time(), begin > end
    is_quiet = (at >= begin or at < end) if spans_midnight else begin <= at < end
    if not is_quiet:
        return moment
    day = local.date() + timedelta(days=1 if spans_midnight and at >= begin else 0)
    return max(moment, instant(day, end, zone))
