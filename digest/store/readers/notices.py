"""Notices to readers: which are due, the state of each message, and the token in it."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, exists, insert, literal, update
from sqlalchemy import select as sql_select
from sqlmodel import Session, SQLModel, col, delete, select

from digest.models import (
    Delivery,
    DeliveryState,
    Edition,
    MailState,
    NoticeKind,
    ReaderNotice,
    Subscriber,
    Subscription,
    Withheld,
)
from digest.models.row import row_id
from digest.store.readers.reader_mail import claim_first

_DAY = timedelta(hours=24)


def add_notice(session: Session, row: ReaderNotice) -> None:
    """Plan a notice."""
    session.add(row)
    session.flush()


def plan_notice(
    session: Session,
    subscriber: Subscriber,
    kind: NoticeKind,
    now: datetime,
    origin: Mapping[str, str],
    *,
    address: str = "",
    typed: Iterable[tuple[str, str]] = (),
) -> None:
    """Plan a notice that is due now; `address` is for one that goes elsewhere than to the reader's own."""
    notice = ReaderNotice(
        subscriber_id=row_id(subscriber),
        kind=kind,
        address=address or subscriber.address,
        requested_at=now,
        origin=dict(origin),
        due_at=now,
        typed=[list(pair) for pair in typed] or None,
    )
    add_notice(session, notice)


def list_requested(session: Session, subscriber_id: int, kind: NoticeKind, since: datetime) -> list[datetime]:
    """List when notices of a kind were requested for a subscriber."""
    wanted = (
        ReaderNotice.subscriber_id == subscriber_id,
        ReaderNotice.kind == kind,
        ReaderNotice.requested_at > since,
    )
    return list(session.exec(select(ReaderNotice.requested_at).where(*wanted)))


def list_welcomed(session: Session, subscriber_id: int, since: datetime) -> set[str]:
    """List the digests to which a subscriber was welcomed since a time."""
    wanted = (
        ReaderNotice.subscriber_id == subscriber_id,
        ReaderNotice.kind == NoticeKind.WELCOME,
        ReaderNotice.requested_at > since,
    )
    return {row.origin.get("digest", "") for row in session.exec(select(ReaderNotice).where(*wanted))}


def greet_empty_handed(session: Session, edition: Edition) -> None:
    """Plan a welcome for each reader of an edition for whom it holds nothing, at most one a day and digest.

    One statement, so that the number of readers costs no memory.
    """
    at = edition.freeze_at
    moment = SQLModel.metadata.tables["reader_notice"].c.due_at.type
    welcomed = exists().where(
        col(ReaderNotice.subscriber_id) == Subscriber.id,
        col(ReaderNotice.kind) == NoticeKind.WELCOME,
        col(ReaderNotice.requested_at) > at - _DAY,
        col(ReaderNotice.origin)["digest"].as_string() == edition.digest,
    )
    values: dict[str, Any] = {
        "subscriber_id": col(Subscriber.id),
        "kind": literal(NoticeKind.WELCOME.value),
        "address": col(Subscriber.address),
        "requested_at": literal(at, moment),
        "origin": literal({"digest": edition.digest}, JSON),
        "mail_state": literal(MailState.PLANNED.value),
        "due_at": literal(at, moment),
        "attempts": literal(0),
        "reply": literal(""),
    }
    query = (
        sql_select(*values.values())
        .join(Subscription, col(Subscription.subscriber_id) == col(Subscriber.id))
        .join(Delivery, col(Delivery.subscription_id) == col(Subscription.id))
        .where(
            col(Delivery.edition_id) == edition.id,
            col(Delivery.state) == DeliveryState.WITHHELD,
            col(Delivery.reason) == Withheld.NOTHING_NEW,
            ~welcomed,
        )
    )
    session.execute(insert(ReaderNotice).from_select(list(values), query))


def find_notice(session: Session, token_hash: str) -> ReaderNotice | None:
    """Return the notice whose message has this token."""
    return session.exec(select(ReaderNotice).where(ReaderNotice.token_hash == token_hash)).first()


def forget_typed(session: Session, row: ReaderNotice) -> None:
    """Forget what a reader typed on an earlier page, which a notice carries."""
    if row.typed is not None:
        row.typed = None
        session.add(row)
        session.flush()


def claim_notice(session: Session, owner: int, now: datetime) -> ReaderNotice | None:
    """Claim the notice that has been due longest; None if nothing is due."""
    due = select(ReaderNotice).where(
        ReaderNotice.mail_state == MailState.PLANNED, col(ReaderNotice.due_at) <= now
    )
    return claim_first(session, ReaderNotice, due, owner)


def set_token(session: Session, notice_id: int, token_hash: str, expires_at: datetime) -> None:
    """Store the hash of the token that the message carries, and when it expires."""
    values = {"token_hash": token_hash, "expires_at": expires_at}
    session.execute(update(ReaderNotice).where(col(ReaderNotice.id) == notice_id).values(**values))


def release_notices(session: Session, owner: int) -> None:
    """Plan again what a dead worker held.

    A notice in flight is repeated once: a second link does no harm, a missing one leaves a reader waiting.
    """
    held = update(ReaderNotice).where(col(ReaderNotice.owner) == owner)
    in_flight = held.where(col(ReaderNotice.mail_state) == MailState.IN_FLIGHT)
    repeated = in_flight.where(col(ReaderNotice.attempts) >= 2)
    session.execute(repeated.values(mail_state=MailState.UNCERTAIN, owner=None))
    for state in (MailState.CLAIMED, MailState.IN_FLIGHT):
        open_ = held.where(col(ReaderNotice.mail_state) == state)
        session.execute(open_.values(mail_state=MailState.PLANNED, owner=None))


def close_restored(session: Session, until: datetime) -> None:
    """Take the notices without a link of their own that were due up to a time as sent, for all that is known.

    A restored database has them planned, and had sent them. A link is mailed once more: the one in the lost
    message is not known to this database.
    """
    told = update(ReaderNotice).where(col(ReaderNotice.kind).in_((NoticeKind.WELCOME, NoticeKind.MOVED)))
    due = told.where(col(ReaderNotice.mail_state) == MailState.PLANNED, col(ReaderNotice.due_at) <= until)
    session.execute(due.values(mail_state=MailState.UNCERTAIN, reply="due before the backup was restored"))


def forget_notices(
    session: Session, *, subscriber_id: int | None = None, before: datetime | None = None
) -> None:
    """Delete the notices of one subscriber, or those requested before a time."""
    query = delete(ReaderNotice)
    if subscriber_id is not None:
        query = query.where(col(ReaderNotice.subscriber_id) == subscriber_id)
    if before is not None:
        query = query.where(col(ReaderNotice.requested_at) < before)
    session.exec(query)
