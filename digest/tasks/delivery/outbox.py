"""Claimed deliveries that wait for a lane: the next is of a domain that may be served now."""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator

from digest.rules.pacing import Domains, domain_of
from digest.store.deliveries import Job
from digest.tasks.delivery.lanes import Load
from digest.tasks.delivery.writing import Writer

_SOON = 10.0


class Outbox:
    """Queues of jobs, one a domain, taken in turn; letters are written ahead where that takes time."""

    def __init__(self, writer: Writer, domains: Domains) -> None:
        self._writer = writer
        self._domains = domains
        self._queues: OrderedDict[str, deque[Job]] = OrderedDict()
        self._size = 0

    def __len__(self) -> int:
        return self._size + len(self._writer)

    def __iter__(self) -> Iterator[Job]:
        yield from self._writer.jobs()
        for queue in self._queues.values():
            yield from queue

    def add(self, jobs: Iterable[Job]) -> None:
        """Put claimed jobs in line."""
        for job in jobs:
            self._queues.setdefault(domain_of(job.address), deque()).append(job)
            self._size += 1

    def put_back(self, jobs: Iterable[Job]) -> None:
        """Put jobs that did not come to begin before all others of their domains."""
        for job in jobs:
            domain = domain_of(job.address)
            self._queues.setdefault(domain, deque()).appendleft(job)
            self._queues.move_to_end(domain, last=False)
            self._size += 1

    def take(self, now: float) -> Load | None:
        """Give the next message whose domain may be served and whose letter is written, or None."""
        while self._writer.has_room:
            job = self._next(now)
            if job is None:
                break
            self._writer.write(job)
        return self._writer.take()

    def next_at(self, now: float) -> float | None:
        """Give when a domain may be served again, where all that wait have to wait."""
        waits = [self._domains.of(domain).next_at for domain in self._queues]
        later = [moment for moment in waits if moment > now]
        return min(later, default=None)

    def remove(self, unwanted: Callable[[Job], bool]) -> list[Job]:
        """Take jobs out and give them."""
        removed = self._writer.remove(unwanted)
        for job in removed:
            self._domains.of(domain_of(job.address)).end()
        for domain, queue in list(self._queues.items()):
            gone = [job for job in queue if unwanted(job)]
            if gone:
                self._queues[domain] = deque(job for job in queue if not unwanted(job))
                self._size -= len(gone)
                removed.extend(gone)
                self._drop_empty(domain)
        return removed

    def surplus(self, now: float) -> list[tuple[Job, float]]:
        """Take out what a slow domain cannot get soon, each with the seconds until its turn.

        Else it would fill the outbox, and readers of other domains would wait for it.
        """
        postponed: list[tuple[Job, float]] = []
        for domain, queue in list(self._queues.items()):
            pace = self._domains.of(domain)
            if not pace.rate:
                continue
            soon = max(1, int(pace.rate * _SOON))
            wait = max(pace.next_at - now, 0)
            while len(queue) > soon:
                postponed.append((queue.pop(), wait + len(queue) / pace.rate))
                self._size -= 1
        return postponed

    def _next(self, now: float) -> Job | None:
        """Give the first job of the first domain that may be served, and put that domain last in turn."""
        for domain, queue in self._queues.items():
            pace = self._domains.of(domain)
            if not pace.may_begin(now):
                continue
            pace.begin(now)
            job = queue.popleft()
            self._size -= 1
            self._queues.move_to_end(domain)
            self._drop_empty(domain)
            return job
        return None

    def _drop_empty(self, domain: str) -> None:
        if not self._queues[domain]:
            del self._queues[domain]
