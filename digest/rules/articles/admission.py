"""Which of a source's new articles may enter editions: an archive that arrives all at once must not fill one.

This is decided once, when an article is stored. Whether it is too old for an edition is decided for each
edition, in rules/editions/age.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

TOO_MANY = "more new articles than max_new in one fetch"
ARCHIVE = "older than the digests' reach when its source was first read"
GONE = "its file is no longer in the folder, or waits to be published"
TAKEN_BACK = "its source took it back: it is gone from the feed, which still has older ones"
NO_DATE = "without a date, far down when its source was first read"


@dataclass(frozen=True, slots=True)
class Admission:
    """What one fetch may bring: `max_new` articles; at a first fetch those published since `since`, and the
    first `undated` of those without a date.

    `settle` is how long an article must have been unchanged. Example: `Admission(max_new=20)` admits the
    newest twenty.
    """

    max_new: int | None = None
    since: datetime | None = None
    undated: int | None = None
    settle: timedelta = timedelta()


def hold_back(published: Sequence[datetime | None], intake: Admission) -> list[str]:
    """Return for each new article, in the source's order, why it is held back; "" if it is not.

    The oldest ones beyond `max_new` are held back; undated ones count as new, in the source's order.
    """
    reasons = _known_before(published, intake)
    free = [place for place, reason in enumerate(reasons) if not reason]
    free.sort(key=lambda place: _newness(published[place]))
    for place in free[intake.max_new :] if intake.max_new is not None else ():
        reasons[place] = TOO_MANY
    return reasons


def _known_before(published: Sequence[datetime | None], intake: Admission) -> list[str]:
    reasons, undated = [], 0
    for moment in published:
        if moment is None:
            undated += 1
            reasons.append(NO_DATE if intake.undated is not None and undated > intake.undated else "")
        else:
            reasons.append(ARCHIVE if intake.since is not None and moment < intake.since else "")
    return reasons


def _newness(moment: datetime | None) -> float:
    return float("-inf") if moment is None else -moment.timestamp()
