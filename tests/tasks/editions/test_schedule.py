"""The schedule says what will happen, by the rules that planning itself follows."""

from datetime import UTC, datetime, timedelta

import pytest

from digest.errors import InputError
from digest.settings import Settings
from digest.tasks.editions.schedule import schedule, schedule_of
from tests.support.compilation import NOW, Newsroom

DAY = timedelta(days=1)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Return settings whose digest also has a fortnight and news."""
    digest = settings.digests[0].model_copy(
        update={"cadences": {"daily": "07:00", "weekdays": "Mon-Fri 18:00", "news": "at once"}}
    )
    return settings.model_copy(update={"digests": (digest,)})


def test_each_cadence_has_its_next_edition_and_news_has_no_deadline(newsroom: Newsroom) -> None:
    newsroom.compile(at_once=False)
    with newsroom.database.read() as session:
        rows = schedule(session, newsroom.settings, NOW)
    assert [(row["cadence"], row["period"]) for row in rows] == [
        ("daily", "2026-11-24"), ("weekdays", "2026-11-23"), ("news", None),
    ]  # fmt: skip
    assert rows[0]["deadline_at"] == "2026-11-24T07:00:00+01:00"


def test_all_editions_up_to_a_date_are_listed(newsroom: Newsroom) -> None:
    newsroom.compile(at_once=False)
    with newsroom.database.read() as session:
        rows = schedule(session, newsroom.settings, NOW, NOW + 7 * DAY)
    periods = [row["period"] for row in rows if row["cadence"] == "weekdays"]
    assert periods == [f"2026-11-{day}" for day in (23, 24, 25, 26, 27)]


def test_more_editions_than_are_listed_are_refused_and_not_cut_off(newsroom: Newsroom) -> None:
    with newsroom.database.read() as session:
        assert len(schedule(session, newsroom.settings, NOW, NOW + 399 * DAY)) > 399
        with pytest.raises(InputError, match=r"until 2029-.*, world daily has more than 400 editions"):
            schedule(session, newsroom.settings, NOW, NOW + 800 * DAY)


def test_it_tells_where_readers_get_it_first_and_last_as_planning_does(newsroom: Newsroom) -> None:
    newsroom.compile(at_once=False)
    for zone in ("Pacific/Auckland", "Pacific/Honolulu", "Europe/Paris", None):
        newsroom.subscribe("world", zone=zone)
    newsroom.publish("world", at=NOW + timedelta(hours=1))
    with newsroom.database.read() as session:
        row = schedule(session, newsroom.settings, NOW)[0]
    newsroom.compile(NOW + DAY, at_once=False)
    due = sorted(delivery.due_at for delivery in newsroom.deliveries())
    assert [datetime.fromisoformat(row[key]["at"]) for key in ("first", "last")] == [due[0], due[-1]]
    assert row["last"]["zone"] == "Pacific/Auckland", "07:00 there had passed at the deadline"


def test_a_reader_is_told_when_their_own_editions_arrive(newsroom: Newsroom) -> None:
    newsroom.compile(at_once=False)
    newsroom.subscribe("world", zone="Asia/Tokyo")
    with newsroom.database.read() as session:
        rows = schedule_of(session, newsroom.settings, "r1@x.example", NOW, NOW + 2 * DAY)
        assert [row["period"] for row in rows] == ["2026-11-24", "2026-11-25"]
        assert datetime.fromisoformat(rows[0]["reaches"]["at"]) == datetime(2026, 11, 24, 22, tzinfo=UTC)
        with pytest.raises(InputError, match=r'no subscriber "nobody@x.example"'):
            schedule_of(session, newsroom.settings, "nobody@x.example", NOW)
