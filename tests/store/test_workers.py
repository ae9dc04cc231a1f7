"""Workers, the counter and the keys begin well even where eight begin at once."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from digest.store.database import Database
from digest.store.keys import keep_keys
from digest.store.workers import WorkerLock, get_counter, is_alive, server_identity

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)


def test_eight_workers_may_begin_at_once_in_a_new_database_and_each_raises_the_counter(
    database: Database,
) -> None:
    with ThreadPoolExecutor(8) as pool:
        locks = list(pool.map(lambda n: WorkerLock.acquire(database, host="test", pid=n, now=NOW), range(8)))
    with database.read() as session:
        assert get_counter(session) == 8
    assert len({lock.id for lock in locks}) == 8
    for lock in locks:
        assert is_alive(database, lock.id)
        lock.release(database, NOW)
        assert not is_alive(database, lock.id)


def test_the_keys_of_the_first_to_ask_stand_for_all(database: Database) -> None:
    def ask(n: int) -> dict[str, bytes]:
        with database.write() as session:
            return keep_keys(session, {"identity": bytes([n]) * 32})

    with ThreadPoolExecutor(4) as pool:
        given = list(pool.map(ask, range(4)))

    assert given == [given[0]] * 4


def test_a_plain_account_may_read_which_postgresql_server_this_is(postgresql_database: str) -> None:
    database = Database(postgresql_database)
    with database.write() as session:
        session.connection().exec_driver_sql("CREATE ROLE plain NOINHERIT")
        session.connection().exec_driver_sql("SET LOCAL ROLE plain")

        assert re.fullmatch(r"postgresql \d+ [0-9A-F]{8}", server_identity(session))
        session.rollback()
    database.close()
