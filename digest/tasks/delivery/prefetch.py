"""Write letters ahead of the lanes: a batch at a time, or signed by a small pool beside the loop."""

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Protocol

from digest.store.delivery.deliveries import Job
from digest.tasks.composing.composer import Composer, SignedMessage
from digest.tasks.delivery.courier import Parcel

_SIGNERS = 2
_BATCH = 10
_TURNS = 3
_STALE = timedelta(seconds=30)


def fresh(load: Parcel, composer: Composer, now: datetime) -> Parcel:
    """Give a message a Date of now where it waited too long, or where the clock was put back meanwhile.

    One that may have left before keeps its own: a repeat has the same bytes.
    """
    if load.job.composed_at is not None or abs(now - load.composed_at) <= _STALE:
        return load
    return Parcel(load.job, composer.compose(load.job, now), now)


class Prefetch(Protocol):
    """Makes letters of jobs; a letter that nobody takes is forgotten, the job is not the writer's."""

    def prepare(self, coming: Iterable[Job]) -> None:
        """Write ahead for the jobs that come next, where little is in stock."""

    def take(self, job: Job) -> Parcel | None:
        """Give a job's letter; None where it is still being written."""

    def close(self) -> None:
        """End."""


class ComposeAhead:
    """Writes letters a batch at a time: one after the other they cost half of what each alone would.

    A letter is a few hundred bytes of its own: what it shares with others is not copied.
    """

    def __init__(self, composer: Composer, clock: Callable[[], datetime], most: int) -> None:
        self._composer = composer
        self._clock = clock
        self._most = most
        self._at_once = max(_BATCH, most // _TURNS)
        self._written: dict[int, Parcel] = {}

    def prepare(self, coming: Iterable[Job]) -> None:
        """Write ahead for the jobs that come next: about as many as leave meanwhile, never all at once."""
        if len(self._written) < self._most:
            now = self._clock()
            for job in _missing(coming, self._written, self._most)[: self._at_once]:
                self._written[job.delivery_id] = self._write(job, now)

    def take(self, job: Job) -> Parcel | None:
        """Give a job's letter."""
        load = self._written.pop(job.delivery_id, None)
        return self._write(job, self._clock()) if load is None or load.job != job else load

    def close(self) -> None:
        """End."""

    def _write(self, job: Job, now: datetime) -> Parcel:
        composed_at = job.composed_at or now
        return Parcel(job, self._composer.compose(job, composed_at), composed_at)


@dataclass(slots=True)
class _BeingSigned:
    """A letter in the making: the `number`th of a batch."""

    job: Job
    composed_at: datetime
    batch: Future[list[SignedMessage]]
    number: int


class SignAhead:
    """Signs letters ahead of the lanes, a few more than can be on their way at once.

    The body is composed here, in order; the pool hashes and signs, which holds no interpreter lock. It gets
    a few letters at a time: to hand one over costs more than a thing so small is worth.
    """

    def __init__(
        self, composer: Composer, clock: Callable[[], datetime], most: int, wake: Callable[[], None]
    ) -> None:
        self._composer = composer
        self._clock = clock
        self._most = most
        self._batch = max(1, min(_BATCH, most // (2 * _SIGNERS)))
        self._wake = wake
        self._is_waited_for = False
        self._begun: dict[int, _BeingSigned] = {}
        self._pool = ThreadPoolExecutor(_SIGNERS, thread_name_prefix="signer")

    def prepare(self, coming: Iterable[Job]) -> None:
        """Begin the letters of the jobs that come next."""
        if len(self._begun) <= self._most - self._batch:
            missing = _missing(coming, self._begun, self._most)
            for start in range(0, len(missing), self._batch):
                self._begin(missing[start : start + self._batch])

    def take(self, job: Job) -> Parcel | None:
        """Give a job's letter once it is signed."""
        begun = self._begun.get(job.delivery_id)
        if begun is None or begun.job != job:
            self._begin([job])
            begun = self._begun[job.delivery_id]
        if not begun.batch.done():
            self._is_waited_for = True  # and looked at again: it may be done by now
            if not begun.batch.done():
                return None
        load = Parcel(job, begun.batch.result()[begun.number], begun.composed_at)
        del self._begun[job.delivery_id]
        return load

    def close(self) -> None:
        """End the pool; what it has begun is of no use any more."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _begin(self, jobs: list[Job]) -> None:
        now = self._clock()
        dated = [(job, job.composed_at or now) for job in jobs]
        unsigned = [self._composer.prepare(job, composed_at) for job, composed_at in dated]
        batch = self._pool.submit(lambda: [sign() for sign in unsigned])
        for number, (job, composed_at) in enumerate(dated):
            self._begun[job.delivery_id] = _BeingSigned(job, composed_at, batch, number)
        batch.add_done_callback(self._tell)

    def _tell(self, _done: Future[list[SignedMessage]]) -> None:
        if self._is_waited_for:
            self._is_waited_for = False
            self._wake()


def _missing(coming: Iterable[Job], stock: dict[int, Any], most: int) -> list[Job]:
    """Give which of the jobs that come next have no letter yet; forget the letters of any other."""
    wanted = {job.delivery_id: job for job in islice(coming, most)}
    for key in stock.keys() - wanted.keys():
        del stock[key]
    return [job for key, job in wanted.items() if key not in stock or stock[key].job != job]
