"""When editions are due: calendars, zones and their changes."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest

from digest.models.cadence import Cadence
from digest.rules.editions import cadence as calendar

PARIS = ZoneInfo("Europe/Paris")
DAILY = Cadence.parse("daily", "07:00")
WEEKLY = Cadence.parse("weekly", "Mon 07:00")
MONTHLY = Cadence.parse("monthly", "1 07:00")
TWICE = Cadence.parse("twice", "17:00, 07:00")


def at(text: str) -> datetime:
    """Read a time of Paris."""
    return datetime.fromisoformat(text).replace(tzinfo=PARIS).astimezone(UTC)


@pytest.mark.parametrize(
    ("cadence", "now", "period"),
    [
        (DAILY, "2026-11-23T06:00", "2026-11-23"),
        (WEEKLY, "2026-11-26T06:00", "2026-W48"),
        (MONTHLY, "2026-11-26T06:00", "2026-11"),
        (TWICE, "2026-11-26T06:00", "2026-11-26T07:00"),
        (TWICE, "2026-11-26T18:00", "2026-11-26T17:00"),
    ],
)
def test_the_current_period_is_the_calendar_unit_that_now_lies_in(
    cadence: Cadence, now: str, period: str
) -> None:
    assert calendar.current(cadence, at(now), PARIS).period == period


def test_nothing_is_due_between_two_deadlines() -> None:
    assert calendar.due(DAILY, at("2026-11-23T07:00"), at("2026-11-24T06:59"), PARIS) is None


def test_an_edition_is_due_at_its_very_deadline() -> None:
    found = calendar.due(DAILY, at("2026-11-23T07:00"), at("2026-11-24T07:00"), PARIS)

    assert found is not None
    assert (found.occurrence.period, found.missed) == ("2026-11-24", ())


def test_after_downtime_the_latest_period_is_due_and_the_others_are_missed() -> None:
    found = calendar.due(DAILY, at("2026-11-20T07:00"), at("2026-11-23T09:00"), PARIS)

    assert found is not None
    assert found.occurrence.period == "2026-11-23"
    assert [missed.period for missed in found.missed] == ["2026-11-21", "2026-11-22"]


def test_a_time_in_a_spring_gap_fires_at_the_gaps_first_valid_instant() -> None:
    assert calendar.instant(date(2026, 3, 29), time(2, 30), PARIS) == datetime(2026, 3, 29, 1, tzinfo=UTC)


def test_a_time_in_an_autumn_fold_fires_the_first_time_only() -> None:
    slot = Cadence.parse("night", "02:30")
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)

    assert [o.deadline_at for o in calendar.occurrences_on(slot, date(2026, 10, 25), PARIS)] == [first]
    assert calendar.due(slot, first, first + timedelta(hours=2), PARIS) is None


def test_a_date_that_a_zone_skipped_has_no_edition() -> None:
    assert calendar.occurrences_on(DAILY, date(2011, 12, 30), ZoneInfo("Pacific/Apia")) == ()


@pytest.mark.parametrize("hour", ["00:30", "02:30", "23:30"])
def test_every_date_of_every_zone_fires_once_around_its_changes(hour: str) -> None:
    """Walk each zone's changes of 2026 and 2027 and look at the three days around each."""
    cadence = Cadence.parse("daily", hour)
    for name in sorted(available_timezones()):
        zone = ZoneInfo(name)
        for day in _days_with_a_change(zone, 2026, 2027):
            periods = [
                occurrence.period
                for offset in (-1, 0, 1)
                for occurrence in calendar.occurrences_on(cadence, day + timedelta(days=offset), zone)
            ]
            assert periods == [(day + timedelta(days=offset)).isoformat() for offset in (-1, 0, 1)], name


def _days_with_a_change(zone: ZoneInfo, first: int, last: int) -> list[date]:
    found, day = [], date(first, 1, 1)
    while day < date(last, 12, 30):
        today, tomorrow = (datetime.combine(d, time(), tzinfo=zone) for d in (day, day + timedelta(days=1)))
        if today.utcoffset() != tomorrow.utcoffset():
            found.append(day)
        day += timedelta(days=1)
    return found


@pytest.mark.parametrize(
    ("zone", "hour", "expected"),
    [
        (None, None, "2026-11-23T06:00+00:00"),  # the digest's own zone and hour
        ("America/New_York", None, "2026-11-23T12:00+00:00"),
        ("Asia/Yerevan", None, "2026-11-24T03:00+00:00"),  # 07:00 there has passed
        (None, 9, "2026-11-23T08:00+00:00"),
        ("Asia/Tokyo", 18, "2026-11-23T09:00+00:00"),
    ],
)
def test_a_delivery_is_due_at_the_readers_local_hour(
    zone: str | None, hour: int | None, expected: str
) -> None:
    deadline = datetime(2026, 11, 23, 6, tzinfo=UTC)

    due_at = calendar.reader_due_at(DAILY, deadline, ZoneInfo(zone) if zone else None, hour, PARIS)

    assert due_at == datetime.fromisoformat(expected)


def test_a_readers_delivery_is_never_more_than_25_hours_after_the_deadline() -> None:
    deadline = datetime(2026, 10, 25, 6, tzinfo=UTC)
    for name in available_timezones():
        for hour in range(24):
            wait = calendar.reader_due_at(DAILY, deadline, ZoneInfo(name), hour, PARIS) - deadline
            assert timedelta(0) <= wait <= timedelta(hours=25), name


@pytest.mark.parametrize(
    "text", ["7 o'clock", "25:00", "Mon", "31 07:00", "07:00, 07:00", "", "Mon 07:00, 08:00"]
)
def test_a_cadence_that_cannot_be_read_is_refused_with_its_text(text: str) -> None:
    with pytest.raises(ValueError, match=text or "no cadence"):
        Cadence.parse("x", text)
