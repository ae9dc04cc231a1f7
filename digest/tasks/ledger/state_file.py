"""Recognise a database that was restored from a backup, by a counter in it and in a file beside the settings.

The counter rises with each freeze and each worker's start and end. A database behind its file has forgotten
what had already been sent.
"""

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sqlmodel import Session

from digest.errors import Refused, SettingsError
from digest.private_files import open_private
from digest.store import workers
from digest.store.database import Database
from digest.store.editions import breaking, editions

_MOST_NEWS, _MOST_REQUESTS = 100, 1_000
REMEDY = (
    "Nothing is sent until you decide: `digest resume --sent-until TIME` withholds what was due before TIME,"
    " when the lost database last sent; `digest resume --resend` sends what this one says is due"
)


@dataclass(frozen=True, slots=True)
class LedgerState:
    """The state of a ledger; `server` identifies a PostgreSQL server's history, `database` the ledger.

    `editions` maps "DIGEST CADENCE" to the last edition made: period, deadline_at, freeze_at, at_once, and
    the same of the one `before` it. The latest breaking news stands as (digest, URL, time), the latest
    editions for single readers as (digest, period, time).
    """

    database: str
    server: str
    counter: int
    editions: dict[str, dict[str, Any]] = field(default_factory=dict)
    breaking: list[tuple[str, str, str]] = field(default_factory=list)
    requests: list[tuple[str, str, str]] = field(default_factory=list)


def identity_of(identity_key: bytes) -> str:
    """Return what identifies a ledger and reveals nothing else."""
    return hashlib.sha256(b"ledger " + identity_key).hexdigest()[:16]


def state_path(config: Path) -> Path:
    """Return the state file's path: beside the settings, named after them."""
    return config.with_suffix(".state")


def check_state(database: Database, path: Path, identity: str) -> None:
    """Raise Refused if the database is behind its state file, or if the file is missing on SQLite.

    The file is read first: what other processes add meanwhile is in the database before it is in the file.
    """
    kept = read_state_file(path)
    found = ledger_state(database, identity)
    if kept is None or kept.database != identity:
        if database.is_sqlite and _is_any_made(database):
            raise Refused(f"the state file {path} of this database is missing: was it restored? {REMEDY}")
        return
    if found.counter < kept.counter:
        raise Refused(
            f"the database was restored from a backup: its counter is {found.counter},"
            f" {path} says {kept.counter}. {REMEDY}"
        )
    if found.server != kept.server:
        raise Refused(
            f"the PostgreSQL server is not the one that {path} knows (restored, promoted or moved). {REMEDY}"
        )


def save_state(database: Database, path: Path, identity: str, *, counter: int | None = None) -> None:
    """Write the ledger's state into the state file; `counter` raises the ledger's counter to that first.

    The ledger's row is locked meanwhile, so that no process overwrites a newer state with an older one.
    """
    with database.write() as session:
        workers.lock_counter(session, counter)
        write_state_file(path, _ledger_state(session, identity))


def ledger_state(database: Database, identity: str) -> LedgerState:
    """Read the state of the ledger from the database."""
    with database.read() as session:
        return _ledger_state(session, identity)


def _ledger_state(session: Session, identity: str) -> LedgerState:
    last: dict[str, dict[str, Any]] = {}
    for edition in editions.list_last_made(session, of_each=2):
        name = f"{edition.digest} {edition.cadence}"
        row = {
            "period": edition.period,
            "deadline_at": edition.deadline_at.isoformat(),
            "freeze_at": edition.freeze_at.isoformat(),
            "at_once": edition.at_once,
        }
        last[name] = row | ({"before": last[name]} if name in last else {})
    news = [(one.digest, one.url, one.at.isoformat()) for one in breaking.list_last_sent(session, _MOST_NEWS)]
    requests = [
        (one.digest, one.period, one.at.isoformat())
        for one in editions.list_last_requests(session, _MOST_REQUESTS)
    ]
    server, counter = workers.server_identity(session), workers.get_counter(session)
    return LedgerState(identity, server, counter, last, news, requests)


def _is_any_made(database: Database) -> bool:
    with database.read() as session:
        return editions.is_any_made(session)


def read_state_file(path: Path) -> LedgerState | None:
    """Read the state file; None if there is none."""
    try:
        return LedgerState(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}; correct its mode") from None
    except (ValueError, TypeError):
        raise Refused(f"{path} is damaged: move it away. {REMEDY}") from None


def write_state_file(path: Path, state: LedgerState) -> None:
    """Write the state file atomically, so that it is complete even after a power failure."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        with open_private(fresh) as file:
            json.dump(asdict(state), file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be written: {error.strerror}; let this account write into {path.parent}"
        ) from None
