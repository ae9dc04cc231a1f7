"""Readers' letters to the editors."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, func, select, update

from digest.models import Letter, LetterState

_WORDS = ("sender", "name", "subject", "text", "quoted", "signature", "mail_id", "print_text", "print_name")


def add_letter(session: Session, row: Letter) -> Letter:
    """Store a letter."""
    session.add(row)
    session.flush()
    return row


def get_letter(session: Session, letter_id: int, *, lock: bool = False) -> Letter | None:
    """Find a letter by its id; with a `lock` nobody else changes it before the transaction ends."""
    query = select(Letter).where(Letter.id == letter_id)
    return session.exec(query.with_for_update() if lock else query).first()


def list_letters(
    session: Session, *, states: Sequence[str] = (), edition_id: int | None = None, limit: int = 100
) -> list[Letter]:
    """List letters, the latest first, of some states or all, of one edition or all."""
    query = select(Letter).order_by(col(Letter.id).desc()).limit(limit)
    if states:
        query = query.where(col(Letter.state).in_(states))
    if edition_id is not None:
        query = query.where(Letter.edition_id == edition_id)
    return list(session.exec(query))


def list_of(session: Session, subscriber_id: int, limit: int) -> Sequence[Letter]:
    """List what a subscriber wrote, the latest first."""
    query = select(Letter).where(Letter.subscriber_id == subscriber_id)
    return session.exec(query.order_by(col(Letter.id).desc()).limit(limit)).all()


def count_new(session: Session) -> int:
    """Count the letters that no editor has handled."""
    return session.exec(select(func.count()).where(Letter.state == LetterState.NEW)).one()


def set_state(session: Session, letter: Letter, state: LetterState, who: str, now: datetime) -> None:
    """Record a letter's state, and who set it."""
    letter.state, letter.handled_by, letter.handled_at = state, who, now
    session.add(letter)
    session.flush()


def erase_letters(session: Session, subscriber_id: int) -> list[int]:
    """Delete the text and sender of letters from a reader who is erased; return the articles they became."""
    own = col(Letter.subscriber_id) == subscriber_id
    printed = session.exec(select(Letter.printed_as).where(own, col(Letter.printed_as).is_not(None))).all()
    session.exec(update(Letter).where(own).values(dict.fromkeys(_WORDS, "")))
    return [number for number in printed if number is not None]
