"""The database examined, on SQLite and on PostgreSQL: nothing is changed, and every trouble is a line."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from digest.bootstrap import Application
from digest.settings import Settings
from digest.store.database import Database
from digest.tasks.doctor.database import examine_database
from digest.tasks.doctor.findings import Finding
from digest.tasks.doctor.scope import Scope
from digest.tasks.doctor.sources import examine_sources


def examined(settings: Settings, *, ahead: timedelta = timedelta()) -> dict[str, Finding]:
    application = Application(settings)
    scope = Scope(
        settings, application.relay, lambda: application.renderer, lambda: datetime.now(UTC) + ahead
    )
    return {finding.check: finding for finding in examine_database(scope)}


@pytest.fixture
def made(settings: Settings) -> Settings:
    """Return settings whose database has its tables and keys."""
    application = Application(settings)
    assert application.keys
    application.close()
    return settings


def statuses(found: dict[str, Finding]) -> dict[str, str]:
    return {check: finding.status.value for check, finding in found.items()}


def test_a_database_that_is_whole(made: Settings) -> None:
    found = statuses(examined(made))
    assert found.pop("clock", "ok") == "ok"
    assert found == {"database": "ok", "schema": "ok", "state": "ok"}


def test_a_database_without_tables_is_not_given_any(settings: Settings) -> None:
    database = Database(settings.database_url)
    if not database.is_sqlite:
        with database.engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
    database.close()
    found = examined(settings)
    assert statuses(found) == {"database": "ok", "schema": "fail"}
    assert found["schema"].remedy == "`digest init` creates them"
    assert examined(settings)["schema"].status.value == "fail"


@pytest.mark.parametrize(("version", "status"), [("0000", "warn"), ("9999", "fail")])
def test_a_database_of_another_version_is_left_as_it_is(made: Settings, version: str, status: str) -> None:
    database = Database(made.database_url)
    with database.write() as session:
        session.connection().execute(text("UPDATE alembic_version SET version_num = :v"), {"v": version})
    database.close()
    found = examined(made)
    assert statuses(found) == {"database": "ok", "schema": status}
    assert version in found["schema"].found
    assert version in examined(made)["schema"].found


def test_a_counter_behind_the_state_file_is_told(made: Settings) -> None:
    application = Application(made)
    with application.worker():
        pass
    with application.database.write() as session:
        session.connection().execute(text("UPDATE ledger SET counter = 0"))
    application.close()
    found = examined(made)["state"]
    assert found.status.value == "fail"
    assert "the database was restored from a backup: its counter is 0" in found.found
    assert "`digest resume --sent-until TIME`" in found.remedy


def test_a_state_file_that_is_damaged_is_told(made: Settings) -> None:
    made.file.with_suffix(".state").write_text("{")
    assert "is damaged" in examined(made)["state"].found


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_the_servers_clock_is_compared(made: Settings) -> None:
    assert (
        examined(made, ahead=timedelta(hours=1))["clock"].found
        == "is 60 minutes ahead of the database server"
    )


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_server_that_takes_no_writes_is_told(made: Settings) -> None:
    database = Database(made.database_url)
    with database.write() as session:
        name = session.connection().engine.url.database
        session.connection().execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
    database.close()
    found = examined(made)["database"]
    assert found.status.value == "fail"
    assert "read-only transaction" in found.found


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_database_that_another_program_holds_is_told(
    made: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digest.store.monitoring.health._PATIENCE_MS", 20)
    database = Database(made.database_url)
    with database.write() as session:
        session.connection()  # takes the lock
        found = examined(made)["database"]
    database.close()
    assert "can be read, not written: database is locked" in found.found


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_server_that_is_not_there_is_told_without_its_password(made: Settings) -> None:
    url = "postgresql+psycopg://me:hush@127.0.0.1:1/name"
    known: dict[str, Any] = {"database": made.database.model_copy(update={"url": url})}
    found = examined(made.model_copy(update=known))
    assert statuses(found) == {"database": "fail"}
    assert "PostgreSQL does not answer: " in found["database"].found
    assert "hush" not in found["database"].found


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_file_that_is_no_database_is_told(made: Settings, tmp_path: Path) -> None:
    for path in tmp_path.glob("digest.db*"):
        path.unlink()
    (tmp_path / "digest.db").write_bytes(b"no database" * 1000)
    found = examined(made)["database"]
    assert found.status.value == "fail"
    assert "is not an SQLite database" in found.found
    application = Application(made)
    scope = Scope(made, application.relay, lambda: application.renderer, lambda: datetime.now(UTC))
    assert examine_sources(scope) == []
