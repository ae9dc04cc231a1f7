"""Receivers of webhooks, and the messages that wait for them."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, delete, func, select, update

from digest.models.programs.webhooks import WebhookEndpoint, WebhookMessage

_TURN = 0x686F_6F6B  # any number that no other lock of ours has


def list_enabled(session: Session) -> list[WebhookEndpoint]:
    """List the receivers that are told of what happens."""
    query = select(WebhookEndpoint).where(col(WebhookEndpoint.disabled_at).is_(None))
    return list(session.exec(query.order_by(col(WebhookEndpoint.id))))


def list_endpoints(session: Session) -> list[WebhookEndpoint]:
    """List all receivers, in the order in which they were added."""
    return list(session.exec(select(WebhookEndpoint).order_by(col(WebhookEndpoint.id))))


def add_endpoint(session: Session, endpoint: WebhookEndpoint) -> bool:
    """Store a receiver; return False if there is one with its URL, which would be told everything twice."""
    if session.get_bind().dialect.name == "postgresql":
        session.exec(select(func.pg_advisory_xact_lock(_TURN)))
    if session.exec(select(WebhookEndpoint.id).where(WebhookEndpoint.url == endpoint.url)).first():
        return False
    session.add(endpoint)
    session.flush()
    return True


def list_given_up(session: Session) -> list[WebhookEndpoint]:
    """List the receivers that were disabled because they failed."""
    query = select(WebhookEndpoint).where(
        col(WebhookEndpoint.disabled_at).is_not(None), WebhookEndpoint.disabled_why != ""
    )
    return list(session.exec(query.order_by(col(WebhookEndpoint.id))))


def find_endpoint(session: Session, endpoint_id: int, *, lock: bool = False) -> WebhookEndpoint | None:
    """Find a receiver; `lock` keeps others from changing it until the commit."""
    query = select(WebhookEndpoint).where(WebhookEndpoint.id == endpoint_id)
    return session.exec(query.with_for_update() if lock else query).first()


def find_message(session: Session, endpoint_id: int, number: int) -> WebhookMessage | None:
    """Find a message of a receiver, locked until the commit."""
    wanted = (WebhookMessage.id == number, WebhookMessage.endpoint_id == endpoint_id)
    return session.exec(select(WebhookMessage).where(*wanted).with_for_update()).first()


def list_messages(session: Session, endpoint_id: int, limit: int) -> list[WebhookMessage]:
    """List a receiver's messages, the latest first."""
    query = select(WebhookMessage).where(WebhookMessage.endpoint_id == endpoint_id)
    return list(session.exec(query.order_by(col(WebhookMessage.id).desc()).limit(limit)))


def count_waiting(session: Session) -> dict[int, int]:
    """Count the messages that wait, by receiver."""
    query = (
        select(WebhookMessage.endpoint_id, func.count())
        .where(col(WebhookMessage.due_at).is_not(None))
        .group_by(col(WebhookMessage.endpoint_id))
    )
    return dict(session.exec(query).all())


def list_due_endpoints(session: Session, now: datetime, limit: int) -> list[WebhookEndpoint]:
    """List the receivers that a message is due for: those that answer first, then by how long one waits."""
    waits = (
        select(WebhookMessage.endpoint_id, func.min(WebhookMessage.due_at).label("since"))
        .where(col(WebhookMessage.due_at) <= now)
        .group_by(col(WebhookMessage.endpoint_id))
        .subquery()
    )
    query = (
        select(WebhookEndpoint)
        .join(waits, waits.c.endpoint_id == WebhookEndpoint.id)
        .where(col(WebhookEndpoint.disabled_at).is_(None))
        .order_by(col(WebhookEndpoint.failing_since).is_not(None), waits.c.since)
        .limit(limit)
    )
    return list(session.exec(query))


def claim(
    session: Session, endpoint_id: int, now: datetime, until: datetime, limit: int
) -> list[WebhookMessage]:
    """Take a receiver's due messages, the oldest first; nobody else takes them before `until`."""
    query = (
        select(WebhookMessage)
        .where(WebhookMessage.endpoint_id == endpoint_id, col(WebhookMessage.due_at) <= now)
        .order_by(col(WebhookMessage.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    found = list(session.exec(query))
    for message in found:
        message.due_at = until
        session.add(message)
    return found


def release(session: Session, numbers: Sequence[int], due_at: datetime) -> None:
    """Postpone messages that were taken and not tried."""
    waiting = (col(WebhookMessage.id).in_(numbers), col(WebhookMessage.due_at).is_not(None))
    session.execute(update(WebhookMessage).where(*waiting).values(due_at=due_at))


def resume(session: Session, endpoint_id: int, now: datetime) -> None:
    """Make everything that waits for a receiver due now."""
    waiting = (col(WebhookMessage.endpoint_id) == endpoint_id, col(WebhookMessage.due_at).is_not(None))
    session.execute(update(WebhookMessage).where(*waiting).values(due_at=now))


def forget_ended(session: Session, before: datetime) -> None:
    """Forget messages from before a time, but for those that still wait for a receiver that is told."""
    disabled = select(WebhookEndpoint.id).where(col(WebhookEndpoint.disabled_at).is_not(None))
    over = col(WebhookMessage.due_at).is_(None) | col(WebhookMessage.endpoint_id).in_(disabled)
    session.execute(delete(WebhookMessage).where(col(WebhookMessage.at) < before, over))
