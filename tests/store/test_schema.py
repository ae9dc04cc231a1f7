"""The schema: made once, by whoever comes first, and always the one that the models describe."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import SQLModel

from digest.errors import DigestError
from digest.store import schema
from digest.store.database import Database
from tests.support.fast_set_up import REAL_UPGRADE


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the URL of an empty database of each kind, whose tables the migrations make."""
    monkeypatch.setattr(schema, "_upgrade", REAL_UPGRADE)
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/digest.db"
    url: str = request.getfixturevalue("postgresql_database")
    return url


def test_the_migrations_make_what_the_models_describe(database: Database) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    def is_compared(_object: object, name: str | None, *_more: object) -> bool:
        # PostgreSQL's migrations have another set of these on purpose: see `Delivery` and `in_states`.
        return database.is_sqlite or name not in ("is_open", "ix_delivery_owned")

    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": is_compared})
        found = compare_metadata(context, SQLModel.metadata)

    assert found == []


def test_the_head_is_the_last_migration() -> None:
    from alembic.script import ScriptDirectory

    assert ScriptDirectory(str(schema._FOLDER)).get_current_head() == schema.HEAD


def test_migrating_again_changes_nothing(database: Database) -> None:
    assert schema.migrate(database) is None


def test_eight_processes_may_create_the_tables_at_once(database_url: str) -> None:
    databases = [Database(database_url) for _ in range(8)]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(schema.migrate, databases)) == [None] * 8
    for database in databases:
        database.close()


def test_a_database_of_a_later_version_is_refused_with_its_version(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(DigestError, match="9999"):
        schema.migrate(database)


def test_sqlite_commits_are_durable_and_readers_do_not_wait(database: Database) -> None:
    if not database.is_sqlite:
        with database.engine.connect() as connection:
            assert connection.execute(text("SHOW synchronous_commit")).scalar() == "on"
        return
    with database.engine.connect() as connection:
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
