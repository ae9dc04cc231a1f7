"""Received messages, each stored once."""

from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, delete, select, update

from digest.models import Answer, InboundMessage

_MACHINE = ("auto-reply", "receipt", "other", "unproved")


def add_once(session: Session, row: InboundMessage) -> InboundMessage | None:
    """Insert a message; return None if one with its key was received before.

    On PostgreSQL the second of two writers waits here for the first one's commit.
    """
    if session.exec(select(InboundMessage.id).where(InboundMessage.key == row.key)).first() is not None:
        return None
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return None
    return row


def expire(session: Session, before: datetime) -> None:
    """Delete older messages that nothing refers to, and the bytes and texts of those that stay."""
    old = col(InboundMessage.received_at) < before
    session.exec(delete(InboundMessage).where(col(InboundMessage.kind).in_(_MACHINE), old))
    session.exec(update(InboundMessage).where(old, col(InboundMessage.raw).is_not(None)).values(raw=None))
    session.exec(delete(Answer).where(col(Answer.created_at) < before))
