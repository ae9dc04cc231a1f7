"""The list of readers for operators: found by part of an address or name, and filtered, a page at a time.

A store may hold millions of readers and the next page must come at once, so a page looks through a bounded
number of rows, the latest first, and says where it stopped.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, String, cast, exists, func
from sqlmodel import Session, col, or_, select

from digest.models import Subscriber, Subscription
from digest.models.row import row_id
from digest.models.subscriber import ReaderFilter

LOOKED_THROUGH = 100_000
"""How many readers one page looks through at most."""


@dataclass(frozen=True, slots=True)
class FoundReaders:
    """A page of readers, the latest first; `below` is the id to go on below, None at the end of the list.

    `is_whole` where the page is full or the list has ended; else the search stopped at its bound.
    """

    readers: list[Subscriber]
    below: int | None
    is_whole: bool


def find_readers(session: Session, wanted: ReaderFilter, below: int | None, limit: int) -> FoundReaders:
    """Find readers who match, those with an id under `below` where one is given."""
    top = below if below is not None else _last_id(session) + 1
    floor = max(1, top - LOOKED_THROUGH)
    query = (
        select(Subscriber)
        .where(
            col(Subscriber.id) < top,
            col(Subscriber.id) >= floor,
            col(Subscriber.erased_at).is_(None),
            *conditions_of(wanted),
        )
        .order_by(col(Subscriber.id).desc())
        .limit(limit + 1)
    )
    found = list(session.exec(query))
    if len(found) > limit:
        return FoundReaders(found[:limit], row_id(found[limit - 1]), is_whole=True)
    return FoundReaders(found, floor if floor > 1 else None, is_whole=floor == 1)


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


def _last_id(session: Session) -> int:
    return session.exec(select(func.max(Subscriber.id))).one() or 0


def conditions_of(wanted: ReaderFilter) -> Iterator[ColumnElement[bool]]:
    """Yield what a reader who matches fulfils."""
    if wanted.text:
        address = col(Subscriber.address_key).contains(wanted.text.lower(), autoescape=True)
        yield or_(address, *_named(wanted.text))
    if wanted.language:
        yield col(Subscriber.language) == wanted.language
    subscribed = list(_subscribed(wanted))
    if subscribed:
        yield exists().where(col(Subscription.subscriber_id) == col(Subscriber.id), *subscribed)


def _named(text: str) -> Iterator[ColumnElement[bool]]:
    """Yield a name's spellings: SQLite's LIKE knows upper and lower case in ASCII alone."""
    for one in dict.fromkeys((text, text.lower(), text.upper(), text.title())):
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
