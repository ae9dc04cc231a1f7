"""One connection at work: which messages are on it, and what their server has said."""

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
    """A message that is on its way over a lane: its job, its bytes, the Date that it bears."""

    job: Job
    letter: SignedMessage
    composed_at: datetime


@dataclass(slots=True)
class Progress:
    """What a lane has brought since it was last listened to."""

    answers: list[Attempt] = field(default_factory=list)
    wants: list[Parcel] = field(default_factory=list)
    given_back: list[Job] = field(default_factory=list)
    lost: bool = False


class Courier:
    """A connection with the messages on it; after `Heard.lost` it is of no more use."""

    def __init__(self, connection: Connection, timeouts: Timeouts, now: float, most: int = 0) -> None:
        self.channel = Channel(connection)
        self.exchange = Exchange(self.channel.offer)
        self.deadline = now + timeouts.command
        self._timeouts = timeouts
        self._loads: dict[int, Parcel] = {}
        self._accepted = 0
        self._begun = 0
        self._most = most
        self.watched = selectors.EVENT_READ
        self.where = ""

    @property
    def is_idle(self) -> bool:
        """Tell whether nothing is on it."""
        return not self._loads

    @property
    def has_dot_out(self) -> bool:
        """Tell whether a message is on the wire whose reply is still to come."""
        return self.exchange.waits_for is Stage.DOT

    def begin(self, load: Parcel) -> tuple[bytes, Attempt | None]:
        """Open a transaction: give the bytes to write, or the answer where this address cannot be said."""
        job = load.job
        opened = self.exchange.begin(job.delivery_id, load.letter.envelope, load.letter.size)
        if isinstance(opened, Outcome):
            return b"", Attempt(job, opened, self.where)
        self._loads[job.delivery_id] = load
        self._begun += 1
        return opened, None

    def send_ahead(self, load: Parcel, now: float) -> None:
        """Write what makes no message yet: all but the final dot; nothing of what goes in a last chunk."""
        if not self.exchange.chunks:
            self.write(load.letter.pieces, now)

    def rest(self, load: Parcel) -> list[bytes]:
        """Give what of a message is still to be written, only after its mark is committed."""
        letter = load.letter
        ending = self.exchange.end(load.job.delivery_id, letter.size)
        return [ending, *letter.pieces] if self.exchange.chunks else [ending]

    def write(self, pieces: Sequence[bytes], now: float) -> None:
        """Write, and wait from now on for what comes next."""
        self.channel.write(pieces)
        self._wait(now)

    def flush(self, now: float) -> None:
        """Write what the server takes now."""
        self.channel.flush()
        if not self.channel.unsent:
            self._wait(now)

    def listen(self, now: float) -> Progress:
        """Take in what the server has said."""
        heard = Progress()
        try:
            for reply in self.channel.receive():
                events, out = self.exchange.take(reply)
                for event in events:
                    if isinstance(event, TransactionEnded):
                        self._hear(event, heard)
                    else:
                        heard.wants.append(self._loads[event.key])
                if out:
                    self.channel.write((out,))
        except BadReplyError as error:
            self.channel.fault = self.channel.fault or str(error)
        if self.channel.fault or self.exchange.closing:
            self.lose(self.channel.fault or _CLOSING, heard)
        self._wait(now)
        return heard

    def lose(self, fault: str, heard: Progress) -> None:
        """Close the books of this connection: what came to something, and what had not begun."""
        for event in self.exchange.undecided(self.channel.sent, fault):
            self._hear(event, heard)
        waiting = {load.job.delivery_id for load in heard.wants}
        heard.wants.clear()
        for key, load in self._loads.items():
            if key in waiting:
                heard.answers.append(Attempt(load.job, Outcome(Stage.DOT, None, fault=fault), self.where))
            else:
                heard.given_back.append(load.job)
        self._loads.clear()
        heard.lost = True

    def abandon(self, load: Parcel) -> None:
        """Leave a message that must not be sent any more."""
        self._loads.pop(load.job.delivery_id)

    def _hear(self, event: TransactionEnded, heard: Progress) -> None:
        load = self._loads.pop(event.key)
        outcome = event.outcome
        if outcome.stage is Stage.DOT and self._is_cut_off(outcome):
            outcome = replace(outcome, dot_left=False)
            self.channel.fault = "refused while the message was still written"
        self._accepted += outcome.accepted
        if self._accepted and outcome.stage is Stage.MAIL and _is_about_connection(outcome):
            self.exchange.closing = True
            heard.given_back.append(load.job)  # it says nothing about the reader
        else:
            heard.answers.append(Attempt(load.job, outcome, self.where))

    @property
    def is_full(self) -> bool:
        """Tell whether it has carried as many messages as one connection may."""
        return bool(self._most) and self._begun >= self._most

    def _is_cut_off(self, outcome: Outcome) -> bool:
        """Tell whether a reply came before the message had wholly left."""
        return outcome.reply is not None and self.channel.unsent > 0

    def _wait(self, now: float) -> None:
        stage = self.exchange.waits_for
        if self.channel.unsent:
            self.deadline = now + self._timeouts.block
        elif stage is not None:
            self.deadline = now + self._timeouts.of(stage)


def _is_about_connection(outcome: Outcome) -> bool:
    """Tell what a server says of a connection from what it says of us: enough on it, or out of step."""
    return outcome.reply is not None and outcome.reply.code in (421, 503)
