"""Drafts: editors' decisions about an edition before it is made, and their acts."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from digest.models import DeskAct, Draft, EditionName
from digest.store.transactions import take_turn

_TURN = 0x6465_736B  # any number that no other lock of ours has


def take_turns(session: Session) -> None:
    """Lock drafts until the transaction ends: one process at a time changes them or takes one over.

    SQLite has one writer anyway.
    """
    take_turn(session, _TURN)


def find_draft(session: Session, digest: str, cadence: str, period: str) -> Draft | None:
    """Find the draft of a period's edition."""
    query = select(Draft).where(Draft.digest == digest, Draft.cadence == cadence, Draft.period == period)
    return session.exec(query).first()


def find_or_new(session: Session, digest: str, cadence: str, period: str) -> Draft:
    """Return the draft of a period's edition, or an empty one, which is not inserted."""
    found = find_draft(session, digest, cadence, period)
    return found or Draft(digest=digest, cadence=cadence, period=period)


def find_or_new_of(session: Session, names: Collection[EditionName]) -> dict[EditionName, Draft]:
    """Return the drafts of editions as `find_or_new` does, by one query."""
    found = {name: Draft(**name._asdict()) for name in names}
    periods = {name.period for name in names}
    digests = {name.digest for name in names}
    rows = session.exec(select(Draft).where(col(Draft.digest).in_(digests), col(Draft.period).in_(periods)))
    for row in rows if names else ():
        name = EditionName(row.digest, row.cadence, row.period)
        if name in found:
            found[name] = row
    return found


def list_due_now(session: Session, digest: str) -> list[Draft]:
    """List the drafts of a digest that were approved to be made before their deadline."""
    query = select(Draft).where(Draft.digest == digest, col(Draft.at_once).is_(True))
    return [draft for draft in session.exec(query.order_by(col(Draft.id))) if draft.is_due_now]


def save(
    session: Session, draft: Draft, who: str, act: str, at: datetime, before: dict[str, Any] | None = None
) -> None:
    """Store a draft as it is now, with the act that changed it and what stood before."""
    session.add(draft)
    note(session, draft, who, act, at, before)


def note(
    session: Session, draft: Draft, who: str, act: str, at: datetime, before: dict[str, Any] | None = None
) -> None:
    """Record an act on an edition."""
    session.add(
        DeskAct(
            digest=draft.digest, cadence=draft.cadence, period=draft.period, version=draft.version, at=at,
            who=who, act=act, before=before,
        )
    )  # fmt: skip
    session.flush()


def find_undoable(session: Session, draft: Draft) -> DeskAct | None:
    """Find the last act on a draft that can be undone and has not been."""
    query = select(DeskAct).where(
        DeskAct.digest == draft.digest, DeskAct.cadence == draft.cadence, DeskAct.period == draft.period
    )
    query = query.where(col(DeskAct.before).is_not(None), col(DeskAct.undone).is_(False))
    return session.exec(query.order_by(col(DeskAct.id).desc()).limit(1)).first()


def list_acts(
    session: Session, digest: str, cadence: str, period: str, *, after: int | None = None, limit: int = 200
) -> Sequence[DeskAct]:
    """List the acts on an edition, the latest first; only those of versions after `after`."""
    query = select(DeskAct).where(
        DeskAct.digest == digest, DeskAct.cadence == cadence, DeskAct.period == period
    )
    if after is not None:
        query = query.where(col(DeskAct.version) > after)
    return session.exec(query.order_by(col(DeskAct.id).desc()).limit(limit)).all()
