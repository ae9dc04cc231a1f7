"""What was counted once is shown as long as it holds, and nothing else is."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import col, select, update

from digest.models import (
    CadenceReaders,
    Cohort,
    Delivery,
    DeliveryState,
    Edition,
    EditionState,
    EditionSums,
    Subscription,
)
from digest.settings import Settings
from digest.store.database import Database
from digest.store.delivery import deliveries
from digest.store.editions import cadence_readers, sums
from digest.tasks.desk.agenda import describe_progress
from digest.tasks.figures.sums import keep_sums
from digest.tasks.ledger.audit import account, sum_up
from tests.benchmarks.readers import load_readers

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
    monkeypatch.setattr(sums, "LARGE", 12)
    small = enter(readers, [REFUSED, "550 r1@readers.example is unknown"], day=2)
    keep_sums(readers, settings, NOW)
    with readers.read() as session:
        assert describe_progress(session, large).reasons == [
            ("failed", REFUSED, 6), ("failed", "other reasons, each of fewer than five readers", 3)
        ]  # fmt: skip
        assert len(describe_progress(session, small).reasons) == 2
        kept = [one.model_dump_json() for one in session.exec(select(EditionSums))]
    assert len(kept) == 2
    assert "readers.example" not in "".join(kept)


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
