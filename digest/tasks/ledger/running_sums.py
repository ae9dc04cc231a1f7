"""The sums of large editions that are being delivered, counted every few seconds for all who look.

Each count goes through all deliveries of an edition, which takes most of a second of a million: a page that
several editors keep open must not cost that each time. Small editions are counted for each look.
"""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from digest.bounded_cache import BoundedCache
from digest.models import Edition, EditionState
from digest.models.row import row_id
from digest.store.delivery import deliveries
from digest.store.editions import edition_sums

_MOST = 60
_EVERY = timedelta(seconds=10)


class RunningSums:
    """Counts the deliveries of editions for pages; `now` says when."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept = BoundedCache[tuple[str, int], tuple[datetime, Any]](_MOST)

    def count_states(self, session: Session, edition: Edition, now: datetime) -> dict[str, int]:
        """Count an edition's deliveries by state."""
        found: dict[str, int] = self._look(
            "states", edition, now, lambda: edition_sums.count_states(session, edition), _is_large
        )
        return dict(found)

    def count_reasons(self, session: Session, edition: Edition, now: datetime) -> list[tuple[str, str, int]]:
        """Count an edition's failed, withheld and deferred deliveries by reason."""
        is_large = _is_large(self.count_states(session, edition, now))
        found: list[tuple[str, str, int]] = self._look(
            "reasons", edition, now, lambda: edition_sums.count_reasons(session, edition), lambda _: is_large
        )
        return list(found)

    def next_due_at(self, session: Session, edition: Edition, now: datetime) -> datetime | None:
        """Return when the next open delivery of an edition is due; None for one that is finished."""
        if edition.state == EditionState.FINISHED:
            return None
        is_large = _is_large(self.count_states(session, edition, now))
        found: datetime | None = self._look(
            "due", edition, now, lambda: deliveries.next_due_at(session, row_id(edition)), lambda _: is_large
        )
        return found

    def _look(
        self,
        what: str,
        edition: Edition,
        now: datetime,
        count: Callable[[], Any],
        is_large: Callable[[Any], bool],
    ) -> Any:
        if edition.state == EditionState.FINISHED:
            return count()  # which has been kept
        key = what, row_id(edition)
        with self._lock:
            kept = self._kept.get(key)
        if kept is not None and kept[0] <= now < kept[0] + _EVERY:
            return kept[1]
        found = count()
        if is_large(found):
            with self._lock:
                self._kept[key] = now, found
        return found


def _is_large(states: dict[str, int]) -> bool:
    return sum(states.values()) >= edition_sums.LARGE
