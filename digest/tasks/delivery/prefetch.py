"""Compose messages ahead of the couriers: in batches, or signed by a small pool."""

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Protocol

from digest.errors import SettingsError
from digest.store.delivery.deliveries import Job
from digest.tasks.composing.composer import Composer, SignedMessage, UnsignedMessage
from digest.tasks.delivery.courier import Parcel

_BATCH = 10
_ROUNDS = 3
_STALE = timedelta(seconds=30)


class UncomposableError(Exception):
    """The message of a delivery cannot be composed until a setting or template is corrected.

    `UncomposableError(job 41, "template front-page.html.j2, line 3: ...")`.
    """

    def __init__(self, job: Job, why: str) -> None:
        super().__init__(why)
        self.job = job


def fresh(parcel: Parcel, composer: Composer, now: datetime) -> Parcel:
    """Return the message composed again with the current Date if it waited too long or the clock was set
    back.

    A message that may have been sent before keeps its Date: a repeat has the same bytes.
    """
    if parcel.job.composed_at is not None or abs(now - parcel.composed_at) <= _STALE:
        return parcel
    return Parcel(parcel.job, composer.compose(parcel.job, now), now)


class Prefetch(Protocol):
    """Composes messages ahead of time.

    `prepare([job 41, job 42])` composes both; `take(job 41)` returns the Parcel of the first. A message that
    nobody takes is dropped, and its delivery stays claimed.
    """

    def prepare(self, coming: Iterable[Job]) -> None:
        """Compose messages for the next deliveries when few are ready; raise UncomposableError."""

    def take(self, job: Job) -> Parcel | None:
        """Return the message of a delivery; None if it is still being signed; raise UncomposableError."""

    def close(self) -> None:
        """Stop composing."""


class ComposeAhead:
    """Composes messages in batches: one after another, each costs half of what it would alone.

    With 10 connections, `prepare` composes 10 messages whenever fewer than 30 are ready; `take` returns one
    of them as a Parcel. A message takes a few hundred bytes of its own; shared pieces are not copied.
    """

    def __init__(self, composer: Composer, clock: Callable[[], datetime], most: int) -> None:
        self._composer = composer
        self._clock = clock
        self._most = most
        self._batch_size = max(_BATCH, most // _ROUNDS)
        self._composed: dict[int, Parcel] = {}

    def prepare(self, coming: Iterable[Job]) -> None:
        """Compose messages for the next deliveries, about as many as are sent in a turn."""
        if len(self._composed) < self._most:
            now = self._clock()
            for job in _missing(coming, self._composed, self._most)[: self._batch_size]:
                self._composed[job.delivery_id] = self._compose(job, now)

    def take(self, job: Job) -> Parcel | None:
        """Return the message of a delivery, composing it now if it is not ready."""
        parcel = self._composed.pop(job.delivery_id, None)
        return self._compose(job, self._clock()) if parcel is None or parcel.job != job else parcel

    def close(self) -> None:
        """Stop composing."""

    def _compose(self, job: Job, now: datetime) -> Parcel:
        composed_at = job.composed_at or now
        try:
            return Parcel(job, self._composer.compose(job, composed_at), composed_at)
        except SettingsError as error:
            raise UncomposableError(job, str(error)) from error


@dataclass(slots=True)
class _BeingSigned:
    """A message that is being signed: message `number` of `batch`, such as the third of ten."""

    job: Job
    composed_at: datetime
    message: UnsignedMessage
    batch: Future[list[bytes]]
    number: int

    def finish(self) -> SignedMessage:
        """Return the message with its signatures, which are there."""
        size = len(self.message.unsigned.digests)
        return self.message.finish(self.batch.result()[self.number * size : (self.number + 1) * size])


class SignAhead:
    """Signs messages ahead of the couriers, a few more than can be under way at once.

    The loop's thread composes, in order, and a pool signs: up to ten messages at a time, because handing over
    one costs as much as handing over ten. `take(job 41)` returns None until 41 is signed, then its Parcel,
    whose first piece is `b"DKIM-Signature: ..."`.
    """

    def __init__(
        self, composer: Composer, clock: Callable[[], datetime], most: int, wake: Callable[[], None]
    ) -> None:
        from digest.tasks.delivery.signing_pool import SigningPool  # not imported where nothing is signed

        self._composer = composer
        self._clock = clock
        self._most = most
        self._pool = SigningPool(composer.dkim_keys)
        self._batch = max(1, min(_BATCH, most // (2 * self._pool.size)))
        self._wake = wake
        self._loop_waits = False
        self._being_signed: dict[int, _BeingSigned] = {}

    def prepare(self, coming: Iterable[Job]) -> None:
        """Hand the messages of the next deliveries to the pool."""
        if len(self._being_signed) <= self._most - self._batch:
            missing = _missing(coming, self._being_signed, self._most)
            for start in range(0, len(missing), self._batch):
                self._sign_later(missing[start : start + self._batch])

    def take(self, job: Job) -> Parcel | None:
        """Return the message of a delivery once it is signed; until then None, and the loop is woken
        afterwards."""
        signing = self._being_signed.get(job.delivery_id)
        if signing is None or signing.job != job:
            self._sign_later([job])
            signing = self._being_signed[job.delivery_id]
        if not signing.batch.done():
            self._loop_waits = True  # check again: it may have finished meanwhile
            if not signing.batch.done():
                return None
        parcel = Parcel(job, signing.finish(), signing.composed_at)
        del self._being_signed[job.delivery_id]
        return parcel

    def close(self) -> None:
        """Stop the pool and drop what it has not finished."""
        self._pool.close()

    def _sign_later(self, jobs: list[Job]) -> None:
        now = self._clock()
        dated = [(job, job.composed_at or now) for job in jobs]
        messages = [self._compose(job, composed_at) for job, composed_at in dated]
        batch = self._pool.submit([digest for one in messages for digest in one.unsigned.digests])
        for number, ((job, composed_at), message) in enumerate(zip(dated, messages, strict=True)):
            self._being_signed[job.delivery_id] = _BeingSigned(job, composed_at, message, batch, number)
        batch.add_done_callback(self._notify)

    def _compose(self, job: Job, composed_at: datetime) -> UnsignedMessage:
        try:
            return self._composer.prepare(job, composed_at)
        except SettingsError as error:
            raise UncomposableError(job, str(error)) from error

    def _notify(self, _done: Future[list[bytes]]) -> None:
        if self._loop_waits:
            self._loop_waits = False
            self._wake()


def _missing(coming: Iterable[Job], known: dict[int, Any], most: int) -> list[Job]:
    """Return which of the next deliveries have no message yet; forget all other messages."""
    wanted = {job.delivery_id: job for job in islice(coming, most)}
    for key in known.keys() - wanted.keys():
        del known[key]
    return [job for key, job in wanted.items() if key not in known or known[key].job != job]
