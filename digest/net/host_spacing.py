"""Space the requests to one host, and let no two overlap."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from digest.errors import Busy


class HostSpacing:
    """Spaces requests: each begins at least `spacing` seconds after the end of the previous one to its
    host."""

    def __init__(self, spacing: float, wait: Callable[[float], None] = time.sleep) -> None:
        self._spacing = spacing
        self._wait = wait
        self._guard = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._ended: dict[str, float] = {}
        self._refused: dict[str, Busy] = {}

    @contextmanager
    def at(self, host: str) -> Iterator[None]:
        """Wait until a host may be requested, and reserve it; raise Busy if it asked to be left alone."""
        with self._lock(host):
            if (told := self._refused.get(host)) is not None:
                raise Busy(f"{told}; its host is not requested again in this run", told.retry_after)
            left = self._ended.get(host, -self._spacing) + self._spacing - time.monotonic()
            if host in self._ended and left > 0:
                self._wait(left)
            try:
                yield
            finally:
                self._ended[host] = time.monotonic()

    def refuse(self, host: str, told: Busy) -> None:
        """Send no requests to a host for as long as it asked (RFC 6585 4, RFC 9110 10.2.3)."""
        if told.retry_after is not None:
            self._refused[host] = told

    def _lock(self, host: str) -> threading.Lock:
        with self._guard:
            return self._locks.setdefault(host, threading.Lock())
