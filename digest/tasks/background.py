"""What takes too long for a page: done in a thread beside it, one thing after another."""

import logging
import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor, wait

_BETWEEN, _REST = 10, 0.0002

log = logging.getLogger(__name__)


class Background:
    """Does one thing after another in a thread of its own, so that it takes one processor at most.

    What has been begun under a key is not begun again until it is done.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._threads: ThreadPoolExecutor | None = None
        self._under_way: dict[Hashable, Future[None]] = {}

    def begin(self, key: Hashable, act: Callable[[], None], patience: float | None) -> bool:
        """Have something done, and wait for it so many seconds (None: until it is done).

        Return whether it is done. An error is logged, and raised if it comes while somebody waits.
        """
        with self._lock:
            future = self._under_way.get(key)
            if future is None:
                if self._threads is None:
                    self._threads = ThreadPoolExecutor(1, thread_name_prefix="background")
                future = self._under_way[key] = self._threads.submit(self._do, key, act)
        if not wait([future], patience).done:
            return False
        future.result()
        return True

    def close(self) -> None:
        """End the thread, after what it is doing."""
        with self._lock:
            threads, self._threads = self._threads, None
        if threads is not None:
            threads.shutdown()

    def _do(self, key: Hashable, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception:
            log.exception("this could not be done in the background: %s", key)
            raise
        finally:
            with self._lock:
                del self._under_way[key]


def rest_often() -> Callable[[], None]:
    """Return what long computations call often, so that the threads of pages get their turns.

    A thread that computes has the interpreter for five milliseconds each time that a page has asked the
    database for something.
    """
    calls = 0

    def rest() -> None:
        nonlocal calls
        calls += 1
        if calls % _BETWEEN == 0:
            time.sleep(_REST)

    return rest
