"""Count what this process delivers, for `/metrics`: numbers only, without addresses or readers."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence

TURN_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Upper bounds of the histogram of commit durations, in seconds."""

OTHER = "other"
_KNOWN_FROM = 100
_MOST_PENDING = 10_000
_MOST_RECEIVERS = 50


class Meter:
    """What the delivery loop of this process has done since it started; numbers only rise.

    A receiver is named only from its hundredth reply on, because the domain of a family or a small firm would
    reveal who reads. What came before, or does not fit, counts as "other". Example: `replies ==
    {("gmail.com", "2xx"): 412, ("other", "5xx"): 3}`.
    """

    def __init__(self) -> None:
        self.states: Counter[str] = Counter()
        self.replies: Counter[tuple[str, str]] = Counter()
        self.turns = [0] * (len(TURN_SECONDS) + 1)
        self.turn_seconds = 0.0
        self._pending: Counter[str] = Counter()
        self._named: set[str] = set()

    def count_turn(self, seconds: float, states: Mapping[str, int]) -> None:
        """Count one commit, its duration, and the states that deliveries reached by it."""
        self.turns[bisect_left(TURN_SECONDS, seconds)] += 1
        self.turn_seconds += seconds
        for state, number in states.items():
            if number:
                self.states[state] += number

    def count_replies(self, replies: Sequence[tuple[str, str]]) -> None:
        """Count replies, each as (receiver's domain, class such as "2xx" or "lost")."""
        for receiver, kind in replies:
            self.replies[self._name(receiver), kind] += 1

    def _name(self, receiver: str) -> str:
        if receiver in self._named:
            return receiver
        if len(self._named) < _MOST_RECEIVERS and (
            receiver in self._pending or len(self._pending) < _MOST_PENDING
        ):
            self._pending[receiver] += 1
            if self._pending[receiver] >= _KNOWN_FROM:
                self._named.add(receiver)
                del self._pending[receiver]
                return receiver
        return OTHER
