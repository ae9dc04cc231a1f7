"""A recurrence that a digest offers and a reader picks: on which dates, and at which local times."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from functools import lru_cache

from digest.models.recurrence import WEEKDAYS, Unit, read_cadence

__all__ = [
    "BREAKING",
    "CORRECTION",
    "REQUEST",
    "RESERVED",
    "WEEKDAYS",
    "WELCOME",
    "Cadence",
    "Unit",
    "next_day",
]

CORRECTION = "correction"
"""The cadence of editions that are corrections; no configured cadence has that name."""

REQUEST = "request"
"""The cadence of editions for one reader who asked for one."""

WELCOME = "welcome"
"""The cadence of editions that hold new readers' first editions."""

BREAKING = "breaking"
"""The cadence of editions that are one article, sent at once to who chose breaking news."""

RESERVED = (CORRECTION, REQUEST, WELCOME, BREAKING)
"""Cadences of editions that belong to none: these are in no archive and no feed."""

_LONGEST_GAP = timedelta(days=366 * 9)  # 29 February comes every four years, except for 2100


@dataclass(frozen=True, slots=True)
class Cadence:
    """A named recurrence, such as `Cadence.parse("weekly", "Mon 07:00")`.

    `has_day` returns whether a local date belongs to it. `unit` names its periods: a date, an ISO week or a
    month; with several `times` a day, a date and a time. `closed` lists dates without an edition, as "12-25"
    (each year) or "2027-01-01". `day` is the weekday of a weekly cadence (0 = Monday) or the day of the month
    of a monthly one, where it is a single fixed one; else None.
    """

    name: str
    text: str
    unit: Unit
    times: tuple[time, ...]
    has_day: Callable[[date], bool] = field(compare=False)
    day: int | None = None
    closed: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, name: str, text: str, closed: frozenset[str] = frozenset()) -> "Cadence":
        """Parse a cadence; raise ValueError saying what is wrong, and the remedy."""
        days, times = read_cadence(text)
        unit = days.unit if len(times) <= 1 else Unit.DAY
        return cls(name, " ".join(text.split()), unit, times, days.has, days.day, closed)

    @property
    def is_at_once(self) -> bool:
        """Return whether its editions follow the news rather than the clock."""
        return self.unit is Unit.NEWS

    def is_on(self, day: date) -> bool:
        """Return whether a local date has an edition."""
        if self.closed and (day.isoformat() in self.closed or f"{day:%m-%d}" in self.closed):
            return False
        return self.has_day(day)

    def longest_gap(self, since: date) -> timedelta:
        """Return the longest time between two of its dates in the two years after `since`.

        Raise ValueError if it has no date at all, such as "0 7 30 2 *".
        """
        return _longest_gap(self, since)


@lru_cache
def _longest_gap(cadence: Cadence, since: date) -> timedelta:
    """Count the gap of a cadence once, however many digests offer it: it takes longer than all else of it."""
    first = next_day(cadence, since)
    if first is None:
        raise ValueError(f'"{cadence.text}" never has an edition: no date within nine years matches it')
    gaps, end = [timedelta(days=1)], first + timedelta(days=731)
    before, day = first, next_day(cadence, first + timedelta(days=1))
    while day is not None and before < end:
        gaps.append(day - before)
        before, day = day, next_day(cadence, day + timedelta(days=1))
    return max(gaps)


def next_day(cadence: Cadence, since: date, step: int = 1) -> date | None:
    """Return the first date from `since` on with an edition, backwards with `step` -1; None in nine years."""
    day = since
    while abs(day - since) <= _LONGEST_GAP:
        if cadence.is_on(day):
            return day
        day += timedelta(days=step)
    return None
