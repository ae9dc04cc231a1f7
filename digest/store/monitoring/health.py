"""Examine a database without changing it: its version, whether it can be written, its clock."""

from datetime import UTC, datetime

from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, select

from digest.models import Key
from digest.store.database import Database

_PATIENCE_MS = 2_000


def find_version(database: Database) -> str | None:
    """Find the schema's version; None if the tables do not exist."""
    with database.read() as session:
        connection = session.connection()
        if not inspect(connection).has_table("alembic_version"):
            return None
        version: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return version


def find_write_fault(database: Database) -> str | None:
    """Find out why the database cannot be written; the test write is rolled back."""
    try:
        with database.engine.connect().execution_options(writes=False) as connection:
            if database.is_sqlite:
                connection.exec_driver_sql(f"PRAGMA busy_timeout={_PATIENCE_MS}")
            connection.execute(text("UPDATE alembic_version SET version_num = version_num"))
            connection.rollback()
    except DBAPIError as error:
        return str(error.orig).splitlines()[0] if error.orig else "no reason given"
    return None


def find_identity_key(session: Session) -> bytes | None:
    """Find the key that tells this ledger from every other one."""
    row = session.exec(select(Key).where(Key.purpose == "identity")).first()
    return bytes.fromhex(row.value) if row else None


def server_clock(session: Session) -> datetime | None:
    """Return the database server's time; None if the database is a file."""
    if session.get_bind().dialect.name != "postgresql":
        return None
    now: datetime = session.connection().scalar(text("SELECT clock_timestamp()"))
    return now.astimezone(UTC)
