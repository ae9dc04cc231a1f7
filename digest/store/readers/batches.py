"""Readers in batches, for imports: looked up and inserted in a few statements, as plain rows."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Table, and_, select
from sqlmodel import Session, SQLModel, col

from digest.models import Subscriber, Subscription, Suppression
from digest.store.many_values import is_one_of


class KnownSubscriber(NamedTuple):
    """What an import compares about a subscriber."""

    id: int
    address_key: str
    name: str
    language: str | None
    timezone: str | None


class KnownSubscription(NamedTuple):
    """What an import compares about a subscription."""

    id: int
    subscriber_id: int
    state: str
    cadence: str
    topics: dict[str, str]
    created_at: datetime
    ended_at: datetime | None


class KnownSuppression(NamedTuple):
    """Why an address is suppressed, and since when."""

    address_hash: str
    reason: str
    created_at: datetime


def find_subscribers(session: Session, keys: Sequence[str]) -> dict[str, KnownSubscriber]:
    """Find those of a batch of address keys that are known."""
    wanted = is_one_of(session, col(Subscriber.address_key), keys)
    rows = _find(session, Subscriber, KnownSubscriber, wanted) if keys else []
    return {row.address_key: row for row in rows}


def find_subscriptions(session: Session, ids: Sequence[int], digest: str) -> dict[int, KnownSubscription]:
    """Find the subscriptions of a batch of subscribers to a digest, by subscriber."""
    if not ids:
        return {}
    theirs = is_one_of(session, col(Subscription.subscriber_id), ids)
    wanted = and_(theirs, col(Subscription.digest) == digest)
    return {row.subscriber_id: row for row in _find(session, Subscription, KnownSubscription, wanted)}


def is_anyone_suppressed(session: Session) -> bool:
    """Return whether there is any suppression: where there is none, no address has to be hashed."""
    return session.connection().execute(select(col(Suppression.id)).limit(1)).first() is not None


def find_suppressions(session: Session, hashes: Sequence[str]) -> dict[str, KnownSuppression]:
    """Find those of a batch of address hashes that are suppressed."""
    if not hashes:
        return {}
    wanted = is_one_of(session, col(Suppression.address_hash), hashes)
    rows = _find(session, Suppression, KnownSuppression, wanted)
    return {row.address_hash: row for row in rows}


def _find(session: Session, model: type[SQLModel], row: Any, wanted: ColumnElement[bool]) -> list[Any]:
    """Select the columns that a named tuple names; ORM objects would take ten times as long."""
    table: Table = SQLModel.metadata.tables[str(model.__tablename__)]
    query = select(*(table.c[name] for name in row._fields)).where(wanted)
    return [row._make(found) for found in session.connection().execute(query)]
