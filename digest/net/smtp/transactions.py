"""The mail transactions of a session: what to write, and what each reply means (RFC 5321 3.3).

There is no socket and no clock here. Deliveries use an Exchange, which writes the final dot apart from the
content; `hand_over` sends a single message. If the server offers PIPELINING, the commands of an envelope are
written together, and the next envelope with the content before it (RFC 2920 3.1); otherwise in lock-step.
With CHUNKING the content is one chunk of a stated length; otherwise it ends with a dot (RFC 3030).
"""

import re
from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from digest.models import Outcome, Reply, Stage
from digest.net.smtp.replies import Ask, BadReplyError
from digest.net.smtp.session import Capabilities

ENVELOPE = (Stage.MAIL, Stage.RCPT, Stage.DATA)
"""The commands of an envelope, in order."""

_NOT_ASCII = Reply(553, "5.6.7", "the address is not ASCII and the server offers no SMTPUTF8")


class Envelope(NamedTuple):
    """The sender and recipient of a message as SMTP transmits them (RFC 5321 2.3.1)."""

    mail_from: str
    rcpt_to: str


class ContentWanted(NamedTuple):
    """The server has accepted this message's envelope and waits for its content (354)."""

    key: int


class TransactionEnded(NamedTuple):
    """A mail transaction has ended, with this outcome."""

    key: int
    outcome: Outcome


Event = ContentWanted | TransactionEnded
HandOver = Generator[Ask, Reply, Outcome]

_NOTHING: tuple[Sequence[Event], bytes] = (), b""
_DOT = b".\r\n"


@dataclass(slots=True)
class _Transaction:
    key: int
    pending: deque[tuple[Stage, bytes]] | None = None
    refusal: Outcome | None = None
    dot_at: int | None = None


class Exchange:
    """Opens mail transactions, matches replies to them, and lists the undecided ones of a lost connection.

    `written` counts all bytes returned, so that the caller can tell whether a final dot has been sent.
    """

    def __init__(self, offer: Capabilities) -> None:
        self._offer = offer
        self._expected: deque[tuple[Stage | None, _Transaction]] = deque()
        self._needs_reset = False
        self.pipelines = "PIPELINING" in offer
        self.chunks = "CHUNKING" in offer
        self._stages = ENVELOPE[:-1] if self.chunks else ENVELOPE
        self._last_stage = self._stages[-1]
        self.closing = False
        self.written = 0

    @property
    def waits_for(self) -> Stage | None:
        """Return the step whose reply comes next; None if no reply is expected."""
        return (self._expected[0][0] or Stage.MAIL) if self._expected else None

    def begin(self, key: int, envelope: Envelope, size: int) -> bytes | Outcome:
        """Open a transaction: return the bytes to write, or an Outcome if the server cannot accept the
        address."""
        refusal = refuse_unsaid(envelope, self._offer)
        if refusal is not None:
            return refusal
        lines: Sequence[bytes] = envelope_lines(envelope, size, self._offer)
        if self.chunks:
            lines = lines[:-1]
        transaction = _Transaction(key)
        out = b""
        if self._needs_reset:
            self._needs_reset = False
            self._expected.append((None, transaction))
            out = b"RSET\r\n"
        if not self.pipelines:
            transaction.pending = deque(zip(self._stages, lines, strict=True))
            return self._count(out or self._say_next(transaction))
        self._expected.extend([(stage, transaction) for stage in self._stages])
        return self._count(b"".join((out, *lines)))

    def end(self, key: int, size: int) -> bytes:
        """Return what ends a message: the final dot after it, or `BDAT size LAST` before it (RFC 3030).

        `size` is its number of bytes. None of its lines begins with a full stop, and its last line is
        complete.
        """
        ending = b"BDAT %d LAST\r\n" % size if self.chunks else _DOT
        self.written += size + len(ending)
        self._expected.append((Stage.DOT, _Transaction(key, dot_at=self.written)))
        return ending

    def take(self, reply: Reply) -> tuple[Sequence[Event], bytes]:
        """Match a reply: return what it ends or asks for, and bytes to write at once.

        Raise BadReplyError for a reply to nothing.
        """
        if not self._expected:
            raise BadReplyError("a reply to nothing")
        stage, transaction = self._expected.popleft()
        if reply.code == 421:
            self.closing = True
        if stage is None:
            self.closing = self.closing or reply.code != 250
            return (), self._count(self._say_next(transaction))
        if stage is Stage.DOT:
            outcome = transaction.refusal or Outcome(Stage.DOT, reply, True)
            return (TransactionEnded(transaction.key, outcome),), b""
        if transaction.refusal is None:
            if not _is_good(stage, reply):
                transaction.refusal = Outcome(stage, reply)
            elif self.pipelines:
                return ((ContentWanted(transaction.key),), b"") if stage is self._last_stage else _NOTHING
        return self._go_on(stage, transaction, reply)

    def _go_on(self, stage: Stage, transaction: _Transaction, reply: Reply) -> tuple[Sequence[Event], bytes]:
        is_last = stage is self._last_stage or (transaction.refusal is not None and not self.pipelines)
        if not is_last:
            return (), self._count(self._say_next(transaction))
        if transaction.refusal is None:
            return (ContentWanted(transaction.key),), b""
        if stage is Stage.DATA and reply.code == 354:
            # It wants the content of a message without recipients: an empty one ends that (RFC 2920 3.1).
            self._expected.append((Stage.DOT, transaction))
            return (), self._count(_DOT)
        self._needs_reset = True
        return (TransactionEnded(transaction.key, transaction.refusal),), b""

    def undecided(self, sent: int, fault: str) -> list[TransactionEnded]:
        """Return the unfinished transactions of a lost connection, of which `sent` bytes had been written.

        A transaction after another that was lost had not begun for the server, and is not included.
        """
        ended: list[TransactionEnded] = []
        seen: set[int] = set()
        for stage, transaction in self._expected:
            if transaction.key in seen:
                continue
            seen.add(transaction.key)
            outcome = transaction.refusal
            if outcome is None and transaction.dot_at is not None:
                outcome = Outcome(Stage.DOT, None, dot_left=sent >= transaction.dot_at, fault=fault)
            if outcome is None and stage is not None and not ended:
                outcome = Outcome(stage, None, fault=fault)
            if outcome is not None:
                ended.append(TransactionEnded(transaction.key, outcome))
        self._expected.clear()
        return ended

    def _say_next(self, transaction: _Transaction) -> bytes:
        if not transaction.pending:
            return b""
        stage, line = transaction.pending.popleft()
        self._expected.append((stage, transaction))
        return line

    def _count(self, out: bytes) -> bytes:
        self.written += len(out)
        return out


def _is_good(stage: Stage, reply: Reply) -> bool:
    return reply.code == 354 if stage is Stage.DATA else 200 <= reply.code < 300


def hand_over(envelope: Envelope, message: bytes, offer: Capabilities) -> HandOver:
    """Send one message in lock-step: MAIL, RCPT, DATA, the message and its final dot.

    `message` has CRLF line ends. After a refusal the session is reset for the next message.
    """
    refusal = refuse_unsaid(envelope, offer)
    if refusal is not None:
        return refusal
    for stage, line in zip(ENVELOPE, envelope_lines(envelope, len(message), offer), strict=True):
        reply = yield Ask(stage, line)
        if not _is_good(stage, reply):
            return Outcome(stage, reply)
    reply = yield Ask(Stage.DOT, dot_stuffed(message), ends=True)
    return Outcome(Stage.DOT, reply, dot_left=True)


def refuse_unsaid(envelope: Envelope, offer: Capabilities) -> Outcome | None:
    """Refuse an address that this server cannot accept: only that recipient fails (RFC 6531 3.2)."""
    if _is_ascii(envelope) or "SMTPUTF8" in offer:
        return None
    return Outcome(Stage.RCPT, _NOT_ASCII)


def envelope_lines(envelope: Envelope, size: int, offer: Capabilities) -> tuple[bytes, bytes, bytes]:
    """Return the commands before a message's content, those of the steps in `ENVELOPE`."""
    stated = f" SIZE={size}" if "SIZE" in offer else ""
    beyond_ascii = "" if _is_ascii(envelope) else " SMTPUTF8"
    mail = f"MAIL FROM:<{envelope.mail_from}>{stated}{beyond_ascii}\r\n"
    return mail.encode(), f"RCPT TO:<{envelope.rcpt_to}>\r\n".encode(), b"DATA\r\n"


def _is_ascii(envelope: Envelope) -> bool:
    return envelope.rcpt_to.isascii() and envelope.mail_from.isascii()


def dot_stuffed(message: bytes) -> bytes:
    """Return the message as it is transmitted, with its final dot (RFC 5321 4.5.2)."""
    needs_it = message.startswith(b".") or b"\n." in message
    stuffed = re.sub(rb"(?m)^\.", b"..", message) if needs_it else message
    return (stuffed if stuffed.endswith(b"\r\n") else stuffed + b"\r\n") + _DOT
