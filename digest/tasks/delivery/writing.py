"""Write letters ahead of the lanes: in batches, or signed by a small pool, which takes longer than all else."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from digest.store.deliveries import Job
from digest.tasks.delivery.composing import Composer, Letter
from digest.tasks.delivery.lanes import Load

_SIGNERS = 2
_STALE = timedelta(seconds=30)


def fresh(load: Load, composer: Composer, now: datetime) -> Load:
    """Give a message a Date of now where it waited too long, or where the clock was put back meanwhile.

    One that may have left before keeps its own: a repeat has the same bytes.
    """
    if load.job.composed_at is not None or abs(now - load.composed_at) <= _STALE:
        return load
    return Load(load.job, composer.compose(load.job, now), now)


class Writer(Protocol):
    """Makes letters of jobs, in the order in which they are given."""

    def __len__(self) -> int:
        """Give how many are being written."""

    @property
    def has_room(self) -> bool:
        """Tell whether another may be given."""

    def write(self, job: Job) -> None:
        """Begin a letter."""

    def take(self) -> Load | None:
        """Give the next letter that is written."""

    def jobs(self) -> list[Job]:
        """Give the jobs whose letters were not taken."""

    def remove(self, unwanted: Callable[[Job], bool]) -> list[Job]:
        """Take jobs out and give them."""

    def close(self) -> None:
        """End."""


class Batches:
    """Writes letters a batch at a time: one after the other, they cost half of what each alone would."""

    def __init__(self, composer: Composer, clock: Callable[[], datetime], most: int) -> None:
        self._composer = composer
        self._clock = clock
        self._most = most
        self._begun: deque[Job] = deque()
        self._written: deque[Load] = deque()

    def __len__(self) -> int:
        return len(self._begun) + len(self._written)

    @property
    def has_room(self) -> bool:
        """Tell whether another may be given."""
        return len(self._begun) + len(self._written) < self._most

    def write(self, job: Job) -> None:
        """Begin a letter."""
        self._begun.append(job)

    def take(self) -> Load | None:
        """Give the next letter; where none is written, all that were begun are."""
        if not self._written:
            self._write_all()
        return self._written.popleft() if self._written else None

    def jobs(self) -> list[Job]:
        """Give the jobs whose letters were not taken."""
        return [*(load.job for load in self._written), *self._begun]

    def remove(self, unwanted: Callable[[Job], bool]) -> list[Job]:
        """Take jobs out and give them."""
        gone = [job for job in self.jobs() if unwanted(job)]
        self._written = deque(load for load in self._written if not unwanted(load.job))
        self._begun = deque(job for job in self._begun if not unwanted(job))
        return gone

    def close(self) -> None:
        """End."""

    def _write_all(self) -> None:
        now, compose = self._clock(), self._composer.compose
        while self._begun:
            job = self._begun[0]
            composed_at = job.composed_at or now
            self._written.append(Load(job, compose(job, composed_at), composed_at))
            self._begun.popleft()  # only now: a template's fault leaves the claim to be settled


@dataclass(frozen=True, slots=True)
class _Begun:
    job: Job
    composed_at: datetime
    letter: Future[Letter]


class Ahead:
    """Signs letters ahead of the lanes, a few more than can be on their way at once.

    The body is composed and hashed here, in order; the pool only signs, which holds no interpreter lock.
    """

    def __init__(
        self, composer: Composer, clock: Callable[[], datetime], most: int, wake: Callable[[], None]
    ) -> None:
        self._composer = composer
        self._clock = clock
        self._most = most
        self._wake = wake
        self._begun: deque[_Begun] = deque()
        self._pool = ThreadPoolExecutor(_SIGNERS, thread_name_prefix="signer")

    def __len__(self) -> int:
        return len(self._begun)

    @property
    def has_room(self) -> bool:
        """Tell whether another may be given."""
        return len(self._begun) < self._most

    def write(self, job: Job) -> None:
        """Begin a letter."""
        composed_at = job.composed_at or self._clock()
        letter = self._pool.submit(self._composer.prepare(job, composed_at))
        self._begun.append(_Begun(job, composed_at, letter))
        letter.add_done_callback(lambda _done: self._wake())

    def take(self) -> Load | None:
        """Give the next letter that is signed."""
        if not self._begun or not self._begun[0].letter.done():
            return None
        begun = self._begun[0]
        load = Load(begun.job, begun.letter.result(), begun.composed_at)
        self._begun.popleft()
        return load

    def jobs(self) -> list[Job]:
        """Give the jobs whose letters were not taken."""
        return [begun.job for begun in self._begun]

    def remove(self, unwanted: Callable[[Job], bool]) -> list[Job]:
        """Take jobs out and give them."""
        gone = [begun.job for begun in self._begun if unwanted(begun.job)]
        self._begun = deque(begun for begun in self._begun if not unwanted(begun.job))
        return gone

    def close(self) -> None:
        """End the pool; what it has begun is of no use any more."""
        self._pool.shutdown(wait=True, cancel_futures=True)
