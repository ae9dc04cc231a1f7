"""Claimed deliveries that wait for a connection; the next one belongs to a domain that may be served now."""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator

from digest.rules.delivery.rate_limits import Domains, domain_of
from digest.store.delivery.deliveries import Job
from digest.tasks.delivery.courier import Parcel
from digest.tasks.delivery.prefetch import Prefetch

_SOON = 10.0


class DomainQueue:
    """A queue of claimed deliveries for each domain, served in turn.

    With `a.example: [1, 2, 3]` and `b.example: [4]`, `take` returns the messages of 1, 4, 2, 3; while
    a.example is limited, 4 comes first. Messages are composed ahead in that order.
    """

    def __init__(self, prefetch: Prefetch, domains: Domains) -> None:
        self._prefetch = prefetch
        self._domains = domains
        self._queues: OrderedDict[str, deque[Job]] = OrderedDict()
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Job]:
        for queue in self._queues.values():
            yield from queue

    def add(self, jobs: Iterable[Job]) -> None:
        """Append claimed deliveries."""
        for job in jobs:
            self._queues.setdefault(domain_of(job.address), deque()).append(job)
            self._size += 1

    def put_back(self, jobs: Iterable[Job]) -> None:
        """Put deliveries that no server has begun back at the front of their domains' queues."""
        for job in jobs:
            domain = domain_of(job.address)
            self._queues.setdefault(domain, deque()).appendleft(job)
            self._queues.move_to_end(domain, last=False)
            self._size += 1

    def prepare(self) -> None:
        """Compose messages ahead."""
        self._prefetch.prepare(self._coming())

    def take(self, now: float) -> Parcel | None:
        """Return the next message of a domain that may be served, or None.

        The domain goes to the end of the rotation. None, too, while the next message is still being signed.
        """
        for domain, queue in self._queues.items():
            pace = self._domains.of(domain)
            if not pace.may_begin(now):
                continue
            parcel = self._prefetch.take(queue[0])
            if parcel is None:
                return None
            queue.popleft()  # not earlier: if a template fails, the claim is still here to be released
            self._size -= 1
            pace.begin(now)
            self._queues.move_to_end(domain)
            self._drop_empty(domain)
            return parcel
        return None

    def count_ready(self) -> int:
        """Count the deliveries that wait for nothing but a connection: those of unlimited domains."""
        if not self._domains.has_limits:
            return self._size
        free = (queue for domain, queue in self._queues.items() if self._domains.of(domain).is_free)
        return sum(map(len, free))

    def next_at(self, now: float) -> float | None:
        """Return when the first limited domain may be served again; None if no domain is limited."""
        waits = [self._domains.of(domain).next_at for domain in self._queues]
        later = [moment for moment in waits if moment > now]
        return min(later, default=None)

    def remove(self, unwanted: Callable[[Job], bool]) -> list[Job]:
        """Remove and return deliveries."""
        removed: list[Job] = []
        for domain, queue in list(self._queues.items()):
            gone = [job for job in queue if unwanted(job)]
            if gone:
                self._queues[domain] = deque(job for job in queue if not unwanted(job))
                self._size -= len(gone)
                removed.extend(gone)
                self._drop_empty(domain)
        return removed

    def surplus(self, now: float) -> list[tuple[Job, float]]:
        """Remove what a slow domain cannot get within ten seconds; return each with the seconds to wait.

        Otherwise it would fill the queue, and readers of other domains would wait.
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

    def _coming(self) -> Iterator[Job]:
        """Iterate over the deliveries in about the order in which they are taken if no domain is limited."""
        if len(self._queues) == 1:
            yield from next(iter(self._queues.values()))
            return
        queues = [iter(queue) for queue in self._queues.values()]
        while queues:
            ended = object()
            heads = [(queue, next(queue, ended)) for queue in queues]
            yield from (job for _, job in heads if isinstance(job, Job))
            queues = [queue for queue, job in heads if job is not ended]

    def _drop_empty(self, domain: str) -> None:
        if not self._queues[domain]:
            del self._queues[domain]
