"""What planning asks of PostgreSQL, so that a range is read by its keys however many readers there are."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from digest.store.database import Database
from digest.store.editions import planning

MANY = 3_000
READERS = text(
    "INSERT INTO subscriber (public_id, address, address_key, name, created_at)"
    " SELECT n, n, n, '', now() FROM generate_series(1, :many) AS n"
)
ANALYZED = text("SELECT analyze_count FROM pg_stat_user_tables WHERE relname = 'subscriber'")


@pytest.fixture
def on_postgresql(postgresql_tables: str) -> Iterator[Database]:
    database = Database(postgresql_tables)
    yield database
    database.close()


def add_readers(database: Database, many: int) -> None:
    with database.write() as session:
        session.execute(READERS, {"many": many})
    with database.write() as session:
        session.execute(text("SELECT pg_stat_force_next_flush()"))
    with database.write():
        pass  # what the transactions before have changed is reported by now


def analyzed(database: Database) -> int:
    with database.read() as session:
        return int(session.execute(ANALYZED).scalar_one())


def test_readers_who_have_just_come_are_counted_once(on_postgresql: Database) -> None:
    add_readers(on_postgresql, MANY)
    before = analyzed(on_postgresql)

    planning.refresh_statistics(on_postgresql)
    once = analyzed(on_postgresql)
    planning.refresh_statistics(on_postgresql)

    assert (once - before, analyzed(on_postgresql) - once) == (1, 0)


def test_planning_counts_nobody_while_another_process_does(on_postgresql: Database) -> None:
    add_readers(on_postgresql, MANY)
    before = analyzed(on_postgresql)

    with on_postgresql.write() as session:
        session.execute(text("LOCK TABLE subscriber IN SHARE UPDATE EXCLUSIVE MODE"))
        planning.refresh_statistics(on_postgresql)

    assert analyzed(on_postgresql) == before


def test_no_statement_of_planning_is_compiled(on_postgresql: Database) -> None:
    with on_postgresql.write() as session:
        planning.take_turns(session)
        assert session.execute(text("SHOW jit")).scalar_one() == "off"
