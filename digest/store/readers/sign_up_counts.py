"""Counts of sign-ups and sign-ins by hour, in the database: shared by processes, kept over restarts."""

from sqlalchemy import delete
from sqlalchemy.dialects import sqlite
from sqlmodel import Session, SQLModel, col, select

from digest.models import SignUpCount

_ASKED = "asked "  # before the keyed hash of a mailbox
_SIGNED_IN = "signed in "  # before the keyed hash of an editor and a network


def count_sign_up(session: Session, key: str, hour: int) -> int:
    """Add one to a key's count of an hour and return the new count; safe under concurrent writers."""
    table = SQLModel.metadata.tables[str(SignUpCount.__tablename__)]
    row = {"key": key, "hour": hour, "count": 1}
    added = {"count": table.c.count + 1}
    if session.get_bind().dialect.name == "sqlite":
        session.execute(sqlite.insert(table).values(row).on_conflict_do_update(["key", "hour"], set_=added))
    else:
        from sqlalchemy.dialects import postgresql  # imported here: it is large, and SQLite does not need it

        postgres = postgresql.insert(table).values(row)
        session.execute(postgres.on_conflict_do_update(index_elements=["key", "hour"], set_=added))
    return find_count(session, key, hour)


def find_count(session: Session, key: str, hour: int) -> int:
    """Return a key's count of an hour."""
    wanted = (SignUpCount.key == key, SignUpCount.hour == hour)
    return session.exec(select(SignUpCount.count).where(*wanted)).first() or 0


def note_asked(session: Session, mailbox: str, hour: int) -> None:
    """Remember that a mailbox was asked to confirm in an hour, once the address itself is forgotten."""
    count_sign_up(session, f"{_ASKED}{mailbox}", hour)


def list_asked_hours(session: Session, mailbox: str) -> list[int]:
    """List the hours in which a mailbox was asked, each as often as it was."""
    query = select(SignUpCount).where(SignUpCount.key == f"{_ASKED}{mailbox}")
    return [row.hour for row in session.exec(query) for _ in range(row.count)]


def note_signed_in(session: Session, name: str, hour: int) -> None:
    """Remember that an editor signed in from a network in an hour."""
    count_sign_up(session, f"{_SIGNED_IN}{name}", hour)


def has_signed_in(session: Session, name: str) -> bool:
    """Return whether an editor has signed in from a network lately."""
    query = select(SignUpCount.key).where(SignUpCount.key == f"{_SIGNED_IN}{name}")
    return session.exec(query.limit(1)).first() is not None


def forget_counts(session: Session, before_hour: int, asked_before_hour: int) -> None:
    """Delete the counts of past hours, and later when mailboxes were asked and editors signed in."""
    was_asked = col(SignUpCount.key).startswith(_ASKED) | col(SignUpCount.key).startswith(_SIGNED_IN)
    session.execute(delete(SignUpCount).where(col(SignUpCount.hour) < before_hour, ~was_asked))
    session.execute(delete(SignUpCount).where(col(SignUpCount.hour) < asked_before_hour, was_asked))
