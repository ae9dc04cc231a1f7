"""Readers with everything that is kept of them, for a backup, to restore one, and for a copy of
their data."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from sqlmodel import Session, col, select

from digest.models import (
    Answer,
    Bounce,
    Complaint,
    Confirmation,
    ConsentEvent,
    ConsentWording,
    Delivery,
    Edition,
    ReaderNotice,
    Subscriber,
    Subscription,
    Suppression,
)
from digest.models.row import row_id
from digest.store.readers.subscribers import list_subscribers
from digest.store.readers.wordings import get_wordings

_PAGE = 500

HeldRow = TypeVar("HeldRow", Answer, Bounce, Complaint, ReaderNotice)


@dataclass(frozen=True, slots=True, eq=False)
class WholeReader:
    """A reader, their subscriptions, each act of theirs, and how they were asked to confirm."""

    person: Subscriber
    subscriptions: list[Subscription] = field(default_factory=list)
    events: list[ConsentEvent] = field(default_factory=list)
    askings: dict[int, list[Confirmation]] = field(default_factory=dict)
    wordings: Mapping[int | None, ConsentWording] = field(default_factory=dict)


def list_whole(session: Session) -> Iterator[list[WholeReader]]:
    """Stream every reader who is not erased, a page in a few statements, so that memory stays flat."""
    page: list[Subscriber] = []
    for person in list_subscribers(session):
        page.append(person)
        if len(page) == _PAGE:
            yield list(find_whole(session, page).values())
            page = []
    if page:
        yield list(find_whole(session, page).values())


def find_whole(session: Session, people: Sequence[Subscriber]) -> dict[int, WholeReader]:
    """Find all that is kept of some readers, by the id of each."""
    query = select(ConsentEvent).where(col(ConsentEvent.subscriber_id).in_([row_id(one) for one in people]))
    events = session.exec(query.order_by(col(ConsentEvent.id))).all()
    agreed = get_wordings(session, [event.wording_id for event in events])
    whole = {row_id(person): WholeReader(person, wordings=agreed) for person in people}
    theirs = select(Subscription).where(col(Subscription.subscriber_id).in_(whole))
    owners: dict[int, int] = {}
    for row in session.exec(theirs.order_by(col(Subscription.id))):
        whole[row.subscriber_id].subscriptions.append(row)
        owners[row_id(row)] = row.subscriber_id
    for event in events:
        whole[event.subscriber_id].events.append(event)
    asked: dict[int, list[Confirmation]] = defaultdict(list)
    for asking in session.exec(
        select(Confirmation)
        .where(col(Confirmation.subscription_id).in_(owners))
        .order_by(col(Confirmation.id))
    ):
        asked[asking.subscription_id].append(asking)
    for subscription_id, askings in asked.items():
        whole[owners[subscription_id]].askings[subscription_id] = askings
    return whole


def find_people(session: Session, keys: Sequence[str]) -> dict[str, Subscriber]:
    """Find the readers of some address keys."""
    rows = session.exec(select(Subscriber).where(col(Subscriber.address_key).in_(keys)))
    return {row.address_key: row for row in rows}


def list_suppressions(session: Session) -> Iterator[Suppression]:
    """Stream every ban, a page at a time by key."""
    last = 0
    while True:
        query = select(Suppression).where(col(Suppression.id) > last).order_by(col(Suppression.id))
        page = session.exec(query.limit(_PAGE)).all()
        if not page:
            return
        yield from page
        last = row_id(page[-1])
        session.expunge_all()


def is_anything_kept(session: Session) -> bool:
    """Return whether any reader or ban is kept."""
    return any(session.exec(select(model.id).limit(1)).first() for model in (Subscriber, Suppression))


def list_deliveries(session: Session, subscriber_id: int) -> list[tuple[Edition, Delivery]]:
    """List a reader's deliveries with their editions, the first one first."""
    query = (
        select(Edition, Delivery)
        .join(Delivery, col(Delivery.edition_id) == col(Edition.id))
        .join(Subscription, col(Subscription.id) == col(Delivery.subscription_id))
        .where(Subscription.subscriber_id == subscriber_id)
        .order_by(col(Edition.freeze_at), col(Delivery.id))
    )
    return list(session.exec(query))


def list_confirmations(session: Session, subscriber_id: int) -> list[Confirmation]:
    """List the requests to confirm that were made for a reader."""
    query = (
        select(Confirmation)
        .join(Subscription, col(Subscription.id) == col(Confirmation.subscription_id))
        .where(Subscription.subscriber_id == subscriber_id)
        .order_by(col(Confirmation.id))
    )
    return list(session.exec(query))


def list_rows(session: Session, table: type[HeldRow], subscriber_id: int) -> list[HeldRow]:
    """List a reader's rows of a table that names its reader, in the order in which they were entered."""
    query = select(table).where(table.subscriber_id == subscriber_id)
    return list(session.exec(query.order_by(col(table.id))))
