"""A message to one reader, a request for confirmation or a notice, as its worker claims and records it."""

from datetime import datetime
from typing import TypeVar

from sqlalchemy import update
from sqlmodel import Session, col
from sqlmodel.sql.expression import SelectOfScalar

from digest.models import Confirmation, MailState, ReaderNotice

Mail = TypeVar("Mail", Confirmation, ReaderNotice)


def claim_first(session: Session, table: type[Mail], due: SelectOfScalar[Mail], owner: int) -> Mail | None:
    """Claim the message that has been due longest; no two workers get the same one."""
    query = due.order_by(col(table.due_at), col(table.id)).limit(1)
    found = session.exec(query.with_for_update(of=table, skip_locked=True)).first()
    if found is not None:
        found.mail_state, found.owner = MailState.CLAIMED, owner
        session.add(found)
        session.flush()
    return found


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
