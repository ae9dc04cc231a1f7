"""One SMTP connection at work: the messages on it, and what the server has replied to them."""

import selectors
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from digest.models import Outcome, Stage
from digest.net.smtp import BadReplyError, Channel, Connection, Exchange, Timeouts, TransactionEnded
from digest.store.delivery.deliveries import Job
from digest.tasks.composing.composer import SignedMessage
from digest.tasks.delivery.recorder import Attempt

_CLOSING = "the server is closing the connection"


class Parcel(NamedTuple):
    r"""A composed message with the delivery that it is for and the Date that it has.

    `message.pieces` are `[b"Date: Mon, 23 Nov ...\r\n\r\n", b"--=_9f...", ...]`: everything but the final
    dot.
    """

    job: Job
    message: SignedMessage
    composed_at: datetime


@dataclass(slots=True)
class Progress:
    """What the server's replies have changed since they were last read.

    `attempts` have an outcome. `content_wanted` are messages whose envelope the server has accepted (354, or
    250 if the content is sent as a chunk): their mark must be committed next. `not_started` are deliveries
    that the server never began, so another connection may take them. If `lost`, the connection is closed.
    Example: after `354` for delivery 42, `Progress(attempts=[], content_wanted=[parcel 42], ...)`.
    """

    attempts: list[Attempt] = field(default_factory=list)
    content_wanted: list[Parcel] = field(default_factory=list)
    not_started: list[Job] = field(default_factory=list)
    lost: bool = False


class Courier:
    r"""One SMTP connection and the messages on it; after `Progress.lost` it must not be used again.

    A message takes four calls: `start` returns `MAIL FROM:<...>`, `RCPT TO:<...>`, `DATA` to write; `receive`
    reports the 354; `send_ahead` writes the content; after the commit, `ending` returns `.\r\n`. The 250
    that follows is an Attempt that `receive` returns.
    """

    def __init__(
        self,
        connection: Connection,
        timeouts: Timeouts,
        now: float,
        max_messages: int = 0,
        relay_name: str = "",
    ) -> None:
        self.channel = Channel(connection)
        self.exchange = Exchange(self.channel.offer)
        self.deadline = now + timeouts.command
        self.selected_events = selectors.EVENT_READ
        self._timeouts = timeouts
        self._max_messages = max_messages
        self._relay_name = relay_name
        self._parcels: dict[int, Parcel] = {}
        self._accepted = 0
        self._started = 0

    @property
    def is_idle(self) -> bool:
        """Return whether no message is on the connection."""
        return not self._parcels

    @property
    def awaits_last_reply(self) -> bool:
        """Return whether the reply to a final dot is still to come."""
        return self.exchange.waits_for is Stage.DOT

    @property
    def is_full(self) -> bool:
        """Return whether it has carried as many messages as a connection may."""
        return bool(self._max_messages) and self._started >= self._max_messages

    def start(self, parcel: Parcel) -> tuple[bytes, Attempt | None]:
        """Open a mail transaction: return the bytes to write, or the failed attempt.

        An address that needs SMTPUTF8 (RFC 6531) fails here if the server lacks it, and nothing is written.
        """
        job, message = parcel.job, parcel.message
        opened = self.exchange.begin(job.delivery_id, message.envelope, message.size)
        if isinstance(opened, Outcome):
            return b"", Attempt(job, opened, self._relay_name)
        self._parcels[job.delivery_id] = parcel
        self._started += 1
        return opened, None

    def send_ahead(self, parcel: Parcel, now: float) -> None:
        """Write the content without its final dot; nothing if it is sent as a chunk (RFC 3030)."""
        if not self.exchange.chunks:
            self.write(parcel.message.pieces, now)

    def ending(self, parcel: Parcel) -> list[bytes]:
        """Return the bytes that hand the message over: the final dot, or the whole last chunk.

        Write them only after the delivery's `in_flight` mark has been committed.
        """
        message = parcel.message
        ending = self.exchange.end(parcel.job.delivery_id, message.size)
        return [ending, *message.pieces] if self.exchange.chunks else [ending]

    def write(self, pieces: Sequence[bytes], now: float) -> None:
        """Write, and set the deadline for the reply."""
        self.channel.write(pieces)
        self._set_deadline(now)

    def flush(self, now: float) -> None:
        """Write as much as the server takes now."""
        self.channel.flush()
        if not self.channel.unsent:
            self._set_deadline(now)

    def receive(self, now: float) -> Progress:
        """Read the server's replies and return what they mean for the messages."""
        progress = Progress()
        try:
            for reply in self.channel.receive():
                events, out = self.exchange.take(reply)
                for event in events:
                    if isinstance(event, TransactionEnded):
                        self._finish(event, progress)
                    else:
                        progress.content_wanted.append(self._parcels[event.key])
                if out:
                    self.channel.write((out,))
        except BadReplyError as error:
            self.channel.fault = self.channel.fault or str(error)
        if self.channel.fault or self.exchange.closing:
            self.disconnect(self.channel.fault or _CLOSING, progress)
        self._set_deadline(now)
        return progress

    def disconnect(self, fault: str, progress: Progress) -> None:
        """End every message on a lost connection, those that had begun and those that had not."""
        for event in self.exchange.undecided(self.channel.sent, fault):
            self._finish(event, progress)
        wanted = {parcel.job.delivery_id for parcel in progress.content_wanted}
        progress.content_wanted.clear()
        for key, parcel in self._parcels.items():
            if key in wanted:
                outcome = Outcome(Stage.DOT, None, fault=fault)
                progress.attempts.append(Attempt(parcel.job, outcome, self._relay_name))
            else:
                progress.not_started.append(parcel.job)
        self._parcels.clear()
        progress.lost = True

    def abandon(self, parcel: Parcel) -> None:
        """Forget a message that must no longer be sent."""
        self._parcels.pop(parcel.job.delivery_id)

    def _finish(self, event: TransactionEnded, progress: Progress) -> None:
        parcel = self._parcels.pop(event.key)
        outcome = event.outcome
        if outcome.stage is Stage.DOT and self._is_cut_off(outcome):
            outcome = replace(outcome, dot_left=False)
            self.channel.fault = "refused while the message was still being written"
        self._accepted += outcome.accepted
        if self._accepted and outcome.stage is Stage.MAIL and _is_about_connection(outcome):
            self.exchange.closing = True
            progress.not_started.append(parcel.job)  # such a reply says nothing about the reader
        else:
            progress.attempts.append(Attempt(parcel.job, outcome, self._relay_name))

    def _is_cut_off(self, outcome: Outcome) -> bool:
        """Return whether a reply came before the message had been written completely."""
        return outcome.reply is not None and self.channel.unsent > 0

    def _set_deadline(self, now: float) -> None:
        stage = self.exchange.waits_for
        if self.channel.unsent:
            self.deadline = now + self._timeouts.block
        elif stage is not None:
            self.deadline = now + self._timeouts.of(stage)


def _is_about_connection(outcome: Outcome) -> bool:
    """Return whether a refusal of MAIL concerns this connection (421, 503), rather than us or the reader."""
    return outcome.reply is not None and outcome.reply.code in (421, 503)
