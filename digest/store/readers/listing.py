"""The list of readers for operators: found by part of an address or name, and filtered, a page at a time."""

import json
from collections.abc import Iterator

from sqlalchemy import ColumnElement, String, cast, exists
from sqlmodel import Session, col, or_, select

from digest.models import Subscriber, Subscription
from digest.models.row import ListPage
from digest.models.subscriber import ReaderFilter
from digest.store.bounded_search import end_of, find_page

MOST_READ = 50_000
"""How many readers one page of a search reads at most."""


def find_readers(
    session: Session, wanted: ReaderFilter, below: int | None, limit: int
) -> ListPage[Subscriber]:
    """Find a page of the readers who match, the latest first."""
    top = end_of(session, col(Subscriber.id), below)
    matching = conditions_of(wanted, (top - MOST_READ, top))
    query = select(Subscriber).where(col(Subscriber.erased_at).is_(None), *matching)
    return find_page(session, query, col(Subscriber.id), top, limit, MOST_READ)


def begin_with(session: Session, start: str, limit: int) -> list[Subscriber]:
    """Find readers by the beginning of their address key, on its index, in the order of addresses."""
    key = col(Subscriber.address_key)
    query = select(Subscriber).where(key >= start, key < start + "\U0010ffff")
    return list(session.exec(query.where(col(Subscriber.erased_at).is_(None)).order_by(key).limit(limit)))


def list_matching(session: Session, wanted: ReaderFilter, after: int, limit: int) -> list[Subscriber]:
    """List readers who match by their ids, those above `after`."""
    query = select(Subscriber).where(
        col(Subscriber.id) > after, col(Subscriber.erased_at).is_(None), *conditions_of(wanted)
    )
    return list(session.exec(query.order_by(col(Subscriber.id)).limit(limit)))


def list_subscriptions_of(session: Session, subscriber_ids: list[int]) -> dict[int, list[Subscription]]:
    """List what each of some readers reads or read."""
    query = select(Subscription).where(col(Subscription.subscriber_id).in_(subscriber_ids))
    found: dict[int, list[Subscription]] = {number: [] for number in subscriber_ids}
    for row in session.exec(query.order_by(Subscription.digest)):
        found[row.subscriber_id].append(row)
    return found


def conditions_of(wanted: ReaderFilter, span: tuple[int, int] | None = None) -> Iterator[ColumnElement[bool]]:
    """Yield what a reader who matches fulfils; `span` is between which ids, where only those are looked at.

    It is said of subscriptions too: PostgreSQL would go through those of all readers.
    """
    if wanted.text:
        address = col(Subscriber.address_key).contains(wanted.text.lower(), autoescape=True)
        yield or_(address, *_named(wanted.text))
    if wanted.language:
        yield col(Subscriber.language) == wanted.language
    subscribed = list(_subscribed(wanted))
    if subscribed and span is not None:
        own = col(Subscription.subscriber_id)
        subscribed += [own >= span[0], own < span[1]]
    if subscribed:
        yield exists().where(col(Subscription.subscriber_id) == col(Subscriber.id), *subscribed)


def _named(text: str) -> Iterator[ColumnElement[bool]]:
    """Yield a name's spellings: SQLite's LIKE knows upper and lower case in ASCII alone.

    One that differs by these alone would have each row compared again.
    """
    spellings = (text,) if text.isascii() else (text, text.lower(), text.upper(), text.title())
    for one in dict.fromkeys(spellings):
        yield col(Subscriber.name).ilike(f"%{_escaped(one)}%", escape="/")


def _escaped(text: str) -> str:
    return text.replace("/", "//").replace("%", "/%").replace("_", "/_")


def _subscribed(wanted: ReaderFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.digest:
        yield col(Subscription.digest) == wanted.digest
    if wanted.state:
        yield col(Subscription.state) == wanted.state
    if wanted.cadence:
        yield col(Subscription.cadence) == wanted.cadence
    if wanted.topic:
        topics = cast(col(Subscription.topics), String)
        yield topics.contains(f"{json.dumps(wanted.topic)}:", autoescape=True)
