"""Workers: a worker is alive while it holds its lock; no timer is involved.

On SQLite the lock is a flock on a file beside the database, on PostgreSQL a session advisory lock; the
operating system or the server releases it when the process ends.
"""

import contextlib
import fcntl
import os
import zlib
from collections.abc import Iterator
from datetime import datetime
from io import IOBase
from pathlib import Path
from typing import IO, Any

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col, select, update

from digest.models import OWNED, Delivery, Ledger, Worker, in_states
from digest.models.row import row_id
from digest.private_files import open_lock
from digest.store.database import Database

_LOCK_CLASS = 0x64696773  # "digs": our own space of PostgreSQL advisory locks
_HELD_HERE = text(
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = :c AND objid = :i"
    " AND pid = pg_backend_pid()"
)
_TURN_CLASS = 0x64696774  # another one, for what one process does at a time


class WorkerLock:
    """This process as a worker, until `release` or the end of the process."""

    def __init__(self, worker_id: int, holder: Any) -> None:
        self.id = worker_id
        self._holder = holder

    @classmethod
    def acquire(cls, database: Database, *, host: str, pid: int, now: datetime) -> "WorkerLock":
        """Register a worker; it holds its lock before anyone can see its row."""
        with contextlib.ExitStack() as held:
            with database.write() as session:
                worker = Worker(host=host, pid=pid, started_at=now)
                session.add(worker)
                session.flush()
                assert worker.id is not None  # noqa: S101 - flushed
                raise_counter(session)
                holder = _hold(database, worker.id)
                held.callback(holder.close)
            held.pop_all()  # the row exists: from now on the lock is released by name
        return cls(worker.id, holder)

    def release(self, database: Database, now: datetime) -> None:
        """Unregister: nothing that this worker claimed is left.

        If the database cannot be reached, the lock is released all the same, and others take over what is
        left.
        """
        try:
            with database.write() as session:
                session.exec(update(Worker).where(col(Worker.id) == self.id).values(ended_at=now))
                raise_counter(session)
            if not database.is_sqlite:  # the server would notice a closed session only a little later
                with contextlib.suppress(SQLAlchemyError):  # a session that is gone holds no lock
                    self._holder.execute(text("SELECT pg_advisory_unlock_all()"))
        finally:
            self.die()
        if database.is_sqlite:
            _lock_path(database, self.id).unlink(missing_ok=True)

    def is_held(self) -> bool:
        """Return whether this process is still alive in the eyes of others.

        On PostgreSQL the server may have ended the lock's session: after a network failure, or while the
        machine was suspended. Others then take over what this worker claimed, and it must not go on. A flock
        lasts as long as the process.
        """
        if isinstance(self._holder, IOBase):
            return True
        own = {"c": _LOCK_CLASS, "i": self.id}
        try:
            return bool(self._holder.execute(_HELD_HERE, own).scalar())
        except SQLAlchemyError:  # not reconnected either: a new session holds no lock
            return False

    def die(self) -> None:
        """Release the lock without unregistering, as the end of the process does."""
        self._holder.close()


def dead_workers(database: Database, *, own_id: int | None) -> list[int]:
    """Return the workers that ended without unregistering, or that still own a delivery.

    A dead worker's last commit may land after its lock is gone: PostgreSQL ends its sessions one by one.
    """
    unended = select(Worker.id).where(col(Worker.ended_at).is_(None))
    with database.read() as session:
        owned = in_states(session.get_bind().dialect.name, *OWNED)
        owning = select(Delivery.owner).where(owned).distinct()
        ids = {*session.exec(unended), *session.exec(owning)} - {None, own_id}
    return [i for i in sorted(i for i in ids if i is not None) if not is_alive(database, i)]


def is_any_dead(database: Database) -> bool:
    """Return whether a worker ended without unregistering and nobody has buried it: cheaper than
    `dead_workers`, for asking every few seconds."""
    with database.read() as session:
        unended = [row_id(worker) for worker in list_unended(session)]
    return not all(is_alive(database, worker_id) for worker_id in unended)


def list_unended(session: Session) -> list[Worker]:
    """List the workers that have not unregistered; `is_alive` says which of them are alive."""
    return list(session.exec(select(Worker).where(col(Worker.ended_at).is_(None)).order_by(col(Worker.id))))


def is_any_known(database: Database) -> bool:
    """Return whether any process has ever been a worker."""
    with database.read() as session:
        return session.exec(select(Worker.id).limit(1)).first() is not None


def count_alive(database: Database) -> int:
    """Count the processes that are workers at this moment."""
    with database.read() as session:
        unended = [row_id(worker) for worker in list_unended(session)]
    return sum(is_alive(database, worker_id) for worker_id in unended)


def is_alive(database: Database, worker_id: int) -> bool:
    """Return whether a worker holds its lock."""
    if not database.is_sqlite:
        return _is_locked_on_postgresql(database, worker_id)
    try:
        file = _lock_path(database, worker_id).open("rb")
    except FileNotFoundError:
        return False
    with file:
        return not _try_flock(file)


def bury(session: Session, worker_id: int, now: datetime) -> None:
    """Mark a dead worker as ended."""
    row = update(Worker).where(col(Worker.id) == worker_id, col(Worker.ended_at).is_(None))
    session.exec(row.values(ended_at=now))


def raise_counter(session: Session) -> int:
    """Increment the counter that identifies a restored copy, and return it; the first call inserts its
    row."""
    raised: int = session.connection().scalar(
        text(
            "INSERT INTO ledger (id, counter) VALUES (1, 1)"
            " ON CONFLICT (id) DO UPDATE SET counter = ledger.counter + 1 RETURNING counter"
        )
    )
    return raised


def get_counter(session: Session) -> int:
    """Return the counter; 0 in a new database."""
    row = session.get(Ledger, 1)
    return row.counter if row else 0


def lock_counter(session: Session, counter: int | None = None) -> None:
    """Lock the counter's row until the transaction ends, and set the counter if one is given."""
    session.get(Ledger, 1, with_for_update=True)
    if counter is not None:
        session.exec(update(Ledger).where(col(Ledger.id) == 1).values(counter=counter))


def server_identity(session: Session) -> str:
    """Return what identifies the server's history: on PostgreSQL its system identifier and timeline."""
    if session.get_bind().dialect.name != "postgresql":
        return "sqlite"
    found = session.connection().execute(
        text(
            "SELECT system_identifier, CASE WHEN pg_is_in_recovery() THEN ''"
            " ELSE left(pg_walfile_name(pg_current_wal_lsn()), 8) END FROM pg_control_system()"
        )
    )
    identifier, timeline = found.one()
    return f"postgresql {identifier} {timeline}"


@contextlib.contextmanager
def taking_turns(database: Database, name: str) -> Iterator[None]:
    """Run a block in one process at a time on this database: others wait. The lock ends with its process."""
    if database.is_sqlite:
        with open_lock(Path(f"{database.engine.url.database}.{name}.lock")) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        return
    key = {"c": _TURN_CLASS, "i": zlib.crc32(name.encode()) & 0x7FFF_FFFF}
    with database.explained(), database.engine.connect() as connection:
        session = connection.execution_options(isolation_level="AUTOCOMMIT")
        session.execute(text("SELECT pg_advisory_lock(:c, :i)"), key)
        try:
            yield
        finally:
            session.execute(text("SELECT pg_advisory_unlock(:c, :i)"), key)


def _hold(database: Database, worker_id: int) -> Any:
    if not database.is_sqlite:
        with database.explained():
            connection = database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        connection.detach()  # closing it must end the session, not return it to the pool
        connection.execute(text("SELECT pg_advisory_lock(:c, :i)"), {"c": _LOCK_CLASS, "i": worker_id})
        return connection
    file = open_lock(_lock_path(database, worker_id))
    fcntl.flock(file, fcntl.LOCK_EX)
    os.set_inheritable(file.fileno(), False)
    return file


def _try_flock(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_locked_on_postgresql(database: Database, worker_id: int) -> bool:
    query = text(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = :c AND objid = :i"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    with database.explained(), database.engine.connect() as connection:
        return bool(connection.execute(query, {"c": _LOCK_CLASS, "i": worker_id}).scalar())


def _lock_path(database: Database, worker_id: int) -> Path:
    return Path(f"{database.engine.url.database}.worker-{worker_id}.lock")
