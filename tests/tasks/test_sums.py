"""What was counted once is shown as long as it holds, and nothing else is."""

from datetime import UTC, datetime, timedelta

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
from digest.tasks.desk.agenda import describe_progress
from digest.tasks.figures.kept_counts import keep_sums
from digest.tasks.ledger.audit import account, sum_up
from digest.tasks.ledger.running_sums import RunningSums
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
        assert describe_progress(session, large, RunningSums(), NOW).reasons == [
            ("failed", REFUSED, 6), ("failed", "other reasons, each of fewer than five readers", 3)
        ]  # fmt: skip
        assert len(describe_progress(session, small, RunningSums(), NOW).reasons) == 2
        kept = [one.model_dump_json() for one in session.exec(select(EditionSums))]
    assert len(kept) == 2
    assert "readers.example" not in "".join(kept)


def test_a_large_edition_that_is_delivered_is_counted_every_ten_seconds_for_all_who_look(
    readers: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    large, small = enter(readers, [REFUSED], accepted=9), enter(readers, [REFUSED], day=2)
    monkeypatch.setattr(edition_sums, "LARGE", 10)
    running = RunningSums()
    with readers.write() as session:
        for edition in (large, small):
            edition.state, edition.finished_at = EditionState.FROZEN, None
            session.add(edition)

    def failed(edition: Edition, at: datetime) -> tuple[int, int]:
        with readers.read() as session:
            shown = running.count_states(session, edition, at).get("failed", 0)
            return shown, sum(number for _, _, number in running.count_reasons(session, edition, at))

    assert failed(large, NOW) == failed(small, NOW) == (1, 1)
    with readers.write() as session:
        session.exec(update(Delivery).values(state=DeliveryState.FAILED, reason=REFUSED))

    soon, later = NOW + timedelta(seconds=9), NOW + timedelta(seconds=10)
    with recorded(readers.engine) as statements:
        assert failed(large, soon) == (1, 1)
    assert statements == []
    assert failed(small, soon) == (4, 4), "a small one is counted for each look"
    assert failed(large, later) == (10, 10)
    assert failed(large, NOW - timedelta(seconds=1)) == (10, 10), "a clock that was set back counts anew"


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
