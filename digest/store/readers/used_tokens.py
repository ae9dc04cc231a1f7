"""Tokens in links that work once: a confirmation's, a notice's."""

from datetime import datetime

from sqlmodel import Session, col, update

from digest.models import Confirmation, ReaderNotice
from digest.models.row import row_id


def use_token(session: Session, row: Confirmation | ReaderNotice, now: datetime) -> bool:
    """Mark a row's token as used; return False where another request already did, even just now."""
    table = type(row)
    query = update(table).where(col(table.id) == row_id(row), col(table.used_at).is_(None))
    return bool(session.exec(query.values(used_at=now)).rowcount)
