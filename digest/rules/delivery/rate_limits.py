"""How fast messages may begin: stated limits, and limits learned from servers that ask us to slow down.

Times are seconds of a monotonic clock. A learned limit is half of the rate that was tried; it is raised
slowly, and dropped once it is far above the rate that was too fast.
"""

from __future__ import annotations

import re
from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo

from digest.models import Outcome, Stage

LEARNED_FOR = timedelta(hours=1)
"""How long other runs use a learned limit."""

_SLOWEST = 1 / 60
_GIVEN_BACK_EVERY = 30.0
_GIVEN_BACK = 1.25
_FORGOTTEN_AT = 4
_REMEMBERED = 50
_KNOWN_DOMAINS = 1_000
_TOO_FAST = re.compile(r"rate|throttl|too (?:many|much|fast)|slow down|try again later|exceed", re.I)


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit: messages a second, and messages at once; 0 means no limit."""

    rate: float = 0
    at_once: int = 0

    def shared_by(self, workers: int) -> Limit:
        """Return one worker's share of the limit, so that all workers together keep it.

        A limit of fewer messages at once than there are workers is exceeded: each worker may have one.
        """
        if workers <= 1:
            return self
        return Limit(self.rate / workers, max(1, self.at_once // workers) if self.at_once else 0)


@dataclass(slots=True)
class Pace:
    """The pace at which one relay or one recipient domain is served."""

    limit: Limit = Limit()
    learned: float = 0
    under_way: int = 0
    next_at: float = 0
    _tried: float = 0
    _changed_at: float = 0
    _begun: deque[float] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))

    @property
    def rate(self) -> float:
        """Return how many messages a second may begin; 0 means no limit."""
        stated, learned = self.limit.rate, self.learned
        return min(stated, learned) if stated and learned else stated or learned

    @property
    def is_free(self) -> bool:
        """Return whether no limit applies."""
        return not (self.rate or self.limit.at_once)

    def may_begin(self, now: float) -> bool:
        """Return whether a message may begin now."""
        return now >= self.next_at and not (self.limit.at_once and self.under_way >= self.limit.at_once)

    def begin(self, now: float) -> None:
        """Count a message that begins."""
        self.under_way += 1
        self._begun.append(now)
        if self.rate:
            self.next_at = max(self.next_at, now) + 1 / self.rate

    def end(self) -> None:
        """Count a message as ended, whatever its outcome."""
        self.under_way -= 1

    def slow_down(self, now: float) -> None:
        """Halve the rate that was tried; messages begun before that do not halve it again."""
        if self.learned and now - self._changed_at < 1 / self.learned:
            return
        spell = now - self._begun[0] if self._begun else 0
        self._tried = self.learned or len(self._begun) / max(spell, 1)
        self.learned = max(self._tried / 2, _SLOWEST)
        self._changed_at = now
        self.next_at = max(self.next_at, now + 1 / self.learned)

    def speed_up(self, now: float) -> None:
        """Raise a learned limit by a quarter if it has held for a while."""
        if self.learned and now - self._changed_at >= _GIVEN_BACK_EVERY:
            self.learned *= _GIVEN_BACK
            self._changed_at = now
            if self.learned > _FORGOTTEN_AT * self._tried:
                self.learned = 0


class Domains:
    """The paces of recipient domains with a stated limit, and of those busy lately."""

    def __init__(self, limits: Mapping[str, Limit]) -> None:
        self._limits = dict(limits)
        self._workers = 1
        self._paces: OrderedDict[str, Pace] = OrderedDict()

    def of(self, domain: str) -> Pace:
        """Return a domain's pace."""
        pace = self._paces.get(domain)
        if pace is None:
            limit = self._limits.get(domain, Limit()).shared_by(self._workers)
            pace = self._paces[domain] = Pace(limit)
            if len(self._paces) > _KNOWN_DOMAINS:
                self._forget_one()
        self._paces.move_to_end(domain)
        return pace

    @property
    def has_limits(self) -> bool:
        """Return whether any domain has a stated or learned limit."""
        return bool(self._limits) or any(pace.learned for pace in self._paces.values())

    def share(self, workers: int) -> None:
        """Reduce each stated limit to one worker's share of it."""
        self._workers = workers
        for domain, pace in self._paces.items():
            pace.limit = self._limits.get(domain, Limit()).shared_by(workers)

    def slowed(self) -> dict[str, float]:
        """Return the domains with a learned limit, and their messages a second."""
        return {domain: pace.learned for domain, pace in self._paces.items() if pace.learned}

    def _forget_one(self) -> None:
        for domain, pace in self._paces.items():
            if not (pace.under_way or pace.learned or domain in self._limits):
                del self._paces[domain]
                return


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many messages a warm-up allows in a day, counted from a moment on."""

    messages: int
    day_began_at: datetime


def allowance_of(plan: Sequence[int], begins_on: date, now: datetime, zone: tzinfo) -> Allowance | None:
    """Return what a warm-up plan, a number for each day, allows today; None before and after the plan."""
    today = now.astimezone(zone).date()
    day = (today - begins_on).days
    if not 0 <= day < len(plan):
        return None
    return Allowance(plan[day], datetime.combine(today, time(), zone))


def domain_of(address: str) -> str:
    """Return the domain of an address."""
    return address.rpartition("@")[2].lower()


def is_too_fast(outcome: Outcome) -> bool:
    """Return whether a refusal asks us to slow down (RFC 3463 3.4, 3.5, 3.8)."""
    reply = outcome.reply
    if reply is None or not 400 <= reply.code < 500 or outcome.stage in (Stage.CONNECT, Stage.AUTH):
        return False
    return reply.code in (421, 450, 451, 452) and (
        reply.enhanced in ("4.4.5", "4.3.2", "4.7.28") or _TOO_FAST.search(reply.text) is not None
    )
