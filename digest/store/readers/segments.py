"""Searches for readers that were saved by name, and whom they find."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, delete, exists, func, select, update
from sqlmodel.sql.expression import SelectOfScalar

from digest.models import ReaderSegment, Subscriber, Subscription, SubscriptionState
from digest.models.subscriber import ReaderFilter
from digest.store.readers.listing import conditions_of


def list_segments(session: Session) -> Sequence[ReaderSegment]:
    """List all segments by name."""
    return session.exec(select(ReaderSegment).order_by(ReaderSegment.name_key)).all()


def find_segment(session: Session, number: int) -> ReaderSegment | None:
    """Find a segment by its id."""
    return session.exec(select(ReaderSegment).where(ReaderSegment.id == number)).first()


def find_named(session: Session, name_key: str) -> ReaderSegment | None:
    """Find a segment by its name, upper and lower case alike."""
    return session.exec(select(ReaderSegment).where(ReaderSegment.name_key == name_key)).first()


def insert(session: Session, segment: ReaderSegment) -> None:
    """Store a new segment."""
    session.add(segment)
    session.flush()


def change(
    session: Session, number: int, seen: int, who: str, now: datetime, values: Mapping[str, Any]
) -> bool:
    """Change a segment that is still at the version that was seen; return whether it was."""
    query = update(ReaderSegment).where(col(ReaderSegment.id) == number, col(ReaderSegment.version) == seen)
    changed = query.values(version=seen + 1, changed_by=who, changed_at=now, **values)
    return bool(session.exec(changed).rowcount)


def remove(session: Session, number: int, seen: int) -> bool:
    """Remove a segment that is still at the version that was seen; return whether it was."""
    query = delete(ReaderSegment).where(col(ReaderSegment.id) == number, col(ReaderSegment.version) == seen)
    return bool(session.exec(query).rowcount)


def last_id(session: Session) -> int:
    """Return the highest id of a reader; 0 if there is none."""
    return session.exec(select(func.max(Subscriber.id))).one() or 0


def list_confirmed(
    session: Session, wanted: ReaderFilter, digest: str, span: tuple[int, int], limit: int
) -> Sequence[Subscriber]:
    """List confirmed readers of a digest who match, by their ids, those in a half-open span of ids."""
    query = _confirmed(wanted, digest, span).where(
        col(Subscriber.id) >= span[0], col(Subscriber.id) < span[1]
    )
    return session.exec(query.limit(limit)).all()


def list_confirmed_among(
    session: Session, wanted: ReaderFilter, digest: str, public_ids: Collection[str]
) -> Sequence[Subscriber]:
    """List those of some readers who are confirmed readers of a digest and match, by their ids."""
    query = _confirmed(wanted, digest, None).where(col(Subscriber.public_id).in_(public_ids))
    return session.exec(query).all()


def _confirmed(wanted: ReaderFilter, digest: str, span: tuple[int, int] | None) -> SelectOfScalar[Subscriber]:
    own = col(Subscription.subscriber_id)
    reads = exists().where(
        own == col(Subscriber.id),
        col(Subscription.digest) == digest,
        col(Subscription.state) == SubscriptionState.CONFIRMED,
        *((own >= span[0], own < span[1]) if span else ()),
    )
    query = select(Subscriber).where(col(Subscriber.erased_at).is_(None), reads, *conditions_of(wanted, span))
    return query.order_by(col(Subscriber.id))
