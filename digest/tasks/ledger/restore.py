"""After a backup was restored: withhold what had already been sent, or send what the database says is due."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from digest.models import Edition
from digest.models.programs.webhooks import WebhookEvent
from digest.rules.editions.lost_editions import MadeEdition
from digest.settings import DigestSettings, Settings
from digest.store.articles import articles
from digest.store.database import Database
from digest.store.delivery import deliveries
from digest.store.readers import notices
from digest.tasks.articles.fetching import fetch_due
from digest.tasks.delivery.recovery import reap_dead_workers
from digest.tasks.editions.breaking import BreakingDesk
from digest.tasks.editions.compiling import Compiler
from digest.tasks.editions.reader_edition import ReaderEditions
from digest.tasks.ledger.state_file import (
    LedgerState,
    ledger_state,
    read_state_file,
    save_state,
    write_state_file,
)
from digest.tasks.webhooks.outbox import tell_of_edition

_FAR = 1_000_000


@dataclass(slots=True)
class Restored:
    """The result of a decision: editions entered that the backup did not have, deliveries withheld."""

    entered: list[str] = field(default_factory=list)
    withheld: int = 0


@dataclass(frozen=True, slots=True)
class Restorer:
    """Brings a restored database up to what had already been sent."""

    database: Database
    settings: Settings
    path: Path
    identity: str
    clock: Callable[[], datetime]
    breaking: BreakingDesk
    reader_editions: ReaderEditions

    def accept(self) -> None:
        """Accept the database as it is: what it says is due will be sent, even if it was sent before."""
        save_state(self.database, self.path, self.identity, counter=self._highest().counter + 1)

    def withhold_until(self, until: datetime, compiler: Compiler) -> Restored:
        """Count everything due up to `until` as received: enter the lost editions, withhold what is still
        open.

        Articles are fetched first, and those published before `until` are taken as seen by then. The counter
        in the state file is set far ahead meanwhile, so that a crash in between leaves the database refused.
        """
        kept = self._highest()
        write_state_file(self.path, replace(kept, counter=kept.counter + _FAR))
        reap_dead_workers(self.database, self.clock, own_id=compiler.worker_id, resend=False)
        self._fetch(until)
        done = Restored(self._enter_single(kept, until))
        for digest in self.settings.digests:
            for made in compiler.compile_lost(digest, until, made_before(kept, until)):
                done.entered.append(str(made.name))
        with self.database.write() as session:
            done.withheld = deliveries.withhold_restored(session, until, self.clock())
            notices.close_restored(session, until)
            for edition in deliveries.finish_editions(session, self.clock()):
                tell_of_edition(session, WebhookEvent.EDITION_FINISHED, edition, self.clock())
        self.accept()
        return done

    def _fetch(self, until: datetime) -> None:
        with self.database.read() as session:
            known = articles.last_id(session)
        fetch_due(self.database, self.settings, self.clock(), every=True)
        with self.database.write() as session:
            articles.set_first_seen(session, after_id=known, until=until)

    def _highest(self) -> LedgerState:
        """Return the higher counter of file and database, with the editions that the file names."""
        found = ledger_state(self.database, self.identity)
        kept = read_state_file(self.path)
        if kept is None or kept.database != self.identity:
            return found
        return replace(kept, server=found.server, counter=max(found.counter, kept.counter))

    def _enter_single(self, kept: LedgerState, until: datetime) -> list[str]:
        """Enter the breaking news and the editions for single readers that were lost, in their order."""
        entered: list[str] = []
        known = {digest.name: digest for digest in self.settings.digests}
        for digest, named, at, enter in sorted(
            [(*row, self._enter_news) for row in kept.breaking]
            + [(*row, self._enter_request) for row in kept.requests],
            key=lambda row: row[2],
        ):
            if digest in known and datetime.fromisoformat(at) <= until:
                edition = enter(known[digest], named, datetime.fromisoformat(at), until)
                entered += [str(edition.name)] if edition else []
        return entered

    def _enter_news(self, digest: DigestSettings, url: str, at: datetime, _until: datetime) -> Edition | None:
        return self.breaking.enter_lost(digest, url, at)

    def _enter_request(
        self, digest: DigestSettings, period: str, at: datetime, until: datetime
    ) -> Edition | None:
        with self.database.write() as session:
            return self.reader_editions.enter_lost(session, digest, period, at, until)


def made_before(state: LedgerState, until: datetime) -> dict[str, list[MadeEdition]]:
    """Return the last two editions of each cadence in the state file, of those made up to `until`."""
    made = {
        name: [_made(one) for one in (row, row.get("before")) if one] for name, row in state.editions.items()
    }
    return {name: [one for one in rows if one.freeze_at <= until] for name, rows in made.items()}


def _made(row: dict[str, Any]) -> MadeEdition:
    return MadeEdition(
        row["period"],
        datetime.fromisoformat(row["deadline_at"]),
        datetime.fromisoformat(row["freeze_at"]),
        bool(row["at_once"]),
    )
