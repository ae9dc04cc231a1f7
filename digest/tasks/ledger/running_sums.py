"""The sums of large editions that are being delivered, counted beside the pages that show them.

Each count goes through all deliveries of an edition, which takes most of a second of a million: no page waits
for that, and several editors who keep one open do not have it done each time. What a page shows of such an
edition says when it was counted. Small editions are counted for each look, and those of large ones that have
finished are exact.
"""

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from digest.bounded_cache import BoundedCache
from digest.models import Edition, EditionState
from digest.models.row import row_id
from digest.store.database import Database
from digest.store.delivery import deliveries
from digest.store.editions import edition_sums
from digest.tasks.background import Background

PATIENCE = 0.05
"""For how many seconds a page waits for a count that has begun; it is then shown without it."""

_MOST = 20
_EVERY = timedelta(seconds=10)
_LONGEST = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class RunningCount:
    """An edition's deliveries by state, those that were not accepted by reason, and when the next is due.

    `counted_at` is None for one that was counted as it stands. `by_variant` has for each list of a large
    edition how many deliveries wait and how many went out; None where there are too many lists.
    """

    states: dict[str, int]
    reasons: list[tuple[str, str, int]]
    next_due_at: datetime | None
    counted_at: datetime | None = None
    by_variant: dict[int, tuple[int, int]] | None = None


class RunningSums:
    """Counts the deliveries of editions for pages; `now` says when."""

    def __init__(self, database: Database, background: Background, patience: float = PATIENCE) -> None:
        self._database, self._background, self._patience = database, background, patience
        self._lock = threading.Lock()
        self._kept = BoundedCache[tuple[int, datetime | None], RunningCount](_MOST)

    def count_states(
        self, session: Session, edition: Edition, now: datetime, *, waits: bool = True
    ) -> dict[str, int] | None:
        """Count an edition's deliveries by state; None if that takes longer than a page waits."""
        if not _takes_long(session, edition):
            return edition_sums.count_states(session, edition)
        found = self._look(edition, now, self._patience if waits else 0)
        return None if found is None else dict(found.states)

    def count(self, session: Session, edition: Edition, now: datetime) -> RunningCount | None:
        """Count an edition's deliveries; None if that takes longer than a page waits."""
        if _takes_long(session, edition):
            return self._look(edition, now, self._patience)
        return _count(session, edition)

    def wait_for_count(self, session: Session, edition: Edition, now: datetime) -> RunningCount:
        """Do the same, however long it takes."""
        found = self._look(edition, now, None) if _takes_long(session, edition) else None
        return found or _count(session, edition)

    def count_with(self, session: Session, article_id: int, now: datetime) -> tuple[int, int]:
        """Count the deliveries with an article: those not sent yet, and those that were, or may have been.

        Those of a large edition are as they were counted last, where they have been.
        """
        known = {}
        for edition in edition_sums.list_uncounted_with(session, article_id):
            found = self.count(session, edition, now) if _takes_long(session, edition) else None
            if found is not None and found.by_variant is not None:
                known[row_id(edition)] = found.by_variant
        return edition_sums.count_with(session, article_id, known)

    def forget(self, edition: Edition) -> None:
        """Forget what was counted of an edition, as it was changed."""
        with self._lock:
            for key in [key for key in self._kept if key[0] == row_id(edition)]:
                del self._kept[key]

    def _look(self, edition: Edition, now: datetime, patience: float | None) -> RunningCount | None:
        """Return what was counted lately, and have it counted again if that was some seconds ago."""
        key = row_id(edition), edition.finished_at
        kept = self._find(key)
        age = now - kept.counted_at if kept and kept.counted_at else None
        if kept is not None and (edition.finished_at is not None or _is_within(age, _EVERY)):
            return kept

        def act() -> None:
            found = self._count_large(edition, now)
            with self._lock:
                self._kept[key] = found

        if _is_within(age, _LONGEST):
            self._background.begin(key, act, 0)
            return kept
        return self._find(key) if self._background.begin(key, act, patience) else None

    def _find(self, key: tuple[int, datetime | None]) -> RunningCount | None:
        with self._lock:
            return self._kept.get(key)

    def _count_large(self, edition: Edition, now: datetime) -> RunningCount:
        with self._database.read() as session:
            states, by_variant = edition_sums.count_large(session, edition)
            reasons = edition_sums.count_reasons(session, edition)
            due_at = _next_due_at(session, edition)
        return RunningCount(states, reasons, due_at, now, by_variant)


def _is_within(age: timedelta | None, longest: timedelta) -> bool:
    return age is not None and timedelta() <= age < longest


def _takes_long(session: Session, edition: Edition) -> bool:
    """Return whether an edition is large, and has not been counted since it finished."""
    return not edition_sums.is_kept(session, edition) and edition_sums.is_large(session, edition)


def _count(session: Session, edition: Edition) -> RunningCount:
    return RunningCount(
        edition_sums.count_states(session, edition),
        edition_sums.count_reasons(session, edition),
        _next_due_at(session, edition),
    )


def _next_due_at(session: Session, edition: Edition) -> datetime | None:
    if edition.state == EditionState.FINISHED:
        return None
    return deliveries.next_due_at(session, row_id(edition))
