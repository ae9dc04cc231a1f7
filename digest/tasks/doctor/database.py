"""Check the database: it exists, has this version, can be written, and is not behind its state file."""

import os
from contextlib import closing
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError

from digest.errors import DigestError
from digest.store.database import Database
from digest.store.monitoring import health
from digest.store.schema import HEAD
from digest.tasks.doctor.clock import judge_clock
from digest.tasks.doctor.findings import Finding, fail, ok, warn
from digest.tasks.doctor.scope import Scope
from digest.tasks.ledger.state_file import REMEDY, check_state, identity_of, read_state_file, state_path


def examine_database(scope: Scope) -> list[Finding]:
    """Check the database and its state file; a missing database is not created."""
    missing = find_missing_file(scope)
    if missing is not None:
        return [fail("database", f"{missing} does not exist", "`digest init` creates it")]
    kind = "SQLite" if scope.settings.database_url.startswith("sqlite") else "PostgreSQL"
    with closing(Database(scope.settings.database_url)) as database:
        try:
            version = health.find_version(database)
        except (DigestError, SQLAlchemyError) as error:
            return [fail("database", f"{kind} does not answer: {_first_line(error)}", "check [database] url")]
        return [
            judge_writing(kind, None if version is None else health.find_write_fault(database)),
            judge_version(version),
            *(_examine_ledger(scope, database) if version == HEAD else []),
        ]


def find_missing_file(scope: Scope) -> str | None:
    """Find the SQLite file that should be there and is not."""
    path = scope.settings.database_url.removeprefix("sqlite:///")
    return path if path != scope.settings.database_url and not os.path.exists(path) else None


def judge_writing(kind: str, fault: str | None) -> Finding:
    """Judge whether the database can be written."""
    if fault is None:
        return ok("database", f"{kind} is there and can be read and written")
    return fail(
        "database",
        f"{kind} can be read, not written: {fault}",
        "let this account write to it (on SQLite: to the file and its folder), and end what locks it",
    )


def judge_version(version: str | None) -> Finding:
    """Judge the schema's version."""
    if version == HEAD:
        return ok("schema", f"version {version}, as this program expects")
    if version is None:
        return fail("schema", "the tables are not there", "`digest init` creates them")
    if version < HEAD:
        return warn("schema", f"version {version}, older than {HEAD}", "the next `digest send` migrates it")
    return fail("schema", f"version {version}, which this program does not know", "update the program")


def _examine_ledger(scope: Scope, database: Database) -> list[Finding]:
    with database.read() as session:
        key = health.find_identity_key(session)
        theirs: datetime | None = health.server_clock(session)
    clock = [] if theirs is None else [judge_clock(scope.clock(), theirs, "the database server")]
    if key is None:
        return [*clock, fail("state", "the database has no keys yet", "`digest init` makes them")]
    return [*clock, _examine_state(scope, database, identity_of(key))]


def _examine_state(scope: Scope, database: Database, identity: str) -> Finding:
    path = state_path(scope.settings.file)
    try:
        check_state(database, path, identity)
        kept = read_state_file(path)
    except DigestError as error:
        found = str(error).removesuffix(REMEDY).rstrip()
        remedy = REMEDY if found != str(error) else "fix that, then run `digest doctor` again"
        return fail("state", found, remedy)
    if not os.access(path.parent, os.W_OK):
        return fail("state", f"{path.parent} cannot be written", "let this account write config.state there")
    if kept is None:
        return ok("state", f"{path.name} is not written yet: nothing was sent from here")
    return ok("state", f"{path.name} and the database agree (counter {kept.counter})")


def _first_line(error: Exception) -> str:
    origin = getattr(error, "orig", None) or error
    return str(origin).strip().splitlines()[0] if str(origin).strip() else type(error).__name__
