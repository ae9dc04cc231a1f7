"""The sentences that readers agreed to: each is kept once, word for word, under a number."""

import hashlib
from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Session, col, select

from digest.models import ConsentWording
from digest.store.readers.subscribers import insert_new


def hash_wording(language: str, text: str) -> str:
    """Return what is the same for the same sentence in the same language."""
    return hashlib.sha256(f"{language}\0{text}".encode()).hexdigest()


def keep_wording(session: Session, text: str, language: str, now: datetime) -> int | None:
    """Return the number of a sentence, which it gets when it is first used; None where there is none."""
    if not text:
        return None
    named = hash_wording(language, text)
    query = select(ConsentWording.id).where(ConsentWording.hash == named)
    found = session.exec(query).first()
    if found is None:
        row = {"hash": named, "language": language, "text": text, "first_used_at": now}
        insert_new(session, ConsentWording, [row])
        found = session.exec(query).one()
    return found


def get_wordings(session: Session, numbers: Iterable[int | None]) -> dict[int | None, ConsentWording]:
    """Return sentences by their numbers."""
    query = select(ConsentWording).where(col(ConsentWording.id).in_({one for one in numbers if one}))
    return {row.id: row for row in session.exec(query)}
