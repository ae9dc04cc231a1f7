"""The pace of work on received mail: it gives way to an edition that the same process delivers."""

import time
from collections.abc import Callable

SHARE = 0.05
"""Of the time: what each of taking mail and processing it may use while an edition is delivered."""

_LONGEST_PAUSE = 60.0


class FloodPace:
    """Keeps a flood of mail to a small share of the time while the same process delivers an edition.

    The mail server that hands it over keeps the rest in its queue meanwhile.
    """

    def __init__(
        self,
        is_delivering: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
        worked: Callable[[], float] = time.thread_time,
    ) -> None:
        self._is_delivering, self._clock, self._worked = is_delivering, clock, worked
        self._before = self._free_at = 0.0

    def pause(self, elsewhere: float = 0.0) -> float:
        """Return how many seconds to wait before more is taken; `elsewhere` is what other threads worked on
        it, and what the disk took."""
        worked = self._worked()
        spent, self._before = worked - self._before + elsewhere, worked
        if not self._is_delivering():
            return 0.0
        now = self._clock()
        self._free_at = max(now, self._free_at) + spent * (1 / SHARE - 1)
        return min(self._free_at - now, _LONGEST_PAUSE)
