"""PostgreSQL for tests: a server of their own, and databases with the tables that are emptied and used again.

Creating a database costs more than most tests do; emptying the few tables that a test filled costs little.
"""

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from sqlalchemy import Connection, create_engine, inspect, text
from sqlalchemy.exc import DBAPIError

from digest.store import schema
from digest.store.database import Database


def debian_server() -> Path | None:
    """Find the folder of Debian's newest server."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


class PostgresqlServer:
    """A PostgreSQL server of the tests' own, on a Unix socket, ended with them."""

    def __init__(self, binaries: Path, options: str = "-c fsync=off") -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="digest-pg-"))
        self.binaries = binaries
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
        cluster = self.folder / "cluster"
        self._run(
            [str(binaries / "initdb"), "-D", str(cluster), "-A", "trust", "-U", "postgres", "-E", "UTF8"]
        )
        self._options = f"-k {self.folder} -c listen_addresses= -c max_connections=200 {options}"
        self._control("start")
        self.url = f"postgresql+psycopg://postgres@/{{name}}?host={self.folder}"

    def stop(self) -> None:
        """End the server and remove its files."""
        self._control("stop")
        shutil.rmtree(self.folder)

    def restart(self) -> None:
        """End the server as a crash does, and start it again."""
        self._control("restart")

    def _control(self, act: str) -> None:
        self._run([
            str(self.binaries / "pg_ctl"), "-D", str(self.folder / "cluster"), "-w", "-m", "immediate",
            "-l", str(self.folder / "log"), "-o", self._options, act,
        ])  # fmt: skip

    def _run(self, command: list[str]) -> None:
        as_postgres = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        subprocess.run([*as_postgres, *command], check=True, stdout=subprocess.DEVNULL, cwd="/")


@contextmanager
def new_database(server: str) -> Iterator[str]:
    """Yield the URL of an empty database, dropped afterwards; `server` is a URL with {name}."""
    name = f"t{uuid.uuid4().hex[:16]}"
    admin = create_engine(server.format(name="postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    try:
        yield server.format(name=name)
    finally:
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        admin.dispose()


class MigratedDatabase:
    """One database that has the tables and no rows, however many tests use it in turn.

    A test that leaves other tables behind than it found costs a new database.
    """

    def __init__(self, server: str) -> None:
        self._server = server
        self._made: AbstractContextManager[str] | None = None
        self._tables: object = None
        self.url = ""

    @contextmanager
    def lend(self) -> Iterator[str]:
        """Yield the URL to one test."""
        if self._made is None:
            self._make()
        try:
            yield self.url
        finally:
            if not self._empty():
                self.drop()

    def drop(self) -> None:
        """Drop the database; the next test gets a new one."""
        made, self._made = self._made, None
        if made is not None:
            made.__exit__(None, None, None)

    def _make(self) -> None:
        self._made = new_database(self._server)
        self.url = self._made.__enter__()
        database = Database(self.url)
        schema.migrate(database)
        with database.engine.connect() as connection:
            self._tables = _describe(connection)
            assert _filled(connection) == [], "a migration fills a table: empty it to its rows"
        database.close()

    def _empty(self) -> bool:
        """End what is still connected and remove every row; return False where the tables are others."""
        engine = create_engine(self.url)
        try:
            with engine.begin() as connection:
                connection.execute(text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                ))  # fmt: skip
                if _describe(connection) != self._tables:
                    return False
                filled = _filled(connection)
                if filled:
                    connection.execute(text(f"TRUNCATE {', '.join(filled)} CASCADE"))
                connection.execute(text(
                    "SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)"
                    " FROM pg_sequences WHERE last_value IS NOT NULL"
                ))  # fmt: skip
        except DBAPIError:
            return False
        finally:
            engine.dispose()
        return True


def _describe(connection: Connection) -> object:
    """Return all that a test must leave as it was: schemas, version, columns and indexes."""
    columns = connection.execute(text(
        "SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns"
        " WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2, 3"
    ))  # fmt: skip
    indexes = connection.execute(
        text("SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1")
    )
    version = connection.execute(text("SELECT version_num FROM alembic_version"))
    return [tuple(row) for result in (columns, indexes, version) for row in result]


def _filled(connection: Connection) -> list[str]:
    names = [name for name in inspect(connection).get_table_names() if name != "alembic_version"]
    each = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM \"{name}\")" for name in names)
    return [f'"{name}"' for (name,) in connection.execute(text(each))]
