"""How fast an edition is delivered, and when it will be done."""

from datetime import datetime, timedelta
from typing import NamedTuple

WINDOW = timedelta(minutes=1)
"""Rates are those of the last minute."""


class EditionPace(NamedTuple):
    """Messages a second, and how long the open ones take at that rate: `EditionPace(412.5, 3 minutes)`.

    `left` is None where nothing was accepted in the last minute, because then nobody can tell.
    """

    rate: float
    left: timedelta | None

    @property
    def words(self) -> str:
        """Return it in words: `412 messages a second over the last minute; done in about 3 minutes`."""
        if self.left is None:
            return "nothing was accepted in the last minute"
        unit = "message" if self.rate == 1 else "messages"
        return f"{self.rate:.3g} {unit} a second over the last minute; {_words_of(self.left)}"


def pace(accepted: int, still_open: int, *, frozen_at: datetime | None, now: datetime) -> EditionPace:
    """Return the pace of an edition of which so many were accepted within `WINDOW`.

    An edition that was frozen within the window is measured since then, by whole seconds.
    """
    begun = timedelta.max if frozen_at is None else now - frozen_at
    seconds = max(1.0, min(WINDOW, begun).total_seconds())
    rate = accepted / seconds
    return EditionPace(rate, timedelta(seconds=round(still_open / rate)) if rate else None)


def _words_of(left: timedelta) -> str:
    minutes = round(left.total_seconds() / 60)
    if minutes < 1:
        return "done in less than a minute"
    if minutes < 120:
        return f"done in about {minutes} {'minute' if minutes == 1 else 'minutes'}"
    return f"done in about {round(minutes / 60)} hours"
