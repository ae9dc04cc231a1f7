"""Searches for readers that were saved by name, and whom they find."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, delete, exists, select, update

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


def list_confirmed(
    session: Session, wanted: ReaderFilter, digest: str, after: int, limit: int
) -> Sequence[Subscriber]:
    """List confirmed readers of a digest who match, by their ids, those above `after`."""
    reads = exists().where(
        col(Subscription.subscriber_id) == col(Subscriber.id),
        col(Subscription.digest) == digest,
        col(Subscription.state) == SubscriptionState.CONFIRMED,
    )
    query = select(Subscriber).where(
        col(Subscriber.id) > after, col(Subscriber.erased_at).is_(None), reads, *conditions_of(wanted)
    )
    return session.exec(query.order_by(col(Subscriber.id)).limit(limit)).all()
