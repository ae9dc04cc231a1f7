"""Writers on SQLite who wait for one who writes all the time."""

import fcntl
import threading
from pathlib import Path

from sqlalchemy import text

from digest.store.database import Database, is_awaited

MOST = 10


def test_who_waits_to_write_has_a_turn_between_the_transactions_of_another(tmp_path: Path) -> None:
    database, is_done, waits = (
        Database(f"sqlite:///{tmp_path}/digest.db"),
        threading.Event(),
        threading.Event(),
    )

    def write() -> None:
        waits.set()
        with database.write() as session:
            session.execute(text("SELECT 1"))
        is_done.set()

    turns = 0
    with database.write() as session:
        session.connection()  # takes the lock
        thread = threading.Thread(target=write)
        thread.start()
        waits.wait(10)
        is_done.wait(0.5)  # by now SQLite's own waiting asks ten times a second
    while not is_done.is_set() and turns < 100:
        turns += 1
        database.give_way()
        with database.write() as session:
            session.connection()
            is_done.wait(0.05)
    thread.join()
    database.close()

    assert turns <= MOST


def test_something_long_waits_until_who_waits_has_had_a_turn(tmp_path: Path) -> None:
    database, order = Database(f"sqlite:///{tmp_path}/digest.db"), list[str]()

    def write() -> None:
        with database.write() as session:
            session.connection()
            order.append("another")

    with database.write() as session:
        session.connection()
        thread = threading.Thread(target=write)
        thread.start()
        for _ in range(1_000):
            if is_awaited(database):
                break
            thread.join(0.01)
    database.give_way()
    with database.write() as session:
        session.connection()
        order.append("the long one")
    thread.join()
    database.close()

    assert order == ["another", "the long one"]


def test_something_long_goes_on_where_somebody_waits_all_the_time(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/digest.db")
    with database.write() as session:
        session.execute(text("CREATE TABLE t (x)"))
    with (tmp_path / "digest.db-wal").open("rb") as log:
        fcntl.flock(log, fcntl.LOCK_SH)
        assert is_awaited(database)
        database.give_way()
    assert not is_awaited(database)
    database.close()
