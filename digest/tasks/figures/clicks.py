"""Count clicks: in memory at once, in the database in batches; no reader is in what is counted."""

import logging
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlmodel import Session

from digest.errors import Unreachable
from digest.models import EditionName
from digest.rules.tokens import click_links
from digest.settings import Settings
from digest.store.database import Database
from digest.store.editions import clicks
from digest.store.editions.clicks import ClickedArticle, Counted

__all__ = ["FEWEST_READERS", "ClickCounter", "ClickedArticle", "list_clicks", "list_most_clicked"]

FEWEST_READERS = 5
"""An edition with fewer readers is not counted."""

_DELAY = 1.0
_SHOWN_DAYS = 92
_MOST_SHOWN = 20
log = logging.getLogger(__name__)


class ClickCounter:
    """Counts followed links of one publication.

    `note` adds to a count in memory, for any thread; a second later all counts are written in one
    transaction. A process that is killed loses that second; one that ends waits for it. Counts that cannot
    be written stay and are tried again with the next click. `delay` None leaves writing to the caller.
    """

    def __init__(self, database: Database, settings: Settings, delay: float | None = _DELAY) -> None:
        self.keys: Sequence[bytes] = settings.web.signing_keys
        self._database, self._delay = database, delay
        self._lock = threading.Lock()
        self._counts: dict[tuple[EditionName, int], Counted] = {}
        self._writes: threading.Timer | None = None

    def follow(
        self, name: EditionName, article: int, signature: str, url: str, *, is_scanner: bool, counts: bool
    ) -> bool:
        """Count a followed link; return whether it is one of ours, so that it may be led on."""
        if not click_links.is_ours(self.keys, name, article, signature, url):
            return False
        if not counts:
            return True
        with self._lock:
            followed, scanned = self._counts.get((name, article), (0, 0))
            self._counts[name, article] = (followed + (not is_scanner), scanned + is_scanner)
            if self._writes is None and self._delay is not None:
                self._writes = threading.Timer(self._delay, self.write)
                self._writes.start()
        return True

    def write(self) -> int:
        """Write what was counted; return how many rows that touched."""
        with self._lock:
            counts, self._counts, self._writes = self._counts, {}, None
        if not counts:
            return 0
        try:
            with self._database.write() as session:
                return clicks.add_clicks(session, counts, FEWEST_READERS)
        except Unreachable as error:
            log.warning("clicks cannot be written yet: %s", error)
            with self._lock:
                for key, (followed, scanned) in counts.items():
                    more = self._counts.get(key, (0, 0))
                    self._counts[key] = (followed + more[0], scanned + more[1])
            return 0


def list_clicks(session: Session, edition_id: int) -> list[ClickedArticle]:
    """List the articles of an edition that were followed, the most followed first."""
    return clicks.list_clicked(session, edition_id)


def list_most_clicked(database: Database, now: datetime) -> list[ClickedArticle]:
    """List the articles that were followed most in the editions of the last three months."""
    with database.read() as session:
        return clicks.list_most_clicked(session, now - timedelta(days=_SHOWN_DAYS), _MOST_SHOWN)
