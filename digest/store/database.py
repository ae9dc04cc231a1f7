"""The connection to the database: SQLite or PostgreSQL, with durable commits on both."""

import contextlib
import fcntl
import logging
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlmodel import Session

from digest.errors import SettingsError, Unreachable
from digest.store import faults
from digest.store.transactions import BEGIN, CHECKPOINTS_LATE, Transactions

_BUSY_MS = 60_000
_TRIES = 100
_TURN_MS, _TURN = 2, threading.Event()  # never set: to wait on it is to sleep
_MOST_TURNS = 100  # of that length, that one transaction of something long is put off for those who wait
_MANY_ROWS, _ENOUGH_ROWS = 500, 4_000
_CHECKPOINT_SECONDS = 1.0
_LARGE_LOG = 4_000  # pages
_CONNECT_SECONDS = 10
_LONGEST_PAUSE = "SET LOCAL idle_in_transaction_session_timeout = '60s'"
# After a network failure the server ends the session, and releases its lock, within half a minute. Keepalives
# notice it on an idle connection; one with unacknowledged bytes would last for a quarter of an hour.
_SERVER_KEEPALIVE = {
    "tcp_keepalives_idle": 10,
    "tcp_keepalives_interval": 5,
    "tcp_keepalives_count": 4,
    "tcp_user_timeout": 30_000,
}
CLIENT_KEEPALIVE = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
    "tcp_user_timeout": 30_000,
}
log = logging.getLogger(__name__)


class Database:
    """One database; `write` is a transaction that commits, `read` one that changes nothing."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        # A SQLAlchemy error would otherwise print the bound parameters, addresses among them.
        try:
            self.engine: Engine = create_engine(
                url, hide_parameters=True, pool_pre_ping=not self.is_sqlite, connect_args=_patience(url)
            )
        except ModuleNotFoundError as error:
            raise SettingsError(
                f"{error.name} is not installed, which [database] url needs: install"
                ' "newsletter-digest[postgres]"'
            ) from None
        # Statements that go to the driver directly (store.delivery.claims) raise the driver's own errors.
        self._drivers_error: type[Exception] = self.engine.dialect.loaded_dbapi.Error
        if self.is_sqlite:
            _create_private(self.engine.url.database)
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
            self._checkpoints = Checkpoints(self.engine)
        else:
            event.listen(self.engine, "connect", _prepare_postgresql)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Open a transaction that is committed durably at the end, or rolled back by an exception.

        SQLite takes its write lock at once (BEGIN IMMEDIATE), so that a reader never has to become a writer.
        Raise Unreachable if the database does not answer.
        """
        with self._session(writes=True) as session:
            if not self.is_sqlite:  # a process that is suspended in between must not keep others waiting
                session.connection().exec_driver_sql(_LONGEST_PAUSE)
            yield session
            session.commit()

    def transactions(self) -> Transactions:
        """Return a series of transactions on one connection, for a loop."""
        engine = self.engine.execution_options(begins=not self.is_sqlite)
        return Transactions(engine, (DBAPIError, self._drivers_error), self.explained)

    def give_way(self) -> None:
        """Let others write, between one transaction and the next of something long: all who wait, or for
        a fifth of a second where others come all the time."""
        if self.is_sqlite:
            for _ in range(_MOST_TURNS):
                _TURN.wait(_TURN_MS / 1000)
                if not is_awaited(self):
                    return

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a transaction for reading; it is always rolled back."""
        with self._session(writes=False) as session:
            yield session

    @contextmanager
    def _session(self, *, writes: bool) -> Iterator[Session]:
        options: dict[str, Any] = {"writes": writes}
        engine = self.engine.execution_options(**options)
        with Session(engine, expire_on_commit=False) as session, self.explained():
            yield session

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Raise Unreachable, with a remedy, if an error means that the database is unavailable; otherwise
        do nothing."""
        try:
            yield
        except (DBAPIError, self._drivers_error) as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            found = faults.explain(self.engine.url, cause)
            if found is None:
                raise
            raise Unreachable(found) from error

    def close(self) -> None:
        """Close all connections."""
        if self.is_sqlite:
            self._checkpoints.end()
        self.engine.dispose()


class Checkpoints:
    """Moves committed pages from SQLite's write-ahead log to its file, in no commit that somebody waits for.

    SQLite itself leaves that to whichever commit finds a thousand pages in the log. While an edition is
    planned that may be a reader's, which then waits until the disk has written them all. Here a transaction
    of many rows moves them itself after it has let go of the lock; after those of few rows a thread does so,
    within a second.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine, self._rows = engine, 0
        self._lock, self._moving = threading.Lock(), threading.Lock()
        self._later: threading.Timer | None = None
        event.listen(engine, "checkin", self._after)

    def _after(self, driver: sqlite3.Connection | None, record: Any) -> None:
        """Look what has been changed by a connection that is returned to the pool."""
        if driver is None:
            return
        known = record.info.get("changes", 0)
        record.info["changes"] = driver.total_changes
        rows = driver.total_changes - known
        self._rows += rows
        if rows >= _MANY_ROWS and self._rows >= _ENOUGH_ROWS:
            self._move(driver)
        elif rows:
            self._plan()

    def _plan(self) -> None:
        with self._lock:
            if self._later is None:
                self._later = threading.Timer(_CHECKPOINT_SECONDS, self._work)
                self._later.name, self._later.daemon = "checkpoint", True
                self._later.start()

    def _work(self) -> None:
        with self._lock:
            self._later = None
        with self._moving:
            try:
                connection = self._engine.raw_connection()
            except (SQLAlchemyError, sqlite3.Error) as error:
                log.warning("the write-ahead log cannot be opened: %s", getattr(error, "orig", error))
                return
            try:
                self._move(connection.driver_connection)
            finally:
                connection.close()

    def _move(self, driver: Any) -> None:
        """Move what is committed.

        Where so much is added meanwhile that the log only grows, keep others out while the rest is moved, if
        nobody is writing just then.
        """
        self._rows = 0
        try:
            _, pages, moved = driver.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            if moved < pages and pages > _LARGE_LOG:
                driver.execute("PRAGMA busy_timeout=0")
                driver.execute("PRAGMA wal_checkpoint(FULL)").fetchone()
        except sqlite3.Error as error:  # what is committed stands: a later one moves it
            log.warning("the write-ahead log was not moved: %s", error)
        finally:
            driver.execute(f"PRAGMA busy_timeout={_BUSY_MS}")

    def end(self) -> None:
        """Move now what was to be moved later, and wait for the thread if it does so already."""
        with self._lock:
            later = self._later
        if later is not None:
            later.cancel()
            self._work()
        with self._moving:
            pass


def _create_private(path: str | None) -> None:
    """Make a new database file unreadable for other users: it holds readers' addresses."""
    if path and path != ":memory:":
        with contextlib.suppress(OSError):  # connecting will report the error
            Path(path).touch(mode=0o600, exist_ok=False)  # an existing one keeps the time of its last write


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we send BEGIN ourselves, see _begin_sqlite
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
    _write_ahead(cursor)
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute(CHECKPOINTS_LATE)
    cursor.close()


def _write_ahead(cursor: Any) -> None:
    """Set the journal mode to WAL; other processes may be doing the same to a new database.

    SQLite does not wait for a lock when it changes the journal mode, so a transaction waits first.
    """
    for left in reversed(range(_TRIES)):
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if not left or "locked" not in str(error):
                raise
            cursor.execute(BEGIN)
            cursor.execute("ROLLBACK")
        else:
            return


def _begin_sqlite(connection: Any) -> None:
    options = connection.get_execution_options()
    if options.get("begins", True) and not options.get("writes", True):
        connection.exec_driver_sql("BEGIN")
    elif options.get("begins", True):
        _take_turn(connection.connection.driver_connection, connection.engine.url.database)


def _take_turn(driver: sqlite3.Connection, path: str | None) -> None:
    """Begin to write as soon as others let go.

    SQLite's own waiting asks ten times a second in the end: planning, which writes one transaction after the
    other with a short pause between, would keep out everybody else.
    """
    driver.execute("PRAGMA busy_timeout=0")
    try:
        with contextlib.ExitStack() as shown:
            is_shown = False
            for left in reversed(range(_BUSY_MS // _TURN_MS)):
                try:
                    driver.execute(BEGIN)
                except sqlite3.OperationalError as error:
                    if not left or error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                        raise
                else:
                    return
                is_shown = is_shown or _lock_log(path, fcntl.LOCK_SH, shown)
                _TURN.wait(_TURN_MS / 1000)
    finally:
        driver.execute(f"PRAGMA busy_timeout={_BUSY_MS}")


def is_awaited(database: Database) -> bool:
    """Return whether anybody waits to write to a database on SQLite, in this process or another.

    Who waits holds a shared flock on the write-ahead log, which SQLite itself never locks.
    """
    with contextlib.ExitStack() as looking:
        return not _lock_log(database.engine.url.database, fcntl.LOCK_EX, looking)


def _lock_log(path: str | None, how: int, until: contextlib.ExitStack) -> bool:
    """Take a flock on the write-ahead log; return False if another one is in the way.

    Return True if there is no log, in which case nobody waits.
    """
    try:
        log_file = os.open(f"{path}-wal", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return True
    until.callback(os.close, log_file)
    try:
        fcntl.flock(log_file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _prepare_postgresql(connection: Any, _record: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = on")
        cursor.execute("SET timezone = 'UTC'")
        for name, value in _SERVER_KEEPALIVE.items():
            cursor.execute(f"SET {name} = {value}")
    connection.commit()


def _patience(url: str) -> dict[str, Any]:
    """Return how long to wait for a server that does not answer; a value in the URL takes precedence."""
    if url.startswith("sqlite"):
        return {}
    own = {"connect_timeout": _CONNECT_SECONDS, **CLIENT_KEEPALIVE}
    return {name: value for name, value in own.items() if f"{name}=" not in url}
