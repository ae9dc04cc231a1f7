"""At its deadline an edition takes over its draft, or is held, as the digest's policy and its editors
decide."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session

from digest.models import Draft, Edition, EditionState
from digest.models.row import row_id
from digest.rules.editions.approval import why_held
from digest.settings import DigestSettings
from digest.store.database import Database
from digest.store.editions import cohorts, drafts, editions


def enter(session: Session, digest: DigestSettings, edition: Edition, *, forced: bool) -> Edition | None:
    """Insert an edition, to be compiled or held; None if its period has one, or the one before is compiled.

    Until an edition is frozen, a cohort's history does not have its articles: another one of the same
    digest and cadence would hold them again. `forced` holds nothing back: the edition was sent before.
    """
    drafts.take_turns(session)
    if editions.is_compiling(session, edition.digest, edition.cadence):
        return None
    draft = drafts.find_draft(session, edition.digest, edition.cadence, edition.period)
    why = "" if forced else why_held(digest.approval, draft)
    _take_over(edition, draft)
    if why:
        edition.state, edition.reason, edition.compiler = EditionState.HELD, why, None
    entered = editions.add_edition(session, edition)
    if entered is not None:
        _skip_earlier(session, entered)
    return entered


def release(
    session: Session,
    digest: DigestSettings,
    edition_id: int,
    worker_id: int,
    now: datetime,
    *,
    forced: bool = False,
) -> Edition | None:
    """Hand a held edition to a worker, to be compiled now; None if it is still held, or taken by another.

    It stays held while another edition of the same digest and cadence is compiled, as in `enter`.
    """
    drafts.take_turns(session)
    edition = editions.lock_held(session, edition_id)
    if edition is None or editions.is_compiling(session, edition.digest, edition.cadence):
        return None
    draft = drafts.find_draft(session, edition.digest, edition.cadence, edition.period)
    why = "" if forced else why_held(digest.approval, draft)
    if why:
        editions.set_state(session, edition, EditionState.HELD, why)
        return None
    _take_over(edition, draft)
    edition.freeze_at, edition.compiler = now, worker_id
    editions.set_state(session, edition, EditionState.COMPILING)
    return edition


def reopen_unread(
    database: Database, digest: DigestSettings, worker_id: int, now: datetime, zone: ZoneInfo
) -> list[Edition]:
    """Take today's editions that had no reader, to be compiled again for those who have joined since.

    Where readers get a first edition at once (`welcome = "edition"`), they wait for none of the cadence.
    """
    if digest.welcome == "edition":
        return []
    taken = []
    for cadence in digest.cadences:
        with database.read() as session:
            unread = _find_unread(session, digest, cadence, now, zone)
        if unread is not None:
            with database.write() as session:
                taken.append(_reopen(session, unread, worker_id, now))
    return [edition for edition in taken if edition is not None]


def _find_unread(
    session: Session, digest: DigestSettings, cadence: str, now: datetime, zone: ZoneInfo
) -> Edition | None:
    edition = editions.find_last(session, digest.name, cadence)
    if (
        edition is None
        or digest.cadence(cadence).is_at_once
        or edition.state not in (EditionState.FROZEN, EditionState.FINISHED)
    ):
        return None
    is_today = edition.freeze_at.astimezone(zone).date() == now.astimezone(zone).date()
    if not is_today or cohorts.had_readers(session, edition):
        return None
    return edition if cohorts.has_readers(session, edition, now) else None


def _reopen(session: Session, unread: Edition, worker_id: int, now: datetime) -> Edition | None:
    drafts.take_turns(session)
    edition = editions.lock_made(session, row_id(unread))
    if edition is None or cohorts.had_readers(session, edition):
        return None
    if editions.is_compiling(session, edition.digest, edition.cadence):
        return None
    edition.freeze_at, edition.compiler, edition.compiled_to = now, worker_id, 0
    edition.frozen_at = edition.finished_at = None
    editions.set_state(session, edition, EditionState.COMPILING)
    return edition


def _take_over(edition: Edition, draft: Draft | None) -> None:
    if draft is not None:
        edition.subject, edition.introduction = draft.subject, draft.introduction
        edition.sections, edition.changes, edition.sponsor = draft.sections, draft.changes, draft.sponsor
        edition.blocks = draft.blocks
        draft.at_once = False


def _skip_earlier(session: Session, entered: Edition) -> None:
    """Skip editions that were still held when the next deadline came: their articles are candidates for
    that one."""
    for held in editions.list_editions(session, digest=entered.digest, states=[EditionState.HELD]):
        if held.cadence == entered.cadence and held.deadline_at < entered.deadline_at:
            held.finished_at = entered.freeze_at
            why = f"{held.reason} until the next deadline; its articles are in the next edition"
            editions.set_state(session, held, EditionState.SKIPPED, why)
