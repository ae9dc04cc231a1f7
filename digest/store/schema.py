"""Create the tables and upgrade an older database, with Alembic."""

import logging
from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlmodel import SQLModel

from digest.errors import DigestError
from digest.store.database import Database

HEAD = "0045"
"""The schema's version that this program works with: the last one in migrations/versions."""

_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 0x6469676D  # "digm": one process migrates, the others wait
log = logging.getLogger(__name__)


def migrate(database: Database) -> str | None:
    """Upgrade the schema; return the version it had if that was an older one.

    Safe to call from many processes at once. Raise DigestError for a database of a later version.
    """
    with database.explained(), database.engine.connect().execution_options(writes=False) as connection:
        if _version(connection) == HEAD:
            return None
    with database.explained(), database.engine.begin() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        before = _version(connection)
        if before == HEAD:
            return None
        if before is None:
            _refuse_foreign(connection)
        _upgrade(connection, before)
    if before is not None:
        log.warning("the database was brought from version %s to %s", before, HEAD)
    return before


def _refuse_foreign(connection: Connection) -> None:
    """Raise DigestError if tables with our names exist that this program did not create."""
    taken = sorted(set(inspect(connection).get_table_names()) & set(SQLModel.metadata.tables))
    if taken:
        raise DigestError(
            f"the database {connection.engine.url.database} has tables of another program"
            f" ({', '.join(taken[:3])}): name a database of its own in [database] url"
        )


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(connection: Connection, before: str | None) -> None:
    # Alembic takes as long to import as all the rest, and is needed once for each version.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    known = {script.revision for script in ScriptDirectory(str(_FOLDER)).walk_revisions()}
    if before is not None and before not in known:
        raise DigestError(
            f"the database has schema version {before}, which this program does not know: update the program"
        )
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, HEAD)
