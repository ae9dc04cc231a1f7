"""An SMTP server that writes down every session word for word: what was said, and what came of it."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.scripted import Script, Scripted, Wire

FULL = ("PIPELINING", "SIZE 10000000", "8BITMIME", "SMTPUTF8", "CHUNKING")


@dataclass
class Transaction:
    """One message as the wire brought it, without the stuffing of its dots."""

    mail: str
    rcpts: list[str] = field(default_factory=list)
    content: bytes = b""
    at: float = 0

    @property
    def mail_from(self) -> str:
        """Give the return path."""
        return self.mail.partition("<")[2].partition(">")[0]

    @property
    def rcpt_to(self) -> str:
        """Give the one recipient."""
        (line,) = self.rcpts
        return line.partition("<")[2].partition(">")[0]

    @property
    def parameters(self) -> set[str]:
        """Give the keywords of the extensions that MAIL used."""
        return {word.partition("=")[0].upper() for word in self.mail.partition(">")[2].split()}


@dataclass
class Recording:
    """What a server heard over all its sessions; `reply` answers the final dot of a transaction."""

    extensions: tuple[str, ...] = FULL
    reply: Callable[[Transaction], str] = lambda _transaction: "250 2.0.0 kept"
    clock: Callable[[], float] = time.time
    greetings: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    transactions: list[Transaction] = field(default_factory=list)

    def server(self) -> Scripted:
        """Give the server; its sessions all go by the same script."""
        return Scripted(self._serve)

    def script(self) -> Script:
        """Give the script of one session."""
        return self._serve

    def _serve(self, wire: Wire) -> None:
        wire.send("220 relay.example ESMTP")
        transaction = Transaction("")
        while line := wire.line():
            said = line.decode().removesuffix("\r\n")
            assert "\r" not in said
            assert "\n" not in said
            verb = said.split(" ")[0].upper()
            self.commands.append(said)
            if verb in ("EHLO", "HELO"):
                self.greetings.append(said.partition(" ")[2])
                words = ["relay.example", *(self.extensions if verb == "EHLO" else ())]
                wire.send(*(f"250{' ' if n == len(words) - 1 else '-'}{w}" for n, w in enumerate(words)))
            elif verb == "MAIL":
                transaction = Transaction(said)
                wire.send("250 ok")
            elif verb == "RCPT":
                transaction.rcpts.append(said)
                wire.send("250 ok")
            elif verb == "DATA":
                wire.send("354 go")
                self._end(wire, transaction, re.sub(rb"(?m)^\.", b"", wire.content()))
            elif verb == "BDAT":
                self._end(wire, transaction, wire.exactly(int(said.split()[1])))
            else:
                wire.send("221 bye" if verb == "QUIT" else "250 ok")

    def _end(self, wire: Wire, transaction: Transaction, content: bytes) -> None:
        transaction.content, transaction.at = content, self.clock()
        self.transactions.append(transaction)
        wire.send(self.reply(transaction))


def by_recipient(recording: Recording) -> dict[str, Any]:
    """Give the transactions by recipient, each of which there is one."""
    found = {transaction.rcpt_to: transaction for transaction in recording.transactions}
    assert len(found) == len(recording.transactions)
    return found
