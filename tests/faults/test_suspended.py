"""A worker whose session the database has ended, as its machine was suspended: it sends nothing that others have."""

from collections import Counter
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from digest.bootstrap import Application
from digest.errors import Unreachable
from digest.settings import load_settings
from digest.store.database import Database
from digest.store.workers import WorkerLock
from digest.tasks.delivery import loop
from digest.tasks.delivery.deliver import deliver
from digest.tasks.delivery.recorder import Committed, Recorder
from tests.support.newsroom import Caught, Publication

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
READERS = 12


def end_session_of(app: Application, worker: WorkerLock) -> None:
    """End the session that holds a worker's lock, as the server does once keepalives are not answered."""
    with app.database.write() as session:
        ended = session.connection().execute(
            text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND objid = :id"
            ),
            {"id": worker.id},
        )
        assert ended.scalars().all() == [True]


def begin(tmp_path: Path, database_url: str, port: int) -> tuple[Publication, Application]:
    publication = Publication(tmp_path, database_url, port=9, connections=3)
    publication.begin(READERS)
    publication.run("send", "--now", code=1)  # planned, and no relay takes it yet
    publication.change_settings("port = 9", f"port = {port}")
    return publication, Application(load_settings(publication.config))


def test_a_worker_suspended_between_mark_and_final_dot_sends_none_of_what_another_has_sent(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit, clock = Recorder.commit, loop.seconds_with_sleep
    slept = [0.0]
    with Caught() as relay:
        publication, app = begin(tmp_path, database_url, relay.port)

        def commit_and_sleep(recorder: Recorder, *given: object) -> Committed:
            done = commit(recorder, *given)  # type: ignore[arg-type]
            if done.may_go and not slept[0]:
                slept[0] = 60.0
                end_session_of(app, worker)
                publication.run("send")  # another takes it over meanwhile
                assert len(set(relay.recipients)) == READERS
            return done

        monkeypatch.setattr(Recorder, "commit", commit_and_sleep)
        monkeypatch.setattr(loop, "seconds_with_sleep", lambda: clock() + slept[0])
        with (
            app.worker() as worker,
            pytest.raises(Unreachable, match="other workers deliver what it had claimed"),
        ):
            deliver(app.run(worker))
        app.close()

    assert Counter(relay.recipients) == {f"r{n}@readers.example": 1 for n in range(READERS)}
    publication.run("audit")


def test_a_worker_notices_that_its_session_has_ended_before_it_claims_more(
    tmp_path: Path, database_url: str
) -> None:
    with Caught() as relay:
        app = begin(tmp_path, database_url, relay.port)[1]
        with app.worker() as worker:
            end_session_of(app, worker)
            with pytest.raises(Unreachable):
                deliver(app.run(worker))
        app.close()

    assert relay.messages == []


def test_a_loop_whose_tables_another_version_has_just_changed_says_so_in_a_line(database_url: str) -> None:
    database = Database(database_url)
    transactions = database.transactions()
    query = "SELECT id FROM variant"

    def read() -> None:
        with transactions.transaction() as transaction:
            cursor: Any = transaction.connection.connection.cursor()
            cursor.execute(query, prepare=True)

    read()
    with database.write() as session:
        session.connection().exec_driver_sql("ALTER TABLE variant ALTER COLUMN id TYPE bigint")
    with pytest.raises(Unreachable, match="was upgraded under this run: the next run continues"):
        read()
    read()
    transactions.close()
    database.close()


def test_the_first_error_of_a_series_is_told_not_that_of_what_was_sent_after_it(database_url: str) -> None:
    database = Database(database_url)
    transactions = database.transactions()

    def divide() -> None:
        with transactions.transaction() as transaction:
            cursor: Any = transaction.connection.connection.cursor()
            cursor.execute("SELECT 1 / 0")
            for _ in range(100_000):  # until the answer is read, with statements still behind it
                cursor.execute("SELECT 1")

    with pytest.raises(psycopg.errors.DivisionByZero):
        divide()
    with transactions.transaction() as transaction:
        cursor = transaction.connection.connection.cursor()
        assert cursor.execute("SELECT 1").fetchone() == (1,)
    transactions.close()
    database.close()


def test_a_loop_leaves_its_connection_as_every_other(database_url: str) -> None:
    names = ("synchronous_commit", "timezone", "plan_cache_mode", "idle_in_transaction_session_timeout")
    database = Database(database_url)

    def settings() -> list[str]:
        with database.read() as session:
            return [str(session.connection().exec_driver_sql(f"SHOW {name}").scalar()) for name in names]

    with database.write() as session:
        session.connection().exec_driver_sql("ALTER ROLE CURRENT_USER SET synchronous_commit = off")
    database.close()
    try:
        before = settings()
        transactions = database.transactions()
        with transactions.transaction():
            pass
        transactions.close()

        assert settings() == before
        assert before[0] == "on"
    finally:
        with database.write() as session:
            session.connection().exec_driver_sql("ALTER ROLE CURRENT_USER RESET synchronous_commit")
        database.close()
