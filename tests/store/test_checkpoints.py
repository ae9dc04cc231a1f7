"""When pages move from SQLite's write-ahead log into the database file, and who waits for that."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from digest.store import database as module
from digest.store.database import Database

PAGES = 3_000
ADD = "INSERT INTO t VALUES (randomblob(4000))"


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setattr(module, "_CHECKPOINT_SECONDS", 3_600)
    database = Database(f"sqlite:///{tmp_path}/digest.db")
    with database.write() as session:
        session.execute(text("CREATE TABLE t (x BLOB)"))
    yield database
    database.close()


@pytest.fixture
def full(database: Database, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Another process's connection, that has left thousands of pages in the log."""
    with closing(sqlite3.connect(tmp_path / "digest.db", isolation_level=None)) as other:
        other.execute("PRAGMA wal_autocheckpoint=0")
        other.execute("BEGIN")
        other.executemany(ADD, [()] * PAGES)
        other.execute("COMMIT")
        yield other


def pages(tmp_path: Path) -> int:
    return (tmp_path / "digest.db").stat().st_size // 4096


def leave(database: Database, rows: int = 1) -> None:
    with database.write() as session:
        session.connection().connection.cursor().executemany(ADD, [()] * rows)


def test_a_commit_of_few_rows_moves_nothing(
    database: Database, full: sqlite3.Connection, tmp_path: Path
) -> None:
    before = pages(tmp_path), (tmp_path / "digest.db").stat().st_mtime_ns

    leave(database)

    assert (pages(tmp_path), (tmp_path / "digest.db").stat().st_mtime_ns) == before


def test_a_thread_moves_them_afterwards(
    database: Database, full: sqlite3.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.close()  # ends the thread of the table's creation
    monkeypatch.setattr(module, "_CHECKPOINT_SECONDS", 0.05)
    before = pages(tmp_path)
    leave(database)
    leave(database)
    threads = [thread for thread in threading.enumerate() if thread.name == "checkpoint"]
    for thread in threads:
        thread.join(10)

    assert len(threads) == 1
    assert pages(tmp_path) >= before + 2


def test_closing_does_not_leave_it_to_the_thread(
    database: Database, full: sqlite3.Connection, tmp_path: Path
) -> None:
    leave(database)
    database.close()

    assert pages(tmp_path) >= PAGES
    assert not [thread for thread in threading.enumerate() if thread.name == "checkpoint"]


def test_a_transaction_of_many_rows_moves_them_itself(database: Database, tmp_path: Path) -> None:
    leave(database, 5_000)

    assert pages(tmp_path) >= 5_000


def test_a_log_that_somebody_still_reads_keeps_nobody_waiting(
    database: Database, full: sqlite3.Connection, tmp_path: Path
) -> None:
    with database.read() as session:
        session.execute(text("SELECT count(*) FROM t")).all()
        leave(database, 5_000)
        leave(database)
        moved = pages(tmp_path)

    assert PAGES <= moved < PAGES + 5_000
    with database.read() as session:
        assert session.execute(text("PRAGMA busy_timeout")).scalar() == 60_000


def test_a_database_that_is_gone_is_told_in_the_log(
    database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    leave(database)
    database.engine.dispose()
    for path in tmp_path.glob("digest.db*"):
        path.unlink()
    (tmp_path / "digest.db").mkdir()
    database.close()

    assert "the write-ahead log cannot be opened" in caplog.text


def test_a_loop_that_nobody_waits_for_moves_them_at_its_commits(
    database: Database, full: sqlite3.Connection, tmp_path: Path
) -> None:
    series = database.transactions()
    with series.transaction() as transaction:
        transaction.connection.connection.cursor().execute(ADD)

    assert pages(tmp_path) >= PAGES
    series.close()
    with database.read() as session:
        assert session.execute(text("PRAGMA wal_autocheckpoint")).scalar() == 16_000
