"""Lists that were imported or exported at the desk."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, func, select, update

from digest.models import ListTransfer, TransferKind, TransferState

_OPEN = (TransferState.CHECKING, TransferState.CHECKED, TransferState.IMPORTING)


def list_transfers(session: Session, limit: int) -> Sequence[ListTransfer]:
    """List transfers, the latest first."""
    return session.exec(select(ListTransfer).order_by(col(ListTransfer.id).desc()).limit(limit)).all()


def find_transfer(session: Session, public_id: str) -> ListTransfer | None:
    """Find a transfer by its public id."""
    return session.exec(select(ListTransfer).where(ListTransfer.public_id == public_id)).first()


def count_open(session: Session) -> int:
    """Count the imports that somebody began and neither finished nor removed."""
    query = select(func.count()).where(
        ListTransfer.kind == TransferKind.IMPORT, col(ListTransfer.state).in_(_OPEN)
    )
    return session.exec(query).one()


def insert(session: Session, transfer: ListTransfer) -> None:
    """Store a new transfer."""
    session.add(transfer)
    session.flush()


def change(
    session: Session, public_id: str, seen: int, who: str, now: datetime, values: Mapping[str, Any]
) -> bool:
    """Change a transfer that is still at the version that was seen; return whether it was."""
    query = (
        update(ListTransfer)
        .where(col(ListTransfer.public_id) == public_id, col(ListTransfer.version) == seen)
        .values(version=seen + 1, changed_by=who, changed_at=now, **values)
    )
    return bool(session.exec(query).rowcount)


def note(session: Session, public_id: str, now: datetime, values: Mapping[str, Any]) -> None:
    """Note how far a transfer is; that is nobody's act, and leaves its version."""
    query = update(ListTransfer).where(col(ListTransfer.public_id) == public_id)
    session.exec(query.values(changed_at=now, **values))
