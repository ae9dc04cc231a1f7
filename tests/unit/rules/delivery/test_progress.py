"""The pace of an edition: messages a second over the last minute, and when it will be done."""

from datetime import UTC, datetime, timedelta

from digest.rules.delivery.progress import pace

NOW = datetime(2026, 11, 23, 7, tzinfo=UTC)


def test_the_rate_is_that_of_the_last_minute_and_tells_how_long_the_rest_takes() -> None:
    found = pace(1200, 3600, frozen_at=NOW - timedelta(hours=1), now=NOW)

    assert found.rate == 20
    assert found.left == timedelta(minutes=3)
    assert found.words == "20 messages a second over the last minute; done in about 3 minutes"


def test_an_edition_frozen_ten_seconds_ago_is_measured_over_ten_seconds() -> None:
    assert pace(50, 5, frozen_at=NOW - timedelta(seconds=10), now=NOW).rate == 5
    assert pace(50, 5, frozen_at=NOW, now=NOW).rate == 50, "a clock that stands still divides by nothing"


def test_where_nothing_was_accepted_nobody_can_tell_the_end() -> None:
    found = pace(0, 5, frozen_at=None, now=NOW)

    assert found.left is None
    assert found.words == "nothing was accepted in the last minute"


def test_hours_are_told_as_hours() -> None:
    assert pace(60, 36_000, frozen_at=None, now=NOW).words.endswith("done in about 10 hours")
    assert pace(60, 0, frozen_at=None, now=NOW).words.endswith("done in less than a minute")
