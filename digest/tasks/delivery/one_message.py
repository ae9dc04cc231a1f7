"""Submit single messages that are not deliveries: no ledger row, no claim, one relay."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from digest.errors import Unreachable
from digest.models import Outcome
from digest.net.smtp import Connection, Envelope, Relay, Timeouts, open_connection
from digest.rules.delivery.reply_verdicts import describe, without_address
from digest.tasks.delivery.run import Run

_PATIENCE = Timeouts(connect=10, banner=15, command=15, data=15, block=15, dot=30)
"""Timeouts while somebody waits for a page."""


def submit_one(relay: Relay, envelope: Envelope, message: bytes) -> None:
    """Submit a message over a connection of its own.

    Raise Unreachable, with the relay's words but without the address, if it is not accepted.
    """
    connection = open_connection(replace(relay, timeouts=_PATIENCE))
    outcome = connection if isinstance(connection, Outcome) else _submit(connection, envelope, message)
    if not outcome.accepted:
        words = without_address(describe(outcome), envelope.rcpt_to)
        raise Unreachable(f"the relay did not accept the message: {words}")


def _submit(connection: Connection, envelope: Envelope, message: bytes) -> Outcome:
    try:
        return connection.submit(envelope, message)
    finally:
        connection.close()


class RunConnection:
    """A connection for the single messages of a run, opened when the first of them is due.

    `open()` returns the same connection as long as it works; after a failure it returns None, and the run
    ends with the reason.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._connection: Connection | None = None

    def open(self) -> Connection | None:
        """Return a usable connection; None if there is none, and the run then ends with the reason."""
        if self._connection is not None and self._connection.usable:
            return self._connection
        self.close()
        relay = self._run.relay
        opened = open_connection(relay)
        if isinstance(opened, Outcome):
            name = f"{relay.host}:{relay.port}"
            self._run.relay_trouble[name] = describe(opened)
            why = f"the relay {name} cannot be used ({describe(opened)})"
            self._run.give_up(f"{why}; the next run continues")
            return None
        self._run.relay_trouble.setdefault(f"{relay.host}:{relay.port}", "")
        self._connection = opened
        return opened

    def close(self) -> None:
        """Close the connection, if one is open."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@contextmanager
def run_connection(run: Run) -> Iterator[RunConnection]:
    """Provide a RunConnection for a block, and close it afterwards."""
    connection = RunConnection(run)
    try:
        yield connection
    finally:
        connection.close()
