"""Which editions a restored database is given in place of those that it has forgotten."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from digest.rules.editions.cadence import Due, Occurrence


@dataclass(frozen=True, slots=True)
class MadeEdition:
    """An edition that was made, with the facts that a state file stores."""

    period: str
    deadline_at: datetime
    freeze_at: datetime
    at_once: bool


@dataclass(frozen=True, slots=True)
class LostEdition:
    """An edition to enter, for itself and the periods missed before it.

    It may have as many articles as all of them had. Its articles were seen by `freeze_at`.
    """

    due: Due
    freeze_at: datetime
    at_once: bool = False

    @property
    def room(self) -> "Room":
        """Return how many articles it may have."""
        return Room(len(self.due.missed) + 1, is_lost=True)


class Room(NamedTuple):
    """How many articles an edition may have: those of so many editions, `Room(2, is_lost=True)`.

    In one that was lost, articles without a date take no place: nothing says whether they came after it, and
    those that had gone must have theirs.
    """

    periods: int = 1
    is_lost: bool = False


ONE = Room()
"""The room of an edition that stands for itself alone."""


def split_lost(
    due: Due | None, known: Sequence[MadeEdition], stored_to: datetime | None, until: datetime
) -> list[LostEdition]:
    """Return what to enter for the editions that a cadence has lost: the last one, after one for all before.

    The last may still be on its way to readers with a later hour, when those before have come to everybody:
    as one edition they would bring these readers again what they have. `due` is what the cadence's deadlines
    say, `known` the last two editions of the state file, among which are those that were made ahead;
    `stored_to` is the deadline of the last one that is not lost. Editions that nobody knows are taken to have
    been frozen as late after their deadlines as the last one.
    """
    lost = {one.deadline_at: one for one in (*due.missed, due.occurrence)} if due else {}
    made = {one.deadline_at: one for one in known if stored_to is None or one.deadline_at > stored_to}
    lost |= {deadline: Occurrence(one.period, deadline) for deadline, one in made.items()}
    if not lost:
        return []
    *before, last = (lost[deadline] for deadline in sorted(lost))
    is_ahead = last.deadline_at in made and made[last.deadline_at].at_once
    entered = [LostEdition(Due(last), until, is_ahead)]
    if before:
        one = made.get(before[-1].deadline_at)
        late = max((row.freeze_at - row.deadline_at for row in made.values()), default=timedelta())
        likely = before[-1].deadline_at + max(late, timedelta())
        frozen = one.freeze_at if one else min(likely, last.deadline_at)
        earlier = Due(before[-1], tuple(before[:-1]))
        entered.insert(0, LostEdition(earlier, min(frozen, until), one is not None and one.at_once))
    return entered
