"""Moments that people type, in options and on the desk."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from digest.rules.moments import parse_moment

PARIS = ZoneInfo("Europe/Paris")


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-23T07:00", datetime(2026, 11, 23, 6, tzinfo=UTC)),
        ("2026-11-23", datetime(2026, 11, 22, 23, tzinfo=UTC)),
        ("2026-11-23T07:00-05:00", datetime(2026, 11, 23, 12, tzinfo=UTC)),
        ("2200-12-31T00:00Z", datetime(2200, 12, 31, tzinfo=UTC)),
    ],
)
def test_a_moment_without_an_offset_is_in_the_zone(text: str, at: datetime) -> None:
    assert parse_moment(text, PARIS) == at


@pytest.mark.parametrize("text", ["", "7:00", "tomorrow", "2026-13-01", "2026-11-23T25:00"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"isoformat|must be in"):
        parse_moment(text, PARIS)


@pytest.mark.parametrize("text", ["0001-01-01", "1969-12-31T23:59", "2201-01-01", "9999-12-31T23:59"])
def test_a_year_that_not_every_zone_can_have_is_out_of_range(text: str) -> None:
    with pytest.raises(OverflowError, match="name a year from 1970 to 2200"):
        parse_moment(text, PARIS)
