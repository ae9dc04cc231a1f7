"""The ledger: claims are exclusive, marks need a live claim, a crash loses nothing, sums prove it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import Connection
from sqlmodel import select

from digest.models import (
    Delivery,
    DeliveryState,
    Edition,
    EditionState,
    SubscriptionState,
    Withheld,
)
from digest.store.database import Database
from digest.store.delivery import claims, deliveries
from digest.store.workers import dead_workers
from tests.store.delivery.ledgers import NOW, Ledger


def test_claims_give_the_longest_due_first_and_each_to_one_worker(ledger: Ledger) -> None:
    first = ledger.claim(ledger.one.id, 3)
    second = ledger.claim(ledger.other.id, 3)

    assert [job.address for job in first] == ["r3@x.example", "r2@x.example", "r1@x.example"]
    assert [job.address for job in second] == ["r0@x.example"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_claim_reads_no_more_than_it_takes_however_many_are_open(ledger: Ledger) -> None:
    with ledger.database.read() as session:
        plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {claims._DUE}", (NOW, "", "", 3))
        steps = [str(row[3]) for row in plan]

    assert steps[0] == "SEARCH delivery USING INDEX ix_delivery_open (due_at<?)"
    assert not [step for step in steps if "TEMP B-TREE" in step]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_no_index_holds_what_claiming_and_marking_change_on_postgresql(ledger: Ledger) -> None:
    """Then PostgreSQL writes no index entry for them (HOT); `is_open` changes with the last state alone."""
    columns = (
        "SELECT DISTINCT attname FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND (attnum = ANY(indkey)"
        " OR pg_get_expr(indpred, indrelid) LIKE '%' || attname || '%') AND attnum > 0"
        " WHERE indrelid = 'delivery'::regclass"
    )
    with ledger.database.read() as session:
        indexed = set(session.connection().exec_driver_sql(columns.replace("%", "%%")).scalars())

    assert indexed == {"id", "edition_id", "subscription_id", "due_at", "is_open"}


@pytest.mark.parametrize("statistics", ["none", "of an empty table", "of every row"])
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_the_loops_statements_walk_indexes_whatever_postgresql_knows_of_the_tables(
    ledger: Ledger, statistics: str
) -> None:
    """A new edition's deliveries are claimed before anything has counted them."""
    (job, *_) = ledger.claim(ledger.one.id, 1)
    if statistics == "of an empty table":
        analyze(ledger.database)
    add_planned(ledger.database, 20_000)
    if statistics == "of every row":
        analyze(ledger.database)

    transactions = ledger.database.transactions()
    with transactions.transaction() as transaction, note_statements(transaction.connection) as plans:
        claims.claim(transaction.connection, owner=ledger.one.id, now=NOW, size=240)
        claims.mark_in_flight(
            transaction.connection, {job.delivery_id: (job, NOW)}, owner=ledger.one.id, now=NOW
        )
        claims.record_accepted(transaction.connection, {job.delivery_id: 250}, owner=ledger.one.id, now=NOW)
        claim, mark, accept = plans()
    transactions.close()

    assert "Index Scan using ix_delivery_open on delivery" in claim
    assert "Sort" not in claim
    for plan in (claim, mark, accept):
        assert "Seq Scan on delivery" not in plan
        assert "Bitmap" not in plan


def analyze(database: Database) -> None:
    """Let PostgreSQL count the rows that are there."""
    with database.write() as session:
        session.connection().exec_driver_sql("ANALYZE delivery, subscription, subscriber, edition")


def add_planned(database: Database, count: int) -> None:
    """Add planned deliveries of the edition, without any reader."""
    with database.write() as session:
        connection = session.connection()
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")  # without foreign keys
        connection.exec_driver_sql(
            "INSERT INTO delivery"
            " (edition_id, subscription_id, state, reason, due_at, attempts, resends, reply_text, changed_at)"
            " SELECT edition.id, 1000000 + n, 'planned', '', %s, 0, 0, '', %s"
            " FROM edition, generate_series(1, %s) AS n",
            (NOW, NOW, count),
        )


@contextmanager
def note_statements(connection: Connection) -> Iterator[Callable[[], list[str]]]:
    """Yield a function that returns the plan of each statement of the hot path that ran."""
    asked: list[tuple[str, object]] = []
    cursor_of = claims._cursor

    class Noting:
        def __init__(self) -> None:
            self._cursor = cursor_of(connection)

        def execute(self, statement: str, values: object) -> object:
            asked.append((statement, values))
            return self._cursor.execute(statement, values)

        def fetchall(self) -> object:
            return self._cursor.fetchall()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(claims, "_cursor", lambda _connection: Noting())
        yield lambda: [
            "\n".join(
                str(row[0]) for row in cursor_of(connection).execute(f"EXPLAIN {one}", values).fetchall()
            )
            for one, values in asked
        ]


def test_what_is_not_due_yet_is_not_claimed(ledger: Ledger) -> None:
    with ledger.database.write() as session:
        for row in session.exec(select(Delivery)):
            row.due_at = NOW + timedelta(seconds=1)
            session.add(row)

    assert ledger.claim(ledger.one.id) == []


@pytest.mark.parametrize("state", [EditionState.COMPILING, EditionState.PAUSED, EditionState.HELD])
def test_nothing_of_an_edition_that_is_not_frozen_is_claimed(ledger: Ledger, state: EditionState) -> None:
    with ledger.database.write() as session:
        edition = session.exec(select(Edition)).one()
        edition.state = state
        session.add(edition)

    assert ledger.claim(ledger.one.id) == []


@pytest.mark.parametrize(
    ("state", "answer"),
    [
        (SubscriptionState.CONFIRMED, True),
        (SubscriptionState.ENDED, Withheld.LEFT),
        (SubscriptionState.PAUSED, Withheld.PAUSED),
    ],
)
def test_consent_is_read_again_before_each_mark(
    ledger: Ledger, state: SubscriptionState, answer: Withheld | bool
) -> None:
    (job, *_) = ledger.claim(ledger.one.id)
    ledger.set_subscription(job, state)

    assert ledger.may_still_go(job, ledger.one.id) == answer


def test_a_claim_that_another_worker_took_over_may_not_go(ledger: Ledger) -> None:
    (job, *_) = ledger.claim(ledger.one.id)
    ledger.reap(ledger.one.id)
    ledger.claim(ledger.other.id)

    assert ledger.may_still_go(job, ledger.one.id) is False
    assert ledger.may_still_go(job, ledger.other.id) is True


def test_a_dead_workers_claims_are_planned_again_and_its_message_in_flight_is_repeated_once(
    ledger: Ledger,
) -> None:
    jobs = ledger.claim(ledger.one.id)
    ledger.mark(jobs[0], ledger.one.id)

    assert ledger.reap(ledger.one.id) == (1, 3)

    repeat = next(job for job in ledger.claim(ledger.other.id) if job.delivery_id == jobs[0].delivery_id)
    assert (repeat.resends, repeat.composed_at) == (1, NOW)
    ledger.mark(repeat, ledger.other.id)
    ledger.reap(ledger.other.id)
    assert ledger.delivery(repeat).state == DeliveryState.UNCERTAIN


def test_with_hold_an_uncertain_delivery_waits_for_the_operator(ledger: Ledger) -> None:
    jobs = ledger.claim(ledger.one.id)
    ledger.mark(jobs[0], ledger.one.id)
    ledger.reap(ledger.one.id, resend=False)

    assert ledger.delivery(jobs[0]).state == DeliveryState.UNCERTAIN


def test_who_left_meanwhile_is_not_repeated_to_and_the_delivery_stays_uncertain(ledger: Ledger) -> None:
    job = ledger.claim(ledger.one.id, 1)[0]
    ledger.mark(job, ledger.one.id)
    ledger.reap(ledger.one.id)
    (repeat,) = ledger.claim(ledger.other.id, 1)
    with ledger.database.write() as session:
        deliveries.withhold(session, repeat, Withheld.LEFT, NOW)

    assert ledger.delivery(job).state == DeliveryState.UNCERTAIN
    assert ledger.delivery(job).reason == "not repeated: left"


def test_a_record_of_a_worker_that_lost_the_claim_changes_nothing(ledger: Ledger) -> None:
    (job, *_) = ledger.claim(ledger.one.id)
    ledger.reap(ledger.one.id)
    ledger.record(job, ledger.one.id, DeliveryState.ACCEPTED)

    assert ledger.delivery(job).state == DeliveryState.PLANNED


def test_an_edition_is_finished_only_when_nothing_is_open(ledger: Ledger) -> None:
    jobs = ledger.claim(ledger.one.id)
    ends = [
        DeliveryState.ACCEPTED,
        DeliveryState.FAILED,
        DeliveryState.UNCERTAIN,
    ]
    for job, state in zip(jobs, ends, strict=False):
        ledger.record(job, ledger.one.id, state)
    with ledger.database.write() as session:
        assert deliveries.finish_editions(session, NOW) == []
    ledger.record(jobs[3], ledger.one.id, DeliveryState.ACCEPTED)

    with ledger.database.write() as session:
        (edition,) = deliveries.finish_editions(session, NOW)
    assert (edition.state, edition.finished_at) == (EditionState.FINISHED, NOW)


def test_a_worker_whose_lock_is_gone_is_dead_and_one_that_holds_it_is_not(ledger: Ledger) -> None:
    assert dead_workers(ledger.database, own_id=None) == []
    ledger.other.die()
    assert dead_workers(ledger.database, own_id=ledger.one.id) == [ledger.other.id]


def test_a_worker_that_ended_but_still_owns_a_delivery_is_recovered_later(ledger: Ledger) -> None:
    ledger.claim(ledger.other.id)
    ledger.other.release(ledger.database, NOW)

    assert dead_workers(ledger.database, own_id=ledger.one.id) == [ledger.other.id]


def test_of_many_that_are_marked_at_once_only_those_that_may_go_are(ledger: Ledger) -> None:
    left, gone, good, late = ledger.claim(ledger.one.id)
    ledger.set_subscription(left, SubscriptionState.ENDED)
    with ledger.database.write() as session:
        deliveries.release(session, [gone], owner=ledger.one.id, now=NOW)
    ready = {job.delivery_id: (job, NOW) for job in (left, gone, good)}
    ready[late.delivery_id] = late, NOW - timedelta(seconds=9)

    with ledger.database.write() as session:
        kept_back = claims.mark_in_flight(session.connection(), ready, owner=ledger.one.id, now=NOW)

    assert kept_back == {left.delivery_id: Withheld.LEFT, gone.delivery_id: False}
    found = [
        (ledger.delivery(job).state, ledger.delivery(job).composed_at) for job in (left, gone, good, late)
    ]
    assert found == [
        ("claimed", None), ("planned", None), ("in_flight", NOW), ("in_flight", NOW - timedelta(seconds=9)),
    ]  # fmt: skip


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite has one writer at a time
def test_a_dead_workers_last_commit_that_lands_while_it_is_reaped_is_seen(
    ledger: Ledger,
) -> None:
    """PostgreSQL may free a killed process's lock before its other session has committed."""
    job = ledger.claim(ledger.one.id)[0]
    found: list[tuple[int, int]] = []
    with ledger.database.write() as session:
        claims.mark_in_flight(
            session.connection(), {job.delivery_id: (job, NOW)}, owner=ledger.one.id, now=NOW
        )
        reaping = threading.Thread(target=lambda: found.append(ledger.reap(ledger.one.id, resend=False)))
        reaping.start()
        reaping.join(0.3)
        assert reaping.is_alive()
    reaping.join(10)

    assert found == [(1, 3)]
    assert ledger.delivery(job).state == DeliveryState.UNCERTAIN


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite has one writer at a time
def test_whoever_leaves_while_a_mark_is_committed_waits_for_it(ledger: Ledger) -> None:
    job = ledger.claim(ledger.one.id)[0]
    with ledger.database.write() as session:
        assert not claims.mark_in_flight(
            session.connection(), {job.delivery_id: (job, NOW)}, owner=ledger.one.id, now=NOW
        )
        leaving = threading.Thread(target=ledger.set_subscription, args=(job, SubscriptionState.ENDED))
        leaving.start()
        leaving.join(0.3)
        assert leaving.is_alive()
    leaving.join(10)
    assert not leaving.is_alive()
