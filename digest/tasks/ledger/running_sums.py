"""The sums of large editions that are being delivered, counted beside the pages that show them.

Each count goes through all deliveries of an edition, which takes most of a second of a million: no page waits
for that, and several editors who keep one open do not have it done each time. What a page shows of such an
edition says when it was counted. Small editions are counted for each look, and those of large ones that have
finished are exact.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

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

    `counted_at` is None for one that was counted as it stands.
    """

    states: dict[str, int]
    reasons: list[tuple[str, str, int]]
    next_due_at: datetime | None
    counted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class VariantCounts:
    """For each list of a large edition how many deliveries wait and how many went out; None of too many."""

    by_variant: dict[int, tuple[int, int]] | None
    counted_at: datetime


@dataclass(frozen=True, slots=True)
class StateCounts:
    """An edition's deliveries by state; `counted_at` is None for those that were counted as they stand."""

    states: dict[str, int]
    counted_at: datetime | None = None


_Counted = TypeVar("_Counted", RunningCount, VariantCounts, StateCounts)
_Kept = BoundedCache[tuple[int, datetime | None], _Counted]


class RunningSums:
    """Counts the deliveries of editions for pages; `now` says when."""

    def __init__(self, database: Database, background: Background, patience: float = PATIENCE) -> None:
        self._database, self._background, self._patience = database, background, patience
        self._lock = threading.Lock()
        self._counting = threading.Lock()
        self._states: _Kept[StateCounts] = BoundedCache(_MOST)
        self._counts: _Kept[RunningCount] = BoundedCache(_MOST)
        self._variants: _Kept[VariantCounts] = BoundedCache(_MOST)

    def count_states(
        self, session: Session, edition: Edition, now: datetime, *, waits: bool = True
    ) -> dict[str, int] | None:
        """Count an edition's deliveries by state; None if that takes longer than a page waits."""
        if not _takes_long(session, edition):
            return edition_sums.count_states(session, edition)
        found = self._count(edition, now, self._patience if waits else 0)
        return None if found is None else dict(found.states)

    def count(self, session: Session, edition: Edition, now: datetime) -> RunningCount | None:
        """Count an edition's deliveries; None if that takes longer than a page waits."""
        if _takes_long(session, edition):
            found = self._count(edition, now, self._patience)
            self._count_variants(edition, now, 0)  # from here one goes on to withdraw an article
            return found
        return _count(session, edition)

    def count_states_now(self, session: Session, edition: Edition, now: datetime) -> StateCounts:
        """Count an edition's deliveries by state, unless that was done within a minute.

        That takes less than the thread takes, which counts more, and may have other things to do first.
        """
        if not _takes_long(session, edition):
            return StateCounts(edition_sums.count_states(session, edition))
        with self._counting:  # who asks at the same time does not count too
            found = self._find_states(edition, now)
            if found is None:
                found = StateCounts(edition_sums.count_large(session, edition), now)
                with self._lock:
                    self._states[_key(edition)] = found
        if edition.finished_at is None and not _is_within(_age(found, now), _EVERY):
            self._count(edition, now, 0)
        return found

    def count_with(self, session: Session, article_id: int, now: datetime) -> tuple[int, int]:
        """Count the deliveries with an article: those not sent yet, and those that were, or may have been.

        Those of a large edition are as they were counted last, where they have been. Where not, those with
        this article are counted at once, and then those of each list, which takes longer, beside the page.
        """
        known, missing = {}, []
        for edition in edition_sums.list_uncounted_with(session, article_id):
            if not _takes_long(session, edition):
                continue
            found = self._find_variants(edition, now)
            if found is None:
                missing.append(edition)
            elif found.by_variant is not None:
                known[row_id(edition)] = found.by_variant
        counted = edition_sums.count_with(session, article_id, known)
        for edition in missing:
            self._count_variants(edition, now, 0)
        return counted

    def forget(self, edition: Edition) -> None:
        """Forget what was counted of an edition, as it was changed."""
        kept: tuple[_Kept[Any], ...] = (self._states, self._counts, self._variants)
        with self._lock:
            for one in kept:
                for key in [key for key in one if key[0] == row_id(edition)]:
                    del one[key]

    def _count(self, edition: Edition, now: datetime, patience: float | None) -> RunningCount | None:
        def count(session: Session) -> RunningCount:
            states = edition_sums.count_large(session, edition)
            reasons = edition_sums.count_reasons(session, edition)
            return RunningCount(states, reasons, _next_due_at(session, edition), now)

        return self._look(self._counts, "count", edition, now, patience, count)

    def _find_states(self, edition: Edition, now: datetime) -> StateCounts | None:
        """Return the latest states that were counted, and that may still be shown."""
        with self._lock:
            kept, counted = self._states.get(_key(edition)), self._counts.get(_key(edition))
        found = [kept] if kept else []
        if counted is not None:
            found.append(StateCounts(counted.states, counted.counted_at))
        shown = [one for one in found if edition.finished_at or _is_within(_age(one, now), _LONGEST)]
        return max(shown, key=lambda one: one.counted_at or now, default=None)

    def _find_variants(self, edition: Edition, now: datetime) -> VariantCounts | None:
        """Return what was counted lately, and have it counted again if that was some seconds ago."""
        with self._lock:
            kept = self._variants.get(_key(edition))
        if kept is None or not (edition.finished_at or _is_within(_age(kept, now), _LONGEST)):
            return None
        return self._count_variants(edition, now, 0)

    def _count_variants(self, edition: Edition, now: datetime, patience: float) -> VariantCounts | None:
        def count(session: Session) -> VariantCounts:
            return VariantCounts(edition_sums.count_by_variant(session, edition), now)

        return self._look(self._variants, "variants", edition, now, patience, count)

    def _look(
        self,
        counts: _Kept[_Counted],
        what: str,
        edition: Edition,
        now: datetime,
        patience: float | None,
        count: Callable[[Session], _Counted],
    ) -> _Counted | None:
        """Return what was counted lately, and have it counted again if that was some seconds ago."""
        key: tuple[int, datetime | None] = _key(edition)

        def find() -> _Counted | None:
            with self._lock:
                return counts.get(key)

        def act() -> None:
            with self._database.read() as session:
                found = count(session)
            with self._lock:
                counts[key] = found

        kept = find()
        age = _age(kept, now)
        if kept is not None and (edition.finished_at is not None or _is_within(age, _EVERY)):
            return kept
        if _is_within(age, _LONGEST):
            self._background.begin((what, *key), act, 0)
            return kept
        return find() if self._background.begin((what, *key), act, patience) else None


def _key(edition: Edition) -> tuple[int, datetime | None]:
    return row_id(edition), edition.finished_at


def _age(kept: StateCounts | RunningCount | VariantCounts | None, now: datetime) -> timedelta | None:
    return now - kept.counted_at if kept is not None and kept.counted_at is not None else None


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
