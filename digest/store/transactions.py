"""A series of transactions on one connection, for a loop that commits thousands of times a minute.

Beginning a SQLAlchemy session costs more than the statements of most turns, so one is opened only when a
session is asked for; everything else goes to the driver.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, func, select
from sqlmodel import Session

if TYPE_CHECKING:
    from digest.store.pipelined import Pipelined

BEGIN = "BEGIN IMMEDIATE"
"""Take SQLite's write lock at once, so that a reader never has to become a writer."""

CHECKPOINTS_LATE = "PRAGMA wal_autocheckpoint=16000"  # pages
"""From this size of SQLite's log on a commit itself moves pages to the file: nothing else had time to."""

CHECKPOINTS_ITSELF = "PRAGMA wal_autocheckpoint=1000"
"""SQLite's default: a commit moves pages once there are a thousand."""

_OF_A_LOOP = {
    "plan_cache_mode": "force_generic_plan",
    "jit": "off",
    # Nothing has counted a new edition's rows when the first are claimed: taken to be few, they would all be
    # read and sorted for each claim. Each of the loop's statements finds its rows by an index.
    "enable_bitmapscan": "off",
    "enable_seqscan": "off",
    # PostgreSQL rolls back the transaction of a process that is suspended: others wait for its rows.
    "idle_in_transaction_session_timeout": "'15s'",
}
"""What differs on a loop's connection from all others."""


def take_turn(session: Session, number: int) -> None:
    """Wait until no other transaction holds this turn, and hold it to the end; SQLite has one writer anyway.

    `number` may be any that no other turn has.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(number)))


class Transaction:
    """One transaction of a series on a connection."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._driver: Any = connection.connection
        self._dialect = connection.dialect
        self._pipeline: Any = None
        self.pipelined: Pipelined | None = None
        if self._dialect.name == "sqlite":  # nobody but the relay waits for this one's commits
            self._driver.execute(CHECKPOINTS_ITSELF)
        if self._dialect.name == "postgresql":  # statements are sent together
            driver: Any = connection.connection.driver_connection
            with driver.cursor() as cursor:  # the same few statements each time: prepared once
                for name, value in _OF_A_LOOP.items():
                    cursor.execute(f"SET {name} = {value}")
            self.pipelined = _pipelined(driver)
            driver.commit()
            self._enter_pipeline()

    def _enter_pipeline(self) -> None:
        self._pipeline = self._driver.driver_connection.pipeline()
        self._pipeline.__enter__()

    def _leave_pipeline(self) -> None:
        pipeline, self._pipeline = self._pipeline, None
        pipeline.__exit__(None, None, None)

    def close(self) -> None:
        """Return the connection to the pool, after leaving pipeline mode."""
        try:
            if self._dialect.name == "sqlite":
                self._driver.execute(CHECKPOINTS_LATE)
            if self.pipelined is not None:
                if self._pipeline is not None:
                    self._leave_pipeline()
                for name in _OF_A_LOOP:  # not all: `store.database` has set others for every connection
                    self._driver.execute(f"RESET {name}")
                self._driver.commit()
        except self._dialect.loaded_dbapi.Error:
            self.connection.invalidate()  # a lost connection has no pipeline to leave
        finally:
            self.connection.close()

    def begin(self) -> None:
        """Begin at the driver; PostgreSQL's driver begins by itself."""
        # By a round trip of its own. A BEGIN sent with the first statement would save it, but the driver
        # would not know of the transaction once all results are read, and its commit would do nothing.
        if self._dialect.name == "sqlite":
            self._driver.execute(BEGIN)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Return a session in this transaction, for rare statements; its changes are flushed at the
        commit.

        On PostgreSQL it is outside of pipeline mode, as SQLAlchemy asks for each result at once. After an
        error the transaction can only be undone.
        """
        if self._pipeline is not None:
            self._leave_pipeline()
        if not self.connection.in_transaction():
            self.connection.begin()  # the options say that the driver has begun the transaction
        with Session(self.connection) as session:
            yield session
            session.flush()
        if self.pipelined is not None:
            self._enter_pipeline()

    def commit(self) -> None:
        """Commit durably."""
        known = self.connection.get_transaction()
        if known is not None:
            known.commit()
        else:
            self._dialect.do_commit(self._driver)

    def undo(self) -> None:
        """Roll back."""
        known = self.connection.get_transaction()
        if known is not None:
            known.rollback()
        else:
            self._dialect.do_rollback(self._driver)


def _pipelined(driver: Any) -> "Pipelined":
    from digest.store.pipelined import Pipelined  # not imported where SQLite is used

    return Pipelined(driver)


class Transactions:
    """Writing transactions, one after another, on a connection that stays open between them."""

    def __init__(
        self,
        engine: Engine,
        errors: Sequence[type[Exception]],
        explained: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._engine = engine
        self._errors = tuple(errors)
        self._explained = explained
        self._open: Transaction | None = None

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Open a transaction like `Database.write`: committed durably at the end, or rolled back."""
        with self._explained():
            try:
                transaction = self._connect()
                transaction.begin()
                try:
                    yield transaction
                    transaction.commit()
                except BaseException:
                    self._undo(transaction)
                    self.close()  # the driver may have forgotten what was prepared on it
                    raise
            except self._errors:
                self.close()  # the next transaction may reach the database again
                raise

    @contextmanager
    def pipelined(self) -> Iterator["Pipelined"]:
        """Lend the connection for one transaction that is sent whole, on PostgreSQL; an error closes it."""
        with self._explained():
            transaction = self._connect()
            try:
                assert transaction.pipelined is not None  # noqa: S101 - only PostgreSQL is asked for one
                yield transaction.pipelined
            except BaseException:  # results may be left on it
                transaction.connection.invalidate()
                self.close()
                raise

    def _connect(self) -> Transaction:
        self._open = self._open or Transaction(self._engine.connect())
        return self._open

    def _undo(self, transaction: Transaction) -> None:
        try:
            transaction.undo()
        except self._errors:  # of what was sent after the error that is raised: that one says the reason
            self.close()

    def close(self) -> None:
        """Return the connection to the pool."""
        if self._open is not None:
            self._open.close()
            self._open = None
