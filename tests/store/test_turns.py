"""Writers on SQLite who wait for one who writes all the time."""

import threading
from pathlib import Path

from sqlalchemy import text

from digest.store.database import Database

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
    with database.write():
        thread = threading.Thread(target=write)
        thread.start()
        waits.wait(10)
        is_done.wait(0.5)  # by now SQLite's own waiting asks ten times a second
    while not is_done.is_set() and turns < 100:
        turns += 1
        database.give_way()
        with database.write():
            is_done.wait(0.05)
    thread.join()
    database.close()

    assert turns <= MOST
