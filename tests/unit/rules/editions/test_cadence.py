"""When editions are due: calendars, zones and their changes."""

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.models.cadence import Cadence
from digest.rules.editions import cadence as calendar
from tests.faults.zones import KINDS, changes, faults_on

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


def test_every_kind_of_cadence_fires_once_around_the_changes_of_every_zone() -> None:
    """Check a sample; `python -m tests.faults.zones` walks all changes from 2000 to 2037."""
    faults = [
        fault
        for name in sorted(available_timezones())[::4]
        for day in changes(ZoneInfo(name), 2026, 2027)
        for ahead in (-1, 0)
        for fault in faults_on(day + timedelta(days=ahead), ZoneInfo(name))
    ]
    assert not faults


@pytest.mark.parametrize(
    "zone", ["Pacific/Apia", "Pacific/Kwajalein", "Pacific/Kiritimati", "America/Juneau"]
)
def test_a_zone_that_skipped_or_repeated_a_whole_day_fires_once_on_each_date_that_exists(zone: str) -> None:
    found = [
        fault
        for day in changes(ZoneInfo(zone), 1990, 2012)
        for ahead in (-2, -1, 0, 1)
        for fault in faults_on(day + timedelta(days=ahead), ZoneInfo(zone))
    ]
    assert not found


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
    "text",
    [
        "7 o'clock",
        "25:00",
        "Mon",
        "31 07:00",
        "07:00, 07:00",
        "",
        "Mon 07:00, 7:00",
        "fortnightly 07:00",
        "weekly 07:00",
        "2w Blah 07:00",
        "first 07:00",
        "13pm",
    ],
)
def test_a_cadence_that_cannot_be_read_is_refused_with_its_text(text: str) -> None:
    with pytest.raises(ValueError, match=text or "not a cadence"):
        Cadence.parse("x", text)


def dates(text: str, count: int = 4, *closed: str) -> list[str]:
    """List the next editions of a cadence, as Paris sees them from 26 November 2026 on, a Thursday."""
    cadence, moment = Cadence.parse("x", text, frozenset(closed)), at("2026-11-26T00:00")
    found: list[str] = []
    while len(found) < count:
        occurrence = calendar.following(cadence, moment, PARIS)
        found.append(f"{occurrence.deadline_at.astimezone(PARIS):%m-%d %H:%M}")
        moment = occurrence.deadline_at
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7:00", ["11-26 07:00", "11-27 07:00", "11-28 07:00"]),
        ("daily 07:00", ["11-26 07:00", "11-27 07:00"]),
        ("17:00, 07:00", ["11-26 07:00", "11-26 17:00", "11-27 07:00"]),
        ("Mon-Fri 07:00", ["11-26 07:00", "11-27 07:00", "11-30 07:00"]),
        ("weekdays 07:00", ["11-26 07:00", "11-27 07:00", "11-30 07:00"]),
        ("weekends 09:00", ["11-28 09:00", "11-29 09:00", "12-05 09:00"]),
        ("Fri-Mon 06:00", ["11-27 06:00", "11-28 06:00", "11-29 06:00", "11-30 06:00", "12-04 06:00"]),
        ("Mon, Thu 18:00", ["11-26 18:00", "11-30 18:00", "12-03 18:00"]),
        ("monday and thursday 18:00", ["11-26 18:00", "11-30 18:00", "12-03 18:00"]),
        ("every 2 weeks Mon 07:00 from 2026-11-30", ["11-30 07:00", "12-14 07:00", "12-28 07:00", "01-11 07:00"]),
        ("every other week on Wed 07:00 from 2026-11-30", ["12-02 07:00", "12-16 07:00"]),
        ("2w Mon 07:00", ["11-30 07:00", "12-14 07:00", "12-28 07:00"]),
        ("2w Mon 07:00 from 2026-12-07", ["12-07 07:00", "12-21 07:00"]),
        ("fortnightly on Mondays at 07:00", ["11-30 07:00", "12-14 07:00"]),
        ("biweekly Mon 07:00", ["11-30 07:00", "12-14 07:00"]),
        ("every 3 weeks on Tuesday at 9:30 from 2026-12-01", ["12-01 09:30", "12-22 09:30"]),
        ("weekly Mon 07:00", ["11-30 07:00", "12-07 07:00"]),
        ("every Monday at 07:00", ["11-30 07:00", "12-07 07:00"]),
        ("every weekday at 7:30", ["11-26 07:30", "11-27 07:30", "11-30 07:30"]),
        ("every day 07:00", ["11-26 07:00", "11-27 07:00"]),
        ("Mon/Wed/Fri 07:00", ["11-27 07:00", "11-30 07:00", "12-02 07:00"]),
        ("Mon Wed Fri 07:00", ["11-27 07:00", "11-30 07:00", "12-02 07:00"]),
        ("Mon \u2013 Wed 07:00", ["11-30 07:00", "12-01 07:00", "12-02 07:00", "12-07 07:00"]),
        ("monthly 07:00", ["12-01 07:00", "01-01 07:00"]),
        ("monthly on the 15th at 07:00", ["12-15 07:00", "01-15 07:00"]),
        ("1st and 15th 07:00", ["12-01 07:00", "12-15 07:00"]),
        ("first Monday of the month 07:00", ["12-07 07:00", "01-04 07:00"]),
        ("1 07:00", ["12-01 07:00", "01-01 07:00"]),
        ("1, 15 07:00", ["12-01 07:00", "12-15 07:00", "01-01 07:00"]),
        ("last 07:00", ["11-30 07:00", "12-31 07:00", "01-31 07:00", "02-28 07:00"]),
        ("first Mon 07:00", ["12-07 07:00", "01-04 07:00"]),
        ("last Fri 07:00, 18:00", ["11-27 07:00", "11-27 18:00", "12-25 07:00"]),
        ("Mon 07:00 17:00", ["11-30 07:00", "11-30 17:00", "12-07 07:00"]),
        ("Monday 7am", ["11-30 07:00", "12-07 07:00"]),
        ("every day at 12 am and 6:30 pm", ["11-26 18:30", "11-27 00:00"]),
        ("12 pm and 6 pm", ["11-26 12:00", "11-26 18:00"]),
        ("30 6 * * 1-5", ["11-26 06:30", "11-27 06:30", "11-30 06:30"]),
        ("0 7,17 1 * *", ["12-01 07:00", "12-01 17:00", "01-01 07:00"]),
    ],
)  # fmt: skip
def test_a_cadence_is_written_in_words_or_as_a_cron_expression(text: str, expected: list[str]) -> None:
    assert dates(text, len(expected)) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("25:00", '"25:00" is not a time; write "07:00"'),
        ("Mon-Fri 7", '"Mon-Fri" is understood, "7" is not a time; write "Mon-Fri 07:00"'),
        ("every day at 24:00", '"every day" is understood, "24:00" is not a time; write "every day 07:00"'),
        ("Mon, Thu", 'it has days and no time; write "Mon, Thu 07:00"'),
        ("", 'it is empty; write "07:00"'),
        ("Mon-Fry 07:00", '"07:00" is understood, "Fry" is not a weekday; did you mean "Friday"?'),
        ("fortnightly 07:00", '"fortnightly" is understood, but no weekday is named; write "fortnightly Mon 07:00"'),
        ("every 2 weeks at 7am", 'no weekday is named; write "every 2 weeks Mon 7am"'),
        ("Every week", 'it has no weekday and no time; write "every week Mon 07:00"'),
        ("first 07:00", 'no weekday is named; write "first Mon 07:00"'),
        ("Mon-Fri 07:00, Sat  9 am", 'make two of it, such as "Mon-Fri 07:00" and "Sat 9 am"'),
    ],
)  # fmt: skip
def test_a_cadence_that_cannot_be_read_names_what_was_understood(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        Cadence.parse("x", text)


def test_dates_without_an_edition_are_of_each_year_or_of_one() -> None:
    assert dates("07:00", 3, "11-27", "2026-11-28") == ["11-26 07:00", "11-29 07:00", "11-30 07:00"]
    assert dates("1 07:00", 2, "2027-01-01") == ["12-01 07:00", "02-01 07:00"]


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("Mon-Fri 07:00", "2026-11-23"), ("Mon 07:00", "2026-W48"), ("Mon 07:00, 18:00", "2026-11-23T07:00"),
        ("last 07:00", "2026-11"), ("first Mon 07:00", "2026-11"), ("1, 15 07:00", "2026-11-15"),
        ("every 2 weeks Mon 07:00 from 2026-11-23", "2026-W48"), ("0 7 * * *", "2026-11-23"),
    ],
)  # fmt: skip
def test_a_period_is_the_calendar_unit_of_the_cadence(text: str, period: str) -> None:
    assert calendar.current(Cadence.parse("x", text), at("2026-11-23T08:00"), PARIS).period == period


def test_a_day_without_an_edition_is_in_the_period_of_the_latest_one() -> None:
    saturday = at("2026-11-28T12:00")
    assert calendar.current(Cadence.parse("x", "Mon-Fri 07:00"), saturday, PARIS).period == "2026-11-27"
    fortnight = Cadence.parse("x", "every 2 weeks Mon 07:00 from 2026-11-30")
    assert calendar.current(fortnight, at("2026-12-09T12:00"), PARIS).period == "2026-W49"
    assert calendar.current(fortnight, saturday, PARIS).period == "2026-W49", "before the first: that one"


@given(
    kind=st.sampled_from(KINDS), zone=st.sampled_from(["Europe/Paris", "America/New_York", "Australia/Lord_Howe"]),
    start=st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)),  # noqa: DTZ001
    ticks=st.lists(st.integers(1, 60 * 24 * 3), min_size=1, max_size=60),
)  # fmt: skip
def test_however_the_clock_ticks_each_period_is_due_or_missed_exactly_once(
    kind: str, zone: str, start: datetime, ticks: list[int]
) -> None:
    cadence, info = Cadence.parse("x", kind), ZoneInfo(zone)
    since = now = first = start.replace(tzinfo=UTC)
    seen: list[calendar.Occurrence] = []
    for minutes in ticks:
        now += timedelta(minutes=minutes)
        found = calendar.due(cadence, since, now, info)
        if found is not None:
            seen.extend((*found.missed, found.occurrence))
            since = found.occurrence.deadline_at
    expected, moment = [], first
    while (following := calendar.following(cadence, moment, info)).deadline_at <= now:
        expected.append(following)
        moment = following.deadline_at
    assert [one.deadline_at for one in seen] == [one.deadline_at for one in expected]
    assert len({one.period for one in seen}) == len(seen)
