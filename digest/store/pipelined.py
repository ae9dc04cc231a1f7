"""Transactions that PostgreSQL gets whole: the statements, and with them the Sync that commits.

Without a BEGIN, what is sent up to a Sync is one transaction (PostgreSQL's documentation, "Pipeline Mode" of
libpq). It takes one round trip, and the server commits it even if this process is suspended meanwhile, so
that nobody waits for its row locks. psycopg's own pipelines take a round trip for BEGIN, so its wrapper of
libpq is used.
"""

import select
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from psycopg import OperationalError, pq
from psycopg.errors import error_from_result

Statement = tuple[str, Sequence[str]]
"""An SQL text with `%s` placeholders, and its values as PostgreSQL writes them."""
Row = list[bytes | None]
_KNOWN = r"SELECT name, statement FROM pg_prepared_statements WHERE name LIKE 'pipelined\_%'"
_FAILED = (pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.PIPELINE_ABORTED)


class Pipelined:
    """One connection in pipeline mode, for transactions one after another.

    `send([("SELECT %s", ["1"])])`, then `read()` returns `[[b"1"]]`, and `commit()` returns once all is
    durable. Any error means that nothing was committed, except a lost connection, after which nobody knows;
    the connection is of no more use.
    """

    def __init__(self, driver: Any) -> None:
        self._libpq: Any = driver.pgconn
        self._encoding: str = driver.info.encoding
        # A rollback by psycopg may have removed some; the connection may have served another series.
        known = driver.execute(_KNOWN).fetchall()
        self._names: dict[str, bytes] = {text: name.encode() for name, text in known}
        self._replies = 0  # to statements that are prepared, which come before those to what is executed

    def send(self, statements: Sequence[Statement]) -> None:
        """Send a whole transaction; the first statement's result does not wait for the others."""
        names = [self._prepared(_numbered(text)) for text, _ in statements]
        for number, (name, (_, values)) in enumerate(zip(names, statements, strict=True)):
            self._libpq.send_query_prepared(name, [value.encode() for value in values])
            if number == 0:
                self._libpq.send_flush_request()
        self._libpq.pipeline_sync()
        self._flush()

    def read(self) -> list[Row]:
        """Wait for the next statement's result, and return its rows; raise the driver's error for it."""
        while self._replies:
            self._replies -= 1
            self._next()
        result = self._next()
        columns = range(result.nfields)
        return [[result.get_value(row, column) for column in columns] for row in range(result.ntuples)]

    def commit(self) -> None:
        """Wait until the transaction is durable; all results must have been read."""
        if self._next().status != pq.ExecStatus.PIPELINE_SYNC:
            raise OperationalError("a transaction did not end with its last statement")

    def _prepared(self, text: str) -> bytes:
        """Return the name of a statement, which is prepared once for each connection."""
        if text not in self._names:
            self._names[text] = f"pipelined_{len(self._names)}".encode()
            self._libpq.send_prepare(self._names[text], text.encode())
            self._replies += 1
        return self._names[text]

    def _next(self) -> Any:
        """Return the next result; libpq ends each statement's by a None."""
        while (result := self._receive()) is None:
            pass
        if result.status in _FAILED:
            raise error_from_result(result, encoding=self._encoding)
        return result

    def _receive(self) -> Any:
        while self._libpq.is_busy():
            self._wait(select.POLLIN)
            self._libpq.consume_input()
        return self._libpq.get_result()

    def _flush(self) -> None:
        while self._libpq.flush():
            if self._wait(select.POLLIN | select.POLLOUT) & select.POLLIN:
                self._libpq.consume_input()

    def _wait(self, events: int) -> int:
        poll = select.poll()
        poll.register(self._libpq.socket, events)
        return poll.poll()[0][1]


@lru_cache(maxsize=64)
def _numbered(text: str) -> str:
    """Return a statement with PostgreSQL's own placeholders, `$1` in place of the first `%s`."""
    first, *rest = text.split("%s")
    return first + "".join(f"${number}{part}" for number, part in enumerate(rest, 1))
