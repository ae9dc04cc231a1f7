"""Drafts, editions and figures as programs read them."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from digest.models import Edition, EditionName
from digest.models.cadence import REQUEST, WELCOME
from digest.models.ledger import DailyFigures
from digest.models.row import ListPage, row_id
from digest.settings import Settings
from digest.store import figures
from digest.store.database import Database
from digest.store.editions import editions
from digest.tasks.desk.agenda import AgendaEntry, list_agenda
from digest.tasks.desk.lineup import Lineup, line_up
from digest.tasks.ledger.running_sums import RunningSums


@dataclass(frozen=True, slots=True)
class CountedEdition:
    """An edition with its deliveries by state; `counted_at` is None where they are as they stand now."""

    edition: Edition
    states: dict[str, int]
    counted_at: datetime | None


@dataclass(frozen=True, slots=True)
class ComingDraft:
    """The next edition of a cadence, with what would stand in it for a reader of every topic."""

    entry: AgendaEntry
    lineup: Lineup


def list_drafts(database: Database, settings: Settings, now: datetime) -> list[AgendaEntry]:
    """List the next edition of each digest and cadence."""
    with database.read() as session:
        return [one.coming for one in list_agenda(session, settings, now)]


def find_draft(
    database: Database, settings: Settings, digest: str, cadence: str, now: datetime
) -> ComingDraft | None:
    """Find the next edition of a cadence with its line-up; None where there is no such cadence."""
    with database.read() as session:
        entry = _find_coming(session, settings, digest, cadence, now)
        if entry is None:
            return None
        return ComingDraft(entry, line_up(session, entry.digest, entry.draft, now))


def list_page(
    database: Database, *, digest: str, state: str, below: int | None, limit: int
) -> ListPage[Edition]:
    """List a page of the editions that were entered; those of single readers are not among them."""
    with database.read() as session:
        rows = editions.list_latest(
            session, digest=digest, state=state, words="", before=below, limit=limit + 1
        )
    return ListPage(rows[:limit], row_id(rows[limit - 1]) if len(rows) > limit else None)


def find_edition(
    database: Database, running: RunningSums, name: EditionName, now: datetime
) -> CountedEdition | None:
    """Find an edition that was entered, with its deliveries by state."""
    with database.read() as session:
        found = editions.find_edition(session, *name)
        if found is None or not is_shown(found):
            return None
        counted = running.count_states_now(session, found, now)
        return CountedEdition(found, counted.states, counted.counted_at)


def is_shown(edition: Edition) -> bool:
    """Return whether programs may read of an edition: one for a single reader would tell about them."""
    return edition.cadence not in (REQUEST, WELCOME)


def list_figures(database: Database, since: str) -> list[DailyFigures]:
    """List the figures of the days from one on, the oldest first."""
    with database.read() as session:
        return figures.list_days(session, since)


def _find_coming(
    session: Session, settings: Settings, digest: str, cadence: str, now: datetime
) -> AgendaEntry | None:
    for one in list_agenda(session, settings, now):
        if (one.digest.name, one.cadence) == (digest, cadence):
            return one.coming
    return None
