"""The desk's agenda: the next edition of each digest and cadence, those on hold, and the last one made."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from digest.models import DeskAct, Draft, Edition, EditionName, EditionState
from digest.models.cadence import RESERVED
from digest.models.row import row_id
from digest.rules.editions.cadence import Occurrence
from digest.settings import DigestSettings, Settings
from digest.store.editions import cadence_readers, drafts, editions
from digest.tasks.editions.coming import next_occurrence
from digest.tasks.ledger.running_sums import RunningSums

PAGE = 50
"""How many editions a page of the list has."""

_ACTS_SHOWN = 50


@dataclass(frozen=True, slots=True)
class AgendaEntry:
    """One edition at the desk: to be made, on hold, or made."""

    name: EditionName
    digest: DigestSettings
    deadline_at: datetime
    draft: Draft
    edition: Edition | None = None

    @property
    def is_open(self) -> bool:
        """Return whether it can still be changed."""
        return self.edition is None or self.edition.state == EditionState.HELD

    @property
    def state(self) -> str:
        """Return its state; a draft has no edition's row yet."""
        return self.edition.state if self.edition else EditionState.DRAFT.value


@dataclass(frozen=True, slots=True)
class EditionProgress:
    """How far an edition that was made has gone: its deliveries by state, and when the next one is due.

    `reasons` are those of what was not accepted. `counted_at` is None where all is as it stands now.
    """

    states: dict[str, int]
    reasons: list[tuple[str, str, int]]
    next_due_at: datetime | None
    counted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Agenda:
    """A cadence at the desk: its next edition, those on hold, the last one made."""

    digest: DigestSettings
    cadence: str
    coming: AgendaEntry
    held: AgendaEntry | None
    last: AgendaEntry | None


def list_agenda(session: Session, settings: Settings, now: datetime) -> list[Agenda]:
    """Return every digest's cadences with their editions."""
    return [
        _desktop(session, settings, digest, cadence, now)
        for digest in settings.digests
        for cadence in digest.cadences
        if not digest.cadence(cadence).is_at_once  # nothing of it can be shaped before it is due
    ]


@dataclass(frozen=True, slots=True)
class EditionFilter:
    """The filter of a list of editions; "" means any. `before` is the id that the page ends below."""

    digest: str = ""
    state: str = ""
    words: str = ""
    before: int | None = None


def list_entries(
    session: Session, settings: Settings, wanted: EditionFilter
) -> tuple[list[AgendaEntry], int | None]:
    """List a page of the stored editions, the latest first; return also where the next page begins."""
    known = {digest.name: digest for digest in settings.digests}
    rows = editions.list_latest(
        session, digest=wanted.digest, state=wanted.state, words=wanted.words[:200],
        before=wanted.before, limit=PAGE + 1,
    )  # fmt: skip
    older = row_id(rows[PAGE - 1]) if len(rows) > PAGE else None
    shown = [row for row in rows[:PAGE] if row.digest in known]
    kept = drafts.find_or_new_of(session, [row.name for row in shown])
    return [
        AgendaEntry(row.name, known[row.digest], row.deadline_at, kept[row.name], row) for row in shown
    ], older


def find_entry(session: Session, settings: Settings, name: EditionName, now: datetime) -> AgendaEntry | None:
    """Find one edition: a stored one, or the next of its cadence.

    Breaking news, corrections and editions for single readers have no next one.
    """
    digest = next((one for one in settings.digests if one.name == name.digest), None)
    if digest is None or name.cadence not in (*digest.cadences, *RESERVED):
        return None
    edition = editions.find_edition(session, name.digest, name.cadence, name.period)
    if edition is not None:
        return made_entry(session, digest, edition)
    if name.cadence in RESERVED or digest.cadence(name.cadence).is_at_once:
        return None
    coming = next_occurrence(session, settings, digest, name.cadence, now)
    return _coming(session, digest, name.cadence, coming) if coming.period == name.period else None


def describe_progress(
    session: Session, edition: Edition, running: RunningSums, now: datetime
) -> EditionProgress | None:
    """Return the progress of an edition that was made; None while a large one is being counted."""
    found = running.count(session, edition, now)
    if found is None:
        return None
    return EditionProgress(found.states, found.reasons, found.next_due_at, found.counted_at)


def list_activity(session: Session, name: EditionName) -> Sequence[DeskAct]:
    """List what editors did with an edition, the latest acts first."""
    return drafts.list_acts(session, *name, limit=_ACTS_SHOWN)


def count_subscribed(session: Session, name: EditionName) -> int:
    """Count the confirmed readers of an edition's cadence."""
    return cadence_readers.count_readers(session, name.digest, name.cadence)


def can_undo(session: Session, draft: Draft) -> bool:
    """Return whether a draft has an act that can be undone."""
    return drafts.find_undoable(session, draft) is not None


def _desktop(
    session: Session, settings: Settings, digest: DigestSettings, cadence: str, now: datetime
) -> Agenda:
    coming = next_occurrence(session, settings, digest, cadence, now)
    waiting = editions.list_editions(session, digest=digest.name, states=[EditionState.HELD])
    held = [one for one in waiting if one.cadence == cadence]
    last = editions.find_last_made(session, digest.name, cadence)
    return Agenda(
        digest,
        cadence,
        _coming(session, digest, cadence, coming),
        made_entry(session, digest, held[-1]) if held else None,
        made_entry(session, digest, last) if last else None,
    )


def _coming(session: Session, digest: DigestSettings, cadence: str, coming: Occurrence) -> AgendaEntry:
    name = EditionName(digest.name, cadence, coming.period)
    draft = drafts.find_or_new(session, digest.name, cadence, coming.period)
    return AgendaEntry(name, digest, coming.deadline_at, draft)


def made_entry(session: Session, digest: DigestSettings, row: Edition) -> AgendaEntry:
    """Return a stored edition as an entry of the agenda."""
    name = row.name
    draft = drafts.find_or_new(session, row.digest, row.cadence, row.period)
    return AgendaEntry(name, digest, row.deadline_at, draft, row)
