"""Sign digests beside the delivery loop: few in threads, many in processes, so that no other core is idle."""

import logging
import os
import queue
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from digest.mail.dkim import SigningKey, sign_all
from digest.mail.dkim.signing_process import SigningProcess

FEW = 200
"""So many messages are signed before a process is worth its start, a fifth of a second."""

_MOST_PROCESSES, _MOST_FAILURES = 4, 3
log = logging.getLogger(__name__)


class SigningPool:
    """Signs digests in threads, each with a process of its own once there are many.

    `submit([32 bytes, 32 bytes])` returns the Future of a signature of each, as `sign_all` makes them. What a
    process that ends did not sign is signed here.
    """

    def __init__(self, keys: Sequence[SigningKey], few: int | None = None) -> None:
        self._keys = tuple(keys)
        self._few = FEW if few is None else few
        self.size = min(max(2, _cores()), _MOST_PROCESSES)
        self._threads = ThreadPoolExecutor(self.size, thread_name_prefix="signer")
        self._idle: queue.SimpleQueue[SigningProcess] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._submitted = self._started = self._failed = 0

    def submit(self, digests: Sequence[bytes]) -> Future[list[bytes]]:
        """Have these signed."""
        self._submitted += len(digests)
        return self._threads.submit(self._sign, digests)

    def close(self) -> None:
        """End the threads and processes; what has not been signed is dropped."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        while not self._idle.empty():
            self._idle.get().close()

    def _sign(self, digests: Sequence[bytes]) -> list[bytes]:
        process = self._take_process()
        if process is None:
            return sign_all(self._keys, digests)
        try:
            signatures = process.sign(digests)
        except (EOFError, OSError) as error:
            self._failed += 1
            log.warning("a process that signs has failed, this one signs for it: %s", error or "it has ended")
            process.close()
            return sign_all(self._keys, digests)
        self._idle.put(process)
        return signatures

    def _take_process(self) -> SigningProcess | None:
        """Return a process that is idle, or a new one; None while there are few messages, or too many have
        failed."""
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            pass
        with self._lock:
            is_few = self._submitted <= self._few * len(self._keys)
            if is_few or self._started - self._failed >= self.size or self._failed >= _MOST_FAILURES:
                return None
            self._started += 1
        try:
            return SigningProcess(self._keys)
        except OSError as error:
            self._failed += 1
            log.warning("no process that signs can be started, this one signs: %s", error)
            return None


def _cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
