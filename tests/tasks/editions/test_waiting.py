"""An edition waits for enough articles, or long enough, for the digest and for each reader; nothing is lost by it."""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, update

from digest.models import DeliveryState, Subscription, Withheld
from digest.tasks.ledger.explain import why
from tests.support.compilation import DAY, NOW, Newsroom


def configure(newsroom: Newsroom, **values: Any) -> None:
    newsroom.digest = newsroom.digest.model_copy(update={"cadences": {"daily": "07:00"}, **values})
    digests = tuple(newsroom.digest if one.name == "world" else one for one in newsroom.settings.digests)
    newsroom.settings.__dict__["digests"] = digests


def choose(newsroom: Newsroom, subscription: int, **values: Any) -> None:
    with newsroom.database.write() as session:
        session.exec(update(Subscription).where(col(Subscription.id) == subscription).values(**values))


def test_articles_roll_over_until_there_are_enough(newsroom: Newsroom) -> None:
    configure(newsroom, min_articles=3)
    reader = newsroom.subscribe()
    first, second = newsroom.publish(), newsroom.publish()
    newsroom.compile()

    assert newsroom.lists() == {}
    (withheld,) = newsroom.deliveries()
    assert (withheld.state, withheld.reason) == (DeliveryState.WITHHELD, Withheld.TOO_FEW)
    with newsroom.database.read() as session:
        told = why(session, newsroom.settings, "r1@x.example", str(first), NOW)
    assert told["reason"] == (
        "it waits for more: 2 of 3 articles are new for the reader; what has waited for 7 days is sent all the same"
    )

    third = newsroom.publish(at=NOW + timedelta(hours=1))
    newsroom.compile(NOW + DAY)
    assert newsroom.lists() == {reader: [[third, second, first]]}


def test_what_has_waited_long_enough_is_sent_though_it_is_alone(newsroom: Newsroom) -> None:
    configure(newsroom, min_articles=3, max_wait=timedelta(days=2))
    reader, article = newsroom.subscribe(), newsroom.publish()
    for day in range(2):
        newsroom.compile(NOW + day * DAY)
        assert newsroom.lists() == {}
    newsroom.compile(NOW + 2 * DAY)
    assert newsroom.lists() == {reader: [[article]]}


def test_each_reader_waits_for_as_many_as_they_chose(newsroom: Newsroom) -> None:
    configure(newsroom)
    patient, other = newsroom.subscribe(), newsroom.subscribe()
    choose(newsroom, patient, min_articles=2)
    first = newsroom.publish()
    newsroom.compile()
    assert newsroom.lists() == {other: [[first]]}

    second = newsroom.publish(at=NOW + timedelta(hours=1))
    newsroom.compile(NOW + DAY)
    assert newsroom.lists() == {other: [[first], [second]], patient: [[second, first]]}


@pytest.mark.parametrize(
    ("cadence", "quiet", "hour"), [("07:00", "06:00-09:30", 8.5), ("at once", "", 6), ("at once", None, 6)]
)
def test_quiet_hours_that_a_reader_chose_count_in_place_of_the_digests(
    newsroom: Newsroom, cadence: str, quiet: str | None, hour: float
) -> None:
    configure(newsroom, cadences={"daily": cadence}, gather=timedelta())
    usual, own = newsroom.subscribe(), newsroom.subscribe(zone="Pacific/Honolulu" if quiet is None else None)
    choose(newsroom, own, quiet=quiet)
    newsroom.compile(NOW - timedelta(hours=12), at_once=False)
    newsroom.publish(at=NOW - timedelta(hours=8))
    newsroom.compile(NOW - timedelta(hours=6) if cadence == "at once" else NOW, at_once=False)
    due = {one.subscription_id: one.due_at for one in newsroom.deliveries()}
    midnight = NOW.replace(hour=0, minute=0)

    if cadence == "at once":  # made at 01:05 in Paris: the night is kept but for who said otherwise
        assert due[usual] == midnight + timedelta(hours=6)
        at_honolulu = midnight + timedelta(minutes=5)  # 14:05 there
        assert due[own] == at_honolulu
    else:
        assert (due[usual], due[own]) == (midnight + timedelta(hours=6), midnight + timedelta(hours=hour))
