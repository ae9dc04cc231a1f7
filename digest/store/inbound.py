"""Received messages, each stored once."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Table, bindparam
from sqlalchemy.dialects import sqlite
from sqlmodel import Session, SQLModel, col, delete, update

from digest.models import Answer, InboundMessage

_TABLE: Table = SQLModel.metadata.tables[str(InboundMessage.__tablename__)]
_KEYED = (_TABLE.c.key, _TABLE.c.id)
_RECORD = (
    _TABLE.update()
    .where(_TABLE.c.id == bindparam("number"))
    .values(kind=bindparam("kind"), why=bindparam("why"), raw=bindparam("raw"))
)
_MACHINE = ("auto-reply", "receipt", "other", "unproved")


def add_new(session: Session, keys: Collection[str], now: datetime) -> dict[str, int]:
    """Insert messages by their keys; return the id of each that was not received before.

    On PostgreSQL the second of two writers waits here for the first one's commit.
    """
    rows = [{"key": key, "received_at": now, "kind": "", "why": ""} for key in sorted(keys)]
    if not rows:
        return {}
    if session.get_bind().dialect.name == "sqlite":
        added = session.execute(sqlite.insert(_TABLE).on_conflict_do_nothing().returning(*_KEYED), rows)
    else:
        from sqlalchemy.dialects import postgresql  # imported here: it is large, and SQLite does not need it

        added = session.execute(postgresql.insert(_TABLE).on_conflict_do_nothing().returning(*_KEYED), rows)
    return {row.key: row.id for row in added}


def record_outcomes(session: Session, outcomes: Sequence[dict[str, object]]) -> None:
    """Record what messages were: `number`, `kind`, `why`, and `raw` if the bytes are to be kept."""
    if outcomes:
        session.connection().execute(_RECORD, list(outcomes))


def forget(session: Session, number: int) -> None:
    """Delete a message, so that it is processed if it is received again."""
    session.exec(delete(InboundMessage).where(col(InboundMessage.id) == number))


def expire(session: Session, before: datetime) -> None:
    """Delete older messages that nothing refers to, and the bytes and texts of those that stay."""
    old = col(InboundMessage.received_at) < before
    session.exec(delete(InboundMessage).where(col(InboundMessage.kind).in_(_MACHINE), old))
    session.exec(update(InboundMessage).where(old, col(InboundMessage.raw).is_not(None)).values(raw=None))
    session.exec(delete(Answer).where(col(Answer.created_at) < before))
