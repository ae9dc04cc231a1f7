"""A cadence "at once": what is new leaves within minutes, not at night, and never twice."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from digest.models.cadence import Cadence
from digest.rules.editions.cadence import after_quiet
from digest.settings import DigestSettings
from digest.tasks.editions import candidates
from tests.support.compilation import NOW, Newsroom

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def newsroom(newsroom: Newsroom) -> Newsroom:
    """Return a newsroom with a cadence "at once" and a daily one, which both have begun."""
    newsroom.digest = digest(newsroom, cadences={"news": "at once", "daily": "07:00"})
    newsroom.compile(at_once=False)
    return newsroom


def digest(newsroom: Newsroom, **changed: object) -> DigestSettings:
    return newsroom.digest.model_copy(update=changed)


def periods(newsroom: Newsroom, now: datetime) -> list[str]:
    """Compile, and return the periods of the editions that were made."""
    return [one.period for one in newsroom.compile(now, at_once=False) if one.made]


def test_news_is_gathered_first_and_leaves_once(newsroom: Newsroom) -> None:
    reader = newsroom.subscribe("world", cadence="news")
    first = newsroom.publish("world", at=NOW + 1 * MINUTE)
    assert periods(newsroom, NOW + 10 * MINUTE) == []
    second = newsroom.publish("world", at=NOW + 10 * MINUTE)
    assert periods(newsroom, NOW + 11 * MINUTE) == ["2026-11-23T07:16"]
    assert periods(newsroom, NOW + 12 * MINUTE) == []
    assert [sorted(one) for one in newsroom.lists("news")[reader]] == [[first, second]]


def test_what_was_seen_just_before_an_edition_is_in_it_and_no_news_after_it(newsroom: Newsroom) -> None:
    reader, seconds = newsroom.subscribe("world", cadence="news"), timedelta(seconds=1)
    first = newsroom.publish("world", at=NOW + MINUTE)
    second = newsroom.publish("world", at=NOW + 15 * MINUTE + 3 * seconds)  # fetched by the same run
    assert periods(newsroom, NOW + 15 * MINUTE + 5 * seconds) == ["2026-11-23T07:20"]
    assert periods(newsroom, NOW + 40 * MINUTE) == []
    assert [sorted(one) for one in newsroom.lists("news")[reader]] == [[first, second]]


def test_others_write_while_it_is_looked_whether_there_is_news(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digest.store.database._BUSY_MS", 10)
    readers, look = list[int](), candidates.first_news

    def subscribe_meanwhile(*given: Any) -> datetime | None:
        readers.append(newsroom.subscribe("world", cadence="news"))
        return look(*given)

    monkeypatch.setattr("digest.tasks.editions.compiling.first_news", subscribe_meanwhile)
    newsroom.compile(NOW + HOUR, at_once=False)

    assert readers


def test_what_no_reader_wants_makes_no_edition(newsroom: Newsroom) -> None:
    newsroom.subscribe("science", cadence="news")
    newsroom.publish("world", at=NOW + MINUTE)
    assert periods(newsroom, NOW + HOUR) == []


def test_who_signs_up_for_news_gets_what_comes_afterwards(newsroom: Newsroom) -> None:
    newsroom.publish("world", at=NOW - HOUR)
    reader = newsroom.subscribe("world", cadence="news", at=NOW)
    fresh = newsroom.publish("world", at=NOW + MINUTE)
    periods(newsroom, NOW + HOUR)
    assert newsroom.lists("news")[reader] == [[fresh]]


def test_a_day_has_so_many_editions_and_the_rest_waits_for_the_next(newsroom: Newsroom) -> None:
    newsroom.digest = digest(newsroom, max_a_day=2)
    reader = newsroom.subscribe("world", cadence="news")
    made = []
    for hour in range(1, 5):
        newsroom.publish("world", at=NOW + hour * HOUR)
        made += periods(newsroom, NOW + hour * HOUR + 10 * MINUTE)
    assert len(made) == 2
    assert len(periods(newsroom, NOW + timedelta(days=1))) == 2, "the rest of the day before, and a daily one"
    assert [len(one) for one in newsroom.lists("news")[reader]] == [1, 1, 2]


def test_news_waits_for_the_readers_morning(newsroom: Newsroom) -> None:
    newsroom.subscribe("world", cadence="news", zone="Asia/Tokyo")
    newsroom.subscribe("world", cadence="news", zone="America/New_York")
    newsroom.subscribe("world", cadence="news")
    evening = datetime(2026, 11, 23, 19, tzinfo=UTC)  # 20:00 in Paris, 04:00 in Tokyo, 14:00 in New York
    newsroom.publish("world", at=evening - 10 * MINUTE)
    assert len(periods(newsroom, evening)) == 1
    tokyo, york, paris = (delivery.due_at for delivery in newsroom.deliveries())
    assert (york, paris) == (evening, evening)
    assert tokyo == datetime(2026, 11, 23, 22, tzinfo=UTC), "07:00 in Tokyo"


def test_an_edition_that_is_too_late_is_skipped_and_its_articles_roll_over(newsroom: Newsroom) -> None:
    newsroom.digest = digest(newsroom, max_lateness=2 * HOUR)
    reader = newsroom.subscribe("world", cadence="daily")
    article = newsroom.publish("world", at=NOW + HOUR)
    day = timedelta(days=1)
    (late,) = newsroom.compile(NOW + day + 3 * HOUR, at_once=False)
    assert (late.made, late.skipped) == (False, ("2026-11-24",))
    assert periods(newsroom, NOW + 2 * day) == ["2026-11-25"]
    assert newsroom.lists()[reader] == [[article]]


@pytest.mark.parametrize(
    ("quiet", "moment", "expected"),
    [
        ("22:00-07:00", "2026-11-23T21:59", "2026-11-23T21:59"),
        ("22:00-07:00", "2026-11-23T22:00", "2026-11-24T07:00"),
        ("22:00-07:00", "2026-11-24T03:00", "2026-11-24T07:00"),
        ("22:00-07:00", "2026-11-24T07:00", "2026-11-24T07:00"),
        ("12:00-14:00", "2026-11-24T13:59", "2026-11-24T14:00"),
        ("01:00-02:30", "2027-03-28T01:30", "2027-03-28T03:00"),  # 02:30 does not exist
        ("", "2026-11-24T03:00", "2026-11-24T03:00"),
    ],
)
def test_nothing_is_due_in_quiet_hours(newsroom: Newsroom, quiet: str, moment: str, expected: str) -> None:
    zone = newsroom.settings.zone
    hours = digest(newsroom, quiet=quiet).quiet_hours(Cadence.parse("news", "at once"))
    found = after_quiet(datetime.fromisoformat(moment).replace(tzinfo=zone).astimezone(UTC), hours, zone)
    assert found == datetime.fromisoformat(expected).replace(tzinfo=zone)


def test_too_little_for_the_last_edition_goes_once_it_has_waited_for_long_enough(newsroom: Newsroom) -> None:
    newsroom.digest = digest(newsroom, min_articles=3, max_wait=timedelta(hours=6), gather=timedelta())
    reader = newsroom.subscribe("world", cadence="news")
    alone = newsroom.publish("world", at=NOW + MINUTE)
    assert periods(newsroom, NOW + HOUR) == ["2026-11-23T08:05"]
    assert newsroom.lists("news") == {}

    assert periods(newsroom, NOW + 6 * HOUR) == []  # a minute too early
    assert periods(newsroom, NOW + 6 * HOUR + MINUTE) == ["2026-11-23T13:06"]
    assert newsroom.lists("news") == {reader: [[alone]]}
    assert periods(newsroom, NOW + 7 * HOUR) == []


def test_a_wait_that_ends_is_counted_among_the_editions_of_a_day(newsroom: Newsroom) -> None:
    changed = {"min_articles": 3, "max_wait": timedelta(hours=6), "gather": timedelta(), "max_a_day": 1}
    newsroom.digest = digest(newsroom, **changed)
    reader = newsroom.subscribe("world", cadence="news")
    alone = newsroom.publish("world", at=NOW + MINUTE)
    assert periods(newsroom, NOW + HOUR) == ["2026-11-23T08:05"]
    assert periods(newsroom, NOW + 8 * HOUR) == []
    assert periods(newsroom, NOW + 18 * HOUR) == ["2026-11-24T01:05"]
    assert newsroom.lists("news") == {reader: [[alone]]}
