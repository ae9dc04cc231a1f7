"""How fast an edition is delivered, and when it will be done."""

from datetime import datetime, timedelta
from typing import NamedTuple

WINDOW = timedelta(minutes=1)
"""Rates are those of the last minute."""


class EditionPace(NamedTuple):
    """Messages a second, and how long those that are due take at that rate: `EditionPace(412.5, 3 minutes)`.

    `left` is None where nothing was accepted in the last minute, because then nobody can tell. `waiting` are
    the messages that are not due yet, as in readers' zones where it is earlier.
    """

    rate: float
    left: timedelta | None
    waiting: int = 0

    @property
    def words(self) -> str:
        """Return it in words: `412 messages a second over the last minute; done in about 3 minutes`."""
        waiting = f"; {self.waiting} not due yet" if self.waiting else ""
        if self.left is None:
            return f"nothing was accepted in the last minute{waiting}"
        unit = "message" if self.rate == 1 else "messages"
        said = f"{self.rate:.3g} {unit} a second over the last minute"
        if waiting and not self.left:
            return f"{said}; all that are due are done{waiting}"
        return f"{said}; {_words_of(self.left)}{waiting}"


def pace(
    accepted: int, due: int, *, frozen_at: datetime | None, now: datetime, waiting: int = 0
) -> EditionPace:
    """Return the pace of an edition of which so many were accepted within `WINDOW`, so many are due and so
    many not yet.

    An edition that was frozen within the window is measured since then, by whole seconds.
    """
    begun = timedelta.max if frozen_at is None else now - frozen_at
    seconds = max(1.0, min(WINDOW, begun).total_seconds())
    rate = accepted / seconds
    return EditionPace(rate, timedelta(seconds=round(due / rate)) if rate else None, waiting)


def _words_of(left: timedelta) -> str:
    minutes = round(left.total_seconds() / 60)
    if minutes < 1:
        return "done in less than a minute"
    if minutes < 120:
        return f"done in about {minutes} {'minute' if minutes == 1 else 'minutes'}"
    return f"done in about {round(minutes / 60)} hours"
