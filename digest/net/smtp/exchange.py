"""The mail transactions of one connection: what to write, and what each reply means.

It contains no socket and no clock. If the server offers PIPELINING, the commands of an envelope are written
together, and the next envelope with the content before it (RFC 2920 3.1); otherwise in lock-step. With
CHUNKING the content is one chunk of a stated length; otherwise it ends with a dot (RFC 3030).
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from digest.models import Outcome, Reply, Stage
from digest.net.smtp.dialogue import ENVELOPE, Capabilities, Envelope, envelope_lines, refuse_unsaid
from digest.net.smtp.replies import BadReplyError


class ContentWanted(NamedTuple):
    """The server has accepted this message's envelope and waits for its content (354)."""

    key: int


class TransactionEnded(NamedTuple):
    """A mail transaction has ended, with this outcome."""

    key: int
    outcome: Outcome


Event = ContentWanted | TransactionEnded

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
