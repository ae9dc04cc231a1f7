"""Compiling is many short commits: a crash after any of them repeats nothing, loses nothing, and leaves true histories."""

import itertools
from collections import defaultdict
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select, update

from digest.models import Cohort, Edition, Subscriber, Subscription
from digest.store.editions import placements
from digest.store.editions import planning as store_planning
from digest.store.editions.cohorts import unindexed
from digest.tasks.editions import planning
from digest.tasks.editions.planning import (
    LARGEST_RANGE,
    RANGE_SIZE,
    SMALLEST_RANGE,
    KnownRanges,
    Plan,
    PlanningPace,
)
from tests.support.compilation import DAY, NOW, Newsroom

HOUR = timedelta(hours=1)
DIALECTS: tuple[Any, ...] = (sqlite.dialect(), postgresql.dialect())  # type: ignore[no-untyped-call]


class _CrashError(Exception):
    pass


def crash_after(newsroom: Newsroom, commits: int) -> Newsroom:
    """Return another process, which ends between two commits."""
    process = Newsroom(newsroom.database, newsroom.settings, newsroom.workers)
    process.digest, left = newsroom.digest, iter(range(commits - 1))

    def give_way() -> None:
        if next(left, None) is None:
            raise _CrashError

    newsroom.database.give_way = give_way  # type: ignore[method-assign]
    return process


def test_a_crash_after_any_commit_repeats_and_loses_nothing(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "_COHORTS", 1)
    monkeypatch.setattr("digest.store.editions.placements.PART", 1)
    newsroom.digest = newsroom.digest.model_copy(update={"cadences": {"daily": "07:00"}})
    readers = [newsroom.subscribe(at=NOW - days * DAY) for days in (50, 20, 20, 10)]
    science, published = newsroom.subscribe("science"), list[int]()
    reached = set[int]()
    for day in range(1, 16):
        now = NOW + day * DAY
        published.append(newsroom.publish("world", "science", at=now - HOUR))
        process = crash_after(newsroom, day)
        try:
            process.compile(now)
        except _CrashError:
            with newsroom.database.read() as session:
                edition = session.exec(select(Edition).where(Edition.state == "compiling")).one()
                reached.add(edition.compiled_to)
            process.worker.die()
        del newsroom.database.give_way
        newsroom.compile(now)

    assert newsroom.lists() == {one: [[article] for article in published] for one in (*readers, science)}
    assert planning.BEYOND in reached, "no crash came after the last range"
    with newsroom.database.read() as session:
        cohorts = {row.id: row for row in session.exec(select(Cohort))}
        placed = [cohorts[one] for one in session.exec(select(Subscription.cohort_id)) if one is not None]
    assert placed
    assert all(sorted(one.history) == published for one in placed)


@pytest.mark.parametrize(
    "change", [{"timezone": "Asia/Tokyo"}, {"topics": {"science": NOW.isoformat()}, "cohort_id": None}]
)
def test_who_changes_between_being_read_and_being_planned_is_read_again(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    readers = [newsroom.subscribe("world") for _ in range(3)]
    newsroom.publish()
    newsroom.compile()
    article, now = newsroom.publish(at=NOW + DAY - HOUR), NOW + DAY
    prepare, forget, refused = Plan.prepare, Plan.forget, list[int]()
    table = Subscriber if "timezone" in change else Subscription

    def then_change(plan: Plan, session: Session) -> None:
        prepare(plan, session)
        if plan._range and not refused:
            with newsroom.database.write() as other:
                other.execute(update(table).where(col(table.id) == readers[1]).values(change))

    def counting(plan: Plan) -> None:
        refused.append(plan.pace.size)
        forget(plan)

    monkeypatch.setattr(Plan, "prepare", then_change)
    monkeypatch.setattr(Plan, "forget", counting)
    newsroom.compile(now, at_once=False)

    assert refused, "nobody was refused"
    last = {row.subscription_id: row for row in newsroom.deliveries() if row.changed_at >= now}
    assert len(newsroom.deliveries()) == 6
    if "timezone" in change:
        assert last[readers[1]].due_at > last[readers[0]].due_at
        assert newsroom.lists()[readers[1]][-1] == [article]
    else:
        assert len(newsroom.lists()[readers[1]]) == 1


def test_the_pace_is_told_how_many_readers_a_transaction_placed_or_planned(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        newsroom.subscribe("world")
    newsroom.publish()
    done: dict[int, int] = defaultdict(int)
    monkeypatch.setattr(
        PlanningPace, "adapt", lambda pace, _seconds, count: done.update({id(pace): done[id(pace)] + count})
    )
    newsroom.compile()

    assert list(done.values()) == [3, 3]


def test_readers_of_one_range_are_placed_one_part_after_the_other(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers = [newsroom.subscribe(topic) for topic in ("world", "science", "world", "science", "world")]
    articles = {topic: newsroom.publish(topic) for topic in ("world", "science")}
    sizes, group, began = itertools.cycle((10, 2)), placements.group_unplaced, list[int]()
    monkeypatch.setattr(
        PlanningPace, "of", staticmethod(lambda *_sizes: PlanningPace(next(sizes), is_fixed=True))
    )

    def seen(session: Session, edition: Edition, after: int, *rest: Any) -> Any:
        began.append(after)
        return group(session, edition, after, *rest)

    monkeypatch.setattr(placements, "group_unplaced", seen)
    newsroom.compile()

    assert began == [0, readers[1], readers[3]], "a part was read from the beginning of the range"
    wanted = [articles["world"], articles["science"]] * 2 + [articles["world"]]
    assert newsroom.lists() == {one: [[article]] for one, article in zip(readers, wanted, strict=True)}


def test_only_sqlite_is_kept_from_an_index() -> None:
    condition = unindexed(Subscription.digest) == "world"

    of_sqlite, of_postgresql = (str(condition.compile(dialect=one)) for one in DIALECTS)
    assert of_sqlite.startswith("+subscription.digest = ")
    assert of_postgresql.startswith("subscription.digest = ")


def test_a_range_grows_and_shrinks_by_what_the_last_one_took() -> None:
    pace, fixed = PlanningPace(), PlanningPace(2, is_fixed=True)
    pace.adapt(0.01, pace.size)
    assert pace.size == 2 * RANGE_SIZE
    for _ in range(9):
        pace.adapt(0.001, pace.size)
    assert pace.size == LARGEST_RANGE
    pace.adapt(0.5, pace.size)
    assert pace.size == LARGEST_RANGE // 10
    pace.adapt(60, pace.size)
    assert pace.size == SMALLEST_RANGE
    fixed.adapt(0.001, 2)
    assert fixed.size == 2


def test_placing_begins_with_few_readers_as_it_locks_them() -> None:
    pace, fixed = PlanningPace.of(RANGE_SIZE, SMALLEST_RANGE), PlanningPace.of(2, SMALLEST_RANGE)
    assert (pace.size, pace.is_fixed) == (SMALLEST_RANGE, False)
    assert (fixed.size, fixed.is_fixed) == (2, True)


def test_a_range_with_few_readers_left_does_not_let_the_next_one_grow() -> None:
    pace = PlanningPace()
    pace.adapt(0.001, 3)
    assert pace.size == RANGE_SIZE
    pace.adapt(0.1, RANGE_SIZE // 2)
    assert pace.size == RANGE_SIZE // 4


def count_ranges(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Count the ranges that are read and those of which only the end is."""
    counts: dict[str, int] = defaultdict(int)
    for name in ("next_range", "assume_range"):
        original = getattr(store_planning, name)

        def counted(*given: Any, name: str = name, original: Any = original) -> Any:
            found = original(*given)
            counts[name] += found.last is not None
            return found

        monkeypatch.setattr(store_planning, name, counted)
    return counts


def test_ranges_are_planned_unread_once_one_brought_nothing_new(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers = [newsroom.subscribe("world") for _ in range(12)]
    first, second = newsroom.publish(), newsroom.publish(at=NOW + DAY - HOUR)
    newsroom.compile()
    counts = count_ranges(monkeypatch)
    newsroom.compile(NOW + DAY)

    assert counts == {"next_range": 2, "assume_range": 4}
    assert newsroom.lists() == {one: [[first], [second]] for one in readers}


def test_a_range_planned_unread_that_has_something_new_is_read_after_all(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = [newsroom.subscribe("world") for _ in range(8)]
    tokyo, science = newsroom.subscribe("world", zone="Asia/Tokyo"), newsroom.subscribe("science")
    newsroom.publish(), newsroom.publish("science")
    newsroom.compile()
    late, after = newsroom.subscribe("science"), newsroom.subscribe("world")
    article, other = (newsroom.publish(topic, at=NOW + DAY - HOUR) for topic in ("world", "science"))
    counts, now = count_ranges(monkeypatch), NOW + DAY
    newsroom.compile(now, at_once=False)

    assert counts["assume_range"] > 2, "no range was planned unread"
    last = {row.subscription_id: row for row in newsroom.deliveries() if row.changed_at >= now}
    assert len(last) == 12
    assert last[tokyo].due_at > last[world[0]].due_at
    lists = newsroom.lists()
    assert all(lists[one][-1] == [article] for one in (*world, tokyo))
    assert lists[science][-1] == [other]
    assert other in lists[late][-1]
    assert article in lists[after][-1]


def test_each_refusal_asks_for_one_known_range_more() -> None:
    known = KnownRanges()
    assert not known.are_enough
    known.add(is_new=False)
    assert known.are_enough
    known.refuse()
    known.add(is_new=False)
    assert not known.are_enough
    known.add(is_new=False)
    assert known.are_enough
    known.add(is_new=True)
    assert not known.are_enough
