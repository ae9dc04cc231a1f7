"""What was counted once is shown as long as it holds, and nothing else is."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import col, select, update

from digest.models import (
    Article,
    CadenceReaders,
    Cohort,
    Delivery,
    DeliveryState,
    Edition,
    EditionState,
    EditionSums,
    Subscription,
    Variant,
    VariantArticle,
)
from digest.settings import Settings
from digest.store.database import Database
from digest.store.delivery import deliveries
from digest.store.editions import cadence_readers, edition_sums
from digest.tasks.background import Background
from digest.tasks.desk.agenda import describe_progress
from digest.tasks.figures.kept_counts import keep_sums
from digest.tasks.ledger.audit import account, sum_up
from digest.tasks.ledger.running_sums import RunningCount, RunningSums, StateCounts
from tests.benchmarks.readers import load_readers
from tests.support.statements import recorded

NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)
REFUSED = "550 5.1.1 no such user"


def enter(
    database: Database, failed: list[str], accepted: int = 3, cadence: str = "daily", day: int = 1
) -> Edition:
    """Enter a finished edition with failed deliveries of these reasons, and some that were accepted."""
    row = Edition(digest="world", cadence=cadence, period=f"2026-11-{day:02}", state=EditionState.FINISHED,
                  deadline_at=NOW, freeze_at=NOW, frozen_at=NOW, finished_at=NOW)  # fmt: skip
    with database.write() as session:
        session.add(row)
        session.flush()
        outcomes = [(DeliveryState.ACCEPTED, "")] * accepted + [(DeliveryState.FAILED, one) for one in failed]
        for number, (state, reason) in enumerate(outcomes, 1):
            session.add(Delivery(edition_id=row.id or 0, subscription_id=number, state=state, reason=reason,
                                 due_at=NOW, changed_at=NOW))  # fmt: skip
    return row


def add_article(database: Database, title: str) -> int:
    """Enter an article and return its id."""
    url = f"https://courier.example/{title}"
    row = Article(source="newsroom", canonical_url=url, url=url, content_hash=title, title=title,
                  first_seen_at=NOW)  # fmt: skip
    with database.write() as session:
        session.add(row)
        session.flush()
        return row.id or 0


@pytest.fixture
def readers(database: Database) -> Database:
    load_readers(database, 40)
    return database


def test_a_finished_edition_is_counted_once(
    readers: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    edition = enter(readers, [REFUSED] * 2)
    assert keep_sums(readers, settings, NOW) == 1
    assert keep_sums(readers, settings, NOW) == 0
    with readers.read() as session:
        counted = account(session, edition)

    def count(*_: object) -> None:
        raise AssertionError("it was counted already")

    monkeypatch.setattr(deliveries, "count_states", count)
    with readers.read() as session:
        assert sum_up(session, edition) == counted
    assert (counted.accepted, counted.failed, counted.ok) == (3, 2, True)


def test_an_edition_that_is_resumed_is_counted_as_it_stands(readers: Database, settings: Settings) -> None:
    edition = enter(readers, [REFUSED] * 2)
    keep_sums(readers, settings, NOW)
    with readers.write() as session:
        row = session.get_one(Edition, edition.id)
        assert deliveries.replan_failed(session, edition.id or 0, NOW) == 2
        row.state, row.finished_at = EditionState.FROZEN, None
        session.flush()
        assert sum_up(session, row).open == 2
        session.exec(
            update(Delivery)
            .where(col(Delivery.state) == DeliveryState.PLANNED)
            .values(state=DeliveryState.ACCEPTED)
        )
        row.state, row.finished_at = EditionState.FINISHED, NOW + timedelta(hours=1)
        session.flush()
        assert sum_up(session, row).accepted == 5, "the sums of before do not count"

    assert keep_sums(readers, settings, NOW) == 1
    with readers.read() as session:
        kept = session.get_one(EditionSums, edition.id)
        assert kept.states == {"accepted": 5}
        assert sum_up(session, session.get_one(Edition, edition.id)).accepted == 5


def test_reasons_are_kept_of_large_editions_and_those_of_few_readers_together(
    readers: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = enter(readers, [REFUSED] * 6 + [f"550 r{n}@readers.example is unknown" for n in range(3)])
    monkeypatch.setattr(edition_sums, "LARGE", 12)
    small = enter(readers, [REFUSED, "550 r1@readers.example is unknown"], day=2)
    keep_sums(readers, settings, NOW)
    with readers.read() as session:
        running = RunningSums(readers, Background())
        shown = [describe_progress(session, one, running, NOW) for one in (large, small)]
        assert shown[0]
        assert shown[0].reasons == [
            ("failed", REFUSED, 6), ("failed", "other reasons, each of fewer than five readers", 3)
        ]  # fmt: skip
        assert shown[1]
        assert len(shown[1].reasons) == 2
        kept = [one.model_dump_json() for one in session.exec(select(EditionSums))]
    assert len(kept) == 2
    assert "readers.example" not in "".join(kept)


@pytest.fixture
def background(readers: Database) -> Iterator[Background]:
    """Work beside a test, and end before the database is closed."""
    made = Background()
    yield made
    made.close()


@pytest.fixture
def running(readers: Database, background: Background, monkeypatch: pytest.MonkeyPatch) -> RunningSums:
    """Count for pages that have all the time there is; ten readers are very many."""
    monkeypatch.setattr(edition_sums, "LARGE", 10)
    return RunningSums(readers, background, patience=30)


def deliver(database: Database, *editions: Edition) -> None:
    """Set editions to those that are being delivered."""
    with database.write() as session:
        for edition in editions:
            edition.state, edition.finished_at = EditionState.FROZEN, None
            session.add(edition)


def fail_all(database: Database) -> None:
    with database.write() as session:
        session.exec(update(Delivery).values(state=DeliveryState.FAILED, reason=REFUSED))


def count(database: Database, running: RunningSums, edition: Edition, at: datetime) -> RunningCount:
    with database.read() as session:
        found = running.count(session, edition, at)
    assert found is not None
    assert found.states.get("failed", 0) == sum(number for _, _, number in found.reasons)
    return found


def test_a_large_edition_that_is_delivered_is_counted_every_ten_seconds_for_all_who_look(
    readers: Database, running: RunningSums
) -> None:
    large, small = enter(readers, [REFUSED], accepted=9), enter(readers, [REFUSED], day=2)
    deliver(readers, large, small)

    def failed(edition: Edition, at: datetime) -> tuple[int, datetime | None]:
        found = count(readers, running, edition, at)
        return found.states["failed"], found.counted_at

    assert failed(large, NOW) == (1, NOW)
    assert failed(small, NOW) == (1, None)
    fail_all(readers)

    soon, later = NOW + timedelta(seconds=9), NOW + timedelta(seconds=61)
    assert failed(large, soon) == (1, NOW)
    assert failed(small, soon) == (4, None), "a small one is counted for each look"
    assert failed(large, later) == (10, later), "what is a minute old is not shown"
    assert failed(large, NOW) == (10, NOW), "a clock that was set back counts anew"


def test_who_looks_again_sees_the_last_count_while_the_next_one_is_made(
    readers: Database, running: RunningSums, monkeypatch: pytest.MonkeyPatch
) -> None:
    edition = enter(readers, [REFUSED], accepted=9)
    deliver(readers, edition)
    count(readers, running, edition, NOW)
    fail_all(readers)
    goes_on, count_large = threading.Event(), edition_sums.count_large

    def wait(*given: Any) -> Any:
        assert goes_on.wait(30)
        return count_large(*given)

    monkeypatch.setattr(edition_sums, "count_large", wait)
    later = NOW + timedelta(seconds=10)
    for _ in range(2):
        assert count(readers, running, edition, later).states == {"accepted": 9, "failed": 1}
    goes_on.set()
    with readers.read() as session:
        running.count(session, edition, later + timedelta(hours=1))  # waits for the one that was begun
    assert count(readers, running, edition, later).states == {"failed": 10}


def test_a_page_does_not_wait_for_the_first_count_of_a_large_edition(
    readers: Database, running: RunningSums, monkeypatch: pytest.MonkeyPatch
) -> None:
    edition = enter(readers, [REFUSED], accepted=9)
    deliver(readers, edition)
    goes_on, count_large = threading.Event(), edition_sums.count_large

    def wait(*given: Any) -> Any:
        assert goes_on.wait(30)
        return count_large(*given)

    monkeypatch.setattr(edition_sums, "count_large", wait)
    with readers.read() as session:
        assert running.count_states(session, edition, NOW, waits=False) is None
        goes_on.set()
        assert running.count_states(session, edition, NOW) == {"accepted": 9, "failed": 1}


def test_a_large_edition_that_has_finished_is_shown_exactly_whether_it_has_been_counted_or_not(
    readers: Database, running: RunningSums, settings: Settings
) -> None:
    edition = enter(readers, [REFUSED], accepted=9)
    deliver(readers, edition)
    count(readers, running, edition, NOW)
    fail_all(readers)
    with readers.write() as session:
        edition.state, edition.finished_at = EditionState.FINISHED, NOW
        session.add(edition)

    assert count(readers, running, edition, NOW).states == {"failed": 10}
    assert count(readers, running, edition, NOW + timedelta(hours=1)).states == {"failed": 10}
    keep_sums(readers, settings, NOW)
    assert count(readers, running, edition, NOW).counted_at is None


def test_what_was_counted_of_an_edition_is_forgotten_when_it_is_retried(
    readers: Database, running: RunningSums
) -> None:
    edition = enter(readers, [REFUSED], accepted=9)
    deliver(readers, edition)
    count(readers, running, edition, NOW)
    fail_all(readers)
    running.forget(edition)
    assert count(readers, running, edition, NOW).states == {"failed": 10}


def test_an_error_while_counting_is_one_of_the_page_that_waits_and_of_no_later_one(
    readers: Database, running: RunningSums, monkeypatch: pytest.MonkeyPatch
) -> None:
    edition = enter(readers, [REFUSED], accepted=9)
    deliver(readers, edition)
    with monkeypatch.context() as patch:
        patch.setattr(edition_sums, "count_large", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            count(readers, running, edition, NOW)
    assert count(readers, running, edition, NOW).states == {"accepted": 9, "failed": 1}


def test_how_many_have_an_article_of_a_running_edition_is_what_was_counted(
    readers: Database, running: RunningSums, background: Background, monkeypatch: pytest.MonkeyPatch
) -> None:
    bridge, ferry, song = (add_article(readers, title) for title in ("Bridge", "Ferry", "Song"))
    large, small = enter(readers, [REFUSED] * 6, accepted=6), enter(readers, [REFUSED], day=2)
    give(readers, large, ([1, 2, 7], [bridge, ferry]), ([3, 4, 5, 6], [ferry]), ([8], [song]))
    give(readers, small, ([1, 4], [ferry]))
    deliver(readers, large, small)
    with readers.write() as session:
        own = col(Delivery.edition_id) == large.id, col(Delivery.subscription_id).in_((1, 3))
        session.exec(update(Delivery).where(*own).values(state=DeliveryState.PLANNED))

    def reach() -> list[tuple[int, int]]:
        with readers.read() as session:
            found = [running.count_with(session, one, NOW) for one in (bridge, ferry, song)]
        assert background.begin("after it", lambda: None, 30)
        return found

    with readers.read() as session:
        exact = [edition_sums.count_with(session, one) for one in (bridge, ferry, song)]
    assert reach() == exact == [(1, 1), (2, 5), (0, 0)]
    fail_all(readers)
    assert reach() == [(1, 1), (2, 4), (0, 0)], "the small one is counted as it stands"
    monkeypatch.setattr(edition_sums, "_MOST_VARIANTS", 1)
    running.forget(large)
    assert reach() == [(0, 0)] * 3, "of very many lists no count is kept"


@pytest.fixture
def occupied(background: Background) -> Iterator[threading.Event]:
    """Occupy the thread beside the pages until this is set."""
    goes_on = threading.Event()
    background.begin("first", lambda: assert_set(goes_on), 0)
    yield goes_on
    goes_on.set()


def assert_set(event: threading.Event) -> None:
    assert event.wait(30)


def test_who_asks_for_states_alone_does_not_wait_for_the_thread_and_has_them_counted_once(
    readers: Database, running: RunningSums, occupied: threading.Event, background: Background
) -> None:
    edition = enter(readers, [REFUSED], accepted=9)
    deliver(readers, edition)

    def ask(at: datetime) -> StateCounts:
        with readers.read() as session:
            return running.count_states_now(session, edition, at)

    first = StateCounts({"accepted": 9, "failed": 1}, NOW)
    assert ask(NOW) == first
    fail_all(readers)
    soon, then = NOW + timedelta(seconds=9), NOW + timedelta(seconds=59)
    assert [ask(soon), ask(then)] == [first, first], "they are kept for a minute"
    occupied.set()
    assert background.begin("after it", lambda: None, 30)
    assert ask(then) == StateCounts({"failed": 10}, then), "the thread counted anew for who asks next"
    later = then + timedelta(seconds=60)
    assert ask(later).counted_at == later, "what is a minute old is not shown"
    assert ask(NOW).counted_at == NOW, "a clock that was set back counts anew"


def test_the_states_of_an_edition_that_has_finished_are_exact_for_who_asks_for_them_alone(
    readers: Database, running: RunningSums, settings: Settings
) -> None:
    edition = enter(readers, [REFUSED], accepted=9)
    deliver(readers, edition)

    def ask(at: datetime) -> dict[str, int]:
        with readers.read() as session:
            return running.count_states_now(session, edition, at).states

    assert ask(NOW) == {"accepted": 9, "failed": 1}
    fail_all(readers)
    with readers.write() as session:
        edition.state, edition.finished_at = EditionState.FINISHED, NOW
        session.add(edition)
    assert ask(NOW) == ask(NOW + timedelta(hours=1)) == {"failed": 10}
    keep_sums(readers, settings, NOW)
    with readers.read() as session:
        assert running.count_states_now(session, edition, NOW) == StateCounts({"failed": 10}, None)


def test_how_many_have_an_article_is_counted_at_once_where_the_lists_have_not_been(
    readers: Database, running: RunningSums, occupied: threading.Event, background: Background
) -> None:
    bridge = add_article(readers, "Bridge")
    edition = enter(readers, [REFUSED] * 6, accepted=6)
    give(readers, edition, ([1, 2, 7], [bridge]))
    deliver(readers, edition)

    def ask() -> tuple[int, int]:
        with readers.read() as session:
            return running.count_with(session, bridge, NOW)

    assert ask() == (0, 2)
    with readers.write() as session:
        session.exec(update(Delivery).values(state=DeliveryState.PLANNED))
    assert ask() == (3, 0), "it is counted as it stands until the lists are counted"
    occupied.set()
    assert background.begin("after it", lambda: None, 30)
    fail_all(readers)
    assert ask() == (3, 0)


def test_a_delivery_in_a_state_that_this_version_does_not_know_is_counted(readers: Database) -> None:
    edition = enter(readers, [REFUSED], accepted=2)
    with readers.write() as session:
        session.exec(update(Delivery).where(col(Delivery.state) == "failed").values(state="unheard"))
    with readers.read() as session:
        assert deliveries.count_states(session, edition.id or 0) == {"accepted": 2, "unheard": 1}


def give(database: Database, edition: Edition, *lists: tuple[list[int], list[int]]) -> None:
    """Set the lists of articles that the deliveries of an edition have, by their readers."""
    with database.write() as session:
        for key, (readers, listed) in enumerate(lists):
            variant = Variant(edition_id=edition.id or 0, key=str(key), language="en")
            session.add(variant)
            session.flush()
            session.add_all(
                VariantArticle(variant_id=variant.id or 0, position=place, article_id=article)
                for place, article in enumerate(listed)
            )
            own = col(Delivery.edition_id) == edition.id, col(Delivery.subscription_id).in_(readers)
            session.exec(update(Delivery).where(*own).values(variant_id=variant.id))


def test_how_many_have_an_article_of_a_large_edition_is_counted_once(
    readers: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    bridge, ferry, song = (add_article(readers, title) for title in ("Bridge", "Ferry", "Song"))
    large, small = enter(readers, [REFUSED] * 6, accepted=6), enter(readers, [REFUSED], day=2)
    give(readers, large, ([1, 2, 7], [bridge, ferry]), ([3, 4, 5, 6], [ferry]), ([8], [song]))
    give(readers, small, ([1, 4], [ferry]))
    monkeypatch.setattr(edition_sums, "LARGE", 12)

    def count() -> tuple[list[tuple[int, int]], int]:
        with readers.read() as session, recorded(readers.engine) as statements:
            found = [edition_sums.count_with(session, one) for one in (bridge, ferry, song)]
        return found, sum("FROM delivery" in one.text for one in statements)

    before, read = count()
    assert before == [(0, 2), (0, 7), (0, 0)]
    assert read == 3
    keep_sums(readers, settings, NOW)
    assert count() == (before, 1), "only the small edition that has the ferry is counted when somebody asks"

    with readers.write() as session:
        assert deliveries.replan_failed(session, large.id or 0, NOW) == 6
        row = session.get_one(Edition, large.id)
        row.state, row.finished_at = EditionState.FROZEN, None
    assert count() == ([(1, 2), (1, 7), (1, 0)], 3), "what is kept does not hold where it is resumed"
    with readers.write() as session:
        session.exec(update(Delivery).values(state=DeliveryState.ACCEPTED))
        row = session.get_one(Edition, large.id)
        row.state, row.finished_at = EditionState.FINISHED, NOW + timedelta(hours=1)
    keep_sums(readers, settings, NOW)
    assert count() == ([(0, 3), (0, 9), (0, 1)], 1)


def test_an_edition_of_very_many_lists_is_counted_when_somebody_asks(
    readers: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    bridge = add_article(readers, "Bridge")
    edition = enter(readers, [REFUSED] * 6, accepted=6)
    give(readers, edition, ([1, 2], [bridge]), ([3], [bridge]))
    monkeypatch.setattr(edition_sums, "LARGE", 12)
    monkeypatch.setattr(edition_sums, "_MOST_VARIANTS", 1)
    keep_sums(readers, settings, NOW)
    with readers.read() as session:
        assert edition_sums.count_with(session, bridge) == (0, 3)


def test_editions_of_single_readers_are_not_kept(readers: Database, settings: Settings) -> None:
    enter(readers, [], cadence="request")
    enter(readers, [], cadence="welcome")
    assert keep_sums(readers, settings, NOW) == 0


def test_readers_of_a_large_publication_are_counted_each_hour(
    readers: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_sums(readers, settings, NOW)
    with readers.read() as session:
        assert session.exec(select(CadenceReaders)).all() == [], "a small one is counted when somebody looks"
    monkeypatch.setattr(cadence_readers, "LARGE", 40)
    assert keep_sums(readers, settings, NOW) == 2
    with readers.write() as session:
        session.exec(update(Subscription).where(col(Subscription.id) <= 10).values(state="ended"))
    assert keep_sums(readers, settings, NOW + timedelta(minutes=59)) == 0
    with readers.read() as session:
        assert cadence_readers.count_readers(session, "world", "daily") == 40
        assert [tuple(one) for one in cadence_readers.list_hours(session, "world", "daily")] == [
            (None, None, None)
        ]
        assert cadence_readers.list_sizes(session, "world", "daily", 5) == []

    assert keep_sums(readers, settings, NOW + timedelta(minutes=60)) == 2

    with readers.read() as session:
        assert cadence_readers.count_readers(session, "world", "daily") == 30
        assert cadence_readers.count_readers(session, "world", "weekly") == 0


def test_the_largest_cohorts_come_first_as_when_they_are_counted(
    readers: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with readers.write() as session:
        for number, size in ((1, 3), (2, 7), (3, 5)):
            cohort = Cohort(key=str(number), digest="world", cadence="daily", language="en", history_from=NOW)
            session.add(cohort)
            session.flush()
            free = select(Subscription).where(col(Subscription.cohort_id).is_(None)).limit(size)
            for one in session.exec(free):
                one.cohort_id = cohort.id
            session.flush()
    with readers.read() as session:
        counted = [(one.key, size) for one, size in cadence_readers.list_sizes(session, "world", "daily", 2)]
    monkeypatch.setattr(cadence_readers, "LARGE", 1)
    with readers.write() as session:
        cadence_readers.keep_readers(session, cadence_readers.count_cadence(session, "world", "daily", NOW))
        cadence_readers.keep_readers(session, cadence_readers.count_cadence(session, "world", "daily", NOW))
    with readers.read() as session:
        kept = [(one.key, size) for one, size in cadence_readers.list_sizes(session, "world", "daily", 2)]
    assert kept == counted == [("2", 7), ("3", 5)]
