"""A recurrence that a digest offers and a reader picks."""

import re
from dataclasses import dataclass
from datetime import time
from enum import StrEnum

CORRECTION = "correction"
"""What an edition that is a notice of correction has in its cadence's place; no cadence has that name."""

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_REMEDY = (
    'write "07:00" (every day), "07:00, 17:00" (several a day), "Mon 07:00" or "1 07:00" (day of the month)'
)


class Unit(StrEnum):
    """The calendar unit that one edition of a cadence stands for."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Cadence:
    """A named recurrence: its unit, its local times, and the weekday (0 = Monday) or day of the month."""

    name: str
    unit: Unit
    times: tuple[time, ...]
    day: int = 0

    @classmethod
    def parse(cls, name: str, text: str) -> "Cadence":
        """Read a cadence as the settings write it; raise ValueError with the remedy."""
        head, _, tail = text.strip().partition(" ")
        if head.capitalize()[:3] in WEEKDAYS and head.isalpha():
            return cls(name, Unit.WEEK, (_one_time(text, tail),), WEEKDAYS.index(head.capitalize()[:3]))
        if head.isdigit():
            if not 1 <= int(head) <= 28:
                raise ValueError(f'"{text}" names day {head}: a monthly cadence takes a day from 1 to 28')
            return cls(name, Unit.MONTH, (_one_time(text, tail),), int(head))
        times = tuple(sorted(_one_time(text, part) for part in text.split(",")))
        if len(set(times)) != len(times):
            raise ValueError(f'"{text}" names the same time twice')
        return cls(name, Unit.DAY, times)


def _one_time(text: str, part: str) -> time:
    match = _TIME.fullmatch(part.strip())
    if match is None:
        raise ValueError(f'"{text}" is no cadence: {_REMEDY}')
    return time(int(match[1]), int(match[2]))
