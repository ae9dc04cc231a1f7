"""When a source is requested again: as often as configured, no more often than it asks, at least daily."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.rules.articles.polling import (
    LONGEST,
    after_failure,
    after_success,
    read_minutes,
    read_retry_after,
    read_update_period,
)

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("every", "asked", "pause"),
    [
        (HOUR, None, HOUR),
        (HOUR, 15 * MINUTE, HOUR),
        (HOUR, 6 * HOUR, 6 * HOUR),
        (HOUR, 30 * DAY, DAY),
        (7 * DAY, 30 * DAY, 7 * DAY),
    ],
    ids=["configured", "asks for more", "asks for less", "asks for a month", "configured weekly"],
)
def test_a_source_is_read_as_configured_and_less_often_if_it_asks_but_daily(
    every: timedelta, asked: timedelta | None, pause: timedelta
) -> None:
    assert after_success(NOW, every, asked) == NOW + pause


def test_the_pause_after_failures_doubles_from_a_quarter_of_an_hour_to_a_day() -> None:
    pauses = [after_failure(NOW, failures, None) - NOW for failures in range(10)]

    assert pauses[:3] == [15 * MINUTE, 15 * MINUTE, 30 * MINUTE]
    assert pauses[7:] == [16 * HOUR, DAY, DAY]
    assert after_failure(NOW, 1_000_000, None) == NOW + DAY


@pytest.mark.parametrize(
    ("failures", "asked", "pause"),
    [(1, HOUR, HOUR), (4, HOUR, 2 * HOUR), (1, 3 * DAY, DAY), (1, timedelta(0), 15 * MINUTE)],
)
def test_a_server_that_asks_for_a_longer_pause_gets_it_up_to_a_day(
    failures: int, asked: timedelta, pause: timedelta
) -> None:
    assert after_failure(NOW, failures, asked) == NOW + pause


@pytest.mark.parametrize(
    ("value", "left"),
    [
        ("120", 2 * MINUTE),
        (" 0 ", timedelta(0)),
        ("9" * 5_000, DAY),
        ("Mon, 23 Nov 2026 07:00:00 GMT", HOUR),
        ("Mon, 23 Nov 2026 07:00:00", HOUR),
        ("Mon, 23 Nov 2026 07:00:00 -0000", HOUR),
        ("Mon, 23 Nov 2026 08:00:00 +0100", HOUR),
        ("Fri, 31 Dec 9999 23:59:59 GMT", DAY),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, left: timedelta) -> None:
    assert read_retry_after(value, NOW) == left


@pytest.mark.parametrize(
    "value",
    [
        None, "", "soon", "-5", "1.5", "١٢", "Mon, 23 Nov 2026 06:00:00 GMT", "Mon, 23 Nov 2026 05:00:00 GMT",
        "Mon, 99 Nov 2026 07:00:00 GMT", "Mon, 23 Nov 2026 07:00:00 +9999",
    ],
)  # fmt: skip
def test_a_retry_after_that_is_neither_or_past_counts_as_none(value: str | None) -> None:
    assert read_retry_after(value, NOW) is None


@given(st.text("0123456789 :,-+.MonNvGT", max_size=40))
def test_no_retry_after_of_a_server_stops_us_for_longer_than_a_day(value: str) -> None:
    found = read_retry_after(value, NOW)

    assert found is None or timedelta(0) <= found <= LONGEST


@pytest.mark.parametrize(
    ("period", "frequency", "length"),
    [
        ("hourly", "1", HOUR),
        (" Daily ", "4", 6 * HOUR),
        ("weekly", "", 7 * DAY),
        ("monthly", "0", 30 * DAY),
        ("yearly", "-1", 365 * DAY),
        ("daily", "1234567", DAY),
        ("daily", "²", DAY),
        ("fortnightly", "1", None),
        ("", "2", None),
    ],
)
def test_a_feed_may_say_how_often_it_is_updated(
    period: str, frequency: str, length: timedelta | None
) -> None:
    assert read_update_period(period, frequency) == length


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("60", HOUR), (" 5\n", 5 * MINUTE), ("0", None), ("", None), ("-5", None), ("1h", None),
        ("1234567", None), ("٥", None),
    ],
)  # fmt: skip
def test_a_ttl_is_minutes(text: str, length: timedelta | None) -> None:
    assert read_minutes(text) == length
