"""Detect that a message, rather than a reader, is refused: many identical refusals are our fault."""

import re
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field

from digest.models import Outcome, Stage

WINDOW = 100
ENOUGH = 20
_OWN_NUMBERS = re.compile(r"\S*\d\S*")
_POLICY = "5.7."


@dataclass(slots=True)
class _Seen:
    ended: deque[tuple[str, int]] = field(default_factory=lambda: deque(maxlen=WINDOW))
    counts: Counter[str] = field(default_factory=Counter)
    refused: int = 0

    def push(self, key: str, delivery_id: int) -> None:
        """Append an outcome; only the last hundred are kept."""
        if len(self.ended) == WINDOW:
            first = self.ended[0][0]
            self.counts[first] -= 1
            self.refused -= bool(first)
        self.ended.append((key, delivery_id))
        self.counts[key] += 1
        self.refused += bool(key)


class Refusals:
    """The last hundred outcomes of each edition's deliveries in this run."""

    def __init__(self) -> None:
        self._seen: defaultdict[int, _Seen] = defaultdict(_Seen)

    def note_accepted(self, edition_id: int, delivery_id: int) -> None:
        """Record an accepted message; nothing changes if all of the last hundred were accepted."""
        seen = self._seen[edition_id]
        if seen.refused or len(seen.ended) < WINDOW:
            seen.push("", delivery_id)

    def note(self, edition_id: int, delivery_id: int, outcome: Outcome) -> list[int]:
        """Record a failed attempt; return the refused deliveries if the message turns out to be refused.

        That is so when the same refusal came twenty times and for half of the last hundred outcomes.
        """
        seen, key = self._seen[edition_id], likeness(outcome)
        seen.push(key, delivery_id)
        if not key or seen.counts[key] < ENOUGH or 2 * seen.counts[key] < len(seen.ended):
            return []
        del self._seen[edition_id]
        return [delivery for other, delivery in seen.ended if other == key]


def likeness(outcome: Outcome) -> str:
    """Return what refusals of the same content have in common; "" for a refusal that concerns the reader
    alone.

    A refusal of the content comes after the final dot; an earlier one counts only with an enhanced code of
    the subject "policy" (X.7.z, RFC 3463 3.8). Words with a digit, such as a queue id, are ignored.
    """
    reply = outcome.reply
    if reply is None or reply.code < 500:
        return ""
    if outcome.stage is not Stage.DOT and not reply.enhanced.startswith(_POLICY):
        return ""
    words = _OWN_NUMBERS.sub("", reply.text).split()
    return f"{outcome.stage} {reply.code} {reply.enhanced} {' '.join(words)}"
