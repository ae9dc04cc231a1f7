"""The state of a message to one reader, a request for confirmation or a notice, as its worker records it."""

from datetime import datetime

from sqlalchemy import update
from sqlmodel import Session, col

from digest.models import Confirmation, MailState, ReaderNotice


def record_mail(
    session: Session,
    table: type[Confirmation] | type[ReaderNotice],
    number: int,
    owner: int,
    mail_state: MailState,
    *,
    reply: str = "",
    due_at: datetime | None = None,
) -> bool:
    """Record the state of a claimed message; return False if this owner no longer has it.

    Setting `in_flight` counts an attempt; `planned` releases the claim, to be tried at `due_at`.
    """
    values: dict[str, object] = {"mail_state": mail_state, "reply": reply}
    if mail_state == MailState.IN_FLIGHT:
        values["attempts"] = col(table.attempts) + 1
    if mail_state == MailState.PLANNED:
        values["owner"] = None
    if due_at is not None:
        values["due_at"] = due_at
    held = update(table).where(col(table.id) == number, col(table.owner) == owner)
    return bool(getattr(session.execute(held.values(**values)), "rowcount", 0))
