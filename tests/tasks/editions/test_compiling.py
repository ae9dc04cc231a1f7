"""Compiling: one edition a period, each reader's own list, never the same article twice."""

import itertools
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event
from sqlmodel import select

from digest.models import (
    Cohort,
    DeliveryState,
    Edition,
    EditionState,
    Subscription,
)
from tests.support.compilation import DAY, NOW, Newsroom


def test_each_reader_gets_the_articles_of_their_own_topics(newsroom: Newsroom) -> None:
    world, science, both = (newsroom.publish(*t) for t in (["world"], ["science"], ["world", "science"]))
    one, other, every = (newsroom.subscribe(*t) for t in (["world"], ["science"], []))

    newsroom.compile()

    lists = {reader: set(found[0]) for reader, found in newsroom.lists().items()}
    assert lists == {one: {world, both}, other: {science, both}, every: {world, science, both}}


def test_readers_with_the_same_list_share_a_variant(newsroom: Newsroom) -> None:
    newsroom.publish("world")
    for _ in range(5):
        newsroom.subscribe("world")

    newsroom.compile()

    assert len({row.variant_id for row in newsroom.deliveries()}) == 1


def test_a_periods_edition_is_made_once_however_often_it_is_asked_for(newsroom: Newsroom) -> None:
    newsroom.publish()
    newsroom.subscribe()

    first, again = newsroom.compile(), newsroom.compile(NOW + timedelta(minutes=1))

    assert [item.made for item in (*first, *again)] == [True, True, False, False]
    assert len(newsroom.deliveries()) == 1


def test_eight_compilers_at_once_make_one_edition(newsroom: Newsroom) -> None:
    newsroom.publish()
    readers = [newsroom.subscribe() for _ in range(5)]
    others = [Newsroom(newsroom.database, newsroom.settings, newsroom.workers).compiler for _ in range(8)]

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda c: c.compile_due(newsroom.digest, NOW, at_once=True), others))

    assert sum(item.made for items in made for item in items) == 2  # daily and weekly, once each
    assert sorted(row.subscription_id for row in newsroom.deliveries()) == readers


def test_no_article_comes_twice_and_what_did_not_fit_comes_next(newsroom: Newsroom) -> None:
    published = {newsroom.publish() for _ in range(8)}
    reader = newsroom.subscribe()

    newsroom.compile(NOW)
    newsroom.compile(NOW + DAY)

    first, second = newsroom.lists()[reader]
    assert (len(first), len(second)) == (5, 3)
    assert set(first) | set(second) == published


def test_a_reader_for_whom_nothing_is_new_is_withheld_with_that_reason(newsroom: Newsroom) -> None:
    newsroom.publish("science")
    newsroom.subscribe("world")

    newsroom.compile()

    assert [(row.state, row.reason) for row in newsroom.deliveries()] == [("withheld", "nothing new")]


def test_what_a_failed_delivery_held_comes_again_to_that_reader_alone(newsroom: Newsroom) -> None:
    article = newsroom.publish()
    failed, other = newsroom.subscribe(), newsroom.subscribe()
    newsroom.compile(NOW)
    newsroom.set_states(DeliveryState.FAILED, [failed])

    newsroom.compile(NOW + DAY)

    assert newsroom.lists() == {failed: [[article], [article]], other: [[article]]}


def test_changing_the_cadence_repeats_nothing_and_loses_nothing(newsroom: Newsroom) -> None:
    first = newsroom.publish()
    reader = newsroom.subscribe()
    newsroom.compile(NOW)
    later = newsroom.publish(at=NOW + timedelta(hours=1))
    with newsroom.database.write() as session:
        row = session.get(Subscription, reader)
        assert row is not None
        row.cadence, row.cohort_id = "weekly", None
        session.add(row)

    newsroom.compile(NOW + 7 * DAY)

    assert newsroom.lists("daily") == {reader: [[first]]}
    assert newsroom.lists("weekly") == {reader: [[later]]}


def test_a_longer_carry_does_not_bring_back_what_a_reader_has(newsroom: Newsroom) -> None:
    newsroom.publish(at=NOW - 3 * DAY)
    newsroom.subscribe()
    short = newsroom.digest.model_copy(update={"carry": 2 * DAY + timedelta(hours=1)})
    newsroom.digest = newsroom.digest.model_copy(update={"carry": 4 * DAY})
    newsroom.compile(NOW)
    newsroom.digest = short
    newsroom.publish(at=NOW + timedelta(hours=1))
    newsroom.compile(NOW + DAY)
    newsroom.digest = short.model_copy(update={"carry": 31 * DAY})

    newsroom.compile(NOW + 2 * DAY)

    assert [row.state for row in newsroom.deliveries()] == ["planned", "planned", "withheld"]


def test_cohorts_that_have_become_the_same_are_one(newsroom: Newsroom) -> None:
    newsroom.publish()
    newsroom.subscribe(at=NOW - 50 * DAY)
    newsroom.subscribe(at=NOW - 20 * DAY)
    newsroom.compile(NOW)

    newsroom.publish(at=NOW + 19 * DAY)
    newsroom.compile(NOW + 20 * DAY)

    with newsroom.database.read() as session:
        assert len(set(session.exec(select(Subscription.cohort_id)))) == 1


def test_nothing_is_due_before_the_first_deadline_after_the_start(newsroom: Newsroom) -> None:
    newsroom.publish()
    newsroom.subscribe()

    assert newsroom.compile(NOW, at_once=False) == []
    made = newsroom.compile(NOW + DAY, at_once=False)
    assert [(item.cadence, item.period) for item in made] == [("daily", "2026-11-24")]


def test_after_downtime_one_edition_is_made_and_the_missed_periods_are_recorded(newsroom: Newsroom) -> None:
    article = newsroom.publish()
    reader = newsroom.subscribe()
    newsroom.compile(NOW, at_once=False)

    made = newsroom.compile(NOW + 3 * DAY, at_once=False)

    assert [(item.period, item.skipped) for item in made] == [("2026-11-26", ("2026-11-24", "2026-11-25"))]
    assert newsroom.lists() == {reader: [[article]]}
    with newsroom.database.read() as session:
        skipped = session.exec(select(Edition.period).where(Edition.state == EditionState.SKIPPED))
        assert sorted(skipped) == ["2026-11-24", "2026-11-25"]


def test_a_crash_between_two_ranges_resumes_and_leaves_nobody_out(newsroom: Newsroom) -> None:
    newsroom.publish()
    readers = [newsroom.subscribe() for _ in range(5)]
    crashed = _CrashesAtRange(newsroom, 2)
    with pytest.raises(_PowerCut):
        crashed.compile()
    with newsroom.database.read() as session:
        assert list(session.exec(select(Edition.state))) == [EditionState.COMPILING]
    crashed.worker.die()

    newsroom.compile()

    assert sorted(row.subscription_id for row in newsroom.deliveries()) == readers
    with newsroom.database.read() as session:
        assert set(session.exec(select(Edition.state))) == {EditionState.FROZEN}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_range_is_planned_by_reading_that_range_however_many_readers_there_are(newsroom: Newsroom) -> None:
    asked: dict[str, tuple[object, ...]] = {}
    newsroom.publish()
    for _ in range(3):
        newsroom.subscribe()
    event.listen(
        newsroom.database.engine, "before_cursor_execute", lambda *found: asked.update({found[2]: found[3]})
    )

    newsroom.compile()

    ranges = {statement: values for statement, values in asked.items() if "subscription.id > " in statement}
    assert len(ranges) == 6
    with newsroom.database.read() as session:
        for statement, values in ranges.items():
            plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            steps = [str(row[3]) for row in plan]
            assert any(re.match(r"SEARCH subscription USING .*rowid>\?", step) for step in steps), steps


def test_an_edition_that_a_living_worker_compiles_is_left_to_it(newsroom: Newsroom) -> None:
    newsroom.publish()
    newsroom.subscribe()
    crashed = _CrashesAtRange(newsroom, 1)
    with pytest.raises(_PowerCut):
        crashed.compile()

    assert [item.made for item in newsroom.compile()] == [False, True]
    assert newsroom.deliveries() == []


def test_a_reader_of_another_zone_is_due_at_their_own_morning(newsroom: Newsroom) -> None:
    newsroom.publish()
    newsroom.subscribe(zone="America/New_York")
    newsroom.subscribe()
    newsroom.compile(NOW - DAY, at_once=False)

    newsroom.compile(NOW, at_once=False)

    assert [row.due_at for row in newsroom.deliveries()] == [
        datetime(2026, 11, 23, 12, tzinfo=UTC),
        datetime(2026, 11, 23, 6, tzinfo=UTC),
    ]


def test_the_cohorts_history_equals_the_ledger_after_many_editions(newsroom: Newsroom) -> None:
    readers = [newsroom.subscribe("world"), newsroom.subscribe("science"), newsroom.subscribe()]
    for day in range(6):
        for topics in (["world"], ["science"], ["world", "science"]):
            newsroom.publish(*topics, at=NOW + day * DAY - timedelta(hours=2))
        newsroom.compile(NOW + day * DAY)
        if day == 2:
            readers.append(newsroom.subscribe("world", at=NOW + day * DAY))

    with newsroom.database.read() as session:
        for reader in readers:
            row = session.get(Subscription, reader)
            assert row is not None
            cohort = session.get(Cohort, row.cohort_id)
            assert cohort is not None
            got = [article for edition in newsroom.lists()[reader] for article in edition]
            assert sorted(got) == cohort.history
            assert len(got) == len(set(got))


class _PowerCut(BaseException):
    """The process ends here."""


class _CrashesAtRange(Newsroom):
    """A compiler that ends at its n-th range."""

    def __init__(self, newsroom: Newsroom, number: int) -> None:
        super().__init__(newsroom.database, newsroom.settings, newsroom.workers)
        from digest.store.editions import planning

        counted = itertools.count(1)
        original = planning.plan_range

        def plan(*arguments: object) -> object:
            if next(counted) == number:
                planning.plan_range = original
                raise _PowerCut
            return original(*arguments)  # type: ignore[arg-type]

        planning.plan_range = plan  # type: ignore[assignment]


def test_an_edition_without_readers_is_made_again_for_who_joins_it_that_day_and_for_no_other(
    newsroom: Newsroom,
) -> None:
    article = newsroom.publish()
    newsroom.compile()
    newsroom.compile(NOW + timedelta(hours=1), at_once=False)
    reader = newsroom.subscribe(cadence="weekly", at=NOW + timedelta(hours=2))

    again = newsroom.compile(NOW + timedelta(hours=3), at_once=False)
    late = newsroom.subscribe(cadence="weekly", at=NOW + timedelta(hours=4))
    newsroom.subscribe(at=NOW + timedelta(hours=19))
    after = newsroom.compile(NOW + DAY - timedelta(hours=2), at_once=False)

    assert [(item.cadence, item.period, item.planned) for item in again] == [("weekly", "2026-W48", 1)]
    assert after == []
    assert newsroom.lists("weekly") == {reader: [[article]]}
    assert late not in newsroom.lists("weekly")


def test_who_gets_a_first_edition_at_once_waits_for_no_edition_that_had_no_readers(
    newsroom: Newsroom,
) -> None:
    newsroom.publish()
    newsroom.digest = newsroom.digest.model_copy(update={"welcome": "edition"})
    newsroom.compile()
    newsroom.subscribe(cadence="weekly", at=NOW + timedelta(hours=2))

    assert newsroom.compile(NOW + timedelta(hours=3), at_once=False) == []
