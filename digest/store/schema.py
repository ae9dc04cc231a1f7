"""Create the tables and bring an older database up to date, by Alembic."""

import logging
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from digest.errors import DigestError
from digest.store.database import Database

_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 0x6469676D  # "digm": one process migrates, the others wait
log = logging.getLogger(__name__)


def migrate(database: Database) -> str | None:
    """Bring the schema up to date; give the version it came from where that was an older one.

    Safe to call from many processes at once. Raise DigestError for a database of a later version.
    """
    with database.engine.connect().execution_options(writes=False) as connection:
        if _version(connection) == _head():
            return None
    with database.engine.begin() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        before = _version(connection)
        if before == _head():
            return None
        _refuse_later(before)
        command.upgrade(_config(connection), "head")
    if before is not None:
        log.warning("the database was brought from version %s to %s", before, _head())
    return before


def _version(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _head() -> str | None:
    return ScriptDirectory(str(_FOLDER)).get_current_head()


def _refuse_later(version: str | None) -> None:
    known = {script.revision for script in ScriptDirectory(str(_FOLDER)).walk_revisions()}
    if version is not None and version not in known:
        raise DigestError(f"the database has version {version}, which this program is too old for; update it")


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
