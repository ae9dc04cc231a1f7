"""Automatic replies to received mail."""

from datetime import datetime

from sqlmodel import Session, col, select, update

from digest.models import Answer, MailState


def add_answer(session: Session, row: Answer) -> Answer:
    """Plan a reply."""
    session.add(row)
    session.flush()
    return row


def was_answered(session: Session, address: str, since: datetime) -> bool:
    """Return whether an address was answered since a time (RFC 3834 2: replies to one address are
    limited)."""
    query = select(Answer.id).where(
        Answer.address == address, Answer.created_at > since, col(Answer.kind).in_(("answer", "ask"))
    )
    return session.exec(query.limit(1)).first() is not None


def last_of_kind(session: Session, subscriber_id: int, kind: str) -> Answer | None:
    """Find the latest message of a kind to a reader."""
    query = select(Answer).where(Answer.subscriber_id == subscriber_id, Answer.kind == kind)
    return session.exec(query.order_by(col(Answer.id).desc()).limit(1)).first()


def list_asked(session: Session, subscriber_id: int) -> list[Answer]:
    """List the commands that a reader was asked to confirm and has not."""
    wanted = (Answer.subscriber_id == subscriber_id, Answer.kind == "ask")
    return list(session.exec(select(Answer).where(*wanted).order_by(col(Answer.id).desc()).limit(100)))


def claim_answer(session: Session, owner: int, now: datetime) -> Answer | None:
    """Claim the reply that has been due longest; None if nothing is due."""
    query = (
        select(Answer)
        .where(Answer.state == MailState.PLANNED, Answer.due_at <= now)
        .order_by(col(Answer.due_at), col(Answer.id))
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    found = session.exec(query).first()
    if found is not None:
        found.state, found.owner = MailState.IN_FLIGHT, owner
        found.attempts += 1
        session.add(found)
        session.flush()
    return found


def record_answer(
    session: Session, answer_id: int, owner: int, state: MailState, reply: str, due_at: datetime | None
) -> None:
    """Record the outcome of a claimed reply."""
    values: dict[str, object] = {"state": state, "reply": reply[:500], "owner": None}
    if due_at is not None:
        values["due_at"] = due_at
    mine = (col(Answer.id) == answer_id, col(Answer.owner) == owner)
    session.exec(update(Answer).where(*mine).values(**values))


def release_answers(session: Session, owner: int) -> None:
    """Mark what a dead worker had in flight as uncertain: a reply is not worth a repeat."""
    held = update(Answer).where(col(Answer.owner) == owner, col(Answer.state) == MailState.IN_FLIGHT)
    session.exec(held.values(state=MailState.UNCERTAIN, owner=None))


def erase_answers(session: Session, subscriber_id: int) -> None:
    """Delete what was written to a reader who is erased; what has not been sent never is."""
    theirs = update(Answer).where(col(Answer.subscriber_id) == subscriber_id)
    session.exec(theirs.values(address="", subject="", values={}, reply_to="", in_reply_to="", reply=""))
    planned = theirs.where(col(Answer.state) == MailState.PLANNED)
    session.exec(planned.values(state=MailState.FAILED))
