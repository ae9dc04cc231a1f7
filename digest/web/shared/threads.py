"""How many threads requests may use, by their kind.

Python runs one thread at a time, and the loop that reads every request takes its turn among them: after each
system call it waits for another turn, with forty busy threads for up to forty others. So there are few, and
other requests wait in the loop, where waiting costs nothing. What might occupy all of them for long has a
limit of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from anyio import CapacityLimiter, fail_after, to_thread
from anyio.lowlevel import RunVar

from digest.errors import Busy

PAGES, CHANGES, SIGN_INS, HEALTH = 6, 4, 1, 2
"""Threads for all pages; how many of these serve requests that change something, which may wait for the
database's lock; threads for sign-ins, which compute hashes; threads that ask whether the database answers."""

WAITING, PATIENCE = 8, 5.0
"""How many sign-ins may wait for a thread, and for how many seconds."""

T = TypeVar("T")


def _pages() -> CapacityLimiter:
    limiter = to_thread.current_default_thread_limiter()
    limiter.total_tokens = PAGES
    return limiter


@dataclass
class ThreadLimits:
    """The limits of one event loop."""

    pages: CapacityLimiter = field(default_factory=_pages)
    changes: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(CHANGES))
    sign_ins: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(SIGN_INS))
    health: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(HEALTH))


_LIMITS: RunVar[ThreadLimits] = RunVar("thread limits")


def thread_limits() -> ThreadLimits:
    """Return the limits of the running event loop; the first call sets them."""
    try:
        return _LIMITS.get()
    except LookupError:
        _LIMITS.set(limits := ThreadLimits())
        return limits


async def run_sign_in(act: Callable[[], T]) -> T:
    """Run what may compute a hash in a thread of its own kind.

    Raise Busy if too many wait already, or if it waits too long.
    """
    limiter = thread_limits().sign_ins
    if limiter.statistics().tasks_waiting >= WAITING:
        raise _busy()
    try:
        with fail_after(PATIENCE):
            await limiter.acquire()
    except TimeoutError:
        raise _busy() from None
    try:
        return await to_thread.run_sync(act, limiter=CapacityLimiter(1))
    finally:
        limiter.release()


def _busy() -> Busy:
    return Busy("too many sign-ins at once: try again in a few seconds", "5")
