"""Transactions that PostgreSQL gets whole: all or nothing, and finished by the server alone."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError
from sqlmodel import col, select, update

from digest.errors import Unreachable
from digest.models import Worker
from digest.store.database import Database
from digest.store.pipelined import Pipelined, Row, Statement
from digest.store.transactions import Transaction, Transactions

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
_PATIENCE = 10


def add(host: str) -> Statement:
    return "INSERT INTO worker (host, pid, started_at) VALUES (%s, %s, now()) RETURNING host, ended_at", (
        host,
        "7",
    )


def hosts(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.exec(select(Worker.host).order_by(Worker.host)))


@contextmanager
def pipelined(database: Database) -> Iterator[Pipelined]:
    transactions = database.transactions()
    try:
        with transactions.pipelined() as wire:
            yield wire
    finally:
        transactions.close()


def run(transactions: Transactions, statements: list[Statement]) -> list[list[Row]]:
    with transactions.pipelined() as wire:
        wire.send(statements)
        found = [wire.read() for _ in statements]
        wire.commit()
    return found


def test_the_results_come_in_order_and_all_is_durable_after_the_commit(database: Database) -> None:
    with pipelined(database) as wire:
        for names in (("a", "b"), ("c\u2019s", "b, {d}")):
            wire.send([add(name) for name in names])
            assert [wire.read() for _ in names] == [[[name.encode(), None]] for name in names]
            wire.commit()

    assert hosts(database) == ["a", "b", "b, {d}", "c\u2019s"]


def test_a_statement_that_fails_is_named_and_undoes_those_before_it(database: Database) -> None:
    transactions = database.transactions()

    with pytest.raises(psycopg.errors.DivisionByZero):
        run(transactions, [add("before"), ("SELECT 1 / %s::int", ("0",)), add("after")])

    transactions.close()
    assert hosts(database) == []


def test_the_series_goes_on_after_an_error(database: Database) -> None:
    transactions = database.transactions()
    with pytest.raises(psycopg.errors.UndefinedTable):
        run(transactions, [("SELECT 1 FROM nowhere", ())])
    run(transactions, [add("again")])
    with transactions.transaction() as transaction, transaction.session() as session:
        assert session.exec(select(Worker.host)).all() == ["again"]
    transactions.close()


def test_an_interrupted_caller_leaves_no_connection_with_results_on_it(database: Database) -> None:
    transactions = database.transactions()

    def interrupt() -> None:
        with transactions.pipelined() as wire:
            wire.send([add("sent")])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupt()
    assert run(transactions, [("SELECT %s::int", ("5",))]) == [[[b"5"]]]
    transactions.close()


def test_nobody_waits_for_the_rows_of_a_process_that_is_suspended_after_sending(database: Database) -> None:
    with database.write() as session:
        session.add(Worker(host="one", pid=1, started_at=datetime.now(UTC)))
    locked = threading.Event()

    def change() -> None:
        with database.write() as session:
            for worker in session.exec(select(Worker).with_for_update()):
                worker.pid = 2
                session.add(worker)
        locked.set()

    with pipelined(database) as wire:
        wire.send([("UPDATE worker SET pid = %s WHERE host = %s RETURNING pid", ("3", "one"))])
        other = threading.Thread(target=change, daemon=True)
        other.start()  # while nothing has been read here
        assert locked.wait(_PATIENCE)
        assert wire.read() == [[b"3"]]
        wire.commit()
    other.join(_PATIENCE)

    with database.read() as session:
        assert session.exec(select(Worker.pid)).one() == 2


def test_a_session_that_the_server_ends_is_a_database_that_cannot_be_reached(database: Database) -> None:
    transactions = database.transactions()
    run(transactions, [("SELECT 1", ())])
    with database.write() as session:
        session.connection().exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    with pytest.raises(Unreachable):
        run(transactions, [add("lost")])

    transactions.close()

    assert hosts(database) == []


def test_more_than_a_socket_holds_is_sent_all_the_same(database: Database) -> None:
    with pipelined(database) as wire:
        wire.send([("SELECT length(%s)", ("x" * 30_000_000,)), ("SELECT repeat(%s, 9000000)", ("y",))])
        assert wire.read() == [[b"30000000"]]
        assert len(wire.read()[0][0] or b"") == 9_000_000
        wire.commit()


def test_statements_are_prepared_once_for_a_connection_and_again_after_a_rollback(database: Database) -> None:
    statements: list[Statement] = [("SELECT %s::int", ("5",)), ("SELECT %s::text", ("x",))]
    for _ in range(3):
        transactions = database.transactions()
        assert run(transactions, statements) == [[[b"5"]], [[b"x"]]]
        assert run(transactions, statements[::-1]) == [[[b"x"]], [[b"5"]]]
        with transactions.transaction() as transaction:
            found = transaction.connection.connection.cursor().execute("TABLE pg_prepared_statements")
            assert len([row for row in found.fetchall() if row[0].startswith("pipelined")]) == 2
        with suppress(ZeroDivisionError), transactions.transaction() as transaction:
            for _ in range(9):  # often enough for the driver to prepare it, and so to forget all
                transaction.connection.connection.cursor().execute("SELECT 1").fetchall()
            raise ZeroDivisionError
        assert run(transactions, statements) == [[[b"5"]], [[b"x"]]]
        transactions.close()


def test_a_session_between_pipelined_transactions_has_each_result_at_once(database: Database) -> None:
    transactions = database.transactions()
    for _ in range(2):
        run(transactions, [add("one")])
        with transactions.transaction() as transaction, transaction.session() as session:
            found = session.exec(select(Worker).where(Worker.host == "one")).all()
            changed = session.exec(update(Worker).where(col(Worker.host) == "one").values(pid=8))
            assert changed.rowcount == len(found) > 0
        with pytest.raises(DBAPIError), transactions.transaction() as transaction:
            fail(transaction)
    transactions.close()

    assert hosts(database) == ["one", "one"]


def fail(transaction: Transaction) -> None:
    with transaction.session() as session:
        session.connection().exec_driver_sql("SELECT 1 / 0")
