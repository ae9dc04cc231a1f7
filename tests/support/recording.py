"""An SMTP server that writes down every session word for word: what was said, and what came of it."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.support.scripted import Script, Scripted, Wire

FULL = ("PIPELINING", "SIZE 10000000", "8BITMIME", "SMTPUTF8", "CHUNKING")


@dataclass
class Transaction:
    """One message as the wire brought it, without the stuffing of its dots, and the server's own reply to it."""

    mail: str
    rcpts: list[str] = field(default_factory=list)
    content: bytes = b""
    at: float = 0
    reply: str = ""

    @property
    def mail_from(self) -> str:
        """Return the return path."""
        return self.mail.partition("<")[2].partition(">")[0]

    @property
    def rcpt_to(self) -> str:
        """Return the one recipient."""
        (line,) = self.rcpts
        return line.partition("<")[2].partition(">")[0]

    @property
    def parameters(self) -> set[str]:
        """Return the keywords of the extensions used in MAIL."""
        return {word.partition("=")[0].upper() for word in self.mail.partition(">")[2].split()}


@dataclass
class Recording:
    """What a server heard over all its sessions.

    `reply` answers the final dot of a transaction; `watch` is told of each step when it is reached. A `fault`
    may answer in the server's place at each step: what it gives is sent, None leaves the step to the server.
    """

    extensions: tuple[str, ...] = FULL
    reply: Callable[[Transaction], str] = lambda _transaction: "250 2.0.0 kept"
    clock: Callable[[], float] = time.time
    watch: Callable[[str], None] = lambda _step: None
    fault: "Fault | None" = None
    greetings: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    transactions: list[Transaction] = field(default_factory=list)
    sessions: int = 0

    def server(self) -> Scripted:
        """Return a server whose sessions all follow the same script."""
        return Scripted(self._serve)

    def script(self) -> Script:
        """Return the script of one session."""
        return self._serve

    def _serve(self, wire: Wire) -> None:
        self.sessions += 1
        self._say(wire, "banner", Transaction(""), "220 relay.example ESMTP")
        transaction = Transaction("")
        while line := wire.line():
            said = line.decode().removesuffix("\r\n")
            assert "\r" not in said
            assert "\n" not in said
            verb = said.split(" ")[0].upper()
            self.commands.append(said)
            self.watch(verb)
            if verb in ("EHLO", "HELO"):
                self.greetings.append(said.partition(" ")[2])
                words = ["relay.example", *(self.extensions if verb == "EHLO" else ())]
                lines = (f"250{' ' if n == len(words) - 1 else '-'}{w}" for n, w in enumerate(words))
                self._say(wire, verb, transaction, *lines)
            elif verb == "MAIL":
                transaction = Transaction(said)
                self._say(wire, verb, transaction, "250 ok")
            elif verb == "RCPT":
                transaction.rcpts.append(said)
                self._say(wire, verb, transaction, "250 ok")
            elif verb == "DATA":
                if self._say(wire, verb, transaction, "354 go"):
                    self._end(wire, transaction, re.sub(rb"(?m)^\.", b"", wire.whole_content()))
            elif verb == "BDAT":
                self._end(wire, transaction, wire.exactly(int(said.split()[1])))
            else:
                self._say(wire, verb, transaction, "221 bye" if verb == "QUIT" else "250 ok")

    def _end(self, wire: Wire, transaction: Transaction, content: bytes) -> None:
        transaction.content, transaction.at = content, self.clock()
        if not content or not transaction.rcpts:
            wire.send("554 5.5.1 no message")
            return
        early = self.fault(Moment("content", self, wire, transaction)) if self.fault else None
        if early is not None:
            wire.send(early)
            return
        self.transactions.append(transaction)
        transaction.reply = self.reply(transaction)
        self.watch("dot")
        self._say(wire, "dot", transaction, transaction.reply)
        self.watch("reply")

    def _say(self, wire: Wire, step: str, transaction: Transaction, *lines: str) -> bool:
        """Answer a step, or let the fault do so; tell whether the server's own answer was given."""
        said = self.fault(Moment(step, self, wire, transaction)) if self.fault else None
        if said is None:
            wire.send(*lines)
        else:
            wire.send(said)
        return said is None or said.startswith(b"354")


@dataclass
class Moment:
    """A step of one session that has been reached: "content" is a message not kept yet, "dot" one that is."""

    step: str
    recording: Recording
    wire: Wire
    transaction: Transaction


Fault = Callable[[Moment], bytes | None]


def by_recipient(recording: Recording) -> dict[str, Any]:
    """Return the transactions by recipient; fail if a recipient has more than one."""
    found = {transaction.rcpt_to: transaction for transaction in recording.transactions}
    assert len(found) == len(recording.transactions)
    return found
