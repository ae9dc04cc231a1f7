"""Bounces and complaints: evidence about addresses, and sums for editors and operators."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Insert, Integer, String, and_, bindparam, or_
from sqlalchemy import select as columns
from sqlmodel import Session, SQLModel, col, func, select

from digest.models import (
    Bounce,
    BounceWeight,
    Complaint,
    Delivery,
    DeliveryState,
    Edition,
    Subscriber,
    Subscription,
)
from digest.models.row import row_id

_BLOCKS = ("authentication", "reputation", "content", "policy")
"""Reasons that stay until somebody does something; rates and greylists pass by themselves."""

# Written once: to build a statement takes longer than to run it, and a flood runs these for each message.
_BEGINNING = (
    select(Subscriber)
    .where(
        col(Subscriber.public_id) >= bindparam("prefix"),
        col(Subscriber.public_id) < bindparam("prefix", type_=String) + "{",
    )
    .limit(10)
)
_MAILED = (
    select(Delivery, Edition)
    .join(Edition, col(Edition.id) == col(Delivery.edition_id))
    .join(Subscription, col(Subscription.id) == col(Delivery.subscription_id))
    .where(col(Subscription.subscriber_id) == bindparam("subscriber"), col(Delivery.composed_at).is_not(None))
    .order_by(col(Delivery.id).desc())
    .limit(bindparam("most", type_=Integer))
)
_EVIDENCE = (
    columns(col(Bounce.id), col(Bounce.delivery_id), col(Bounce.weight), col(Bounce.at))
    .where(col(Bounce.subscriber_id) == bindparam("subscriber"), col(Bounce.at) >= bindparam("since"))
    .order_by(col(Bounce.id))
)
_ADD: Insert = SQLModel.metadata.tables["bounce"].insert()


class BounceFact(NamedTuple):
    """A bounce as far as a score needs it."""

    id: int
    delivery_id: int | None
    weight: str
    at: datetime


def find_by_prefix(session: Session, prefix: str) -> list[Subscriber]:
    """Find the subscribers whose public id begins with the prefix in a return path."""
    return list(session.exec(_BEGINNING, params={"prefix": prefix}))


def list_mailed(session: Session, subscriber_id: int, limit: int) -> list[tuple[Delivery, Edition]]:
    """List the editions that a subscriber may have received, the latest first."""
    return list(session.exec(_MAILED, params={"subscriber": subscriber_id, "most": limit}))


def add_bounce(session: Session, row: Bounce) -> None:
    """Store a bounce."""
    session.connection().execute(_ADD, row.model_dump(exclude={"id"}))


def list_evidence(session: Session, subscriber_id: int, since: datetime) -> list[BounceFact]:
    """List a subscriber's bounces since a time, one for each delivery and weight."""
    found: dict[object, BounceFact] = {}
    rows = session.connection().execute(_EVIDENCE, {"subscriber": subscriber_id, "since": since})
    for row in map(BounceFact._make, rows):
        found.setdefault((row.delivery_id or f"row {row.id}", row.weight), row)
    return list(found.values())


def list_of(session: Session, subscriber_id: int, limit: int) -> Sequence[Bounce]:
    """List a subscriber's bounces, the latest first."""
    query = select(Bounce).where(Bounce.subscriber_id == subscriber_id)
    return session.exec(query.order_by(col(Bounce.id).desc()).limit(limit)).all()


def list_complaints_of(session: Session, subscriber_id: int, limit: int) -> Sequence[Complaint]:
    """List a subscriber's complaints, the latest first."""
    query = select(Complaint).where(Complaint.subscriber_id == subscriber_id)
    return session.exec(query.order_by(col(Complaint.id).desc()).limit(limit)).all()


def list_refused(
    session: Session, edition_id: int, after: int, limit: int
) -> list[tuple[Delivery, Subscriber]]:
    """List an edition's deliveries that were refused during SMTP, a page at a time."""
    query = (
        select(Delivery, Subscriber)
        .join(Subscription, col(Subscription.id) == col(Delivery.subscription_id))
        .join(Subscriber, col(Subscriber.id) == col(Subscription.subscriber_id))
        .where(
            Delivery.edition_id == edition_id,
            Delivery.state == DeliveryState.FAILED,
            col(Delivery.id) > after,
            col(Subscriber.erased_at).is_(None),
        )
        .order_by(col(Delivery.id))
        .limit(limit)
    )
    return list(session.exec(query))


def list_finished(session: Session, at: datetime, number: int, limit: int) -> list[Edition]:
    """List editions that finished after a time, or at that time with a higher id, oldest first."""
    finished = col(Edition.finished_at)
    later = or_(finished > at, and_(finished == at, col(Edition.id) > number))
    return list(session.exec(select(Edition).where(later).order_by(finished, col(Edition.id)).limit(limit)))


def add_complaint(session: Session, row: Complaint) -> bool:
    """Store a complaint; return False if this reader complained about this edition before."""
    same = (Complaint.subscriber_id == row.subscriber_id, Complaint.edition_id == row.edition_id)
    if session.exec(select(Complaint.id).where(*same)).first() is not None:
        return False
    session.add(row)
    session.flush()
    return True


def count_complaints(session: Session, edition_id: int) -> tuple[int, int]:
    """Count an edition's complaints and its accepted messages."""
    complaints = session.exec(select(func.count()).where(Complaint.edition_id == edition_id)).one()
    accepted = select(func.count()).where(
        Delivery.edition_id == edition_id, Delivery.state == DeliveryState.ACCEPTED
    )
    return complaints, session.exec(accepted).one()


def sum_bounces(session: Session, since: datetime) -> list[tuple[str, str, str, str, int]]:
    """Sum bounces by edition, receiver, reason and weight, the most first."""
    edition = col(Edition.digest) + " " + col(Edition.cadence) + " " + col(Edition.period)
    number = func.count()
    query = (
        columns(
            func.coalesce(edition, "-"), col(Bounce.receiver), col(Bounce.reason), col(Bounce.weight), number
        )
        .select_from(Bounce)
        .join(Edition, col(Edition.id) == col(Bounce.edition_id), isouter=True)
        .where(col(Bounce.at) >= since)
        .group_by(edition, col(Bounce.receiver), col(Bounce.reason), col(Bounce.weight))
        .order_by(number.desc())
    )
    return [(a, b, c, d, e) for a, b, c, d, e in session.execute(query)]


def sum_blocked(session: Session, since: datetime) -> list[tuple[str, str, int]]:
    """Sum what is held against us by receiver and reason, the most first."""
    number = func.count()
    query = (
        columns(col(Bounce.receiver), col(Bounce.reason), number)
        .where(col(Bounce.at) >= since, col(Bounce.weight) == BounceWeight.OURS)
        .where(col(Bounce.reason).in_(_BLOCKS))
        .group_by(col(Bounce.receiver), col(Bounce.reason))
        .order_by(number.desc(), col(Bounce.receiver), col(Bounce.reason))
    )
    return [(receiver, reason, count) for receiver, reason, count in session.execute(query)]


def sum_complaints(session: Session, since: datetime) -> list[tuple[int | None, str, int]]:
    """Sum complaints by edition and receiver, the most first."""
    number = func.count()
    query = (
        select(Complaint.edition_id, Complaint.receiver, number)
        .where(Complaint.at >= since)
        .group_by(col(Complaint.edition_id), col(Complaint.receiver))
        .order_by(number.desc())
    )
    return [(edition, receiver, count) for edition, receiver, count in session.exec(query)]


def get_editions(session: Session, ids: Sequence[int]) -> dict[int, Edition]:
    """Get editions by their ids."""
    return {row_id(row): row for row in session.exec(select(Edition).where(col(Edition.id).in_(ids)))}
